"""What happens during ``model.learn``."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.callbacks import BaseCallback

from kilroy_gym.adapters.sb3.checks import composed, steps_per_update
from kilroy_gym.codecs import Codec
from kilroy_gym.envs.compose import whole_posts_of
from kilroy_gym.interfaces import Callback, Round
from kilroy_gym.post import PostData


class Rounds(BaseCallback):
    """Reports every round, and keeps the budget.

    Args:
        budget: The most posts to make.
        codec: Between posts and actions.
        callback: Called with every :class:`~kilroy_gym.adapters.Round`; ``False`` stops.
        between_updates: Called before the first post, and after every update but the last.

    Attributes:
        posts: How many posts were made.
    """

    def __init__(
        self,
        budget: int,
        codec: Codec[Any],
        callback: Callback | None,
        between_updates: Callable[[], object] | None = None,
    ) -> None:
        """Starts with no posts."""
        super().__init__()
        self.budget = budget
        self.codec = codec
        self.callback = callback
        self.between_updates = between_updates
        self.posts = 0
        self._steps = self._rounds = 0

    def _on_rollout_start(self) -> None:
        self._steps = 0
        if self.between_updates is not None:
            self.between_updates()

    def _on_step(self) -> bool:
        self._steps += 1
        ended = [slot for slot, info in enumerate(self.locals["infos"]) if "episode" in info]
        self.posts += len(ended)
        go_on = not (ended and self.callback and self.callback(self._round(ended)) is False)
        # A rollout that is complete must end of itself, since the model learns from it then; it is
        # the last where the budget is spent, but for composed posts, which take any number of
        # steps: there the budget comes first.
        whole = composed(self.model, self.codec) is not None
        complete = not whole and self._steps >= steps_per_update(self.model)
        return go_on and (complete or self.posts + self.model.n_envs <= self.budget)

    def _round(self, ended: list[int]) -> Round:
        """Returns what was posted in this step."""
        self._rounds += 1
        made = [self.locals["infos"][slot] for slot in ended]
        if (whole := composed(self.model, self.codec)) is not None:
            drafts = np.array([info["terminal_observation"] for info in made])
            actions = whole_posts_of(drafts, whole)
        else:
            # On-policy algorithms keep an action as it was sampled, and clip it for the
            # environment.
            taken = self.locals.get("clipped_actions", self.locals["actions"])
            actions = np.asarray(taken)[ended]
        return Round(
            self._rounds,
            [info["post_id"] for info in made],
            [PostData(x) for x in self.codec.decode_many(actions)],
            [float(info["episode"]["r"]) for info in made],
            expected_scores=_truth(made, "expected_score"),
            best_scores=_truth(made, "best_score"),
        )


def _truth(infos: list[dict[str, Any]], key: str) -> npt.NDArray[np.float64] | None:
    known = bool(infos) and key in infos[0]
    return np.array([info[key] for info in infos], np.float64) if known else None
