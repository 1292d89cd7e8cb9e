"""What a run leaves on disk."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kilroy_gym.adapters import Round

Floats = npt.NDArray[np.float64]

COLUMNS = ("post", "round", "post_id", "x", "score", "expected_score", "best_score")


class ScoreLog:
    """Writes a row a post, after every round, so that a run which is stopped loses none.

    Attributes:
        scores: The scores so far, in the order in which the posts were made.
    """

    def __init__(self, writer: Any, flush: Any) -> None:
        """Writes the names of the columns."""
        self.scores: list[float] = []
        self._writer, self._flush = writer, flush
        writer.writerow(COLUMNS)

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["ScoreLog"]:
        """Gives a log that writes to ``path``."""
        with path.open("w", newline="", encoding="utf-8") as file:
            yield cls(csv.writer(file), file.flush)

    def __call__(self, played: Round) -> None:
        """Is the callback of a run that waits for its scores."""
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
                self._writer.writerow([number, played.number, post_id, x, score, *truth])
        self._flush()

    def summary(self) -> dict[str, float | None]:
        """Returns how many posts were scored, and means of their scores, ``None`` without any."""
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
    """Returns the mean of at least one score between two shares of a run, each in [0, 1]."""
    made = len(scores)
    first, last = int(made * start), max(int(np.ceil(made * end)), int(made * start) + 1)
    return float(np.mean(scores[first:last]))


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Gives a path to write to, which becomes ``path`` at the end: all of it or nothing."""
    part = path.with_name(f"{path.name}.part")
    yield part
    part.replace(path)


def fresh_directory(out: Path | None, default: str) -> Path:
    """Makes the directory of a run; no earlier run is ever written over.

    Args:
        out: What the user asked for, or ``None``.
        default: Name under ``runs/`` otherwise; a number is added where it is taken.

    Raises:
        ValueError: ``out`` holds something already.
    """
    if out is None:
        names = chain([default], (f"{default}-{number}" for number in count(2)))
        out = next(path for path in map(Path("runs").joinpath, names) if not path.exists())
    elif out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise ValueError(f"{out} holds something already; give --out a new directory")
    out.mkdir(parents=True, exist_ok=True)
    return out
