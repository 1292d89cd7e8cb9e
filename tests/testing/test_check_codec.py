"""What `check_codec` finds."""

import numpy as np
import pytest
from broken import one_promise_broken, promises_broken
from gymnasium.error import InvalidAction
from gymnasium.spaces import Box, Discrete

from kilroy_gym import PostData
from kilroy_gym.codecs import (
    BinaryCodec,
    BoxCodec,
    CategoricalCodec,
    Codec,
    SequenceCodec,
    TextCodec,
    UnencodablePost,
    WordCodec,
)
from kilroy_gym.testing import check_codec

CHOICES = ["cat", "dog", "duck"]
POSTS = [PostData(x) for x in CHOICES]
VECTORS = [PostData(np.array(x)) for x in ([0.5, 0.25], [1.0, -1.0])]


class Animals(Codec):
    """Keeps every promise."""

    def __init__(self):
        self.space = Discrete(3)

    def encode(self, x):
        if x not in CHOICES:
            raise UnencodablePost(f"{x!r} is not one of {CHOICES}")
        return CHOICES.index(x)

    def decode(self, action):
        return CHOICES[self.check_action(action)]

    def check_actions(self, actions):
        array = np.asarray(actions)
        if array.dtype.kind not in "iu" or array.ndim != 1 or not np.isin(array, range(3)).all():
            raise InvalidAction(f"{actions!r} are not in {self.space}")
        return array.astype(np.int64)


class Points(Codec):
    """Keeps every promise, with vectors."""

    def __init__(self):
        self.space = Box(-1, 1, (2,), np.float32)

    def encode(self, x):
        array = np.asarray(x)
        if array.dtype.kind != "f" or array.shape != (2,):
            raise UnencodablePost("not a point")
        return array.astype(np.float32)

    def decode(self, action):
        return self.check_action(action).astype(np.float64)

    def check_actions(self, actions):
        array = np.asarray(actions)
        fits = array.dtype.kind in "fi" and array.ndim == 2 and array.shape[1] == 2
        if not (fits and (np.abs(array) <= 1).all()):
            raise InvalidAction(f"{actions!r} are not in {self.space}")
        return array.astype(np.float32)


# --- what is right ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "contents"),
    [
        (Animals(), CHOICES),
        (Points(), [post.x for post in VECTORS]),
        (BinaryCodec(), [True, False]),
        (CategoricalCodec(["a", 1, None, (2, 3)]), ["a", 1, None, (2, 3)]),
        (BoxCodec(0.0, 10.0), [0.0, 0.1, 10.0]),
        (BoxCodec([0.0, -5.0], [1.0, 5.0]), [np.array([0.3, 0.7])]),
        (SequenceCodec(6, 4, 1, 2), [(1, 0, 2), (1, 5, 4, 3)]),
        (WordCodec(["cats", "sleep"], 3), ["cats sleep", " ", "cats cats cats"]),
        (TextCodec(40), ["hello", "Grüße 🇪🇺"]),
        (TextCodec(10, "ab"), ["a", "abab"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_codec_that_keeps_its_promises_passes(codec, contents):
    assert check_codec(codec, [PostData(x) for x in contents]) is None


# --- what is broken -----------------------------------------------------------------------


def clipped(self, action):
    return CHOICES[int(np.clip(np.asarray(action).item(), 0, 2))]


BROKEN = {
    "no space": (Animals, {"__init__": lambda self: None}, "space raised AttributeError"),
    "a number as space": (
        Animals,
        {"__init__": lambda self: setattr(self, "space", 3)},
        "space is 3: set it to a space of Gymnasium",
    ),
    "an action outside": (
        Animals,
        {"encode": lambda self, x: Animals.encode(self, x) + 1},
        "encode('duck') returned 3, which is not in Discrete(3)",
    ),
    "another content comes back": (
        Animals,
        {"decode": lambda self, action: CHOICES[(self.check_action(action) + 1) % 3]},
        "decode(encode(x)) gave 'dog' for 'cat': it must come back equal",
    ),
    "a batch in another order": (
        Animals,
        {"encode_many": lambda self, xs: np.sort([self.encode(x) for x in xs])[::-1]},
        "encode_many of 3 contents returned array([2, 1, 0])",
    ),
    "a batch as list": (
        Animals,
        {"encode_many": lambda self, xs: [self.encode(x) for x in xs]},
        "encode_many of 3 contents returned [0, 1, 2]: return an array of shape (3,)",
    ),
    "an empty batch": (
        Points,
        {"encode_many": lambda self, xs: np.array([self.encode(x) for x in xs])},
        "encode_many of 0 contents returned the shape (0,): return an array of shape (0, 2)",
    ),
    "a batch of float64": (
        Points,
        {"encode_many": lambda self, xs: Codec.encode_many(self, xs).astype(np.float64)},
        "returned the dtype float64: return float32",
    ),
    "a batch that decodes otherwise": (
        Animals,
        {"decode_many": lambda self, a: [CHOICES[-1 - each] for each in self.check_actions(a)]},
        "decode_many of 3 actions gave ['duck', 'dog', 'cat'] where decode gives",
    ),
    "an action that decodes to nothing": (
        Animals,
        {"decode": lambda self, a: {0: "cat", 1: "dog", 2: "duck"}[self.check_action(a) % 4],
         "__init__": lambda self: setattr(self, "space", Discrete(4)),
         "check_actions": lambda self, a: CategoricalCodec(range(4)).check_actions(a)},
        "raised KeyError: np.int64(3): every action in space stands for a content",
    ),
    "actions that are clipped": (
        Animals,
        {"decode": clipped},
        "raise gymnasium.error.InvalidAction, since it is not in Discrete(3)",
    ),
    "any action in a batch": (
        Animals,
        {"check_actions": lambda self, a: np.asarray(a)},
        "raise gymnasium.error.InvalidAction, since it is not in Discrete(3)",
    ),
    "a ValueError": (
        Points,
        {"check_action": lambda self, a: np.asarray(a, np.float32).reshape(2)},
        "raise gymnasium.error.InvalidAction, since it is not in Box",
    ),
    "a content as itself": (
        Animals,
        {"encode": lambda self, x: CHOICES.index(x) if x in CHOICES else 0},
        "raise UnencodablePost, since there is no action for it",
    ),
    "a KeyError": (
        Animals,
        {"encode": lambda self, x: {"cat": 0, "dog": 1, "duck": 2}[x]},
        "raise UnencodablePost, since there is no action for it",
    ),
    "a view": (
        Points,
        {"check_actions": lambda self, a: CheckOnly.check_actions(self, a),
         "decode": lambda self, action: self.check_action(action)},
        "decode returned a view of the action",
    ),
    "a content that is changed": (
        Points,
        {"encode": lambda self, x: halved(self, x)},
        "changed the content to",
    ),
    "async": (Animals, {"decode": None}, "async: decode; not async: encode"),
}  # fmt: skip


class CheckOnly(Points):
    def check_actions(self, actions):
        Points.check_actions(self, actions)
        return np.asarray(actions)


def halved(self, x):
    action = Points.encode(self, x)
    x += 0.0625
    return action


async def decode(self, action):
    return "cat"


@pytest.mark.parametrize(("base", "members", "line"), BROKEN.values(), ids=BROKEN)
def test_it_names(base, members, line):
    members = {name: member or decode for name, member in members.items()}
    posts = POSTS if base is Animals else [PostData(post.x.copy()) for post in VECTORS]
    lines = promises_broken(check_codec, type("Broken", (base,), members)(), posts)
    assert any(line in found for found in lines), lines


def test_the_posts_that_are_handed_in_stay_as_they_are():
    posts = [PostData(np.array([0.5, 0.25]))]
    promises_broken(check_codec, type("Broken", (Points,), {"encode": halved})(), posts)
    assert posts[0].x.tolist() == [0.5, 0.25]


def test_a_post_that_it_has_no_action_for_is_named():
    line = one_promise_broken(check_codec, BinaryCodec(), [PostData(True), PostData("maybe")])
    assert "encode('maybe') raised UnencodablePost: BinaryCodec cannot encode" in line


@pytest.mark.parametrize(("codec", "line"), [(0, "0 is not a Codec"), (BinaryCodec, "an instance")])
def test_what_is_no_codec_is_named(codec, line):
    assert line in one_promise_broken(check_codec, codec, POSTS)


def test_posts_must_be_posts():
    with pytest.raises(TypeError, match="posts must be a list of PostData, got 'cat'"):
        check_codec(Animals(), CHOICES)
