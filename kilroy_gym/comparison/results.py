"""What one run leaves: its scores, and the truth about them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from kilroy_gym._records import Floats, written_whole
from kilroy_gym.interfaces import Round


@dataclass(frozen=True)
class RunResult:
    """The figures of a finished run.

    Attributes:
        scores: The score of each post in the order in which they were made, float64 of shape
            ``(posts,)``.
        expected_scores: The mean of each score's distribution, float64 of shape ``(posts,)``, or
            ``None`` where the truth is not known.
        best_scores: The best expected score at the time of each post, float64 of shape
            ``(posts,)``, or ``None``.
        wall_s: Time for the warm start and the posting, in seconds.
        rollout: The posts between two updates, in the agent's own words.
        notes: The warnings of the run.
    """

    scores: Floats
    expected_scores: Floats | None
    best_scores: Floats | None
    wall_s: float
    rollout: str
    notes: tuple[str, ...] = ()

    @property
    def levels(self) -> Floats:
        """The best known quality of each post: its expected score, else its score; ``(posts,)``."""
        return self.scores if self.expected_scores is None else self.expected_scores

    def save(self, path: Path) -> None:
        """Writes an ``.npz`` file, all of it or nothing."""
        truths = {"expected_scores": self.expected_scores, "best_scores": self.best_scores}
        known: dict[str, Any] = {key: value for key, value in truths.items() if value is not None}
        with written_whole(path) as part, part.open("wb") as file:
            np.savez(
                file,
                scores=self.scores,
                wall_s=self.wall_s,
                rollout=np.str_(self.rollout),
                notes=np.array(self.notes, np.str_),
                **known,
            )

    @classmethod
    def load(cls, path: Path) -> "RunResult":
        """Reads what :meth:`save` wrote.

        Raises:
            ValueError: The file is damaged, or something else.
        """
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                return cls(
                    file["scores"],
                    file.get("expected_scores"),
                    file.get("best_scores"),
                    float(file["wall_s"]),
                    str(file["rollout"]),
                    tuple(file["notes"].tolist()),
                )
        except (ValueError, KeyError, OSError, EOFError, BadZipFile) as error:
            raise ValueError(
                f"{path} does not hold the result of a run: delete it, and the same command "
                "repeats the run"
            ) from error


NOTHING_TOLD = (
    "the agent reported no post: `learn` must call its callback with a Round after every round"
)


class Recorder:
    """The callback of a run, which keeps its figures.

    Args:
        budget: The most posts that the run may make.
    """

    def __init__(self, budget: int) -> None:
        """Starts with no posts."""
        self.budget = budget
        self._scores: list[float | None] = []
        self._pending: dict[Any, int] = {}
        self._truths: list[tuple[Floats | None, Floats | None]] = []

    def __call__(self, played: Round) -> None:
        """Keeps a round, and the scores that arrived late for posts of earlier rounds.

        Raises:
            RuntimeError: The agent made more posts than it was given.
        """
        for post_id, score in zip(played.post_ids, played.scores, strict=True):
            if score is None:
                self._pending[post_id] = len(self._scores)
            self._scores.append(score)
        for post_id, score in played.arrived.items():
            self._scores[self._pending.pop(post_id)] = score
        if len(played.post_ids):
            self._truths.append((played.expected_scores, played.best_scores))
        if len(self._scores) > self.budget:
            raise RuntimeError(
                f"the agent made {len(self._scores):,} posts, its budget is {self.budget:,}: "
                "`learn(total_timesteps)` must stop at that number of posts"
            )

    def result(self, wall_s: float, rollout: str, notes: Iterable[str] = ()) -> RunResult:
        """Returns the figures of the run.

        Args:
            wall_s: Time that the run took, in seconds.
            rollout: The posts between two updates, in the agent's own words.
            notes: The warnings of the run.

        Raises:
            RuntimeError: No post was made, or a score never came.
        """
        if not self._scores:
            raise RuntimeError(NOTHING_TOLD)
        if self._pending:
            raise RuntimeError(
                f"the scores of {len(self._pending):,} posts never came: `learn` must wait for all "
                "of them before it returns"
            )
        expected, best = (_joined(part) for part in zip(*self._truths, strict=True))
        return RunResult(
            np.array(self._scores, np.float64), expected, best, wall_s, rollout, tuple(notes)
        )


def _joined(parts: Sequence[Floats | None]) -> Floats | None:
    """Joins the truths of all rounds; unknown for one round is unknown for the run."""
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if len(known) == len(parts) else None
