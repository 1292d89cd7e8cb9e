"""A Face around another Face."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

from kilroy_gym.interfaces import (
    AnyFace,
    AnyId,
    BringsModule,
    Capability,
    KilroyFace,
    KnowsTruth,
    Observes,
    PassesTime,
    ScrapsScored,
    Simulated,
    find,
    has_methods,
)
from kilroy_gym.post import AnyPost

PASSED_ON: dict[str, type] = {
    "restart": Simulated,
    "truth": KnowsTruth,
    "scrap_scored": ScrapsScored,
    "observation_space": Observes,
    "observe": Observes,
    "wait": PassesTime,
    "module": BringsModule,
}
"""The optional capabilities of a Face, by the names that a wrapper passes on."""

# Refused posts cost no quota and are refused before anything is journaled. A dry run neither spends
# quota nor journals. Waiting for quota comes before the journal makes the key, which is the time of
# the post. Retries use the key that the journal made.
ORDER = ("ReviewedFace", "DryRunFace", "RateLimitedFace", "JournaledFace", "RetryingFace")
"""The wrappers whose order matters, from the outside in."""


class FaceWrapper(KilroyFace[Any, Any]):
    """A Face that forwards to another; subclasses override what they change.

    Composed like Gymnasium's wrappers: ``face`` is the next Face inside, ``unwrapped`` the
    innermost. A subclass overrides methods by their own names: ``scrap``, ``post`` and ``score``
    (the batch methods then call those), or optional ones such as ``truth``. All else goes to the
    Face inside. A subclass that overrides ``scrap`` or ``score`` but not ``scrap_scored`` does not
    offer the latter, which would bypass it.

    A subclass whose ``post`` passes on ``data`` itself or ``dataclasses.replace(data, x=...)``
    keeps the key of the post, and says so: ``passes_key = True``. Without that it is not
    ``idempotent``, since a post whose key is lost could be made twice.

    The repr names only classes, since a Face may hold a secret.

    Args:
        face: The Face inside.

    Attributes:
        face: The Face inside.
        hides: Capabilities of the Face inside that this one does not have: Protocols of
            :mod:`kilroy_gym.interfaces`.
        passes_on: Capabilities that this one has methods for, and has only if the Face inside has.
        passes_key: Whether an overridden ``post`` keeps the key of the post.

    Raises:
        TypeError: ``face`` is not a Face.
        ValueError: Wrappers are in the wrong order; the message names the right one.

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

    def __init__(self, face: AnyFace) -> None:
        """Wraps ``face``."""
        if not isinstance(face, KilroyFace):
            raise TypeError(f"face must be a KilroyFace, got a {type(face).__name__}")
        self.face = face
        _check_order(self)
        half = self._overrides("scrap") or self._overrides("score")
        if half and not self.offers(ScrapsScored):
            self.hides = self.hides | {ScrapsScored}

    def __getattr__(self, name: str) -> Any:
        """Passes on the optional capabilities of the Face inside."""
        capability = PASSED_ON.get(name)
        hidden = capability is None or capability in self.hides
        layer = None if capability is None or hidden else find(self.face, capability)
        if layer is None:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(layer, name)

    def offers(self, capability: type) -> bool:
        """Tells whether this layer itself has members of a capability, and the inside the rest.

        Its class and its own attributes count, not what it only passes on from inside.
        """
        names = [name for name, passed_on in PASSED_ON.items() if passed_on is capability]
        own = [name for name in names if name in vars(self) or hasattr(type(self), name)]
        if not own or (len(own) < len(names) and find(self.face, capability) is None):
            return False
        return has_methods(self, capability)

    @property
    def idempotent(self) -> bool:  # type: ignore[override]
        """Whether posting again with the same key makes no second post."""
        return self.face.idempotent and (self.passes_key or not self._overrides("post"))

    @property
    def unwrapped(self) -> AnyFace:
        """The innermost Face."""
        *_, innermost = layers(self)
        return innermost

    def scrap(self, limit: int | None = None) -> Iterator[tuple[AnyId, AnyPost]]:
        """Yields existing posts with their ids."""
        return self.face.scrap(limit)

    def post(self, data: AnyPost) -> AnyId:
        """Makes a post and returns its id."""
        return self.face.post(data)

    def score(self, post_id: AnyId) -> float:
        """Returns the score of a post, or raises :class:`ScorePending`."""
        return self.face.score(post_id)

    def post_many(self, posts: Iterable[AnyPost]) -> Iterable[AnyId]:
        """Makes posts in order; calls ``post`` if a subclass overrides it."""
        return super().post_many(posts) if self._overrides("post") else self.face.post_many(posts)

    def score_many(self, post_ids: Iterable[AnyId]) -> Iterable[tuple[AnyId, float]]:
        """Yields known scores; calls ``score`` if a subclass overrides it."""
        if self._overrides("score"):
            return super().score_many(post_ids)
        return self.face.score_many(post_ids)

    def close(self) -> None:
        """Closes files and connections, here and inside."""
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
        """Returns the layer inside that has a capability, for methods behind :attr:`passes_on`.

        Raises:
            AttributeError: No layer has it.
        """
        layer = find(self.face, capability)
        if layer is None:
            name = type(self.unwrapped).__name__
            raise AttributeError(f"{name} does not have what {capability.__name__} requires")
        return layer

    def _overrides(self, name: str) -> bool:
        return getattr(type(self), name) is not getattr(FaceWrapper, name)


def layers(face: AnyFace) -> Iterator[AnyFace]:
    """Yields a Face and all Faces inside it, from the outside in."""
    yield face
    while isinstance(face, FaceWrapper):
        face = face.face
        yield face


def check_key_kept(wrapper: FaceWrapper) -> None:
    """Refuses a wrapper if a layer inside it loses the keys of posts.

    Raises:
        ValueError: A layer is idempotent and the one around it is not; the message names them.
    """
    _, *inside = layers(wrapper)
    for outer, inner in pairwise(inside):
        if inner.idempotent and not outer.idempotent:
            name = type(outer).__name__
            raise ValueError(
                f"{type(wrapper).__name__} could post twice where an answer is lost, since {name} "
                f"overrides post and does not say that it keeps the key of a post: set "
                f"`passes_key = True` in {name} if it passes on `data`, or a dataclasses.replace "
                f"of it; or put {name} around {type(wrapper).__name__}"
            )


def _names(face: AnyFace) -> str:
    name = type(face).__name__
    return f"{name}<{_names(face.face)}>" if isinstance(face, FaceWrapper) else name


def _place(face: AnyFace) -> int | None:
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
