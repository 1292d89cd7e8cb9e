"""Posterior sampling over a list of contents."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kilroy_gym.checks import number
from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.modules.drafting import DraftingModule
from kilroy_gym.modules.trend import Trend
from kilroy_gym.post import PostData

PRIOR_SHAPE = 1.0
"""Shape of the inverse gamma prior of a content's variance: as if two scores had been seen."""


class ThompsonModule(DraftingModule[Any]):
    """Draws a mean for every content from its posterior, and posts the content with the best.

    Scores of a content are normal with unknown mean and variance; the prior is normal-inverse-gamma
    (Murphy, "Conjugate Bayesian analysis of the Gaussian distribution", 2007, section 3), around
    the mean and with the variance of all scores so far, so no scale has to be known. Thompson
    sampling: Russo et al., "A Tutorial on Thompson Sampling", 2018, algorithm 4.2.

    Scraped posts set the prior: what is posted more often is expected to be liked more, by
    ``trust`` standard deviations of the scores for each standard deviation of the logarithm of
    its share.

    Args:
        choices: The contents, hashable and all different.
        prior: How many scores the prior of a content counts as, above 0.
        trust: How far the shares of scraped posts are believed, at least 0.
        discount: What a score is worth after each later one, in (0, 1]; below 1 for tastes that
            move (Raj and Kalyani, "Taming Non-stationary Bandits", 2017).
        trend_posts: Where scores grow with time: the length in posts of the memory of a
            :class:`~kilroy_gym.modules.trend.Trend` which takes that out; ``None`` for none.
        seed: Seed, or a generator to draw from.

    Raises:
        ValueError: An argument is out of its range.
    """

    _learned = ("_counts", "_sums", "_squares", "_seen", "_totals")

    def __init__(
        self,
        choices: Sequence[Hashable],
        prior: float = 1.0,
        trust: float = 1.0,
        discount: float = 1.0,
        trend_posts: float | None = None,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        """Starts with a flat prior."""
        super().__init__(seed)
        self._codec = CategoricalCodec(choices)
        self.prior = number("prior", prior, 0, above=True)
        self.trust = number("trust", trust, 0)
        self.discount = number("discount", discount, 0, 1, above=True)
        self.trend = None if trend_posts is None else Trend(trend_posts)
        size = len(self._codec.choices)
        # Sums over a content's scores, and over those of all contents: count, sum, squares.
        self._counts, self._sums, self._squares = np.zeros((3, size))
        self._totals = np.zeros(3)
        self._seen = np.zeros(size)

    def mimic(self, posts: Sequence[PostData[Any]]) -> "ThompsonModule":
        """Counts what others post. Only the shares count, so epochs change nothing."""
        for post in posts:
            self._seen[self._codec.encode(post.x)] += 1
        return self

    def reinforce(self, scores: Mapping[int, float]) -> "ThompsonModule":
        """Adds scores to the sums, discounting the earlier ones."""
        for (choice, moment), score in self._take(scores):
            value = score
            if self.trend is not None:
                value = self.trend.take_out(moment, score, self._means()[choice])
            if self.discount < 1:
                for sums in (self._counts, self._sums, self._squares):
                    sums *= self.discount
            self._counts[choice] += 1
            self._sums[choice] += value
            self._squares[choice] += value * value
            self._totals += (1, value, value * value)
        return self

    def metrics(self) -> dict[str, float]:
        """Returns the best mean, and how many contents have been tried."""
        return {"best_mean": float(self._means().max()), "tried": float((self._counts > 0).sum())}

    def state(self) -> dict[str, Any]:
        """Adds the trend."""
        return super().state() | ({} if self.trend is None else {"trend": self.trend.state()})

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes on from what :meth:`state` returned."""
        super().set_state(state)
        if self.trend is not None:
            self.trend.set_state(state["trend"])

    def _write(self, observation: Any) -> tuple[Any, Any]:
        centre, spread = self._scale()
        counts = self.prior + self._counts
        shape = PRIOR_SHAPE + self._counts / 2
        prior_means = self._prior_means(centre, spread)
        means = (self.prior * prior_means + self._sums) / counts
        # Sum of squares around the posterior mean; never below the prior's but by rounding.
        squares = self._squares + self.prior * prior_means**2 - counts * means**2
        rate = PRIOR_SHAPE * spread**2 + np.maximum(squares, 0) / 2
        variances = rate / self._rng.standard_gamma(shape)
        draws = means + np.sqrt(variances / counts) * self._rng.standard_normal(len(means))
        choice = int(draws.argmax())
        return (choice, self._next_id), self._codec.choices[choice]

    def _scale(self) -> tuple[float, float]:
        """Returns mean and standard deviation of all scores so far; 0 and 1 before there are two.

        Without a discount: a scale needs no freshness, and a long memory keeps it steady.
        """
        count, total, squares = self._totals
        if count < 2:
            return float(total), 1.0
        mean = total / count
        return float(mean), float(np.sqrt(max(squares / count - mean**2, 0.0))) or 1.0

    def _means(self) -> npt.NDArray[np.float64]:
        prior_means = self._prior_means(*self._scale())
        means: npt.NDArray[np.float64] = (self.prior * prior_means + self._sums) / (
            self.prior + self._counts
        )
        return means

    def _prior_means(self, centre: float, spread: float) -> npt.NDArray[np.float64]:
        """Returns what is expected of each content before it has a score."""
        if not self._seen.any() or not self.trust:
            return np.full(len(self._seen), centre)
        shares = np.log(self._seen / self._seen.sum() * 100 + 1)
        away = shares - shares.mean()
        deviation = away.std() or 1.0
        means: npt.NDArray[np.float64] = centre + self.trust * spread * away / deviation
        return means
