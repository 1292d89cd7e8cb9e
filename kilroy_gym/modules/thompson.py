"""Posterior sampling over a list of contents."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from kilroy_gym._checks import number
from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.interfaces import Observation
from kilroy_gym.modules.drafting import DraftingModule
from kilroy_gym.post import AnyPost

Floats = npt.NDArray[np.float64]

PRIOR_SHAPE = 1.0
"""Shape of the inverse gamma prior of a content's variance: worth two scores."""


class ThompsonModule(DraftingModule[Any, int]):
    """Draws each content's mean score from its posterior and posts the content with the highest.

    Thompson sampling: Russo et al., "A Tutorial on Thompson Sampling", 2018, algorithm 4.2. By
    default the scores of a content are normal with unknown mean and variance, and the prior is
    normal-inverse-gamma (Murphy, "Conjugate Bayesian analysis of the Gaussian distribution",
    2007). For non-negative, heavy-tailed scores, such as likes, there is a gamma likelihood,
    whose standard deviation is proportional to its mean; one shape for all contents is fitted by
    moments, and the prior is inverse gamma. The centre and width of the prior come from the
    scores so far, so the scale of scores need not be known.

    Scraped posts set the prior: what is posted more often is expected to score higher. Per
    standard deviation of its log-share, the expected score rises by ``trust`` standard deviations
    of the scores; with the gamma likelihood, the expected log-score rises by ``trust``.

    Args:
        choices: The contents, hashable and all different.
        prior: Weight of a content's prior, in scores, above 0.
        trust: How strongly the shares of scraped posts shape the prior, at least 0.
        discount: Factor by which each new score discounts the earlier ones, in (0, 1]; below 1
            for tastes that drift (Raj and Kalyani, "Taming Non-stationary Bandits", 2017).
        likelihood: ``"normal"``, or ``"gamma"`` for non-negative scores.
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
        likelihood: Literal["normal", "gamma"] = "normal",
        seed: int | np.random.Generator | None = None,
    ) -> None:
        """Starts with a flat prior."""
        super().__init__(seed)
        self._codec = CategoricalCodec(choices)
        self.prior = number("prior", prior, 0, above=True)
        self.trust = number("trust", trust, 0)
        self.discount = number("discount", discount, 0, 1, above=True)
        if likelihood not in ("normal", "gamma"):
            raise ValueError(f"likelihood must be 'normal' or 'gamma', got {likelihood!r}")
        self.likelihood = likelihood
        size = len(self._codec.choices)
        # Count, sum and sum of squares: per content, of shape (contents,), and of all scores.
        self._counts, self._sums, self._squares = np.zeros((3, size))
        self._totals = np.zeros(3)
        self._seen = np.zeros(size)

    def mimic(self, posts: Sequence[AnyPost]) -> "ThompsonModule":
        """Counts what others post. Only shares matter, so more epochs change nothing."""
        for post in posts:
            self._seen[self._codec.encode(post.x)] += 1
        return self

    def reinforce(self, scores: Mapping[int, float]) -> "ThompsonModule":
        """Adds scores to the sums, discounting the earlier ones.

        Raises:
            ValueError: A score is negative, with the gamma likelihood.
        """
        if self.likelihood == "gamma" and min(scores.values(), default=0) < 0:
            raise ValueError(
                "the gamma likelihood is for scores that are never negative, got "
                f"{min(scores.values())!r}; use likelihood='normal'"
            )
        for choice, score in self._take(scores):
            if self.discount < 1:
                for sums in (self._counts, self._sums, self._squares):
                    sums *= self.discount
            self._counts[choice] += 1
            self._sums[choice] += score
            self._squares[choice] += score * score
            self._totals += (1, score, score * score)
        return self

    def metrics(self) -> dict[str, float]:
        """Returns the highest posterior mean, and how many contents have been tried."""
        return {"best_mean": float(self._means().max()), "tried": float((self._counts > 0).sum())}

    def _write(self, observation: Observation) -> tuple[int, Any]:
        prior_means = self._prior_means()
        draw = self._draw_gamma if self.likelihood == "gamma" else self._draw_normal
        choice = int(draw(prior_means).argmax())
        return choice, self._codec.choices[choice]

    def _draw_normal(self, prior_means: Floats) -> Floats:
        """Draws means of normal scores from their posterior (Murphy, 2007, eq. 85 to 89)."""
        counts = self.prior + self._counts
        means = (self.prior * prior_means + self._sums) / counts
        squares = self._squares + self.prior * prior_means**2 - counts * means**2
        rate = PRIOR_SHAPE * self._spread() ** 2 + np.maximum(squares, 0) / 2
        variances = rate / self._rng.standard_gamma(PRIOR_SHAPE + self._counts / 2)
        draws: Floats = means + np.sqrt(variances / counts) * self._rng.standard_normal(len(means))
        return draws

    def _draw_gamma(self, prior_means: Floats) -> Floats:
        """Draws means of gamma scores from their inverse gamma posterior."""
        tried = self._counts > 0
        counts, unit = self._counts[tried], prior_means.max()
        means = self._sums[tried] / counts
        variances = self._squares[tried] / counts / unit**2 - (means / unit) ** 2
        # The shape is mean**2 / variance; two scores of shape 1 keep it in bounds at first.
        shape = (2 + counts @ (means / unit) ** 2) / (2 + counts @ np.maximum(variances, 0))
        rates = shape * (self.prior * prior_means + self._sums)
        draws: Floats = rates / self._rng.standard_gamma(1 + shape * (self.prior + self._counts))
        return draws

    def _spread(self) -> float:
        """Returns the standard deviation of all scores so far, 1 if it is 0.

        It is not discounted: a long memory keeps the scale steady.
        """
        count, total, squares = self._totals
        variance = squares / count - (total / count) ** 2 if count else 0.0
        return float(np.sqrt(max(variance, 0.0))) or 1.0

    def _means(self) -> Floats:
        prior_means = self._prior_means()
        means: Floats = (self.prior * prior_means + self._sums) / (self.prior + self._counts)
        return means

    def _prior_means(self) -> Floats:
        """Returns the prior mean of each content's score, of shape ``(contents,)``.

        Empirical Bayes: the centre is fitted to the contents that have been tried. It averages
        over contents, not over posts, most of which are of the best content.
        """
        away = self.trust * log_shares(self._seen)
        weights = self._counts / (self._counts + self.prior)
        total = weights.sum() or 1.0
        means = self._sums / np.maximum(self._counts, 1e-300)
        if self.likelihood == "gamma":
            factors: Floats = np.exp(away)
            centre = (weights * means / factors).sum() / total
            factors *= max(centre, 1e-100)  # if all scores are 0, any scale will do
            return factors
        away *= self._spread()
        prior_means: Floats = away + (weights * (means - away)).sum() / total
        return prior_means


def log_shares(seen: Floats) -> Floats:
    """Returns the logarithms of the shares of counts, standardised to mean 0 and deviation 1.

    One is added to each percentage, so what was never seen is not infinitely rare. All are 0 if
    nothing was seen, or everything equally often.

    Args:
        seen: Counts, of shape ``(n,)``; the result has the same shape.
    """
    if not seen.any():
        return np.zeros(len(seen))
    logs = np.log(seen / seen.sum() * 100 + 1)
    away: Floats = (logs - logs.mean()) / (logs.std() or 1.0)
    return away
