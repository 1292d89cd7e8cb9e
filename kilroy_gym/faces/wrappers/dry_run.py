"""Everything but the sending."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from kilroy_gym._checks import number
from kilroy_gym.faces.wrappers.base import FaceWrapper
from kilroy_gym.interfaces import KilroyFace, KnowsTruth, ScoredPost, ScrapsScored, Simulated
from kilroy_gym.post import PostData

KEPT_POSTS = 200


@dataclass(frozen=True, slots=True)
class DryRunId:
    """The id of a post that was not sent: no platform has it.

    Attributes:
        number: The number of its draft, or the key of the post, where it has one; else it counts
            the posts.
    """

    number: int


class DryRunFace(FaceWrapper):
    """Scrapes, observes and reviews as the Face inside, and sends nothing.

    Put it inside a :class:`~kilroy_gym.faces.ReviewedFace` and around everything else.

    Args:
        face: The Face inside.
        score: What every post scores, since nobody sees it.

    Attributes:
        posts: The last 200 posts that would have gone out.

    Example:
        >>> from kilroy_gym.audiences import BernoulliAudience
        >>> from kilroy_gym.faces import SimulatedFace
        >>> face = DryRunFace(SimulatedFace(BernoulliAudience()))
        >>> face.post(PostData(True)), list(face.posts)
        (DryRunId(number=1), [PostData(x=True, context=None)])
    """

    hides = frozenset({KnowsTruth})  # nothing is true of what never was
    passes_on = frozenset({ScrapsScored, Simulated})
    passes_key = True

    def __init__(self, face: KilroyFace[Any, Any], score: float = 0.0) -> None:
        """Starts with nothing posted."""
        super().__init__(face)
        self.fixed_score = number("score", score, -float("inf"))
        self.posts: deque[PostData[Any]] = deque(maxlen=KEPT_POSTS)
        self._made = 0

    def post(self, data: PostData[Any]) -> DryRunId:
        """Keeps a post and returns an id that no platform has."""
        self.posts.append(data)
        number = data.key if data.draft is None else data.draft
        if number is None:
            self._made = number = self._made + 1
        return DryRunId(number)

    def score(self, post_id: Any) -> float:
        """Returns the fixed score of what was posted here, of other posts their own."""
        return self.fixed_score if isinstance(post_id, DryRunId) else self.face.score(post_id)

    def score_many(self, post_ids: Iterable[Any]) -> Iterable[tuple[Any, float]]:
        """Yields scores; the Face inside is asked for those of its own posts only."""
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
