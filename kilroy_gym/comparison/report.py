"""One self-contained page that can be sent to a colleague."""

import base64
from collections.abc import Iterable, Mapping
from datetime import date
from html import escape

from kilroy_gym.comparison.measures import MEASURES
from kilroy_gym.comparison.summary import Summary, versions
from kilroy_gym.comparison.table import (
    TITLES,
    UNKNOWN,
    interval,
    number,
    sentences,
    share_reached,
)

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

MEANINGS = {
    "mean_score": "Mean score of a post over the whole run. Higher is better.",
    "regret": (
        "Summed over all posts: the best expected score that any post could have had then, minus "
        "the expected score of the post that was made. What learning has cost; lower is better."
    ),
    "posts_to_95": (
        "The first post at which the mean of the last 100 expected scores (scores, where the "
        "audience's truth is not known) has come 95% of the way from uniformly random posts to "
        "the best. No run arrives before its 100th post, and one that never arrives counts as "
        "the whole budget; <i>reached</i> says how many arrived. Lower is better."
    ),
    "final_score": "Mean score over the last tenth of the run: what the agent has come to.",
    "wall_s": (
        "Seconds on the machine that ran it, for the warm start and the posting; several runs "
        "shared that machine."
    ),
}

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
    """Returns the page as HTML that needs nothing beside it.

    Args:
        summary: What was found.
        svg: The learning curves, or ``None`` where no run finished.
    """
    plan = summary.plan
    what = (
        f"{_counted(len(plan.agents), 'agent')} on {plan.env_id}, "
        f"{_counted(plan.seeds, 'seed')} each, {plan.posts:,} posts a run."
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
        "<figcaption>Interquartile mean over seeds, with its 95% interval as a band. Solid lines "
        "were warm-started from existing posts, dashed ones were not.</figcaption></figure>"
    )


def _table(summary: Summary) -> str:
    head = ["agent", "start"]
    for name in MEASURES:
        head += [TITLES[name], "reached"] if name == "posts_to_95" else [TITLES[name]]
    rows = []
    for row in summary.rows:
        cells = [escape(row.agent), "warm" if row.warm_start else "cold"]
        for name in MEASURES:
            found = row.estimates[name]
            cells.append(
                UNKNOWN
                if found is None
                else f"{number(name, found.iqm)}<small>{interval(name, found)}</small>"
            )
            if name == "posts_to_95":
                cells.append(share_reached(row))
        rows.append([*cells, escape(row.rollout)])
    return f"<h2>The figures</h2><div class='wide'>{_html_table([*head, 'round'], rows)}</div>"


def _failures(summary: Summary) -> str:
    if not summary.failures:
        return ""
    rows = [
        [
            escape(failure.run.agent.name),
            "warm" if failure.run.warm_start else "cold",
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
    meanings = {TITLES[name]: meaning for name, meaning in MEANINGS.items()}
    meanings["round"] = (
        "The posts between two updates; for agents of Stable-Baselines3 slots x steps."
    )
    by = TITLES[summary.ranked_by]
    levels = {"Uniformly random posts": summary.uniform_score, "the best": summary.best_score}
    known = [f"{name} {number('', value)}" for name, value in levels.items() if value is not None]
    scale = f" On this environment the levels are: {', '.join(known)}." if known else ""
    return (
        "<h2>How to read it</h2>"
        "<p>Every figure is the interquartile mean over seeds, the mean without the best and the "
        "worst quarter of the runs, and in brackets its 95% percentile-bootstrap interval over "
        "seeds. A seed is a world of its own, the same one for every agent. With few seeds such "
        f"intervals are rather too narrow.{scale}</p>"
        f"<p>Rows are ranked by {by}. A difference to the first row is called <i>within noise</i> "
        "where the 95% interval of the difference, bootstrapped over the seeds that both have in "
        "common, contains 0. Each row is tested by itself, without a correction for how many "
        f"there are.</p>{_definitions(meanings)}"
    )


def _what_was_run(summary: Summary) -> str:
    plan = summary.plan
    agents = (f"{escape(agent.given)} (sha256 {agent.sha256[:12]})" for agent in plan.agents)
    facts = {
        "Environment": escape(plan.env_id),
        "Agents": "<br>".join(agents),
        "Posts": f"at most {plan.posts:,} a run, in rounds of {plan.update_rate}",
        "Seeds": f"0 to {plan.seeds - 1}" if plan.seeds > 1 else "0",
        "Warm start": {"yes": "yes", "no": "no", "both": "with and without"}[plan.warm_start],
        "Versions": escape(", ".join(f"{name} {found}" for name, found in versions().items())),
        "Date of this report": date.today().isoformat(),
    }
    return (
        f"<h2>What was run</h2>{_definitions(facts)}<h2>How to repeat it</h2>"
        f"<pre>{escape(plan.command())}</pre>"
        "<p>The same command gives the same figures, but for the seconds.</p>"
    )


def _definitions(items: Mapping[str, str]) -> str:
    return (
        "<dl>" + "".join(f"<dt>{key}</dt><dd>{text}</dd>" for key, text in items.items()) + "</dl>"
    )


def _list(items: Iterable[str]) -> str:
    lines = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{lines}</ul>" if lines else ""


def _html_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Returns a table; the cells are HTML already."""
    top = "".join(f"<th>{name}</th>" for name in head)
    lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
