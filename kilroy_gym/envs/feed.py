"""What is rendered: the latest posts and what they scored."""

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from kilroy_gym.interfaces import AnyId

LENGTH = 200
WIDTH, HEIGHT, MARGIN = 400, 200, 10
BACKGROUND, AXIS, DOT, LINE = (255, 255, 255), (200, 200, 200), (150, 180, 220), (20, 60, 140)
WINDOW = 20
"""How many scores each point of the line averages."""


class Feed:
    """The last 200 posts with their scores."""

    def __init__(self) -> None:
        """Starts empty."""
        self._entries: deque[tuple[Any, Any, float | None]] = deque(maxlen=LENGTH)

    def add(self, post_id: AnyId, x: Any, score: float | None) -> None:
        """Remembers a post; the score is ``None`` while it is pending."""
        self._entries.append((post_id, x, score))

    def update(self, scores: dict[AnyId, float]) -> None:
        """Fills in scores that have come later."""
        if scores:
            entries = [(i, x, scores.get(i, score)) for i, x, score in self._entries]
            self._entries = deque(entries, maxlen=LENGTH)

    def text(self, last: int = LENGTH) -> str:
        """Returns a line for each of the ``last`` latest posts, oldest first."""
        entries = list(self._entries)[-last:]
        return "\n".join(f"{_shown(score):>9}  {x!r}  (post {i})" for i, x, score in entries)

    def picture(self) -> npt.NDArray[np.uint8]:
        """Draws the scores over time: a dot per post, and a line for their running mean.

        Returns:
            An RGB picture, uint8 of shape ``(200, 400, 3)``.
        """
        picture = np.full((HEIGHT, WIDTH, 3), BACKGROUND, np.uint8)
        picture[HEIGHT - MARGIN, MARGIN:-MARGIN] = AXIS
        picture[MARGIN : HEIGHT - MARGIN, MARGIN] = AXIS
        scores = np.array([score for _, _, score in self._entries if score is not None])
        if scores.size == 0:
            return picture
        scores = scores / (np.abs(scores).max() or 1.0)  # the sum of great floats may overflow
        means = running_mean(scores, WINDOW)
        columns = np.linspace(MARGIN + 4, WIDTH - MARGIN - 4, LENGTH).astype(int)[: scores.size]
        low, high = scores.min(), scores.max()
        for column, row in zip(columns, _rows(scores, low, high), strict=True):
            picture[row - 1 : row + 2, column - 1 : column + 2] = DOT
        every = np.arange(columns[0], columns[-1] + 1)
        rows = _rows(np.interp(every, columns, means), low, high)
        for column, row, before in zip(every, rows, [rows[0], *rows[:-1]], strict=True):
            picture[min(row, before) : max(row, before) + 2, column] = LINE
        return picture


def running_mean(scores: npt.ArrayLike, window: int) -> npt.NDArray[np.float64]:
    """Returns, for each post, the mean of the last ``window`` scores, or of all there are so far.

    Args:
        scores: Shape ``(n,)``.
        window: At least 1.
    """
    values = np.asarray(scores, np.float64)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, values.size + 1)
    starts = np.maximum(ends - window, 0)
    means: npt.NDArray[np.float64] = (sums[ends] - sums[starts]) / (ends - starts)
    return means


def _rows(values: npt.NDArray[np.float64], low: float, high: float) -> npt.NDArray[np.int64]:
    """Returns a row per value, the greatest at the top; if all are equal, the middle row."""
    span = high - low
    share = (values - low) / span if span > 0 else np.full(values.shape, 0.5)
    return np.rint(HEIGHT - 2 * MARGIN - share * (HEIGHT - 4 * MARGIN)).astype(np.int64)


def _shown(score: float | None) -> str:
    return "pending" if score is None else f"{score:+.4g}"
