"""A Face around another Face."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from types import TracebackType
from typing import Any, ClassVar, Self

from kilroy_gym.interfaces import KilroyFace
from kilroy_gym.post import PostData

OPTIONAL = ("observation_space", "observe", "post_once", "restart", "scrap_scored", "truth", "wait")
"""What a Face may have besides its three methods (see :class:`KilroyFace`)."""

ScoredPost = tuple[Any, PostData[Any], float | None]
"""What ``scrap_scored`` yields: post id, post, and score or ``None``."""

# Refused posts cost no quota, and are settled before anything is journaled; a dry run neither
# spends quota nor journals; a wait for quota comes before the journal makes the key, which is the
# time of the post; and the journal makes the key with which a post is tried again.
ORDER = ("ReviewedFace", "DryRunFace", "RateLimitedFace", "JournaledFace", "RetryingFace")
"""The wrappers whose order matters, from the outside in."""


class FaceWrapper(KilroyFace[Any, Any]):
    """A Face that does what another does, until a subclass overrides something.

    Composed like Gymnasium's wrappers: ``face`` is the next one inside, ``unwrapped`` the
    innermost. The optional methods of a Face are there exactly where the one inside has them, so
    ``hasattr`` tells the truth. A subclass overrides ``scrap``, ``post`` and ``score`` as they are
    (the batch methods then go through those), and an optional method by one with an underscore in
    front: ``_post_once``, ``_truth``. One that overrides ``post`` alone has no ``post_once``, which
    would go around it, and one that overrides ``scrap`` or ``score`` alone no ``scrap_scored``.

    The repr names classes only, since a Face may hold a secret.

    Args:
        face: The Face inside.

    Attributes:
        face: The Face inside.
        hides: The optional methods that a subclass takes away.

    Raises:
        TypeError: ``face`` is no Face.
        ValueError: Wrappers whose order matters are in another one; the message names the order.

    Example:
        >>> from kilroy_gym import PostData
        >>> from kilroy_gym.audiences import BernoulliAudience
        >>> from kilroy_gym.faces import SimulatedFace
        >>> class Halved(FaceWrapper):
        ...     def score(self, post_id):
        ...         return self.face.score(post_id) / 2
        >>> face = Halved(SimulatedFace(BernoulliAudience()))
        >>> face, face.score(face.post(PostData(True)))
        (<Halved<SimulatedFace>>, 0.5)
    """

    hides: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, face: KilroyFace[Any, Any]) -> None:
        """Takes the optional methods of ``face``."""
        if not isinstance(face, KilroyFace):
            raise TypeError(f"face must be a KilroyFace, got a {type(face).__name__}")
        self.face = face
        _check_order(self)
        hides = self.hides
        if self._overrides("post") and not hasattr(self, "_post_once"):
            hides |= {"post_once"}
        overrides_half = self._overrides("scrap") or self._overrides("score")
        if overrides_half and not hasattr(self, "_scrap_scored"):
            hides |= {"scrap_scored"}
        # Attributes of the instance: what checks a protocol looks past `__getattr__`.
        for name in OPTIONAL:
            if hasattr(face, name) and name not in hides:
                setattr(self, name, getattr(self, f"_{name}", getattr(face, name)))

    @property
    def unwrapped(self) -> KilroyFace[Any, Any]:
        """The innermost Face."""
        *_, innermost = layers(self)
        return innermost

    def scrap(self, limit: int | None = None) -> Iterator[tuple[Any, PostData[Any]]]:
        """Yields existing posts with their ids."""
        return self.face.scrap(limit)

    def post(self, data: PostData[Any]) -> Any:
        """Makes a post and returns its id."""
        return self.face.post(data)

    def score(self, post_id: Any) -> float:
        """Returns the score of a post, or raises :class:`ScorePending`."""
        return self.face.score(post_id)

    def post_many(self, posts: Iterable[PostData[Any]]) -> Iterable[Any]:
        """Makes posts in order; goes through ``post`` where a subclass overrides that."""
        return super().post_many(posts) if self._overrides("post") else self.face.post_many(posts)

    def score_many(self, post_ids: Iterable[Any]) -> Iterable[tuple[Any, float]]:
        """Yields known scores; goes through ``score`` where a subclass overrides that."""
        if self._overrides("score"):
            return super().score_many(post_ids)
        return self.face.score_many(post_ids)

    def close(self) -> None:
        """Lets go of files and connections, here and inside."""
        close = getattr(self.face, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{_names(self)}>"

    def _overrides(self, name: str) -> bool:
        return getattr(type(self), name) is not getattr(FaceWrapper, name)


def layers(face: KilroyFace[Any, Any]) -> Iterator[KilroyFace[Any, Any]]:
    """Yields a Face and all inside it, from the outside in."""
    yield face
    while isinstance(face, FaceWrapper):
        face = face.face
        yield face


def check_post_once_kept(wrapper: FaceWrapper) -> None:
    """Refuses a wrapper inside which ``post_once`` gets lost on the way.

    Raises:
        ValueError: A layer has it and the one around that layer does not; the message names them.
    """
    _, *inside = layers(wrapper)
    for outer, inner in pairwise(inside):
        if hasattr(inner, "post_once") and not hasattr(outer, "post_once"):
            name = type(outer).__name__
            raise ValueError(
                f"{type(wrapper).__name__} would post twice where an answer is lost, since {name} "
                f"hides the post_once of {type(inner).__name__}: give {name} a method "
                f"_post_once(data, key), or put it around {type(wrapper).__name__}"
            )


def _names(face: KilroyFace[Any, Any]) -> str:
    name = type(face).__name__
    return f"{name}<{_names(face.face)}>" if isinstance(face, FaceWrapper) else name


def _place(face: KilroyFace[Any, Any]) -> int | None:
    names = [kind.__name__ for kind in type(face).__mro__]
    return next((place for place, name in enumerate(ORDER) if name in names), None)


def _check_order(wrapper: FaceWrapper) -> None:
    around = _place(wrapper)
    for inner in list(layers(wrapper))[1:]:
        place = _place(inner)
        if around is not None and place is not None and place <= around:
            names = {around: type(wrapper).__name__, place: type(inner).__name__}
            right = "(".join(names[number] for number in sorted(names))
            raise ValueError(
                f"{type(wrapper).__name__} cannot go around {type(inner).__name__}: from the "
                f"outside in, the order is {', '.join(ORDER)}, each at most once; so make it "
                f"{right}({type(wrapper.unwrapped).__name__}(...){')' * len(names)}"
            )
