"""What of a scrape can be mimicked."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import isfinite, nan
from numbers import Real
from typing import Any

from kilroy_gym.codecs import Codec, UnencodablePost
from kilroy_gym.post import PostData, X


class Scrape(Iterable[PostData[X]]):
    """What of a scrape can be mimicked, to be read once.

    Args:
        found: What a Face's ``scrap`` gave, or its ``scrap_scored``.
        codecs: Posts that one of them has no action for are skipped.
        limit: The most posts to read; a Face that ignores it is cut off there.
        strict: Whether a post without an action is an error instead.
        scored: Whether it was ``scrap_scored``.

    Attributes:
        skipped: How many posts were skipped so far.
        scores: Those of the others, float64, NaN where one is not known.
    """

    def __init__(
        self,
        found: Iterable[Any],
        codecs: Sequence[Codec[X]],
        limit: int | None,
        strict: bool,
        scored: bool = False,
    ) -> None:
        """Reads nothing yet."""
        self._found, self._codecs, self._limit, self._strict = found, codecs, limit, strict
        self._scored = scored
        self.skipped = 0
        self.scores = array("d")

    def __iter__(self) -> Iterator[PostData[X]]:
        """Yields posts.

        Raises:
            TypeError: The scrape holds something else than ids with posts, and scores.
            ValueError: A score is no finite number.
            UnencodablePost: A codec has no action for a post, and that is an error.
        """
        for item in islice(self._found, self._limit):
            post, score = self._checked(item)
            try:
                for codec in self._codecs:
                    codec.encode(post.x)
            except UnencodablePost:
                if self._strict:
                    raise
                self.skipped += 1
                continue
            if self._scored:
                self.scores.append(score)
            yield post

    def _checked(self, item: Any) -> tuple[PostData[X], float]:
        length = 3 if self._scored else 2
        if not (isinstance(item, tuple) and len(item) == length and isinstance(item[1], PostData)):
            what = ("scrap", "") if length == 2 else ("scrap_scored", ", score or None")
            raise TypeError(f"{what[0]} must yield (post id, PostData{what[1]}), got {item!r}")
        if length == 2 or item[2] is None:
            return item[1], nan
        if isinstance(item[2], bool) or not (isinstance(item[2], Real) and isfinite(item[2])):
            raise ValueError(
                f"the score of the scraped post {item[0]!r} must be a finite number, or None where "
                f"it is not known, got {item[2]!r}"
            )
        return item[1], float(item[2])
