"""What happens during ``model.learn``."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from stable_baselines3.common.callbacks import BaseCallback

from kilroy_gym.adapters.sb3.checks import steps_per_update
from kilroy_gym.adapters.sb3.played import Played
from kilroy_gym.interfaces import Callback, Round


class Rounds(BaseCallback):
    """Reports every round, and keeps the budget.

    Args:
        budget: The most posts to make.
        played: What the model plays.
        callback: Called with every :class:`~kilroy_gym.adapters.Round`; ``False`` stops.
        between_updates: Called before the first post, and after every update but the last.

    Attributes:
        posts: How many posts were made.
    """

    def __init__(
        self,
        budget: int,
        played: Played,
        callback: Callback | None,
        between_updates: Callable[[], object] | None = None,
    ) -> None:
        """Starts with no posts."""
        super().__init__()
        self.budget = budget
        self.played = played
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
        made = [info for info in self.locals["infos"] if "episode" in info]
        self.posts += len(made)
        go_on = not (made and self.callback and self.callback(self._round(made)) is False)
        # A rollout that is complete must end of itself, since the model learns from it then; it is
        # the last where the budget is spent. Not so with composed posts, which take any number of
        # steps: there the budget comes first.
        whole = self.played.composed is None
        complete = whole and self._steps >= steps_per_update(self.model)
        return go_on and (complete or self.posts + self.model.n_envs <= self.budget)

    def _round(self, made: list[dict[str, Any]]) -> Round:
        """Returns what was posted in this step, as the environments tell it."""
        self._rounds += 1
        return Round(
            self._rounds,
            [info["post_id"] for info in made],
            self.played.last_posts,
            [float(info["episode"]["r"]) for info in made],
            expected_scores=_truth(made, "expected_score"),
            best_scores=_truth(made, "best_score"),
        )


def _truth(infos: list[dict[str, Any]], key: str) -> npt.NDArray[np.float64] | None:
    known = bool(infos) and key in infos[0]
    return np.array([info[key] for info in infos], np.float64) if known else None
