"""The posts of a run, for people to look at."""

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from kilroy_gym.storage.entries import Entry

GARBLING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls (except tab and newline), direction overrides and lone surrogates."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #1d2733; }}
body {{ max-width: 860px; margin: 2rem auto; }}
table {{ border-collapse: collapse; width: 100%; }}
td, th {{ text-align: left; padding: .35rem .6rem; border-bottom: 1px solid #dde2e8; }}
td.when {{ white-space: nowrap; }}
td.score {{ text-align: right; font-variant-numeric: tabular-nums; }}
td.post {{ overflow-wrap: anywhere; white-space: pre-wrap; }}
img {{ max-width: 100%; }}
</style></head><body>
<h1>{title}</h1>
<p>{summary}</p>
{picture}
<table><tr><th>#</th><th>when (UTC)</th><th>post</th><th>score</th></tr>
{rows}
</table></body></html>
"""


def shown_score(entry: Entry) -> str:
    """Returns the score of a post as text, or why it has none."""
    if entry.refusal is not None:
        return f"refused: {shown_post(entry.refusal)}"
    if entry.state == "in doubt":
        return "in doubt"
    score = "pending" if entry.score is None else f"{entry.score:g}"
    return score if entry.counted else f"{score} (not counted)"


def shown_time(entry: Entry) -> str:
    """Returns when a post was about to be sent, in UTC."""
    return datetime.fromtimestamp(entry.intended_at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def shown_post(x: Any) -> str:
    r"""Returns a post's content as text; escapes what could garble a terminal or a page.

    Example:
        >>> shown_post("Grüße\x1b[2J"), shown_post(True)
        ('Grüße\\x1b[2J', 'True')
    """
    return GARBLING.sub(_escaped, x) if isinstance(x, str) else repr(x)


def _escaped(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode()


def summary_of(entries: Sequence[Entry]) -> str:
    """Returns a sentence that counts the posts by state."""
    states = [entry.state for entry in entries]
    scores = [entry.score for entry in entries if entry.score is not None]
    mean = f"; mean score {sum(scores) / len(scores):.3g}" if scores else ""
    uncounted = sum(not entry.counted for entry in entries)
    lost = f" {uncounted:,} not counted: the agent could not learn from them." if uncounted else ""
    return (
        f"{states.count('made'):,} posts made, {states.count('refused'):,} refused, "
        f"{states.count('in doubt'):,} in doubt{mean}.{lost}"
    )


def page_of(entries: Sequence[Entry], title: str) -> str:
    """Returns a self-contained HTML page, the latest post first.

    Args:
        entries: The posts, oldest first.
        title: The title of the page.

    Raises:
        ImportError: There are scores to draw, and the extra ``compare`` is not installed.
    """
    scores = [entry.score for entry in entries if entry.score is not None]
    picture = ""
    if scores:
        from kilroy_gym.comparison.plots import save_score_curve

        drawn = BytesIO()
        save_score_curve(scores, drawn, "Scores of the posts, in order")
        encoded = base64.b64encode(drawn.getvalue()).decode()
        picture = f'<img alt="scores over the posts" src="data:image/png;base64,{encoded}">'
    rows = "\n".join(
        f'<tr><td>{entry.number}</td><td class="when">{shown_time(entry)}</td>'
        f'<td class="post" dir="auto">{escape(shown_post(entry.post.x))}</td>'
        f'<td class="score">{escape(shown_score(entry))}</td></tr>'
        for entry in reversed(entries)
    )
    return PAGE.format(title=escape(title), summary=summary_of(entries), picture=picture, rows=rows)


def write_page(path: Path, page: str) -> None:
    """Writes a page to a new file, or over an earlier page.

    Raises:
        ValueError: The file is something else, such as a run's journal.
    """
    start = PAGE.partition("\n")[0].encode()
    if path.exists() and not (path.is_file() and path.read_bytes()[: len(start)] == start):
        raise ValueError(f"{path} exists and is not a page of a feed: give --html another name")
    path.write_text(page, encoding="utf-8")
