"""The ``kilroy-gym`` command."""

import ast
import inspect
import io
import json
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import gymnasium as gym
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

import kilroy_gym
from kilroy_gym._records import ScoreLog, fresh_directory
from kilroy_gym._scraping import scrap_scored_of
from kilroy_gym._seeding import seed_everything
from kilroy_gym.adapters import load_agent_file, load_named, module_for, roster
from kilroy_gym.comparison.command import compare
from kilroy_gym.comparison.results import NOTHING_TOLD
from kilroy_gym.envs.suite import AUDIENCES
from kilroy_gym.interfaces import FaceError, KilroyFace, NamesItsFile, PlaysModule
from kilroy_gym.live.command import feed, generate, run
from kilroy_gym.modules import KilroyModule
from kilroy_gym.training import KilroyTrainer

EVALUATION_POSTS = 1000
OUR_ERRORS = (gym.error.Error, FaceError, OSError)
DOOR_ERRORS = (ValueError, TypeError, ImportError, AttributeError, RuntimeError)
"""Errors of bad input, and of bugs; the package that raised them tells which."""
DOORS = {"kilroy_gym", "gymnasium", "importlib", "_frozen_importlib"}
LIBRARIES = Path(typer.__file__).parents[1]

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Learn what to post: train an agent on an audience, and compare agents.",
)
# Without markup: brackets hold the name of an extra, or a user's text.
console = Console(markup=False)


@app.callback(invoke_without_command=True)
def kilroy(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Learn what to post: train an agent on an audience, and compare agents."""
    if version:
        print(kilroy_gym.__version__)
        raise typer.Exit


@app.command()
def envs() -> None:
    """List the environments."""
    table = Table("environment", "what it is")
    for env_id in AUDIENCES:
        table.add_row(env_id, _first_sentence(gym.make(env_id).unwrapped.__doc__))
    console.print(table)


@app.command()
def agents() -> None:
    """List the agents of the roster."""
    table = Table("agent", "what it does")
    for name, path in roster().items():
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        table.add_row(name, docstring.split("\n")[0])
    console.print(table)


@app.command()
def train(
    env_id: Annotated[
        str | None, typer.Argument(metavar="ENV", help="An id that `kilroy-gym envs` lists.")
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option(help="A name that `kilroy-gym agents` lists, or the path of an agent file."),
    ] = None,
    face: Annotated[
        str | None, typer.Option(help="Your own Face, instead of ENV: package.module:name.")
    ] = None,
    module: Annotated[
        str | None, typer.Option(help="Your own module: package.module:name.")
    ] = None,
    posts: Annotated[int, typer.Option(min=1, help="The most posts to make.")] = 1000,
    update_rate: Annotated[
        int, typer.Option("--round", min=1, help="Posts between two updates.")
    ] = 10,
    post_rate: Annotated[
        float | None,
        typer.Option(min=0.0, help="Seconds between posts on a Face of your own; by default 1."),
    ] = None,
    warm_start: Annotated[bool, typer.Option(help="Mimic existing posts first.")] = True,
    weight_by_score: Annotated[
        bool, typer.Option("--weight-by-score", help="Mimic better-scored posts more often.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the world and of the agent.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="A new directory for the results; under runs/ by default.")
    ] = None,
) -> None:
    """Warm-start an agent from existing posts, then let it post and learn from the scores."""
    if posts < update_rate:
        raise ValueError(f"--posts {posts} is less than one --round of {update_rate}")
    if weight_by_score and not warm_start:
        raise ValueError("--weight-by-score weighs the warm start: leave --no-warm-start out")
    seed_everything(seed)
    trainer, name = _trainer(env_id, face, agent, module, update_rate, seed)
    if post_rate is not None and face is None:
        raise ValueError("--post-rate is for a --face of your own; a simulated one needs no pause")
    if weight_by_score:
        scrap_scored_of(trainer.env)  # refuses a Face without scores before anything is written
    timing = {} if face is None else {"post_rate": post_rate, "update_rate": update_rate}
    directory = fresh_directory(out, f"{name}-{seed}")
    figures: dict[str, dict[str, float]] = {}
    with ScoreLog.open(directory / "scores.csv") as log:
        with _interruptible() as interrupted:
            figures["untrained"] = _figures(trainer)
            if warm_start:
                trainer.fine_tune(weight_by_score=weight_by_score)
                figures["after the warm start"] = _figures(trainer)
            trainer.run(posts=posts, callback=log, **timing)  # type: ignore[arg-type]
            if not (log.scores or interrupted):
                raise RuntimeError(NOTHING_TOLD)
        figures[f"after {len(log.scores):,} posts"] = _figures(trainer)
    summary = {
        "run": name,
        "seed": seed,
        "warm_start": warm_start,
        "interrupted": bool(interrupted),
        "figures": figures,
        "kilroy_gym": kilroy_gym.__version__,
        **log.summary(),
    }
    _write_results(directory, trainer, summary, log.scores)
    _show(summary, directory)
    if interrupted:
        raise typer.Exit(130)


app.command()(compare)
app.command()(run)
app.command()(feed)
app.command()(generate)


def main(args: Sequence[str] | None = None) -> None:
    """Runs the command; reports bad input in one line, without a traceback.

    An error in the user's own code keeps its traceback.
    """
    if "" not in sys.path:  # what the current folder has can be named, as with `python -m`
        sys.path.insert(0, "")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a post may have what the terminal has not
    try:
        app(args, prog_name="kilroy-gym")
    except (*OUR_ERRORS, *DOOR_ERRORS) as error:
        *_, (frame, _) = traceback.walk_tb(error.__traceback__)
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if not isinstance(error, OUR_ERRORS) and package not in DOORS:
            raise
        message = Text.assemble(("Error:", "bold red"), f" {error}{_place(error)}")
        Console(stderr=True).print(message, soft_wrap=True)
        sys.exit(2)


def _place(error: BaseException) -> str:
    """Says where the user's own code failed, behind an error that tells of it in a line."""
    cause: BaseException | None = error
    while cause is not None:
        for frame, line in reversed(list(traceback.walk_tb(cause.__traceback__))):
            package = str(frame.f_globals.get("__name__")).partition(".")[0]
            path = Path(frame.f_code.co_filename)
            if package not in DOORS and path.is_file() and LIBRARIES not in path.parents:
                return f" ({path.name}, line {line}, in {frame.f_code.co_name})"
        cause = cause.__cause__
    return ""


def _trainer(
    env_id: str | None,
    face: str | None,
    agent: str | None,
    module: str | None,
    update_rate: int,
    seed: int,
) -> tuple[KilroyTrainer, str]:
    """Builds the trainer from what the user named; returns it with a name for the run."""
    if (env_id is None) == (face is None):
        raise ValueError("give either ENV (`kilroy-gym envs` lists them) or --face, and not both")
    if agent is not None and module is not None:
        raise ValueError("give either --agent or --module, not both")
    own = load_named(module, KilroyModule) if module is not None else None
    if face is not None:
        if own is None:
            raise ValueError("--face needs --module package.module:name, the generator to train")
        name = face.rpartition(":")[2]
        return KilroyTrainer(load_named(face, KilroyFace), own, seed=seed), name
    env = gym.make_vec(str(env_id), num_envs=update_rate)
    label = Path(agent).stem if agent else (module.rpartition(":")[2] if module else "module")
    if agent is not None:
        own = load_agent_file(agent)(env, seed)
    elif own is None:
        own = module_for(env, seed)
    return KilroyTrainer(env, own, seed=seed), f"{env_id}-{label}"


@contextmanager
def _interruptible() -> Iterator[list[bool]]:
    """Lets Ctrl-C end only the block; the list that it yields is then not empty."""
    interrupted: list[bool] = []
    try:
        yield interrupted
    except KeyboardInterrupt:
        interrupted.append(True)


def _figures(trainer: KilroyTrainer) -> dict[str, float]:
    """Returns the agent's figures as it is now, with its mean score on a simulated audience."""
    figures = dict(trainer.module.metrics()) if isinstance(trainer.agent, PlaysModule) else {}
    if trainer.simulated:
        figures["mean score"] = trainer.evaluate(EVALUATION_POSTS)
    return figures


def _write_results(
    directory: Path, trainer: KilroyTrainer, summary: dict[str, Any], scores: list[float]
) -> None:
    (directory / "summary.json").write_text(json.dumps(summary, indent=2), encoding="utf-8")
    agent = trainer.agent
    try:
        agent.save(
            directory / f"agent{agent.file_suffix if isinstance(agent, NamesItsFile) else ''}"
        )
    except NotImplementedError as error:
        console.print(f"The agent itself was not kept: {error}.", highlight=False)
    try:
        from kilroy_gym.comparison.plots import save_score_curve
    except ImportError as error:
        console.print(f"No picture was drawn: {error}.", highlight=False)
        return
    if scores:
        save_score_curve(scores, directory / "scores.png", title=str(summary["run"]))


def _show(summary: dict[str, Any], directory: Path) -> None:
    figures = summary["figures"]
    columns = list(dict.fromkeys(key for row in figures.values() for key in row))
    if columns:
        table = Table("", *columns)
        for name, row in figures.items():
            table.add_row(name, *(f"{row[key]:.3f}" if key in row else "" for key in columns))
        console.print(table)
    if summary["interrupted"]:
        console.print("Stopped. What was learned until then is kept.")
    if summary["posts"]:
        console.print(
            f"{summary['posts']:,} posts: mean score {summary['first_tenth_mean_score']:.3f} over "
            f"the first tenth, {summary['last_tenth_mean_score']:.3f} over the last.",
            highlight=False,
        )
    console.print(
        f"Written to {directory}/: {', '.join(sorted(p.name for p in directory.iterdir()))}"
    )


def _first_sentence(page: str | None) -> str:
    """Returns the first sentence under ``## Description`` in an environment's docstring."""
    page = inspect.cleandoc(page or "")
    text = " ".join(page.partition("## Description")[2].partition("##")[0].split())
    return text.partition(". ")[0].rstrip(".") + "."
