"""What an audience promises."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium import Space

from kilroy_gym.adapters import module_for
from kilroy_gym.audiences import Audience
from kilroy_gym.codecs import Codec
from kilroy_gym.codecs.base import short
from kilroy_gym.envs import SimulatedEnv
from kilroy_gym.interfaces import Action, AnyArray
from kilroy_gym.testing._calls import check_best
from kilroy_gym.testing._promises import Promises
from kilroy_gym.testing._values import equal, inside
from kilroy_gym.testing.faces import check_observations

METHODS = ("respond", "community", "restart", "observe", "delay")
POSTS = 24
"""How many posts a world gets."""
SPLITS = ((POSTS,), (1, 3, 20))
"""The sizes of the batches in which they go out, beside one by one."""

World = tuple[Audience, np.random.Generator]
Answers = list[tuple[float, float, float]]


def check_audience(audience: Audience, seed: int = 0) -> None:
    """Checks that an audience keeps what it promises.

    Everything is done to deep copies, so the audience that is handed in stays as it is.

    Args:
        audience: The audience.
        seed: Seed of the worlds and of what is posted there.

    Raises:
        AssertionError: It breaks a promise; the message lists all that are broken.
    """
    promises = Promises(audience, Audience)
    promises.check_plain(audience, METHODS)
    with promises.section():
        _check_spaces(promises, audience)
        promises.copy(audience)

        def world() -> World:
            return _started(promises, deepcopy(audience), seed)

        space = deepcopy(audience.codec.space)
        space.seed(seed)
        drawn = [space.sample() for _ in range(POSTS)]
        advice = "let the codec take every action in its space (see check_codec)"
        checked = audience.codec.check_actions
        actions = promises.call("codec.check_actions(actions)", checked, drawn, advice=advice)
        with promises.section():
            _check_responses(promises, world, actions)
            _check_restart(promises, world, actions, seed)
        for check in (_check_community, _check_delay):
            with promises.section():
                check(promises, world, actions)
        with promises.section():
            _check_observing(promises, world, actions)
        if audience.module is not None:
            with promises.section():
                env = SimulatedEnv(deepcopy(audience))
                advice = 'let it be "package.module:function", a function of a codec and a seed'
                promises.call("module", module_for, env, seed, advice=advice)
    promises.settle()


def _started(promises: Promises, audience: Audience, seed: int) -> World:
    rng = np.random.default_rng(seed)
    promises.call("restart(rng)", audience.restart, rng, advice="take a numpy Generator")
    return audience, rng


def _check_spaces(promises: Promises, audience: Audience) -> None:
    advice = "set it to a Codec, which owns the actions"
    codec = promises.call("codec", lambda: audience.codec, advice=advice)
    promises.need(isinstance(codec, Codec), f"codec is {short(codec)}: {advice}")
    space = audience.observation_space
    line = f"observation_space is {short(space)}: set it to a space of Gymnasium"
    promises.need(isinstance(space, Space), line)


def _respond(promises: Promises, world: World, actions: Action) -> Any:
    """Lets an audience respond, and checks what it says."""
    audience, rng = world
    batch = np.ndim(actions) > len(audience.codec.space.shape or ())
    shown = f"respond to a batch of {len(actions)}" if batch else f"respond to {short(actions)}"
    advice = "take one action or a batch of them, and return (score, expected, best)"
    before = deepcopy(actions)
    found = promises.call(shown, audience.respond, actions, rng, advice=advice)
    promises.keep(equal(before, actions), f"{shown} changed the actions: change a copy")
    fits = isinstance(found, tuple) and len(found) == 3
    promises.need(fits, f"{shown} returned {short(found)}: {advice}")
    for name, value in zip(("score", "expected score", "best score"), found, strict=True):
        shape = (len(actions),) if batch else ()
        fits = np.shape(value) in (shape, ()) and np.asarray(value).dtype.kind in "fiub"
        line = f"{shown} gave the {name} {short(value)}"
        promises.need(fits, f"{line}: give a number, or for a batch float64 of shape (n,)")
        finite = bool(np.isfinite(np.asarray(value, np.float64)).all())
        promises.need(finite, f"{line}: every score must be finite")
    return found


def _answers(promises: Promises, world: World, actions: Action) -> Answers:
    """Posts a batch and returns the responses to its posts."""
    found = _respond(promises, world, actions)
    columns = [np.broadcast_to(np.asarray(v, np.float64), len(actions)) for v in found]
    return [tuple(row) for row in np.stack(columns, axis=1).tolist()]


def _one_by_one(promises: Promises, world: World, actions: Action) -> Answers:
    found = [_respond(promises, world, action) for action in actions]
    return [(float(score), float(expected), float(best)) for score, expected, best in found]


def _check_responses(promises: Promises, world: Callable[[], World], actions: AnyArray) -> None:
    first = _one_by_one(promises, world(), actions)
    with promises.section():
        for _, expected, best in first:
            check_best(promises, "respond", expected, best)
    for sizes in SPLITS:
        with promises.section():
            _compare(promises, sizes, first, _batched(promises, world(), actions, sizes))


def _check_restart(
    promises: Promises, world: Callable[[], World], actions: AnyArray, seed: int
) -> None:
    first = _one_by_one(promises, world(), actions)
    audience, _ = used = world()
    _one_by_one(promises, used, actions[:5])
    again = _one_by_one(promises, _started(promises, audience, seed), actions)
    line = "restart(rng) with the same seed gave other responses"
    advice = "draw only from rng or its children, and reset everything in restart"
    promises.keep(first == again, f"{line}: {advice}")
    original = world()
    _one_by_one(promises, deepcopy(original), actions)
    line = "what a deep copy was posted changed the original"
    same = first == _one_by_one(promises, original, actions)
    promises.keep(same, f"{line}: keep all state on self, not on the class")


def _batched(
    promises: Promises, world: World, actions: AnyArray, sizes: tuple[int, ...]
) -> Answers:
    parts = np.split(actions, np.cumsum(sizes)[:-1])
    return [answer for part in parts for answer in _answers(promises, world, part)]


def _compare(promises: Promises, sizes: tuple[int, ...], first: Answers, batched: Answers) -> None:
    for number, (one, other) in enumerate(zip(first, batched, strict=True)):
        if one != other:
            promises.broken(
                f"post {number} got (score, expected, best) {one} alone and {other} in batches of "
                f"{', '.join(map(str, sizes))}: a batch must equal its posts one by one to the "
                "last bit, so draw once per post in their order, move time on by each post, and "
                "look exp, sin and the like up in a table"
            )
            return


def _check_community(promises: Promises, world: Callable[[], World], actions: AnyArray) -> None:
    audience, rng = world()
    codec, space = audience.codec, audience.observation_space
    taken = []
    for count in (0, 1, POSTS):
        shown = f"community({count}, rng)"
        advice = "return (actions, observations or None), one of each per post"
        community = audience.community
        found = promises.call(shown, community, count, np.random.default_rng(0), advice=advice)
        pair = isinstance(found, tuple) and len(found) == 2
        promises.need(pair, f"{shown} returned {short(found)}: {advice}")
        posted, observed = found
        line = "give actions in the space of its codec"
        checked = promises.call(shown, codec.check_actions, posted, advice=line)
        promises.keep(len(checked) == count, f"{shown} gave {len(checked)} actions: {advice}")
        if observed is not None:
            enough = len(observed) == count
            promises.keep(enough, f"{shown} gave {len(observed)} observations: {advice}")
            for row in observed:
                line = f"{shown} gave the observation {short(row)}, which is not in {space}"
                promises.need(inside(space, row), f"{line}: give what was observed")
        taken.append((np.asarray(checked), observed))
    posted, observed = audience.community(POSTS, np.random.default_rng(0))
    line = "community(count, rng) with the same rng gave other posts: draw from rng only"
    promises.keep(equal((codec.check_actions(posted), observed), taken[-1]), line)
    line = "community changed the responses to later posts: it must change nothing"
    later = _one_by_one(promises, (audience, rng), actions)
    promises.keep(later == _one_by_one(promises, world(), actions), line)


def _check_delay(promises: Promises, world: Callable[[], World], actions: AnyArray) -> None:
    start = world()
    for score, _, _ in _answers(promises, start, actions):
        shown = f"delay({score!r})"
        found = promises.call(shown, start[0].delay, score)
        fits = isinstance(found, (int, np.integer)) and not isinstance(found, bool) and found >= 0
        line = f"{shown} returned {short(found)}: return how many later posts go out before it"
        promises.keep(bool(fits), f"{line} is known, an integer of at least 0")


def _check_observing(promises: Promises, world: Callable[[], World], actions: AnyArray) -> None:
    audience, rng = world()
    check_observations(promises, audience, audience.observation_space)
    ahead = audience.observe(3)
    for number, (action, seen) in enumerate(zip(actions[:3], ahead, strict=True)):
        now = audience.observe(1)[0]
        line = f"observe(3) gave {short(seen)} before post {number}, where observe(1) gave"
        advice = "observe changes nothing, and looks ahead over the next posts"
        promises.need(equal(now, seen), f"{line} {short(now)} then: {advice}")
        _respond(promises, (audience, rng), action)
