"""Everything except sending."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kilroy_gym._checks import number
from kilroy_gym.faces.wrappers.base import FaceWrapper
from kilroy_gym.interfaces import (
    AnyFace,
    AnyId,
    KnowsTruth,
    ScoredPost,
    ScrapsScored,
    Simulated,
)
from kilroy_gym.post import AnyPost

KEPT_POSTS = 200


@dataclass(frozen=True, slots=True)
class DryRunId:
    """The id of a post that was not sent: no platform has it.

    Attributes:
        number: The post's draft number; else its key; else a running number.
    """

    number: int


class DryRunFace(FaceWrapper):
    """Scrapes and observes like the Face inside, but sends nothing.

    Put it inside a :class:`~kilroy_gym.faces.ReviewedFace` and around everything else.

    Args:
        face: The Face inside.
        score: The score of every post, since nobody sees it.

    Attributes:
        posts: The last 200 posts that would have gone out.

    Example:
        >>> from kilroy_gym import PostData
        >>> from kilroy_gym.audiences import BernoulliAudience
        >>> from kilroy_gym.faces import SimulatedFace
        >>> face = DryRunFace(SimulatedFace(BernoulliAudience()))
        >>> face.post(PostData(True)), list(face.posts)
        (DryRunId(number=1), [PostData(x=True, context=None)])
    """

    hides = frozenset({KnowsTruth})  # a post that was never made has no true score
    passes_on = frozenset({ScrapsScored, Simulated})
    passes_key = True

    def __init__(self, face: AnyFace, score: float = 0.0) -> None:
        """Starts with nothing posted."""
        super().__init__(face)
        self.fixed_score = number("score", score, -float("inf"))
        self.posts: deque[AnyPost] = deque(maxlen=KEPT_POSTS)
        self._made = 0

    def post(self, data: AnyPost) -> DryRunId:
        """Keeps the post and returns an id that no platform has."""
        self.posts.append(data)
        number = data.key if data.draft is None else data.draft
        if number is None:
            self._made = number = self._made + 1
        return DryRunId(number)

    def score(self, post_id: AnyId) -> float:
        """Returns the fixed score for posts made here, and other posts' own scores."""
        return self.fixed_score if isinstance(post_id, DryRunId) else self.face.score(post_id)

    def score_many(self, post_ids: Iterable[AnyId]) -> Iterable[tuple[AnyId, float]]:
        """Yields scores; asks the Face inside only about posts that were not made here."""
        ids = list(post_ids)
        yield from ((one, self.fixed_score) for one in ids if isinstance(one, DryRunId))
        others = [one for one in ids if not isinstance(one, DryRunId)]
        if others:
            yield from self.face.score_many(others)

    def scrap_scored(self, limit: int | None = None) -> Iterator[ScoredPost[Any]]:
        """Yields existing posts with their scores."""
        return self._inside(ScrapsScored).scrap_scored(limit)

    def restart(self, rng: np.random.Generator) -> None:
        """Starts over, with nothing posted."""
        self._inside(Simulated).restart(rng)
        self.posts.clear()
        self._made = 0
