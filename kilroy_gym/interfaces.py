"""What a platform must do."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np

from kilroy_gym.post import PostData, X

PostId = TypeVar("PostId", bound=Hashable)


class ScorePending(Exception):
    """Raised by :meth:`KilroyFace.score` while a score is not known yet; it is asked for again."""


class PostRefused(ValueError):
    """Raised by :meth:`KilroyFace.post` where a post was not made and never will be.

    The message is shown and kept, so it says why and holds no secret. Any other error leaves open
    whether the post was made.

    Attributes:
        key: The key of the post where a journal has it, or ``None``.
    """

    def __init__(self, *args: object, key: int | None = None) -> None:
        """Takes the message."""
        super().__init__(*args)
        self.key = key


class FaceError(RuntimeError):
    """A Face failed in the middle of a round, or returned what cannot be used.

    Nothing is lost: the error carries what the round had done when it stopped. What the Face
    itself raised is the ``__cause__``.

    Attributes:
        posts: The posts of this round that were made, by post id.
        scores: The scores that were known by then, by post id.
    """

    def __init__(
        self, message: str, posts: Mapping[Any, PostData[Any]], scores: Mapping[Any, float]
    ) -> None:
        """Carries ``message`` and copies of what the round had done."""
        super().__init__(message)
        self.posts = dict(posts)
        self.scores = dict(scores)

    def __reduce__(self) -> tuple[Any, ...]:
        """Lets the error cross from a worker process with all it carries."""
        return type(self), (str(self), self.posts, self.scores)


class KilroyFace(ABC, Generic[X, PostId]):
    """A platform: where posts exist already, can be made, and earn scores.

    Three methods are enough. The batch methods have defaults that loop over them; a platform
    that can do better overrides those. A *simulated* platform also has ``restart``
    (see :class:`Simulated`). Optional, where a platform has it:

    - ``observation_space`` and ``observe(count)``: a Gymnasium space, and what is observed before
      each of the next ``count`` posts, as an array of shape ``(count, *observation_space.shape)``;
    - ``scrap_scored(limit)``: yields what ``scrap(limit)`` does, as ``(post id, post, score)`` with
      the score that the post has by now, a finite number, or ``None`` where it is not known;
    - ``truth(post_id)``: the expected score of a post, and the best that any could have had;
    - ``wait(seconds)``: lets time pass while scores are pending, instead of the clock's sleep;
    - ``post_once(data, key)``: makes the post as ``post`` does, but called again with the same
      key it makes no second one and returns the id of the first. The key is an integer of unix
      microseconds, from 0 to below 2**53, which nobody uses for another post; a platform derives
      its own name for the post and the time of its creation from the key. Without this method
      nobody can post safely again where an answer was lost, so nobody tries.
    """

    @abstractmethod
    def scrap(self, limit: int | None = None) -> Iterator[tuple[PostId, PostData[X]]]:
        """Yields existing posts with their ids.

        Args:
            limit: The most posts to yield, or ``None`` for all that the platform gives.
        """

    @abstractmethod
    def post(self, data: PostData[X]) -> PostId:
        """Makes a post and returns its id: hashable, and never the same twice.

        Raises:
            PostRefused: The platform will not have it (optional: any error may be raised).
        """

    @abstractmethod
    def score(self, post_id: PostId) -> float:
        """Returns the score of a post: a finite number.

        Raises:
            ScorePending: The score is not known yet.
        """

    def post_many(self, posts: Iterable[PostData[X]]) -> Iterable[PostId]:
        """Makes posts in order and yields the id of each as soon as it is made.

        The environment paces a round through the iterable, so take each post when it can go out.
        """
        for post in posts:
            yield self.post(post)

    def score_many(self, post_ids: Iterable[PostId]) -> Iterable[tuple[PostId, float]]:
        """Yields ``(post id, score)`` for the scores that are known; pending ones are left out."""
        for post_id in post_ids:
            try:
                score = self.score(post_id)
            except ScorePending:
                continue
            yield post_id, score


@runtime_checkable
class Simulated(Protocol):
    """What makes a Face a simulated one: it can start over, and it can be copied."""

    def restart(self, rng: np.random.Generator) -> None:
        """Starts over; from now on all randomness comes from ``rng`` or from children of it."""
