"""What a codec promises."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium import Space
from gymnasium.error import InvalidAction
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete

from kilroy_gym.codecs import Codec, UnencodablePost
from kilroy_gym.codecs.base import AnyCodec, short
from kilroy_gym.post import AnyPost
from kilroy_gym.testing._promises import Promises
from kilroy_gym.testing._values import close, equal, given_posts, inside

SAMPLES = 20
"""How many actions are drawn from the space."""
METHODS = ("encode", "decode", "check_action", "check_actions", "encode_many", "decode_many")


def check_codec(codec: AnyCodec, posts: Iterable[AnyPost]) -> None:
    """Checks that a codec keeps what it promises.

    Numbers may come back rounded to float32, as those of a Box do.

    Args:
        codec: The codec.
        posts: Some posts that it has actions for.

    Raises:
        AssertionError: It breaks a promise; the message lists all that are broken.
        TypeError: ``posts`` is something else.
        ValueError: There are no posts in it.
    """
    promises = Promises(codec, Codec)
    given = [post.x for post in given_posts(posts)]
    promises.check_plain(codec, METHODS)
    with promises.section():
        space = promises.call("space", lambda: codec.space, advice="set it to the action space")
        line = f"space is {short(space)}: set it to a space of Gymnasium"
        promises.need(isinstance(space, Space), line)
        space = deepcopy(space)  # sampling moves its random stream
        space.seed(0)
        xs = []
        for x in given:
            with promises.section():
                _check_round_trip(promises, codec, space, deepcopy(x))
                xs.append(x)
        with promises.section():
            _check_batches(promises, codec, space, deepcopy(xs))
        with promises.section():
            _check_samples(promises, codec, [space.sample() for _ in range(SAMPLES)])
        _check_invalid(promises, codec, space)
        _check_unencodable(promises, codec, given)
    promises.settle()


def _check_round_trip(promises: Promises, codec: AnyCodec, space: Space[Any], x: Any) -> None:
    shown, before = f"encode({short(x)})", deepcopy(x)
    advice = "return the action that stands for it"
    action = promises.call(shown, codec.encode, x, advice=advice)
    line = f"{shown} changed the content to {short(x)}: change a copy"
    promises.keep(equal(before, x), line)
    line = f"{shown} returned {action!r}, which is not in {space}: {advice}"
    promises.need(inside(space, action), line)
    kept = deepcopy(action)
    back = promises.call(f"decode({action!r})", codec.decode, action)
    line = f"decode(encode(x)) gave {short(back)} for {short(x)}: it must come back equal"
    promises.keep(close(x, back), f"{line}, so let encode refuse what cannot (UnencodablePost)")
    promises.keep(equal(kept, action), f"decode({kept!r}) changed the action: change a copy")
    shared = isinstance(back, np.ndarray) and np.may_share_memory(back, action)
    line = "decode returned a view of the action, which changes when that array is used again"
    promises.keep(not shared, f"{line}: return a copy")


def _check_batches(
    promises: Promises, codec: AnyCodec, space: Space[Any], xs: Sequence[Any]
) -> None:
    ones = [promises.call("encode(x)", codec.encode, x) for x in xs]
    for batch, singles in ((list(xs), ones), ([], [])):
        shown = f"encode_many of {len(batch)} contents"
        actions = promises.call(shown, codec.encode_many, iter(batch))
        _check_actions(promises, shown, actions, space, singles)
        shown = f"decode_many of {len(batch)} actions"
        backs = promises.call(shown, codec.decode_many, actions)
        decoded = [codec.decode(action) for action in singles]
        same = isinstance(backs, list) and equal(backs, decoded)
        line = f"{shown} gave {short(backs)} where decode gives {short(decoded)}"
        promises.keep(same, f"{line}: return a list of the same, one by one")
    shown = f"check_actions of {len(ones)} actions"
    checked = promises.call(shown, codec.check_actions, codec.encode_many(xs))
    _check_actions(promises, shown, checked, space, ones)
    for action in ones:
        shown = f"check_action({action!r})"
        found = promises.call(shown, codec.check_action, action)
        line = f"{shown} returned {found!r}: return the action"
        promises.keep(equal(np.asarray(found), np.asarray(action)), line)


def _check_actions(
    promises: Promises, shown: str, found: Any, space: Space[Any], ones: Sequence[Any]
) -> None:
    """Checks an array of actions against the same one by one."""
    shape = (len(ones), *(space.shape or ()))
    right = f"return an array of shape {shape} with what encode gives one by one"
    line = f"{shown} returned {short(found)}"
    promises.need(isinstance(found, np.ndarray), f"{line}: {right}")
    promises.need(found.shape == shape, f"{shown} returned the shape {found.shape}: {right}")
    if space.shape and np.issubdtype(space.dtype, np.number):
        line = f"{shown} returned the dtype {found.dtype}: return {space.dtype}, as {space} has it"
        promises.keep(found.dtype == space.dtype, line)
    promises.keep(
        all(equal(np.asarray(a), np.asarray(b)) for a, b in zip(found, ones, strict=True)),
        f"{line}: {right}",
    )


def _check_samples(promises: Promises, codec: AnyCodec, actions: Sequence[Any]) -> None:
    """Decodes what an agent may do, and encodes it again."""
    for action in actions:
        x = promises.call(
            f"decode({short(action)})",
            codec.decode,
            action,
            advice="every action in space stands for a content, so return it, or narrow space",
        )
        shown, advice = f"encode({short(x)})", "it is what decode gave, so encode must take it"
        lets = (UnencodablePost,)
        coded = promises.call(shown, codec.encode, x, advice=advice, lets=lets)
        again = promises.call(f"decode({short(coded)})", codec.decode, coded)
        line = f"decode gave {short(x)}, and decode(encode(that)) gave {short(again)}"
        promises.keep(close(x, again), f"{line}: both must be equal")


def _invalid(space: Space[Any]) -> list[Any]:
    """Returns what is in no sense an action of a space."""
    wrong: list[Any] = [None, object()]
    if isinstance(space, Discrete):
        wrong += [int(space.start) - 1, int(space.start + space.n), 0.5]
    if isinstance(space, Box):
        top = np.asarray(space.high, np.float64)
        wrong += [np.full(space.shape, np.nan, np.float64)]
        wrong += [top + 1] if np.isfinite(top).all() else []
    if isinstance(space, MultiDiscrete):
        wrong += [space.nvec + space.start, np.asarray(space.start) - 1]
    if isinstance(space, MultiBinary):
        wrong += [np.full(space.shape, 2)]
    if space.shape:
        wrong += [np.zeros((*space.shape[:-1], space.shape[-1] + 1), space.dtype)]
    return wrong


def _check_invalid(promises: Promises, codec: AnyCodec, space: Space[Any]) -> None:
    for wrong in _invalid(space):
        right = f"raise gymnasium.error.InvalidAction, since it is not in {space}"
        for single in (codec.decode, codec.check_action):
            _check_refused(promises, single, wrong, InvalidAction, right)
        for batch in (codec.check_actions, codec.decode_many):
            _check_refused(promises, batch, [wrong], InvalidAction, right)


def _check_unencodable(promises: Promises, codec: AnyCodec, xs: Sequence[Any]) -> None:
    for wrong in (object(), [object()], *(() if any(x is None for x in xs) else (None,))):
        right = "raise UnencodablePost, since there is no action for it"
        _check_refused(promises, codec.encode, wrong, UnencodablePost, right)


def _check_refused(
    promises: Promises, method: Any, wrong: Any, error: type[Exception], right: str
) -> None:
    shown = f"{method.__name__}({_seen(wrong)})"
    with promises.section():
        found = promises.call(shown, method, wrong, advice=right, lets=(error,))
        promises.broken(f"{shown} returned {short(found)}: {right}")


def _seen(value: Any) -> str:
    """Shows a value without its address."""
    if isinstance(value, list):
        return f"[{_seen(value[0])}]"
    return "object()" if type(value) is object else short(value)
