"""The commands of a live run: ``run``, ``feed`` and ``generate``."""

import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from kilroy_gym._seeding import seed_everything

if TYPE_CHECKING:
    from kilroy_gym.live.base import BaseLiveRun

console = Console(markup=False, highlight=False)
Directory = Annotated[Path, typer.Argument(metavar="DIR", help="The directory of the run.")]


def run(
    face: Annotated[str, typer.Option(help="Your Face: package.module:name.")],
    directory: Annotated[Path, typer.Option("--dir", help="Where the run is kept.")],
    module: Annotated[str | None, typer.Option(help="Your module: package.module:name.")] = None,
    agent: Annotated[
        str | None,
        typer.Option(help="Instead: a name that `kilroy-gym agents` lists, or an agent file."),
    ] = None,
    codec: Annotated[
        str | None, typer.Option(help="The codec of an --agent: package.module:name.")
    ] = None,
    around: Annotated[
        str | None,
        typer.Option(help="Your function that wraps the journaled Face."),
    ] = None,
    posts: Annotated[
        int, typer.Option(min=1, help="Posts in the whole run, made in whole rounds.")
    ] = 1000,
    update_rate: Annotated[
        int, typer.Option("--round", min=1, help="Posts between two updates.")
    ] = 10,
    post_rate: Annotated[float, typer.Option(min=0.0, help="Seconds between posts.")] = 1.0,
    score_delay_s: Annotated[
        float,
        typer.Option("--score-delay", min=0.0, help="Seconds until a post's score is asked for."),
    ] = 0.0,
    warm_start: Annotated[bool, typer.Option(help="Mimic existing posts first.")] = True,
    limit: Annotated[int, typer.Option(min=1, help="The most existing posts to mimic.")] = 10_000,
    weight_by_score: Annotated[
        bool, typer.Option("--weight-by-score", help="Mimic better-scored posts more often.")
    ] = False,
    epochs: Annotated[int, typer.Option(min=1, help="How often to mimic each of them.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the global random streams.")] = 0,
) -> None:
    """Post on a live platform and learn; the same command continues a stopped run."""
    from kilroy_gym.live.names import Names

    if posts < update_rate:
        raise ValueError(f"--posts {posts} is less than one --round of {update_rate}")
    seed_everything(seed)
    names = Names(face, module, agent, codec, around, update_rate, seed)
    with _telling_warnings():
        live = names.run(directory, post_rate, score_delay_s)
    if not score_delay_s:
        console.print(
            "Scores are asked for as soon as a post is made. If people need time to react, give "
            "--score-delay, in seconds."
        )
    try:
        with _stopping(live):
            if live.started:
                _tell_where(live)
            elif warm_start:
                live.warm_start(epochs=epochs, limit=limit, weight_by_score=weight_by_score)
            live.run(posts, progress_bar=None)
    except KeyboardInterrupt:
        console.print("Stopped; the same command continues from here.")
        raise typer.Exit(130) from None
    finally:
        live.close()
    feed(directory, count=10)


def feed(
    directory: Directory,
    count: Annotated[int, typer.Option("-n", min=1, help="Posts to show.")] = 20,
    html: Annotated[
        Path | None, typer.Option(help="A page of all posts, with the learning curve.")
    ] = None,
) -> None:
    """Show the posts of a run with their scores."""
    from kilroy_gym.faces import read_journal
    from kilroy_gym.live.base import JOURNAL
    from kilroy_gym.live.feed import (
        page_of,
        shown_post,
        shown_score,
        shown_time,
        summary_of,
        write_page,
    )

    if not (directory / JOURNAL).exists():
        raise ValueError(f"{directory} holds no run: give the --dir of a `kilroy-gym run`")
    entries = read_journal(directory / JOURNAL)
    table = Table("#", "when (UTC)", "post", "score")
    for entry in entries[-count:]:
        row = [str(entry.number), shown_time(entry), shown_post(entry.post.x)]
        table.add_row(*row, shown_score(entry))
    console.print(table)
    console.print(summary_of(entries))
    if html is not None:
        write_page(html, page_of(entries, title=directory.resolve().name))
        console.print(f"Written to {html}")


def generate(
    directory: Directory,
    count: Annotated[int, typer.Option("-n", min=1, help="Posts to write.")] = 20,
    module: Annotated[
        str | None, typer.Option(help="The run's module, if it has moved: package.module:name.")
    ] = None,
) -> None:
    """Print what the agent of a run would post now, without posting."""
    from kilroy_gym.live.feed import shown_post
    from kilroy_gym.live.names import Names

    for x in Names.load(directory, module).sketches(directory, count):
        print(shown_post(x))


def _tell_where(live: "BaseLiveRun") -> None:
    console.print(f"Continuing after {live.posts:,} posts.")
    if lost := live.settle():
        console.print(
            f"{lost:,} posts are not counted: they were made after the last update before the run "
            "stopped. `kilroy-gym feed` marks them."
        )


@contextmanager
def _telling_warnings() -> Iterator[None]:
    with warnings.catch_warnings(record=True) as told:
        yield
    for warning in told:
        console.print(f"Note: {warning.message}.")


@contextmanager
def _stopping(live: "BaseLiveRun") -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM stop a run after the post in flight."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: live.stop()) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
