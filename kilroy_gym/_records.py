"""The files that a run leaves on the disk."""

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, count
from numbers import Number
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt

from kilroy_gym.interfaces import Round

Floats = npt.NDArray[np.float64]

COLUMNS = ("post", "round", "post_id", "x", "score", "expected_score", "best_score")

PRIVATE = 0o600
"""Mode of a file that only its owner can read or write."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Starts of text that a spreadsheet may run as a formula, including full-width signs (OWASP)."""


def defused(value: object) -> object:
    """Returns a value for a CSV file, with ``'`` before text that could be run as a formula.

    Numbers are returned unchanged.
    """
    text = not isinstance(value, Number) and str(value).startswith(FORMULA_STARTS)
    return f"'{value}" if text else value


class ScoreLog:
    """Writes one row per post after every round, so that a stopped run loses none.

    Text that a spreadsheet could run as a formula is written with a ``'`` before it.

    Attributes:
        scores: The scores so far, in the order of the posts.
    """

    def __init__(self, file: TextIO) -> None:
        """Writes the header."""
        self.scores: list[float] = []
        self._file, self._writer = file, csv.writer(file)
        self._writer.writerow(COLUMNS)

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["ScoreLog"]:
        """Opens a log that writes to ``path``."""
        with path.open("w", newline="", encoding="utf-8") as file:
            yield cls(file)

    def __call__(self, played: Round) -> None:
        """The callback of a run that waits for its scores."""
        made = len(played.post_ids)
        truths = [
            [None] * made if values is None else values.tolist()
            for values in (played.expected_scores, played.best_scores)
        ]
        contents = [post.x for post in played.posts]
        rows = zip(played.post_ids, contents, played.scores, *truths, strict=True)
        for post_id, x, score, *truth in rows:
            if score is not None:
                self.scores.append(score)
                number = len(self.scores)
                texts = (defused(post_id), defused(x))
                self._writer.writerow([number, played.number, *texts, score, *truth])
        self._file.flush()

    def summary(self) -> dict[str, float | None]:
        """Returns the number of scored posts and means of their scores; ``None`` without posts."""
        shares = {
            "first_tenth_mean_score": (0.0, 0.1),
            "last_tenth_mean_score": (0.9, 1.0),
            "mean_score": (0.0, 1.0),
        }
        means = {
            name: mean_of_share(self.scores, *share) if self.scores else None
            for name, share in shares.items()
        }
        return {"posts": len(self.scores), **means}


def mean_of_share(scores: Sequence[float] | Floats, start: float, end: float) -> float:
    """Returns the mean of the scores between two shares of a run; at least one score counts.

    Args:
        scores: The scores in the order of the posts, shape ``(posts,)``, not empty.
        start: Where to begin, as a share of the run in [0, 1].
        end: Where to stop, as a share of the run in [0, 1].
    """
    made = len(scores)
    first, last = int(made * start), max(int(np.ceil(made * end)), int(made * start) + 1)
    return float(np.mean(scores[first:last]))


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Provides a path to write to, which is renamed to ``path`` once everything is written."""
    part = path.with_name(f"{path.name}.part")
    yield part
    part.replace(path)


def made_private(path: Path) -> Path:
    """Makes a file that only its owner can read or write, or makes one so; returns its path.

    Raises:
        OSError: It cannot be made.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDONLY, PRIVATE))
    with suppress(PermissionError):  # somebody else's file, which its group may write
        path.chmod(path.stat().st_mode & PRIVATE)
    return path


def fresh_directory(out: Path | None, default: str) -> Path:
    """Creates the directory of a run; never overwrites an earlier one.

    Args:
        out: The directory, which must be empty or not exist; ``None`` for one under ``runs/``.
        default: Its name under ``runs/``; a number is added if the name is taken.

    Raises:
        ValueError: ``out`` is not empty.
    """
    if out is None:
        names = chain([default], (f"{default}-{number}" for number in count(2)))
        out = next(path for path in map(Path("runs").joinpath, names) if not path.exists())
    elif out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ValueError(f"{out} is not empty; give --out a new directory")
    out.mkdir(parents=True, exist_ok=True)
    return out
