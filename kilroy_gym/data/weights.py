"""Mimicking more often what scored better."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kilroy_gym.data import Dataset
from kilroy_gym.post import PostData, X

Floats = npt.NDArray[np.float64]

Weigh = Callable[[Floats], Any]
"""From scores, NaN where one is not known, to weights of at least 0 of the same shape."""


def rank_weights(scores: Floats) -> Floats:
    """Returns weights in proportion to the ranks of scores, the lowest of which is 1.

    So neither scale nor sign matters, and one viral post counts no more than twice the mean (the
    linear ranking of Baker, "Adaptive selection methods for genetic algorithms", 1985, from 0 to
    2). Equal scores have the mean of their ranks, unknown ones the mean of all.

    Args:
        scores: Of shape ``(n,)``; NaN where one is not known.

    Raises:
        ValueError: No score is known.

    Example:
        >>> rank_weights(np.array([5.0, -2.0, np.nan, 900.0, 5.0]))
        array([2.5, 1. , 2.5, 4. , 2.5])
    """
    known = ~np.isnan(scores)
    if not known.any():
        raise ValueError(
            "weight_by_score=True needs scores, and of none of the posts the score is known: leave "
            "it out"
        )
    _, places, counts = np.unique(scores[known], return_inverse=True, return_counts=True)
    ranks = (counts.cumsum() - (counts - 1) / 2)[places]
    weights = np.full(len(scores), ranks.mean())
    weights[known] = ranks
    return weights


def weigh_by(weight_by_score: bool | Weigh) -> Weigh | None:
    """Returns the function that an argument ``weight_by_score`` stands for, ``None`` for none.

    Raises:
        TypeError: It is something else.
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
    """As many posts as another dataset has, each as often as its weight says.

    They are drawn systematically: a post is there as often as its share of the weights of all
    demands, rounded up or down, and so are all posts of equal weight together (stochastic
    universal sampling: Baker, "Reducing bias and inefficiency in the selection algorithm", 1987).
    Every call of :meth:`batches` draws anew, so over epochs the rounding evens out. The order is
    that of the other dataset.

    Args:
        dataset: The other dataset; no post of it is copied.
        scores: Of its posts; NaN where one is not known.
        weigh: From the scores to weights.
        rng: Draws.

    Attributes:
        numbers: Which posts of the other dataset these are now, int64 of shape ``(n,)``, sorted.

    Raises:
        ValueError: What ``weigh`` returned are no weights.
    """

    def __init__(
        self, dataset: Dataset[X], scores: Floats, weigh: Weigh, rng: np.random.Generator
    ) -> None:
        """Draws for the first time."""
        self._dataset, self._rng = dataset, rng
        weights = _checked(weigh(scores.copy()), len(scores))
        self._weights = weights / weights.max()
        self.numbers = self._drawn()

    def __len__(self) -> int:
        return len(self._dataset)

    def batches(
        self, batch_size: int, rng: np.random.Generator | None = None
    ) -> Iterator[list[PostData[X]]]:
        """Draws anew, and yields what was drawn in batches."""
        self.numbers = self._drawn()
        yield from super().batches(batch_size, rng)

    def take(self, numbers: Sequence[int]) -> list[PostData[X]]:
        """Returns the posts with these numbers."""
        return self._dataset.take(self.numbers[list(numbers)].tolist())

    def _drawn(self) -> npt.NDArray[np.int64]:
        count = len(self._weights)
        # By weight, and equal ones at random: in the order of the scrape the draws would go wrong
        # where scores come in a rhythm, such as every second one high.
        order = self._rng.permutation(count)
        order = order[np.argsort(self._weights[order], kind="stable")]
        ends = self._weights[order].cumsum()
        points = (self._rng.random() + np.arange(count)) / count * ends[-1]
        # A point at the very end may be rounded to behind it.
        places = np.minimum(ends.searchsorted(points, side="right"), count - 1)
        return np.sort(order[places])


def _checked(weights: Any, count: int) -> Floats:
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
            f"weight_by_score must return finite weights of at least 0, got {wrong[0]} (a score "
            "that is not known is NaN)"
        )
    if not checked.any():
        raise ValueError("weight_by_score must return a weight above 0, got zeros only")
    return checked
