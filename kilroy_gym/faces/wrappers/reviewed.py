"""Reviewing posts before they go out."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from kilroy_gym._checks import number
from kilroy_gym.faces.rules import Rule, fingerprint
from kilroy_gym.faces.wrappers.base import FaceWrapper, layers
from kilroy_gym.faces.wrappers.dry_run import DryRunFace
from kilroy_gym.faces.wrappers.journaled import JournaledFace
from kilroy_gym.interfaces import (
    AnyFace,
    AnyId,
    KnowsTruth,
    PostRefused,
    ScoredPost,
    ScrapsScored,
    Simulated,
)
from kilroy_gym.post import AnyPost, PostData

REMEMBERED_CONTENTS = 100_000
"""Repeats are found among this many of the latest posts, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class RefusedId:
    """The id of a post that was refused: no platform has it.

    Attributes:
        number: The key of the post if it has one; else a running number.
    """

    number: int


class ReviewedFace(FaceWrapper):
    """Sends only posts that no rule refuses.

    A refused post gets a :class:`RefusedId` and scores ``penalty``, so an agent learns to avoid
    it; the same goes for posts that the platform itself refuses (:class:`PostRefused`). If there is
    a :class:`JournaledFace` inside, its journal records refused posts with the reason, and posts in
    the journal are never reviewed again: one that was approved before a crash goes out after it.

    It has no ``truth``, since the best possible score under the rules is unknown.

    Args:
        face: The Face inside.
        rules: Applied in order until one refuses. See :mod:`kilroy_gym.faces.rules`: ``length``,
            ``banned``, ``ask_person``, or any function from a post to a reason or ``None``.
        penalty: The score of a refused post.
        allow_repeats: Whether a post may equal an earlier one, or one that was scraped through
            this Face, ignoring case and white space. This is checked before the rules.

    Raises:
        TypeError: A rule is not a function.
        ValueError: The penalty is not finite, or the wrappers are in the wrong order.

    Example:
        >>> from kilroy_gym.audiences import BernoulliAudience
        >>> from kilroy_gym.faces import SimulatedFace
        >>> def always_true(post):
        ...     return None if post.x else "this bot says only true things"
        >>> face = ReviewedFace(SimulatedFace(BernoulliAudience()), [always_true], penalty=-5)
        >>> face.score(face.post(PostData(False))), face.score(face.post(PostData(True)))
        (-5.0, 1.0)
    """

    hides = frozenset({KnowsTruth})
    passes_on = frozenset({ScrapsScored, Simulated})
    passes_key = True

    def __init__(
        self,
        face: AnyFace,
        rules: Sequence[Rule] = (),
        penalty: float = -1.0,
        allow_repeats: bool = True,
    ) -> None:
        """Checks the arguments and reads earlier posts from the journal, if there is one."""
        super().__init__(face)
        for rule in rules:
            if not callable(rule):
                raise TypeError(f"a rule must be a function of a post, got {rule!r}")
        self.rules = tuple(rules)
        self.penalty = number("penalty", penalty, -math.inf)
        self.allow_repeats = allow_repeats
        self._journaled = _journaled(face)
        self._earlier: dict[str, None] = {}
        self._refusals = 0
        self._agreed: AnyPost | None = None
        if self._journaled is not None and not allow_repeats:
            for entry in self._journaled.journal.entries():
                if entry.refusal is None:
                    self._remember(entry.post)

    def scrap(self, limit: int | None = None) -> Iterator[tuple[AnyId, AnyPost]]:
        """Yields existing posts with their ids."""
        for found in self.face.scrap(limit):
            match found:  # anything else is refused by the caller
                case (_, PostData() as post):
                    self._remember(post)
            yield found

    def post(self, data: AnyPost) -> AnyId:
        """Makes a post, or refuses it; returns its id either way.

        Raises:
            TypeError: A rule returned neither a reason nor ``None``.
        """
        entry = None if self._journaled is None else self._journaled.journal.entry_of(data)
        if entry is not None and entry.refusal is not None:
            return RefusedId(entry.key)
        # A post that was approved and then failed to go out is not reviewed again.
        agreed = self._agreed is not None and (
            data is self._agreed or (data.key is not None and data.key == self._agreed.key)
        )
        if entry is None and not agreed:
            refusal = self._review(data)
            if refusal is not None:
                return self._refuse(data, refusal)
        self._agreed = data
        try:
            post_id = self.face.post(data)
        except PostRefused as error:
            post_id = self._refuse(replace(data, key=error.key), str(error))
        if data.key is None:
            self._agreed = None
        self._remember(data)
        return post_id

    def score(self, post_id: AnyId) -> float:
        """Returns the score of a post: the penalty if it was refused."""
        return self.penalty if isinstance(post_id, RefusedId) else self.face.score(post_id)

    def score_many(self, post_ids: Iterable[AnyId]) -> Iterable[tuple[AnyId, float]]:
        """Yields the penalties of refused posts, then the known scores."""
        ids = list(post_ids)
        yield from ((one, self.penalty) for one in ids if isinstance(one, RefusedId))
        sent = [one for one in ids if not isinstance(one, RefusedId)]
        if sent:
            yield from self.face.score_many(sent)

    def scrap_scored(self, limit: int | None = None) -> Iterator[ScoredPost[Any]]:
        """Yields existing posts with their scores."""
        for post_id, post, score in self._inside(ScrapsScored).scrap_scored(limit):
            self._remember(post)
            yield post_id, post, score

    def restart(self, rng: np.random.Generator) -> None:
        """Starts over, with nothing posted or refused."""
        self._inside(Simulated).restart(rng)
        self._earlier.clear()
        self._refusals = 0

    def _review(self, data: AnyPost) -> str | None:
        """Returns why a post is refused, or ``None``."""
        if not self.allow_repeats and fingerprint(data.x) in self._earlier:
            return "it was posted before"
        for rule in self.rules:
            refusal = rule(data)
            if refusal is not None:
                if not isinstance(refusal, str):
                    raise TypeError(
                        "a rule must return why it refuses a post, or None to let it pass; "
                        f"{getattr(rule, '__qualname__', type(rule).__name__)} returned {refusal!r}"
                    )
                return refusal
        return None

    def _remember(self, post: AnyPost) -> None:
        if not self.allow_repeats:
            self._earlier[fingerprint(post.x)] = None
            if len(self._earlier) > REMEMBERED_CONTENTS:
                del self._earlier[next(iter(self._earlier))]

    def _refuse(self, data: AnyPost, refusal: str) -> RefusedId:
        key = data.key
        if self._journaled is not None:
            key = self._journaled.refuse(data, refusal, self.penalty)
        self._refusals += 1
        return RefusedId(self._refusals if key is None else key)


def _journaled(face: AnyFace) -> JournaledFace | None:
    """Returns the journal that posts get to, if there is one."""
    for layer in layers(face):
        if isinstance(layer, DryRunFace):
            return None
        if isinstance(layer, JournaledFace):
            return layer
    return None
