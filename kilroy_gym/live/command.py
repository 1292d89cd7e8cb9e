"""The commands of a live run: ``run``, ``feed`` and ``generate``."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from kilroy_gym.adapters import load_named
from kilroy_gym.interfaces import KilroyFace
from kilroy_gym.modules import KilroyModule
from kilroy_gym.seeding import seed_everything

Directory = Annotated[Path, typer.Argument(metavar="DIR", help="The directory of the run.")]
ModuleName = Annotated[str, typer.Option(help="Your module: package.module:name.")]


def run(
    face: Annotated[str, typer.Option(help="Your Face: package.module:name.")],
    module: ModuleName,
    directory: Annotated[Path, typer.Option("--dir", help="Where the run is kept.")],
    posts: Annotated[int, typer.Option(min=1, help="Posts of the whole run.")] = 1000,
    update_rate: Annotated[
        int, typer.Option("--round", min=1, help="Posts between two updates.")
    ] = 10,
    post_rate: Annotated[float, typer.Option(min=0.0, help="Seconds between posts.")] = 1.0,
    score_delay_s: Annotated[
        float, typer.Option("--score-delay", min=0.0, help="Seconds until a score is asked for.")
    ] = 0.0,
    warm_start: Annotated[bool, typer.Option(help="Mimic existing posts first.")] = True,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the global random streams.")] = 0,
) -> None:
    """Post on a live platform and learn; the same command goes on where it was stopped."""
    from kilroy_gym.live.run import LiveRun

    seed_everything(seed)
    live = LiveRun(
        load_named(face, KilroyFace),
        load_named(module, KilroyModule),
        directory,
        update_rate,
        post_rate,
        score_delay_s,
    )
    console = Console(markup=False)
    if live.started:
        console.print(f"Going on after {live.posts:,} posts.", highlight=False)
    try:
        with _stopping(live):
            if warm_start:
                live.warm_start()
            live.run(posts, progress_bar=None)
    except KeyboardInterrupt:
        console.print("Stopped; the same command goes on from here.")
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
    from kilroy_gym.live.feed import page_of, shown_post, shown_score, shown_time, summary_of
    from kilroy_gym.live.run import JOURNAL

    if not (directory / JOURNAL).exists():
        raise ValueError(f"{directory} holds no run")
    entries = read_journal(directory / JOURNAL)
    table = Table("#", "when (UTC)", "post", "score")
    for entry in entries[-count:]:
        row: list[Any] = [str(entry.number), shown_time(entry), shown_post(entry)]
        table.add_row(*row, shown_score(entry))
    console = Console(markup=False)
    console.print(table)
    console.print(summary_of(entries), highlight=False)
    if html is not None:
        html.write_text(page_of(entries, title=directory.name), encoding="utf-8")
        console.print(f"Written to {html}", highlight=False)


def generate(
    directory: Directory,
    module: ModuleName,
    count: Annotated[int, typer.Option("-n", min=1, help="Posts to write.")] = 20,
) -> None:
    """Print what the module of a run would post now, without posting."""
    from kilroy_gym.live.checkpoint import Checkpoint
    from kilroy_gym.live.run import CHECKPOINT

    made = load_named(module, KilroyModule)
    checkpoint = Checkpoint.load(directory / CHECKPOINT)
    if checkpoint is None:
        raise ValueError(f"{directory} holds no run")
    if checkpoint.module != type(made).__name__:
        raise ValueError(
            f"{directory} holds a run of a {checkpoint.module}, not of a {type(made).__name__}"
        )
    made.set_state(checkpoint.state)
    for _, post in made.generate_many(count):
        print(post.x)


@contextmanager
def _stopping(live: Any) -> Iterator[None]:
    """Lets Ctrl-C and a polite kill end a run after the post in flight."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: live.stop()) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
