"""What the shipped modules have in common: numbered drafts and a random stream."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

import numpy as np

from kilroy_gym.interfaces import Observation, State
from kilroy_gym.modules.base import KilroyModule
from kilroy_gym.post import PostData, X

Record = TypeVar("Record")


class DraftingModule(KilroyModule[X, int], Generic[X, Record]):
    """Numbers its drafts and keeps a record of each until its score arrives.

    A subclass writes posts in :meth:`_write`. In :attr:`_learned` it names the attributes that
    hold what it has learned (numbers, lists and arrays); they go into checkpoints.

    Args:
        seed: Seed, or a generator to draw from.
    """

    _learned: tuple[str, ...] = ()

    def __init__(self, seed: int | np.random.Generator | None) -> None:
        """Starts with no drafts."""
        self._rng = np.random.default_rng(seed)
        self._drafts: dict[int, Record] = {}
        self._next_id = 0

    @abstractmethod
    def _write(self, observation: Observation) -> tuple[Record, X]:
        """Writes a post; returns the record to keep until its score arrives, and its content."""

    def generate(self, observation: Observation = None) -> tuple[int, PostData[X]]:
        """Writes a post."""
        draft_id = self._next_id
        self._drafts[draft_id], x = self._write(observation)
        self._next_id += 1
        return draft_id, PostData(x, observation if self.uses_observation else None)

    def forget(self, draft_ids: Iterable[int]) -> None:
        """Drops drafts that will not be reinforced."""
        for draft_id in draft_ids:
            self._drafts.pop(draft_id, None)

    def _take(self, scores: Mapping[int, float]) -> list[tuple[Record, float]]:
        """Returns the records of scored drafts with their scores, and forgets them."""
        return [(self._drafts.pop(draft_id), score) for draft_id, score in scores.items()]

    def state(self) -> State:
        """Returns what was learned, the open drafts and the generator's state."""
        learned = {name: getattr(self, name) for name in self._learned}
        return {
            **{n: v.copy() if isinstance(v, np.ndarray) else v for n, v in learned.items()},
            "next_id": self._next_id,
            "drafts": list(self._drafts.items()),
            "rng": self._rng.bit_generator.state,
        }

    def set_state(self, state: State) -> None:
        """Continues from what :meth:`state` returned."""
        for name in self._learned:
            value = state[name]
            setattr(self, name, value.copy() if isinstance(value, np.ndarray) else value)
        self._next_id = state["next_id"]
        self._drafts = dict(state["drafts"])
        self._rng.bit_generator.state = state["rng"]
