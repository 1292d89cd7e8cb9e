"""What happens during ``model.learn``."""

from typing import Any

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.callbacks import BaseCallback

from kilroy_gym.adapters.agent import Callback, Round
from kilroy_gym.adapters.sb3.checks import steps_per_update
from kilroy_gym.codecs import Codec
from kilroy_gym.post import PostData


class Rounds(BaseCallback):
    """Reports every round, and keeps the budget.

    Args:
        budget: The most posts to make.
        codec: Between posts and actions.
        callback: Called with every :class:`~kilroy_gym.adapters.Round`; ``False`` stops.

    Attributes:
        posts: How many posts were made.
    """

    def __init__(self, budget: int, codec: Codec[Any], callback: Callback | None) -> None:
        """Starts with no posts."""
        super().__init__()
        self.budget = budget
        self.codec = codec
        self.callback = callback
        self.posts = 0
        self._steps = 0

    def _on_rollout_start(self) -> None:
        self._steps = 0

    def _on_step(self) -> bool:
        # Every slot counts, even if its episode goes on: the ceiling holds whatever an episode is.
        self.posts += self.model.n_envs
        self._steps += 1
        go_on = self.callback is None or self.callback(self._round()) is not False
        # A rollout that is complete must end of itself: the model learns from it then.
        complete = self._steps >= steps_per_update(self.model)
        return go_on and (complete or self.posts + self.model.n_envs <= self.budget)

    def _round(self) -> Round:
        """Returns what was posted in this step."""
        # On-policy algorithms keep an action as it was sampled, and clip it for the environment.
        actions = self.locals.get("clipped_actions", self.locals["actions"])
        infos = self.locals["infos"]
        ended = [slot for slot, info in enumerate(infos) if "episode" in info]
        posts = self.codec.decode_many(np.asarray(actions)[ended])
        made = [infos[slot] for slot in ended]
        return Round(
            self.n_calls,
            [info["post_id"] for info in made],
            [PostData(x) for x in posts],
            [float(info["episode"]["r"]) for info in made],
            expected_scores=_truth(made, "expected_score"),
            best_scores=_truth(made, "best_score"),
        )


def _truth(infos: list[dict[str, Any]], key: str) -> npt.NDArray[np.float64] | None:
    known = bool(infos) and key in infos[0]
    return np.array([info[key] for info in infos], np.float64) if known else None
