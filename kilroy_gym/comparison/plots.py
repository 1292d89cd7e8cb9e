"""Pictures of what was learned; needs the extra ``compare``."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kilroy_gym.envs.feed import running_mean

try:
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError(
        "pictures need matplotlib: pip install 'kilroy-gym[compare]'", name=error.name
    ) from error

WINDOW_SHARE = 0.05
"""The line of a curve is the mean of this share of the run, and of at least 10 posts."""


def save_score_curve(scores: Sequence[float], path: Path, title: str) -> None:
    """Draws the scores of one run: a faint dot a post, and a line of their running mean.

    Args:
        scores: At least one, in the order of the posts.
        path: Where the picture goes; its suffix says the format.
        title: What was run.
    """
    window = max(10, round(WINDOW_SHARE * len(scores)))
    numbers = np.arange(1, len(scores) + 1)
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(numbers, scores, ".", color="tab:blue", alpha=0.25, markersize=4, label="score")
    axes.plot(
        numbers, running_mean(scores, window), color="tab:blue", label=f"mean of {window} posts"
    )
    axes.set(title=title, xlabel="posts", ylabel="score")
    axes.grid(alpha=0.3)
    axes.legend(loc="best")
    figure.savefig(path, dpi=150)
