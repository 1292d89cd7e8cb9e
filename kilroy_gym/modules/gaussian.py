"""Continuous posts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kilroy_gym._checks import integer, number
from kilroy_gym.codecs import BoxCodec
from kilroy_gym.interfaces import Observation
from kilroy_gym.modules.drafting import DraftingModule
from kilroy_gym.post import AnyPost

Floats = npt.NDArray[np.float64]


class GaussianModule(DraftingModule[Any, tuple[Floats, Floats, Floats]]):
    """Posts numbers or vectors from a normal distribution with a diagonal covariance.

    ``mimic`` steps towards the mean and standard deviation of the posts. ``reinforce`` steps
    along the natural gradient of the expected score, with scores replaced by their ranks
    (Wierstra et al., "Natural Evolution Strategies", 2014, section 3.2 and the separable case of
    algorithm 6). It is estimated from the last posts, including those of earlier rounds, with
    importance weights. Values outside the range are clipped.

    Args:
        low: Smallest value: a number, or a vector of shape ``(k,)``.
        high: Largest value: a number, or a vector of shape ``(k,)``.
        mimic_rate: Step size of ``mimic``, in (0, 1].
        mean_rate: Step size of the mean, above 0.
        spread_rate: Step size of the logarithm of the standard deviation, above 0.
        memory: How many of the last posts each step uses, at least 2.
        seed: Seed, or a generator to draw from.

    Attributes:
        mean: Mean of the distribution, float64 of shape ``(k,)``; 1 for numbers.
        spread: Its standard deviation, float64 of shape ``(k,)``.

    Raises:
        ValueError: An argument is out of its range.
    """

    _learned = ("mean", "spread", "_memory")

    def __init__(
        self,
        low: npt.ArrayLike,
        high: npt.ArrayLike,
        mimic_rate: float = 0.01,
        mean_rate: float = 1.0,
        spread_rate: float = 0.4,
        memory: int = 50,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        """Starts at the middle of the range, with a quarter of its width as standard deviation."""
        super().__init__(seed)
        self._codec = BoxCodec(low, high)
        self._low, self._high = (np.ravel(end) for end in (self._codec.low, self._codec.high))
        self.mimic_rate = number("mimic_rate", mimic_rate, 0, 1, above=True)
        self.mean_rate = number("mean_rate", mean_rate, 0, above=True)
        self.spread_rate = number("spread_rate", spread_rate, 0, above=True)
        self.memory = integer("memory", memory, 2)
        self.mean = (self._low + self._high) / 2
        self.spread = (self._high - self._low) / 4
        # One row per post: the value drawn, mean and spread at that time, and the score.
        self._memory = np.empty((0, 3 * len(self.mean) + 1))

    def mimic(self, posts: Sequence[AnyPost]) -> "GaussianModule":
        """Steps towards the mean and standard deviation of the posts."""
        values = np.array([np.ravel(post.x) for post in posts], np.float64)
        variance = ((values - self.mean) ** 2).mean(axis=0)
        self.mean = self.mean + self.mimic_rate * (values.mean(axis=0) - self.mean)
        self.spread = np.sqrt(self.spread**2 + self.mimic_rate * (variance - self.spread**2))
        return self

    def reinforce(self, scores: Mapping[int, float]) -> "GaussianModule":
        """Steps along the natural gradient."""
        taken = self._take(scores)
        if taken:
            rows = [[*drawn, *mean, *spread, score] for (drawn, mean, spread), score in taken]
            self._memory = np.vstack([self._memory, rows])[-self.memory :]
        if len(self._memory) < 2 or not taken:
            return self
        *parts, earned = np.split(self._memory, len(self.mean) * np.array([1, 2, 3]), axis=1)
        drawn, means, spreads = parts
        away = (drawn - self.mean) / self.spread
        before = (drawn - means) / spreads
        log_ratio = (np.log(spreads / self.spread) + (before**2 - away**2) / 2).sum(axis=1)
        weights = np.exp(np.minimum(log_ratio, 0))
        weights /= weights.sum()
        ranks = earned[:, 0].argsort().argsort() + 0.5
        utilities = ranks / len(ranks) - 0.5
        utilities -= weights @ utilities
        utilities /= np.sqrt(weights @ utilities**2) or 1.0
        step = weights * utilities
        self.mean = np.clip(
            self.mean + self.mean_rate * self.spread * (step @ away), self._low, self._high
        )
        self.spread = self.spread * np.exp(self.spread_rate / 2 * (step @ (away**2 - 1)))
        return self

    def metrics(self) -> dict[str, float]:
        """Returns mean and standard deviation, each averaged over the dimensions."""
        return {"mean": float(self.mean.mean()), "spread": float(self.spread.mean())}

    def _write(self, observation: Observation) -> tuple[tuple[Floats, Floats, Floats], Any]:
        drawn = self._rng.normal(self.mean, self.spread)
        values = np.clip(drawn, self._low, self._high)
        x = values if self._codec.low.ndim else float(values[0])
        return (drawn, self.mean, self.spread), x
