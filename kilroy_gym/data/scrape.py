"""The posts of a scrape that can be mimicked."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import isfinite, nan
from numbers import Real

from kilroy_gym.codecs import Codec, UnencodablePost
from kilroy_gym.post import PostData, X


class Scrape(Iterable[PostData[X]]):
    """The posts of a scrape that can be mimicked, to be read once.

    Args:
        found: What a Face's ``scrap`` or ``scrap_scored`` returned.
        codecs: A post is skipped if one of them has no action for it.
        limit: The most posts to read, even from a Face that ignores the limit.
        strict: Whether to raise an error rather than skip a post.
        scored: Whether ``found`` is from ``scrap_scored``.

    Attributes:
        skipped: The number of posts skipped so far.
        scores: The scores of the other posts, float64; NaN if not known.
    """

    def __init__(
        self,
        found: Iterable[object],
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
            TypeError: The scrape does not yield ids, posts and, where asked for, scores.
            ValueError: A score is not a finite number.
            UnencodablePost: A codec has no action for a post, with ``strict``.
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

    def _checked(self, item: object) -> tuple[PostData[X], float]:
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
