"""What the modules that ship have in common: numbered drafts and a random stream."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from kilroy_gym.modules.base import KilroyModule
from kilroy_gym.post import PostData, X


class DraftingModule(KilroyModule[X, int]):
    """Numbers its drafts and keeps what it must know of each until the score has come.

    A subclass writes a post in :meth:`_write`, and names in :attr:`_learned` the attributes that
    hold what it has learned: numbers, lists and arrays, for checkpoints.

    Args:
        seed: Seed, or a generator to draw from.
    """

    _learned: tuple[str, ...] = ()

    def __init__(self, seed: int | np.random.Generator | None) -> None:
        """Starts with no drafts."""
        self._rng = np.random.default_rng(seed)
        self._drafts: dict[int, Any] = {}
        self._next_id = 0

    @abstractmethod
    def _write(self, observation: Any) -> tuple[Any, X]:
        """Writes a post; returns what must be known of it when its score comes, and its content."""

    def generate(self, observation: Any = None) -> tuple[int, PostData[X]]:
        """Writes a post."""
        draft_id = self._next_id
        self._drafts[draft_id], x = self._write(observation)
        self._next_id += 1
        return draft_id, PostData(x, observation if self.uses_observation else None)

    def forget(self, draft_ids: Iterable[int]) -> None:
        """Drops drafts that will not be reinforced."""
        for draft_id in draft_ids:
            self._drafts.pop(draft_id, None)

    def _take(self, scores: Mapping[int, float]) -> list[tuple[Any, float]]:
        """Returns what was kept of scored drafts, with their scores, and forgets them."""
        return [(self._drafts.pop(draft_id), score) for draft_id, score in scores.items()]

    def state(self) -> dict[str, Any]:
        """Returns what was learned, the open drafts and the state of the random stream."""
        learned = {name: getattr(self, name) for name in self._learned}
        return {
            **{n: v.copy() if isinstance(v, np.ndarray) else v for n, v in learned.items()},
            "next_id": self._next_id,
            "drafts": list(self._drafts.items()),
            "rng": self._rng.bit_generator.state,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes on from what :meth:`state` returned."""
        for name in self._learned:
            value = state[name]
            setattr(self, name, value.copy() if isinstance(value, np.ndarray) else value)
        self._next_id = state["next_id"]
        self._drafts = dict(state["drafts"])
        self._rng.bit_generator.state = state["rng"]
