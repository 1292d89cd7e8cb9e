"""Seeing what an agent posts."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from kilroy_gym.adapters.environments import kilroy_envs
from kilroy_gym.interfaces import Action, AnyEnv, AnyId
from kilroy_gym.post import AnyPost


@dataclass(frozen=True)
class Made:
    """A post that went out."""

    post_id: AnyId
    post: AnyPost
    score: float


class Watch:
    """Keeps what is posted on an environment, whoever posts and through whatever wrappers.

    Args:
        env: The environment, or a vector environment.

    Attributes:
        made: What was posted, in order.
    """

    def __init__(self, env: AnyEnv) -> None:
        """Finds the innermost environments."""
        self.made: list[Made] = []
        self._inside: list[Any] = list(kilroy_envs(env))

    def __enter__(self) -> "Watch":
        # On the instances, since an agent holds its environment, and no wrapper can go around.
        for env in self._inside:
            vars(env)["step"] = self._watched(env, env.step)
        return self

    def in_order_of(self, post_ids: Sequence[AnyId]) -> list[Made]:
        """Returns what was posted, in the order of these ids where posts are composed.

        Slots that compose finish at different times, and a round reports its posts by slot.
        """
        composed = any(env.composed for env in self._inside)
        if not composed or sorted(post_ids) != sorted(made.post_id for made in self.made):
            return self.made
        return sorted(self.made, key=lambda made: post_ids.index(made.post_id))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for env in self._inside:
            del vars(env)["step"]

    def _watched(self, env: Any, step: Any) -> Any:
        def watched(action: Action) -> Any:
            result = step(action)
            _, rewards, terminated, truncated, info = result
            ended = np.atleast_1d(np.logical_or(terminated, truncated))
            if isinstance(env, VectorEnv):
                info = info.get("final_info", {})
            if ended.any():
                self._keep(env.last_posts, np.atleast_1d(rewards), ended, info["post_id"])
            return result

        return watched

    def _keep(self, posts: Any, rewards: Any, ended: Any, post_ids: Any) -> None:
        ids = list(post_ids) if isinstance(post_ids, np.ndarray) else [post_ids]
        slots = np.flatnonzero(ended)
        for place, slot in enumerate(slots):
            # A composed environment tells only of the slots whose posts went out.
            post = posts[place if len(posts) == len(slots) else slot]
            post_id = ids[slot].item() if isinstance(ids[slot], np.generic) else ids[slot]
            self.made.append(Made(post_id, post, float(rewards[slot])))
