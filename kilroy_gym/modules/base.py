"""What a generator must do."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from kilroy_gym.codecs import Codec
from kilroy_gym.post import PostData, X

DraftId = TypeVar("DraftId", bound=Hashable)
Self = TypeVar("Self", bound="KilroyModule[Any, Any]")


class KilroyModule(ABC, Generic[X, DraftId]):
    """A generator that learns: first it mimics existing posts, then scores reinforce it.

    Three methods are enough: :meth:`generate`, :meth:`mimic`, :meth:`reinforce`. The last two
    return the module as it is afterwards, which may be ``self`` or a new one. The others are
    optional: :meth:`state` and :meth:`set_state` for checkpoints, :meth:`metrics` for progress
    reports, :meth:`forget` to free what was kept for drafts that are never going to be scored.

    Attributes:
        uses_observation: Whether ``generate`` takes the observation as its argument. Where it
            is ``True``, ``PostData.context`` carries the observation into ``mimic``.
        codec: Says which posts the module can mimic, or ``None`` where it can mimic all.
    """

    uses_observation: bool = False
    codec: Codec[Any] | None = None

    @abstractmethod
    def generate(self) -> tuple[DraftId, PostData[X]]:
        """Writes a post; returns the module's own id for the draft, and the post."""

    @abstractmethod
    def mimic(self: Self, posts: Sequence[PostData[X]]) -> Self:
        """Learns to write posts like these (one batch of at least one)."""

    @abstractmethod
    def reinforce(self: Self, scores: Mapping[DraftId, float]) -> Self:
        """Learns from the scores that drafts of this module earned, by draft id."""

    def generate_many(
        self, count: int, observations: Iterable[Any] | None = None
    ) -> Sequence[tuple[DraftId, PostData[X]]]:
        """Writes ``count`` posts, one for each observation where the module uses them."""
        if self.uses_observation and observations is not None:
            generate: Any = self.generate
            return [generate(observation) for observation in observations]
        return [self.generate() for _ in range(count)]

    def forget(self, draft_ids: Iterable[DraftId]) -> None:
        """Drops drafts that will not be reinforced."""

    def metrics(self) -> dict[str, float]:
        """Returns figures worth showing while it learns."""
        return {}

    def state(self) -> dict[str, Any]:
        """Returns all it takes to go on later: JSON values and numpy arrays, in a dict.

        Raises:
            NotImplementedError: The module does not support checkpoints.
        """
        raise NotImplementedError(
            f"{type(self).__name__} cannot be saved: it lacks state() and set_state(); add both"
        )

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes on from what :meth:`state` returned.

        Raises:
            NotImplementedError: The module does not support checkpoints.
        """
        raise NotImplementedError(
            f"{type(self).__name__} cannot be loaded: it lacks state() and set_state(); add both"
        )
