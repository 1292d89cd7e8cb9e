"""Posterior sampling where scores grow with time."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kilroy_gym._checks import number
from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.interfaces import Observation, State
from kilroy_gym.modules.drafting import DraftingModule
from kilroy_gym.modules.thompson import log_shares
from kilroy_gym.post import AnyPost

Floats = npt.NDArray[np.float64]

FIRST_KNOT = 32
"""The trend may bend after this many posts, and then at every doubling of them."""

MEMORY = 20_000
"""The fit uses this many of the latest scores."""

MEAN_LOG_CHI_SQUARE = -1.2704
"""The mean of the logarithm of a chi-square variable with one degree of freedom."""


class GrowingModule(DraftingModule[Any, tuple[int, int]]):
    """Thompson sampling for scores whose level and scale change as the audience grows.

    The score of content ``a`` in post ``t`` is ``level(t) + scale(t) * (value_a + noise)``. Level
    and log-scale are piecewise linear in time, with knots at doublings of the number of posts,
    since growth is smooth on that scale. Given the scale, this is a Bayesian linear regression,
    whose joint posterior is sampled (Bishop, "Pattern Recognition and Machine
    Learning", 2006, section 3.3); the scale is fitted to the residuals (Harvey, "Estimating
    Regression Models with Multiplicative Heteroscedasticity", 1976, eq. 4).

    Scraped posts set the prior: what is posted more often is expected to score higher, by
    ``trust`` per standard deviation of its log-share.

    Args:
        choices: The contents, hashable and all different.
        prior: Weight of a content's prior, in scores, above 0.
        trust: How strongly the shares of scraped posts shape the prior, at least 0.
        seed: Seed, or a generator to draw from.

    Raises:
        ValueError: An argument is out of its range.
    """

    _learned = ("_seen", "_history", "_scales")

    def __init__(
        self,
        choices: Sequence[Hashable],
        prior: float = 1.0,
        trust: float = 0.5,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        """Starts with a flat prior."""
        super().__init__(seed)
        self._codec = CategoricalCodec(choices)
        self.prior = number("prior", prior, 0, above=True)
        self.trust = number("trust", trust, 0)
        self._seen = np.zeros(len(self._codec.choices))
        self._history = np.empty((0, 3))  # one row per score: draft id, choice, score
        self._scales = np.empty(0)  # log-scale at each knot
        self._fit()

    def mimic(self, posts: Sequence[AnyPost]) -> "GrowingModule":
        """Counts what others post. Only shares matter, so more epochs change nothing."""
        for post in posts:
            self._seen[self._codec.encode(post.x)] += 1
        return self

    def reinforce(self, scores: Mapping[int, float]) -> "GrowingModule":
        """Adds scores to the history and fits it."""
        rows = [[number, choice, score] for (number, choice), score in self._take(scores)]
        if rows:
            self._history = np.vstack([self._history, rows])[-MEMORY:]
            self._fit()
        return self

    def set_state(self, state: State) -> None:
        """Continues from what :meth:`state` returned."""
        super().set_state(state)
        self._fit(again=False)

    def metrics(self) -> dict[str, float]:
        """Returns the posterior mean of the best content's value, in units of the scale."""
        return {"best_value": float(self._values(self._best_line()).max())}

    def _write(self, observation: Observation) -> tuple[tuple[int, int], Any]:
        line = self._best_line()
        if line.size:
            noise = self._rng.standard_normal(len(line))
            line = line + np.linalg.solve(np.linalg.cholesky(self._schur).T, noise)
        values = self._values(line)
        values += self._rng.standard_normal(len(values)) / np.sqrt(self._precisions)
        choice = int(values.argmax())
        return (self._next_id, choice), self._codec.choices[choice]

    def _best_line(self) -> npt.NDArray[np.floating[Any]]:
        """Returns the posterior mean of the level at each knot."""
        return np.linalg.solve(self._schur, self._line)

    def _values(self, line: npt.NDArray[np.floating[Any]]) -> Floats:
        """Returns the posterior mean of each content's value, given the level at each knot."""
        values: Floats = (self._sums - self._coupling.T @ line) / self._precisions
        return values

    def _fit(self, again: bool = True) -> None:
        """Computes the posterior; with ``again``, refits the scale to the residuals and repeats."""
        size = len(self._seen)
        moments, chosen, scores = self._history.T
        chosen = chosen.astype(np.int64)
        basis = _hats(moments)
        missing = basis.shape[1] - len(self._scales)
        if missing > 0:
            start = np.log(scores.std() or 1.0) if len(scores) else 0.0
            last = self._scales[-1:] if self._scales.size else np.array([start])
            self._scales = np.concatenate([self._scales, np.repeat(last, missing)])
        scales = basis @ self._scales[: basis.shape[1]]
        weights = np.exp(-scales)
        weighted, targets = basis * weights[:, None], scores * weights
        counts = np.bincount(chosen, minlength=size)
        self._precisions = self.prior + counts
        self._sums = self.prior * self.trust * log_shares(self._seen)
        self._sums = self._sums + np.bincount(chosen, targets, size)
        columns = [np.bincount(chosen, column, size) for column in weighted.T]
        self._coupling = np.array(columns).reshape(-1, size)
        shared = self._coupling / self._precisions
        # A knot may have hardly any scores near it; the ridge acts as a very wide prior.
        ridge = 1e-8 * np.eye(basis.shape[1])
        self._schur = weighted.T @ weighted - shared @ self._coupling.T + ridge
        self._line = weighted.T @ targets - shared @ self._sums
        if again and len(scores):
            line = self._best_line()
            rest = targets - weighted @ line - self._values(line)[chosen]
            # The fit absorbs some of the noise, the more the fewer scores a content has.
            rest = rest**2 / (1 - 1 / self._precisions[chosen]) + 1e-6
            logs = (np.log(rest) - MEAN_LOG_CHI_SQUARE) / 2
            curvature = basis.T @ basis + np.eye(basis.shape[1])
            step = np.linalg.solve(curvature, basis.T @ logs)
            self._scales = self._scales.copy()
            self._scales[: basis.shape[1]] += step
            self._fit(again=False)


def _hats(moments: Floats) -> Floats:
    """Returns the weight of each knot at each moment, of shape ``(moments, knots)``.

    They are the basis of a linear spline in the logarithm of time.
    """
    if not len(moments):
        return np.empty((0, 0))
    places = np.log2(1 + moments / FIRST_KNOT)
    below = places.astype(np.int64)
    hats = np.zeros((len(moments), below.max() + 2))
    rows = np.arange(len(moments))
    hats[rows, below] = 1 - (places - below)
    hats[rows, below + 1] = places - below
    return hats
