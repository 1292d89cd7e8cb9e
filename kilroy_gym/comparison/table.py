"""What a comparison found, in words and as a table on the terminal."""

from collections.abc import Callable, Sequence
from functools import partial

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from kilroy_gym.comparison.measures import HIGHER_IS_BETTER, MEASURES
from kilroy_gym.comparison.rows import Row
from kilroy_gym.comparison.statistics import Estimate
from kilroy_gym.comparison.summary import Summary, Verdict

TITLES = {
    "mean_score": "mean score",
    "regret": "regret",
    "posts_to_95": "posts to 95%",
    "final_score": "final score",
    "wall_s": "seconds",
}
UNKNOWN = "-"

NARROW = (("mean_score", "regret", "final_score"), ("posts_to_95", "wall_s"))
"""Where a terminal is too narrow for one table, the measures of two."""


def number(name: str, value: float) -> str:
    """Returns a measure as a reader wants it."""
    if name == "posts_to_95":
        return f"{value:,.0f}"
    whole = name == "regret" or (name == "wall_s" and value >= 1) or abs(value) >= 100
    decimals = 1 if whole else 3
    return f"{value:,.{decimals}f}"


def interval(name: str, found: Estimate) -> str:
    """Returns an interval as a reader wants it."""
    return f"[{number(name, found.low)}, {number(name, found.high)}]"


def cell(name: str, found: Estimate | None, between: str = " ") -> str:
    """Returns an estimate with its interval."""
    if found is None:
        return UNKNOWN
    return f"{number(name, found.iqm)}{between}{interval(name, found)}"


def share_reached(row: Row) -> str:
    """Returns how many runs of a row arrived at 95%, of how many."""
    return UNKNOWN if row.reached is None else f"{row.reached}/{len(row.runs)}"


def sentences(summary: Summary) -> list[str]:
    """Says which agent leads, which differences to it are within noise, and what else to know."""
    if not summary.rows:
        return ["No run finished, so there is nothing to compare."]
    leader, name = summary.rows[0], summary.ranked_by
    most = "has the least regret" if name == "regret" else "has the highest mean score"
    words = [f"{leader.label} {most}: {cell(name, leader.estimates[name])}."]
    words += [_sentence(verdict, name) for verdict in summary.verdicts]
    for row in summary.rows:
        if row.posts < summary.plan.posts:
            words.append(f"{row.label} made {row.posts:,} of {summary.plan.posts:,} posts.")
        if len(row.runs) < summary.plan.seeds:
            words.append(f"{row.label} has {len(row.runs)} of {summary.plan.seeds} runs.")
        words += [f"{row.label}: {note}." for note in row.notes]
    return words


def show(summary: Summary, console: Console) -> None:
    """Prints the table in the widest form that fits, and the sentences below it."""
    for table in _fitting(summary, console) if summary.rows else ():
        console.print(table)
    for sentence in sentences(summary):
        console.print(f"- {sentence}", markup=False, highlight=False)


def _sentence(verdict: Verdict, name: str) -> str:
    label, found = verdict.row.label, verdict.difference
    if found is None:
        return f"{label} shares no finished seed with it: nothing can be said."
    if HIGHER_IS_BETTER[name]:
        size = f"{cell(name, Estimate(-found.iqm, -found.high, -found.low))} lower"
    else:
        size = f"{cell(name, found)} higher"
    verdicts = {True: "within noise", False: "beyond noise", None: "one seed cannot tell"}
    return f"{label} is {size}: {verdicts[verdict.within_noise]}."


def _fitting(summary: Summary, console: Console) -> Sequence[Table]:
    """Returns one table, with intervals beside or below, or two where neither fits."""
    for between in (" ", "\n"):
        table = _table(summary, MEASURES, between)
        room = console.options.update(max_width=1000)
        if console.measure(table, options=room).maximum <= console.width:
            return [table]
    return [_table(summary, measures, "\n") for measures in NARROW]


def _table(summary: Summary, measures: Sequence[str], between: str) -> Table:
    """Returns a table of some measures, each with what belongs beside it."""
    table = Table(Column("agent", overflow="fold"), "start", box=SIMPLE_HEAD, pad_edge=False)
    beside = {"posts_to_95": ("reached", share_reached), "wall_s": ("round", _rollout)}
    columns: list[tuple[str, Callable[[Row], str]]] = []
    for name in measures:
        columns.append((TITLES[name], partial(_estimate, name, between)))
        columns += [beside[name]] if name in beside else []
    for title, _ in columns:
        table.add_column(title, justify="right", no_wrap=True)
    for row in summary.rows:
        start = "warm" if row.warm_start else "cold"
        table.add_row(Text(row.agent), start, *(Text(text(row)) for _, text in columns))
    return table


def _estimate(name: str, between: str, row: Row) -> str:
    return cell(name, row.estimates[name], between)


def _rollout(row: Row) -> str:
    return row.rollout
