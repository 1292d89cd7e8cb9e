"""What a comparison found, in words and as a table on the terminal."""

from collections.abc import Callable, Sequence
from functools import partial

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from kilroy_gym.comparison.measures import Measure
from kilroy_gym.comparison.rows import Row
from kilroy_gym.comparison.statistics import Estimate
from kilroy_gym.comparison.summary import Summary, Verdict

UNKNOWN = "-"

Columns = Sequence[tuple[str, Callable[[Row], str]]]
"""Title of each column, and what it says about a row."""


def cell(measure: Measure, row: Row, between: str = " ") -> str:
    """Returns what the table says about a measure of a row.

    Args:
        measure: The measure.
        row: The row.
        between: What stands between an estimate and its interval.
    """
    if not measure.counted:
        return estimate_text(measure, row.estimates[measure.name], between)
    count = row.counts[measure.name]
    return UNKNOWN if count is None else f"{count}/{len(row.runs)}"


def estimate_text(measure: Measure, found: Estimate | None, between: str = " ") -> str:
    """Returns an estimate with its interval."""
    if found is None:
        return UNKNOWN
    low, high = measure.text(found.low), measure.text(found.high)
    return f"{measure.text(found.iqm)}{between}[{low}, {high}]"


def sentences(summary: Summary) -> list[str]:
    """Says who leads, which differences to the leader are within noise, and what else to know."""
    if not summary.rows:
        return ["No run finished, so there is nothing to compare."]
    leader, ranking = summary.rows[0], summary.ranking
    most = "highest" if ranking.higher_is_better else "least"
    words = [f"{leader.label} has the {most} {ranking.title}: {cell(ranking, leader)}."]
    words += [_sentence(verdict, ranking) for verdict in summary.verdicts]
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


def _sentence(verdict: Verdict, ranking: Measure) -> str:
    label, found = verdict.row.label, verdict.difference
    if found is None:
        return f"{label} has no finished seed in common with it, so the two cannot be compared."
    if ranking.higher_is_better:
        negative = Estimate(-found.iqm, -found.high, -found.low)
        size = f"{estimate_text(ranking, negative)} lower"
    else:
        size = f"{estimate_text(ranking, found)} higher"
    verdicts = {True: "within noise", False: "beyond noise", None: "one seed cannot tell"}
    return f"{label} is {size}: {verdicts[verdict.within_noise]}."


def _fitting(summary: Summary, console: Console) -> Sequence[Table]:
    """Returns one table, with intervals beside or below, or several where neither fits."""
    room = console.options.update(max_width=1000)

    def fits(columns: Columns) -> bool:
        table = _table(summary.rows, columns)
        return console.measure(table, options=room).maximum <= console.width

    for between in (" ", "\n"):
        columns = _columns(summary.measures, between)
        if fits(columns):
            return [_table(summary.rows, columns)]
    tables: list[Columns] = []
    for column in columns:
        if tables and fits([*tables[-1], column]):
            tables[-1] = [*tables[-1], column]
        else:
            tables.append([column])
    return [_table(summary.rows, columns) for columns in tables]


def _columns(measures: Sequence[Measure], between: str) -> Columns:
    columns = [(each.title, partial(cell, each, between=between)) for each in measures]
    return [*columns, ("round", lambda row: row.rollout)]


def _table(rows: Sequence[Row], columns: Columns) -> Table:
    table = Table(Column("agent", overflow="fold"), "start", box=SIMPLE_HEAD, pad_edge=False)
    for title, _ in columns:
        table.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(Text(row.agent), row.start, *(Text(text(row)) for _, text in columns))
    return table
