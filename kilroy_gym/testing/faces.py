"""What a Face promises."""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy, deepcopy
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from kilroy_gym.codecs.base import short
from kilroy_gym.faces import FaceWrapper
from kilroy_gym.faces.wrappers.base import layers
from kilroy_gym.interfaces import (
    AnyFace,
    KilroyFace,
    KnowsTruth,
    Observes,
    PassesTime,
    PlaysActions,
    ScrapsScored,
    Simulated,
    WrapsFace,
    find,
)
from kilroy_gym.post import AnyPost, PostData
from kilroy_gym.testing._posting import (
    check_live_posting,
    check_simulated_posting,
    started_over,
)
from kilroy_gym.testing._promises import Promises
from kilroy_gym.testing._values import equal, given_posts, inside, is_number

METHODS = ("scrap", "post", "score", "post_many", "score_many", "close")
OPTIONAL = ("restart", "truth", "scrap_scored", "observe", "wait", "play", "play_one")
CAPABILITIES: dict[type, frozenset[str]] = {
    Observes: frozenset(),
    PlaysActions: frozenset({"codec"}),
    KnowsTruth: frozenset(),
    PassesTime: frozenset(),
    ScrapsScored: frozenset(),
    Simulated: frozenset(),
}
"""What a Face can also do, each with the members that mean nothing on their own."""
SAMPLE = 20
"""How many posts are scraped."""


def check_face(face: AnyFace, posts: Iterable[AnyPost] | None = None) -> None:
    """Checks that a Face keeps what it promises.

    It may be a live account, so nothing is posted unless ``posts`` are given. Without them only
    what reads is called: ``scrap`` with a limit of 20 a few times, and ``scrap_scored`` and
    ``observe`` where they are there. With them **each is posted once, for real**, and its score
    asked for, once or twice; on an ``idempotent`` Face every second one is also sent again with
    its key, which must make no second post. A score that is pending is no fault.

    A simulated Face is checked on deep copies: nothing is done to the one that is handed in.

    Args:
        face: The Face, wrapped or not.
        posts: What to post: at least two, or batches are not checked.

    Raises:
        AssertionError: It breaks a promise; the message lists all that are broken.
        TypeError: ``posts`` is something else.
        ValueError: There are no posts in it.
    """
    promises = Promises(face, KilroyFace)
    if isinstance(face, FaceWrapper) and "face" not in vars(face):
        promises.broken("it has nothing inside: call super().__init__(face) in its __init__")
        promises.settle()
    given = None if posts is None else given_posts(posts)
    promises.check_plain(face, METHODS + OPTIONAL)
    with promises.section():
        _check_said(promises, face)
    simulated = find(face, Simulated) is not None and _copies(promises, face)
    scraped: list[Any] = []
    with promises.section():
        scraped = _check_scrap(promises, _world(face, simulated))
    with promises.section():
        _check_same_again(promises, face, simulated, scraped)
    with promises.section():
        _check_scrap_scored(promises, face, simulated)
    with promises.section():
        _check_observe(promises, _world(face, simulated), scraped)
    if given is not None:
        with promises.section():
            _check_passing_on(promises, face, given[0])
        seen = {entry[0] for entry in scraped}
        with promises.section():
            if simulated:
                check_simulated_posting(promises, lambda: _world(face, True), given)
            else:
                check_live_posting(promises, face, given, seen)
    promises.settle()


class _Recorder(KilroyFace[Any, int]):
    """Keeps what wrappers send to it."""

    def __init__(self) -> None:
        self.sent: list[AnyPost] = []

    def scrap(self, limit: int | None = None) -> Iterator[tuple[int, AnyPost]]:
        yield from ()

    def post(self, data: AnyPost) -> int:
        self.sent.append(data)
        return len(self.sent)

    def score(self, post_id: int) -> float:
        return 0.0


def _check_passing_on(promises: Promises, face: AnyFace, post: AnyPost) -> None:
    """Checks that wrappers of a user's own keep what travels with a post."""
    for layer in layers(face):
        if isinstance(layer, FaceWrapper) and not type(layer).__module__.startswith("kilroy_gym."):
            alone, recorder = copy(layer), _Recorder()
            alone.face = recorder
            name = type(layer).__name__
            advice = "post to self.face what it is given"
            data = replace(post, key=7, draft=3)
            promises.call(f"{name}.post(data)", alone.post, data, advice=advice)
            kept = all((sent.key, sent.draft) == (7, 3) for sent in recorder.sent)
            promises.need(
                kept,
                f"{name}.post(data) made a new post, without the key and the draft number of data, "
                "so that it could go out twice: pass on data, or dataclasses.replace(data, x=...)",
            )


def _check_said(promises: Promises, face: AnyFace) -> None:
    """Checks what a Face says of itself."""
    passes_on: frozenset[type] = frozenset()
    if isinstance(face, WrapsFace):
        passes_on = face.passes_on
        for name, named in (("hides", face.hides), ("passes_on", passes_on)):
            fits = isinstance(named, frozenset) and all(isinstance(each, type) for each in named)
            right = "name Protocols of kilroy_gym.interfaces, as in frozenset({Simulated})"
            promises.need(fits, f"{name} is {short(named)}: {right}")
    for capability, alone in CAPABILITIES.items():
        if capability not in passes_on:  # there it may have its own half
            promises.check_whole(face, capability, alone)
    said = face.idempotent
    promises.keep(isinstance(said, bool), f"idempotent is {said!r}: say True or False")


def _copies(promises: Promises, face: AnyFace) -> bool:
    """Tells whether a simulated Face can be copied and starts over."""
    with promises.section():
        twin = promises.copy(face)
        promises.call("restart(rng)", started_over, twin, advice="take a numpy Generator")
        return True
    return False


def _world(face: AnyFace, simulated: bool) -> AnyFace:
    """Returns a live Face itself, and a copy of a simulated one at the start of its time."""
    return started_over(deepcopy(face)) if simulated else face


def _check_scrap(promises: Promises, face: AnyFace) -> list[Any]:
    known = promises.count
    scraped = _entries(promises, "scrap", face.scrap, 2, SAMPLE)
    if promises.count == known:  # else the same lines would come again
        _entries(promises, "scrap", face.scrap, 2, 1)
    return scraped


def _entries(
    promises: Promises, name: str, method: Any, width: int, limit: int
) -> list[tuple[Any, ...]]:
    """Scrapes and returns what can be used of it."""
    shown = f"{name}({limit})"
    advice = f"yield at most limit existing posts in {name}(self, limit=None)"
    found = promises.call(shown, method, limit, advice=advice)
    promises.need(isinstance(found, Iterable), f"{shown} returned {short(found)}: {advice}")
    taken = promises.call(shown, _taken, found, limit + 1, advice=advice)
    more = f"{shown} yielded more than {limit} post{'s' if limit > 1 else ''}"
    promises.keep(len(taken) <= limit, f"{more}: stop after limit posts")
    entries, seen = [], set[Any]()
    for entry, kept in taken:
        if _check_entry(promises, shown, entry, width, seen):
            line = f"{shown} yielded {short(kept)} and changed it afterwards to {short(entry[1])}"
            promises.keep(equal(entry[1], kept), f"{line}: make a new PostData for each post")
            entries.append(entry)
    return entries


def _taken(found: Iterable[Any], most: int) -> list[tuple[Any, Any]]:
    """Returns what is yielded, each with a copy of its post at that moment."""
    return [
        (entry, deepcopy(entry[1]) if isinstance(entry, tuple) and len(entry) > 1 else None)
        for entry in islice(found, most)
    ]


def _check_entry(promises: Promises, shown: str, entry: Any, width: int, seen: set[Any]) -> bool:
    form = "(post id, PostData(x))" if width == 2 else "(post id, PostData(x), score or None)"
    if not (isinstance(entry, tuple) and len(entry) == width):
        line = f"{shown} yielded {short(entry)}"
        return promises.keep(False, f"{line}: yield a tuple {form} per post")
    if isinstance(entry[0], PostData):
        line = f"{shown} yielded a post as id: the wrong way round"
        return promises.keep(False, f"{line}: yield {form}")
    fine = promises.check_post(shown, entry[1]) and promises.check_id(shown, entry[0], seen)
    if width == 3 and entry[2] is not None:
        line = f"{shown} gave the score {short(entry[2])}"
        promises.keep(is_number(entry[2]), f"{line}: give a finite number, or None if not known")
    return fine


def _check_same_again(
    promises: Promises, face: AnyFace, simulated: bool, scraped: Sequence[Any]
) -> None:
    again = _world(face, simulated)
    if simulated:
        _entries(promises, "scrap", again.scrap, 2, SAMPLE)
        started_over(again)
    entries = _entries(promises, "scrap", again.scrap, 2, SAMPLE)
    line = f"scrap({SAMPLE}) yielded {len(scraped)} posts at first and none when called again"
    promises.need(bool(entries) or not scraped, f"{line}: begin anew at every call")
    if simulated:
        line = "scrap yielded other posts after restart(rng) with the same seed"
        advice = "draw only from rng or its children, and reset everything in restart"
        promises.keep(equal(entries, list(scraped)), f"{line}: {advice}")


def _check_scrap_scored(promises: Promises, face: AnyFace, simulated: bool) -> None:
    def scraped() -> list[Any]:
        return _entries(promises, "scrap", _world(face, simulated).scrap, 2, SAMPLE)

    scores = find(_world(face, simulated), ScrapsScored)
    if scores is None:
        return
    before, known = scraped(), promises.count
    scored = _entries(promises, "scrap_scored", scores.scrap_scored, 3, SAMPLE)
    # Where the platform moves on meanwhile, nothing can be said.
    if promises.count == known and equal(before, scraped()):
        line = "scrap_scored yielded other posts than scrap"
        same = equal([entry[:2] for entry in scored], before)
        promises.keep(same, f"{line}: yield the same ids and posts in the same order")


def _check_observe(promises: Promises, face: AnyFace, scraped: Sequence[tuple[Any, Any]]) -> None:
    observes = find(face, Observes)
    if observes is None:
        return
    space = observes.observation_space
    check_observations(promises, observes, space)
    for _, post in scraped:
        if post.context is not None:
            line = f"scrap gave a post with context {short(post.context)}, which is not in {space}"
            promises.need(inside(space, post.context), f"{line}: give the observation, or None")


def check_observations(promises: Promises, observes: Any, space: Any) -> None:
    """Checks ``observe`` against ``observation_space``."""
    for count in (1, 3):
        shown = f"observe({count})"
        found = promises.call(shown, observes.observe, count)
        shape = (count, *(space.shape or ()))
        right = f"return an array of shape {shape} and dtype {space.dtype}, as {space} has it"
        if space.shape is None:
            promises.need(len(found) == count, f"{shown} returned {short(found)}: {right}")
        else:
            promises.need(
                isinstance(found, np.ndarray), f"{shown} returned {short(found)}: {right}"
            )
            line = f"{shown} returned shape {found.shape} and dtype {found.dtype}"
            fits = found.shape == shape and found.dtype == space.dtype
            promises.need(fits, f"{line}: {right}")
        for row in found:
            line = f"{shown} gave {short(row)}, which is not in {space}"
            promises.need(
                inside(space, row), f"{line}: give one that is, or mend observation_space"
            )
