"""A report of a comparison: one HTML page that needs no other file."""

import base64
from collections.abc import Iterable, Mapping
from datetime import date
from html import escape

from kilroy_gym.comparison.measures import MEAN_SCORE, Measure
from kilroy_gym.comparison.rows import Row
from kilroy_gym.comparison.summary import Summary, versions
from kilroy_gym.comparison.table import cell, sentences

STYLE = """
body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: #1c2430;
  background: #f4f5f7; margin: 0; }
main { max-width: 1100px; margin: 0 auto; padding: 2rem 2rem 3rem; background: #fff; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .4rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
.what { color: #5a6473; margin: 0 0 1.5rem; }
.answer { background: #eef5fb; border-left: 4px solid #0072b2; padding: .8rem 1.2rem; }
.answer p { margin: 0; font-weight: 600; }
.answer ul { margin: .4rem 0 0; padding-left: 1.2rem; }
figure { margin: 1.8rem 0 0; }
img { width: 100%; height: auto; }
figcaption { color: #5a6473; font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .7rem; text-align: right; border-bottom: 1px solid #dde1e7;
  vertical-align: top; white-space: nowrap; }
th { font-size: .85rem; color: #5a6473; font-weight: 600; }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; }
td small { display: block; color: #5a6473; }
tbody tr:first-child { background: #eef5fb; }
.left th, .left td { text-align: left; white-space: normal; }
.left tbody tr:first-child { background: none; }
dt { font-weight: 600; margin-top: .6rem; }
dd { margin: 0; }
code, pre { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { background: #f4f5f7; padding: .8rem 1rem; overflow-x: auto; }
@media print { body { background: #fff; } main { padding: 0; } }
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body><main>
<h1>{title}</h1>
<p class="what">{what}</p>
{body}
</main></body>
</html>
"""


def report(summary: Summary, svg: str | None) -> str:
    """Returns the page as HTML that needs no other file.

    Args:
        summary: What was found.
        svg: The learning curves, or ``None`` where no run finished.
    """
    plan = summary.plan
    what = (
        f"{_counted(len(plan.agents), 'agent')} on {plan.env_id}, "
        f"{_counted(plan.seeds, 'seed')} each, {plan.posts:,} posts per run."
    )
    body = [_answer(summary)]
    if svg is not None:
        body += [_picture(svg), _table(summary)]
    body += [_failures(summary), _how_to_read(summary), _what_was_run(summary)]
    return PAGE.format(
        title="Which agent earns the most with the fewest posts?",
        style=STYLE,
        what=escape(what),
        body="\n".join(body),
    )


def _answer(summary: Summary) -> str:
    first, *others = map(escape, sentences(summary))
    return f'<div class="answer"><p>{first}</p>{_list(others)}</div>'


def _picture(svg: str) -> str:
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<figure><img alt="Learning curves: score over posts, a line for each agent" '
        f'src="data:image/svg+xml;base64,{data}">'
        "<figcaption>Interquartile mean over seeds, with its 95% interval as a band. Solid lines: "
        "warm-started from existing posts. Dashed lines: cold.</figcaption></figure>"
    )


def _table(summary: Summary) -> str:
    head = ["agent", "start", *(escape(each.title) for each in summary.measures), "round"]
    rows = [
        [
            escape(row.agent),
            row.start,
            *(_cell(each, row) for each in summary.measures),
            escape(row.rollout),
        ]
        for row in summary.rows
    ]
    return f"<h2>The figures</h2><div class='wide'>{_html_table(head, rows)}</div>"


def _cell(measure: Measure, row: Row) -> str:
    figure, _, interval = cell(measure, row, between="\n").partition("\n")
    return f"{figure}<small>{interval}</small>" if interval else figure


def _failures(summary: Summary) -> str:
    if not summary.failures:
        return ""
    rows = [
        [
            escape(failure.run.agent.name),
            failure.run.start,
            str(failure.run.seed),
            f"<code>{escape(failure.error)}</code>",
        ]
        for failure in summary.failures
    ]
    table = _html_table(["agent", "start", "seed", "error"], rows)
    return (
        f"<h2>Failed runs</h2><p>{_counted(len(rows), 'run')} failed and "
        f"left no figures.</p><div class='left wide'>{table}</div>"
    )


def _how_to_read(summary: Summary) -> str:
    better = {True: " Higher is better.", False: " Lower is better.", None: ""}
    meanings = {
        escape(each.title): escape(each.meaning) + better[each.higher_is_better]
        for each in summary.measures
    }
    meanings["round"] = "Posts between two updates; for agents of Stable-Baselines3, slots x steps."
    levels = {"uniformly random posts": summary.uniform_score, "the best": summary.best_score}
    known = [
        f"{name} {MEAN_SCORE.text(value)}" for name, value in levels.items() if value is not None
    ]
    scale = f" Mean levels in this environment: {', '.join(known)}." if known else ""
    return (
        "<h2>How to read it</h2>"
        "<p>A figure is the interquartile mean over seeds: the mean without the best and the "
        "worst quarter of the runs. Its 95% percentile-bootstrap interval over seeds is in "
        "brackets. A seed is a world of its own, the same one for every agent. With few seeds, "
        f"such intervals tend to be too narrow.{scale}</p>"
        f"<p>Rows are ranked by {escape(summary.ranking.title)}. A difference to the first row is "
        "<i>within noise</i> where its 95% interval contains 0, bootstrapped over the seeds that "
        "both rows have in common. Each row is tested by itself, without a correction for "
        f"multiple comparisons.</p>{_definitions(meanings)}"
    )


def _what_was_run(summary: Summary) -> str:
    plan = summary.plan
    agents = (f"{escape(agent.given)} (sha256 {agent.sha256[:12]})" for agent in plan.agents)
    facts = {
        "Environment": escape(plan.env_id),
        "Agents": "<br>".join(agents),
        "Posts": f"at most {plan.posts:,} per run, in rounds of {plan.update_rate}",
        "Seeds": f"0 to {plan.seeds - 1}" if plan.seeds > 1 else "0",
        "Warm start": {"yes": "yes", "no": "no", "both": "with and without"}[plan.warm_start],
        "Versions": escape(", ".join(f"{name} {found}" for name, found in versions().items())),
        "Date of this report": date.today().isoformat(),
    }
    return (
        f"<h2>What was run</h2>{_definitions(facts)}<h2>How to repeat it</h2>"
        f"<pre>{escape(plan.command())}</pre>"
        "<p>The same command gives the same figures, except for the seconds.</p>"
    )


def _definitions(items: Mapping[str, str]) -> str:
    return (
        "<dl>" + "".join(f"<dt>{key}</dt><dd>{text}</dd>" for key, text in items.items()) + "</dl>"
    )


def _list(items: Iterable[str]) -> str:
    lines = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{lines}</ul>" if lines else ""


def _html_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Returns a table of cells that are already HTML."""
    top = "".join(f"<th>{name}</th>" for name in head)
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
