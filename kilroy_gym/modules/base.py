"""What a generator must do."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, Self, TypeVar

from kilroy_gym.codecs.base import AnyCodec
from kilroy_gym.interfaces import Observation, State
from kilroy_gym.post import PostData, X

DraftId = TypeVar("DraftId", bound=Hashable)


class KilroyModule(ABC, Generic[X, DraftId]):
    """A generator that learns: first it mimics existing posts, then scores reinforce it.

    Three methods are enough: :meth:`generate`, :meth:`mimic`, :meth:`reinforce`. The last two
    return the updated module: ``self`` or a new one. The others are optional: :meth:`state` and
    :meth:`set_state` for checkpoints, :meth:`metrics` for progress reports, and :meth:`forget` to
    free what was kept for drafts that will never be scored.

    Attributes:
        uses_observation: Whether ``generate`` takes the observation as its argument. Where it
            is ``True``, ``PostData.context`` carries the observation into ``mimic``.
        codec: Defines which posts the module can mimic; ``None`` if it can mimic any.
    """

    uses_observation: bool = False
    codec: AnyCodec | None = None

    @abstractmethod
    def generate(self) -> tuple[DraftId, PostData[X]]:
        """Writes a post; returns the draft's id, which is the module's own, and the post."""

    @abstractmethod
    def mimic(self, posts: Sequence[PostData[X]]) -> Self:
        """Learns to write posts like these: one batch, not empty."""

    @abstractmethod
    def reinforce(self, scores: Mapping[DraftId, float]) -> Self:
        """Learns from the scores that this module's drafts earned, by draft id."""

    def generate_many(
        self, count: int, observations: Iterable[Observation] | None = None
    ) -> Sequence[tuple[DraftId, PostData[X]]]:
        """Writes ``count`` posts: one per observation, if the module uses observations.

        Args:
            count: How many posts to write.
            observations: What is observed before each post: ``count`` of them, such as an array
                of shape ``(count, ...)``.

        Returns:
            The id and the post of each draft.
        """
        if self.uses_observation and observations is not None:
            generate: Any = self.generate
            return [generate(observation) for observation in observations]
        return [self.generate() for _ in range(count)]

    def forget(self, draft_ids: Iterable[DraftId]) -> None:
        """Drops drafts that will not be reinforced."""

    def metrics(self) -> dict[str, float]:
        """Returns figures to show while it learns, by name."""
        return {}

    def state(self) -> State:
        """Returns everything needed to continue later: JSON values and numpy arrays, by name.

        Raises:
            NotImplementedError: The module does not support checkpoints.
        """
        raise NotImplementedError(
            f"{type(self).__name__} cannot be saved: it lacks state() and set_state(); add both"
        )

    def set_state(self, state: State) -> None:
        """Continues from what :meth:`state` returned.

        Raises:
            NotImplementedError: The module does not support checkpoints.
        """
        raise NotImplementedError(
            f"{type(self).__name__} cannot be loaded: it lacks state() and set_state(); add both"
        )


AnyModule = KilroyModule[Any, Any]
