"""Weights by which better-scored posts are mimicked more often."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from kilroy_gym.data import Dataset
from kilroy_gym.post import PostData, X

Floats = npt.NDArray[np.float64]

Weigh = Callable[[Floats], npt.ArrayLike]
"""Maps scores (NaN if not known) to weights of at least 0, of the same shape."""


def rank_weights(scores: Floats) -> Floats:
    """Returns the ranks of scores, from 1 for the lowest, as weights: float64 of shape ``(n,)``.

    So neither scale nor sign matters, and one viral post counts at most twice the mean (the linear
    ranking of Baker, "Adaptive selection methods for genetic algorithms", 1985, from 0 to 2).
    Equal scores share the mean of their ranks; unknown scores get the mean of all ranks.

    Args:
        scores: Of shape ``(n,)``; NaN if not known.

    Raises:
        ValueError: No score is known.

    Example:
        >>> rank_weights(np.array([5.0, -2.0, np.nan, 900.0, 5.0]))
        array([2.5, 1. , 2.5, 4. , 2.5])
    """
    known = ~np.isnan(scores)
    if not known.any():
        raise ValueError(
            "weight_by_score=True needs scores, but no post's score is known: leave it out"
        )
    _, places, counts = np.unique(scores[known], return_inverse=True, return_counts=True)
    ranks = (counts.cumsum() - (counts - 1) / 2)[places]
    weights = np.full(len(scores), ranks.mean())
    weights[known] = ranks
    return weights


def weigh_by(weight_by_score: bool | Weigh) -> Weigh | None:
    """Returns the function that an argument ``weight_by_score`` stands for, if any.

    Raises:
        TypeError: It is neither a bool nor a function.
    """
    if isinstance(weight_by_score, (bool, np.bool_)):
        return rank_weights if weight_by_score else None
    if not callable(weight_by_score):
        raise TypeError(
            "weight_by_score must be True, False, or a function from an array of scores to one of "
            f"weights, got {weight_by_score!r}"
        )
    return weight_by_score


class Resampled(Dataset[X]):
    """A weighted resample of a dataset, of the same size.

    It uses stochastic universal sampling (Baker, "Reducing bias and inefficiency in the selection
    algorithm", 1987): each post occurs in proportion to its weight, rounded up or down, and so do
    all posts of equal weight together. Every call of :meth:`batches` resamples, so rounding evens
    out over epochs. Posts keep their order.

    Args:
        dataset: The dataset; its posts are not copied.
        scores: The scores of its posts, of shape ``(n,)``; NaN if not known.
        weigh: Maps the scores to weights.
        rng: Generator to draw from.

    Attributes:
        numbers: The positions in ``dataset`` of the posts drawn, int64 of shape ``(n,)``, sorted.

    Raises:
        ValueError: ``weigh`` did not return valid weights.
    """

    def __init__(
        self, dataset: Dataset[X], scores: Floats, weigh: Weigh, rng: np.random.Generator
    ) -> None:
        """Draws the first sample."""
        self._dataset, self._rng = dataset, rng
        weights = _checked(weigh(scores.copy()), len(scores))
        self._weights = weights / weights.max()
        self.numbers = self._drawn()

    def __len__(self) -> int:
        return len(self._dataset)

    def batches(
        self, batch_size: int, rng: np.random.Generator | None = None
    ) -> Iterator[list[PostData[X]]]:
        """Draws a new sample and yields it in batches."""
        self.numbers = self._drawn()
        yield from super().batches(batch_size, rng)

    def take(self, numbers: Sequence[int]) -> list[PostData[X]]:
        """Returns the posts at these positions."""
        return self._dataset.take(self.numbers[list(numbers)].tolist())

    def _drawn(self) -> npt.NDArray[np.int64]:
        count = len(self._weights)
        # Sorted by weight, ties at random: in the order of the scrape, sampling would be biased if
        # scores were periodic, such as every second one high.
        order = self._rng.permutation(count)
        order = order[np.argsort(self._weights[order], kind="stable")]
        ends = self._weights[order].cumsum()
        points = (self._rng.random() + np.arange(count)) / count * ends[-1]
        # Rounding may put the last point beyond the end.
        places = np.minimum(ends.searchsorted(points, side="right"), count - 1)
        return np.sort(order[places])


def _checked(weights: npt.ArrayLike, count: int) -> Floats:
    try:
        checked = np.asarray(weights, np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"weight_by_score must return an array, got {weights!r}") from None
    if checked.shape != (count,):
        raise ValueError(
            f"weight_by_score must return a weight for each of {count} scores, got an array of "
            f"shape {checked.shape}"
        )
    wrong = checked[~(np.isfinite(checked) & (checked >= 0))]
    if len(wrong):
        raise ValueError(
            f"weight_by_score must return finite weights of at least 0, got {wrong[0]} (unknown "
            "scores are NaN)"
        )
    if not checked.any():
        raise ValueError("weight_by_score must return a weight above 0, got only zeros")
    return checked
