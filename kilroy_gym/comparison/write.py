"""Writes what a comparison found."""

import csv
import json
from pathlib import Path

from kilroy_gym._records import defused, written_whole
from kilroy_gym.comparison.plots import learning_curves, svg_of
from kilroy_gym.comparison.report import report
from kilroy_gym.comparison.summary import Summary, results_of

COLUMNS = ("agent", "warm_start", "seed", "post", "score", "expected_score", "best_score")
SUMMARY, RESULTS = "summary.json", "results.csv"
CURVES, REPORT = "learning_curves.png", "report.html"


def write_all(summary: Summary, directory: Path) -> list[str]:
    """Writes ``summary.json``, ``results.csv``, the learning curves and the report.

    A file is written whole or not at all.

    Returns:
        The names of the files that were written.
    """
    content = json.dumps(summary.as_json(), indent=2, allow_nan=False)
    _write_text(directory / SUMMARY, content)
    _write_rows(summary, directory)
    svg = None
    if summary.rows:
        level_name = "score" if summary.rows[0].curve.best is None else "expected score"
        figure = learning_curves(summary.rows, summary.plan.env_id, level_name)
        with written_whole(directory / CURVES) as part:
            figure.savefig(part, format="png", dpi=150)
        svg = svg_of(figure)
    _write_text(directory / REPORT, report(summary, svg))
    return [SUMMARY, RESULTS, *([CURVES] if svg else []), REPORT]


def _write_text(path: Path, content: str) -> None:
    with written_whole(path) as part:
        part.write_text(content, encoding="utf-8")


def _write_rows(summary: Summary, directory: Path) -> None:
    """Writes a row per post; expected and best score are empty where the truth is not known."""
    with (
        written_whole(directory / RESULTS) as part,
        part.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for agent, warm_start in summary.plan.pairs:
            for seed, result in results_of(summary.plan, directory, agent, warm_start):
                posts = range(1, len(result.scores) + 1)
                columns = (
                    ["" for _ in posts] if values is None else values.tolist()
                    for values in (result.scores, result.expected_scores, result.best_scores)
                )
                start = (defused(agent.name), "true" if warm_start else "false", seed)
                writer.writerows((*start, *row) for row in zip(posts, *columns, strict=True))
