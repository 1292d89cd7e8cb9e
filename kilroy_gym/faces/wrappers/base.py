"""A Face around another Face."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

from kilroy_gym.interfaces import (
    Capability,
    KilroyFace,
    KnowsTruth,
    Observes,
    PassesTime,
    ScrapsScored,
    Simulated,
    find,
)
from kilroy_gym.post import PostData

PASSED_ON: dict[str, type] = {
    "restart": Simulated,
    "truth": KnowsTruth,
    "scrap_scored": ScrapsScored,
    "observation_space": Observes,
    "observe": Observes,
    "wait": PassesTime,
}
"""What a Face can do besides, by the names of it that a wrapper passes on."""

# Refused posts cost no quota, and are settled before anything is journaled; a dry run neither
# spends quota nor journals; a wait for quota comes before the journal makes the key, which is the
# time of the post; and the journal makes the key with which a post is tried again.
ORDER = ("ReviewedFace", "DryRunFace", "RateLimitedFace", "JournaledFace", "RetryingFace")
"""The wrappers whose order matters, from the outside in."""


class FaceWrapper(KilroyFace[Any, Any]):
    """A Face that does what another does, until a subclass overrides something.

    Composed like Gymnasium's wrappers: ``face`` is the next one inside, ``unwrapped`` the
    innermost. A subclass overrides any method by its own name: ``scrap``, ``post`` and ``score``
    (the batch methods then go through those), and what a Face can do besides, such as ``truth``.
    What it does not override goes to the Face inside. One that overrides ``scrap`` or ``score``
    alone cannot ``scrap_scored``, which would go around it.

    A ``post`` of its own passes ``data`` on, or ``dataclasses.replace(data, x=...)``, so that the
    post keeps its key, and the subclass says so: ``passes_key = True``. Without that the wrapper
    is not ``idempotent``, since a post whose key is lost could be made twice.

    The repr names classes only, since a Face may hold a secret.

    Args:
        face: The Face inside.

    Attributes:
        face: The Face inside.
        hides: What the Face inside can do and this one cannot: Protocols of
            :mod:`kilroy_gym.interfaces`.
        passes_on: What this one has methods for, and can do only where the Face inside can.
        passes_key: Whether a ``post`` of its own keeps the key of the post.

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

    hides: frozenset[type] = frozenset()
    passes_on: frozenset[type] = frozenset()
    passes_key: bool = False

    def __init__(self, face: KilroyFace[Any, Any]) -> None:
        """Goes around ``face``."""
        if not isinstance(face, KilroyFace):
            raise TypeError(f"face must be a KilroyFace, got a {type(face).__name__}")
        self.face = face
        _check_order(self)
        half = self._overrides("scrap") or self._overrides("score")
        if half and not issubclass(type(self), ScrapsScored):
            self.hides = self.hides | {ScrapsScored}

    def __getattr__(self, name: str) -> Any:
        """Passes on what the Face inside can do besides its three methods."""
        capability = PASSED_ON.get(name)
        hidden = capability is None or capability in self.hides
        layer = None if capability is None or hidden else find(self.face, capability)
        if layer is None:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(layer, name)

    @property
    def idempotent(self) -> bool:  # type: ignore[override]
        """Whether a post with a key is made only once."""
        return self.face.idempotent and (self.passes_key or not self._overrides("post"))

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
        self.face.close()

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

    def _inside(self, capability: type[Capability]) -> Capability:
        """Returns the layer inside that can do something; for methods that :attr:`passes_on` names.

        Raises:
            AttributeError: None can.
        """
        layer = find(self.face, capability)
        if layer is None:
            name = type(self.unwrapped).__name__
            raise AttributeError(f"{name} has not what {capability.__name__} asks for")
        return layer

    def _overrides(self, name: str) -> bool:
        return getattr(type(self), name) is not getattr(FaceWrapper, name)


def layers(face: KilroyFace[Any, Any]) -> Iterator[KilroyFace[Any, Any]]:
    """Yields a Face and all inside it, from the outside in."""
    yield face
    while isinstance(face, FaceWrapper):
        face = face.face
        yield face


def check_key_kept(wrapper: FaceWrapper) -> None:
    """Refuses a wrapper inside which the key of a post gets lost on the way.

    Raises:
        ValueError: A layer is idempotent and the one around it is not; the message names them.
    """
    _, *inside = layers(wrapper)
    for outer, inner in pairwise(inside):
        if inner.idempotent and not outer.idempotent:
            name = type(outer).__name__
            raise ValueError(
                f"{type(wrapper).__name__} could post twice where an answer is lost, since {name} "
                f"has a post of its own and does not say that it keeps the key of a post: set "
                f"`passes_key = True` in {name} if it passes on `data`, or a dataclasses.replace "
                f"of it; or put {name} around {type(wrapper).__name__}"
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
