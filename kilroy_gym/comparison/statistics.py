"""Statistics over seeds; needs the extra ``compare``.

The interquartile mean and its percentile bootstrap over seeds, after Agarwal et al., "Deep
Reinforcement Learning at the Edge of the Statistical Precipice", 2021, sections 4.1 and 4.3.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kilroy_gym._extras import needs_extra
from kilroy_gym._records import Floats

with needs_extra("compare", "statistics"):
    from scipy.stats import trim_mean

CONFIDENCE = 0.95
RESAMPLES = 10_000
BOOTSTRAP_SEED = 0


@dataclass(frozen=True)
class Estimate:
    """An interquartile mean over seeds, and its 95% interval.

    Attributes:
        iqm: The interquartile mean; a float, or float64 of any shape.
        low: Lower end of the interval, in the same form.
        high: Upper end of the interval, in the same form.
    """

    iqm: Any
    low: Any
    high: Any

    def as_json(self) -> dict[str, float]:
        """Returns the three numbers by name."""
        return {"iqm": float(self.iqm), "low": float(self.low), "high": float(self.high)}


def iqm(values: npt.ArrayLike, axis: int = 0) -> Any:
    """Returns the mean without a quarter of the values, rounded down, at each end.

    Args:
        values: Numbers of any shape.
        axis: The axis to average over.
    """
    return trim_mean(values, 0.25, axis=axis)


def estimate(values: npt.ArrayLike, resamples: int = RESAMPLES) -> Estimate:
    """Returns the interquartile mean over seeds with a percentile-bootstrap interval.

    Args:
        values: Shape ``(seeds,)``, or ``(seeds, ...)`` for many estimates at once; at least one
            seed.
        resamples: How many bootstrap samples to draw; the same ones every time.
    """
    return _estimate(np.asarray(values, np.float64), None, resamples)


def difference(values: npt.ArrayLike, others: npt.ArrayLike) -> Estimate:
    """Returns the difference of two interquartile means, ``values`` minus ``others``.

    The bootstrap is paired: a seed is the same world for both, so a sample holds the same seeds
    of both.

    Args:
        values: Shape ``(seeds,)``.
        others: Values of the same seeds in the same order, shape ``(seeds,)``.
    """
    return _estimate(np.asarray(values, np.float64), np.asarray(others, np.float64), RESAMPLES)


def _estimate(values: Floats, others: Floats | None, resamples: int) -> Estimate:
    seeds = len(values)
    drawn = np.random.default_rng(BOOTSTRAP_SEED).integers(seeds, size=(resamples, seeds))
    centre, samples = iqm(values), iqm(values[drawn], axis=1)
    if others is not None:
        centre, samples = centre - iqm(others), samples - iqm(others[drawn], axis=1)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(samples, [tail, 100 - tail], axis=0)
    # Equal values, summed in another order, can differ in the last digit.
    return Estimate(centre, np.minimum(low, centre), np.maximum(high, centre))
