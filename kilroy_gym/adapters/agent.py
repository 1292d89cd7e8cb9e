"""Whoever plays: what the trainer and the comparison ask of an agent."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from kilroy_gym.post import PostData


@dataclass(frozen=True)
class Round:
    """What happened in a round of learning.

    Attributes:
        number: The number of the round in this run, from 1.
        post_ids: The posts that were made, in order.
        posts: Their contents.
        scores: Their scores; ``None`` for those that are pending.
        arrived: Scores of posts of earlier rounds that became known now, by post id.
        metrics: The module's own figures after it was reinforced.
        expected_scores: The mean of each score's distribution, where the Face knows the truth.
        best_scores: The best expected score at the time of each post, likewise.
    """

    number: int
    post_ids: Sequence[Any]
    posts: Sequence[PostData[Any]]
    scores: Sequence[float | None]
    arrived: dict[Any, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    expected_scores: npt.NDArray[np.float64] | None = None
    best_scores: npt.NDArray[np.float64] | None = None


Callback = Callable[[Round], bool | None]
"""Called after every round; ``False`` stops the run."""


@runtime_checkable
class Agent(Protocol):
    """Anything that plays and learns, with the signatures of Stable-Baselines3."""

    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """Returns an action for an observation, or a batch for a batch, and the next state."""

    def mimic(self, posts: Sequence[PostData[Any]]) -> Any:
        """Learns to write posts like these (one batch)."""

    def learn(
        self, total_timesteps: int, callback: Callback | None = None, progress_bar: bool = False
    ) -> Any:
        """Plays and learns; ``total_timesteps`` posts are the most it makes."""

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the agent to a file."""


def stopping_after(seconds: float, callback: Callback | None) -> Callback:
    """Returns a callback that also stops a run once so many seconds have passed.

    Raises:
        TypeError: ``callback`` is no function of a round.
        ValueError: ``seconds`` is not positive.
    """
    if not seconds > 0:
        raise ValueError(f"seconds must be positive, got {seconds!r}")
    if not (callback is None or callable(callback)):
        raise TypeError(f"with seconds, callback must be a function of a Round, got {callback!r}")
    end = time.monotonic() + seconds

    def stop(played: Round) -> bool:
        return (callback is None or callback(played) is not False) and time.monotonic() < end

    return stop
