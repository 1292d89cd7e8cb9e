"""Pictures of what was learned; needs the extra ``compare``."""

from collections.abc import Sequence
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np

from kilroy_gym._extras import needs_extra
from kilroy_gym.comparison.measures import WINDOW
from kilroy_gym.comparison.rows import Row
from kilroy_gym.envs.feed import running_mean

with needs_extra("compare", "pictures"):
    from matplotlib.figure import Figure

WINDOW_SHARE = 0.05
"""Window of a running mean as a share of the run; it is at least 10 posts."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#000000")
"""The palette of Okabe and Ito, which colour-blind readers can tell apart."""


def save_score_curve(scores: Sequence[float], path: Path | BytesIO, title: str) -> None:
    """Draws the scores of one run: a faint dot per post, and a line for their running mean.

    Args:
        scores: Scores in the order of the posts, at least one.
        path: Where the picture goes. The suffix chooses the format; PNG without one.
        title: The title of the picture.
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


def learning_curves(rows: Sequence[Row], title: str, level_name: str) -> Figure:
    """Draws how agents learned: a line with its interval for each row.

    Each agent has a colour. Warm starts are solid lines, cold ones dashed; a thin black line
    shows the best level.

    Args:
        rows: What to draw, at least one row; agents get colours in this order.
        title: The title of the picture.
        level_name: What the curves are means of, for the axis.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    agents = list(dict.fromkeys(row.agent for row in rows))
    for row in rows:
        curve, colour = row.curve, COLOURS[agents.index(row.agent) % len(COLOURS)]
        # A dollar sign would begin a formula, and a leading underscore hide the label.
        label = " " + row.label.replace("$", r"\$")
        style = "-" if row.warm_start else "--"
        axes.plot(curve.posts, curve.level.iqm, style, color=colour, linewidth=1.8, label=label)
        axes.fill_between(
            curve.posts, curve.level.low, curve.level.high, color=colour, alpha=0.15, linewidth=0
        )
    longest = max((row.curve for row in rows), key=lambda curve: int(curve.posts[-1]))
    if longest.best is not None:
        axes.plot(
            longest.posts, longest.best, "-", color="black", linewidth=0.8, label="best possible"
        )
    axes.set(title=title, xlabel="posts", ylabel=f"{level_name}, mean of the last {WINDOW} posts")
    axes.set_xlim(0, int(longest.posts[-1]))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, handlelength=2.6)
    return figure


def svg_of(figure: Figure) -> str:
    """Returns a figure as the text of an SVG."""
    buffer = StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
