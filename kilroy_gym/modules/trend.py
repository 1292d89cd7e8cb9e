"""Scores that grow with time."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kilroy_gym.checks import number


class Trend:
    """Takes level and scale of the scores out of them, while both move.

    Scores are ``level(t) + scale(t) * value``, where ``t`` counts posts. The level is a straight
    line, fitted by least squares with exponential forgetting (Haykin, "Adaptive Filter Theory",
    chapter on recursive least squares) to the scores without the part that their content
    explains; the scale is the root mean square of what then remains, with the same forgetting.

    Args:
        memory: After how many posts a score counts 1/e, at least 2.

    Raises:
        ValueError: ``memory`` is out of its range.
    """

    def __init__(self, memory: float) -> None:
        """Starts knowing nothing."""
        self._keep = float(np.exp(-1 / number("memory", memory, 2)))
        # Sums of weights times 1, t, t*t and times s, t*s, with t counted from the latest score.
        self._moments = np.zeros(5)
        self._latest = 0
        self._square, self._weight = 0.0, 0.0

    def take_out(self, moment: int, score: float, value: float) -> float:
        """Returns a score without the trend, and learns from it.

        Args:
            moment: The number of the post.
            score: Its score.
            value: What its content is worth by what is known so far.
        """
        later = max(moment - self._latest, 0)
        self._shift(later)
        behind = float(moment - self._latest)  # of a late score: below 0
        scale = self._scale()
        weight = self._keep**-behind
        rest = score - scale * value
        self._moments += weight * np.array([1, behind, behind * behind, rest, behind * rest])
        level = self._level(behind)
        residual = score - level - scale * value
        self._square = self._keep**later * self._square + residual * residual
        self._weight = self._keep**later * self._weight + 1
        return (score - level) / self._scale()

    def state(self) -> dict[str, Any]:
        """Returns all it takes to go on later."""
        return {
            "moments": self._moments.copy(),
            "latest": self._latest,
            "square": self._square,
            "weight": self._weight,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes on from what :meth:`state` returned."""
        self._moments = state["moments"].copy()
        self._latest = state["latest"]
        self._square, self._weight = state["square"], state["weight"]

    def _shift(self, later: int) -> None:
        """Counts time from a later moment, and forgets."""
        count, time, squares, total, product = self._moments
        self._moments = self._keep**later * np.array(
            [
                count,
                time - later * count,
                squares - 2 * later * time + later * later * count,
                total,
                product - later * total,
            ]
        )
        self._latest += later

    def _level(self, behind: float) -> float:
        """Returns the line at a moment so far behind the latest score."""
        count, time, squares, total, product = self._moments
        determinant = count * squares - time * time
        if determinant < 1e-6 * count * count:  # one moment so far: no slope
            return float(total / count)
        slope = (count * product - time * total) / determinant
        return float((total - slope * time) / count + slope * behind)

    def _scale(self) -> float:
        if not self._square:
            return 1.0
        return float(np.sqrt(self._square / self._weight))
