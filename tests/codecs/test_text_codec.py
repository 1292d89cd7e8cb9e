import copy
import pickle
import sys

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import InvalidAction
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import batch_space
from hypothesis import given
from hypothesis import strategies as st
from parts import WallFace

from kilroy_gym import FaceEnv, FaceVectorEnv
from kilroy_gym.codecs import TextCodec, UnencodablePost, common_characters, graphemes

FAMILY = "👨‍👩‍👧"
SAID_IN_MANY_WAYS = [
    "plain words, with punctuation!",
    "line one\nline two\r\n\ttabbed",
    "Grüße, žluťoučký kůň, Việt Nam, ça va? ½ €",
    "Ελληνικά, українська, հայերեն, ქართული",
    "שלום עולם \u200f— العربية\u200c فارسی",
    "हिन्दी தமிழ் ไทย አማርኛ ខ្មែរ",
    "中文 日本語 カタカナ 한국어 \uff26\uff35",
    f"{FAMILY} 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇪🇺 👍🏽 ❤️ 1️⃣ \U0001d4ef\U0001d4ea",
    "zero\u200bwidth\u2060here\ufeff",
    "<script>alert('x')</script> %s {0} \\n '\"",
]
texts = st.text(st.characters(codec="utf-8"), max_size=40)


@pytest.mark.parametrize("x", SAID_IN_MANY_WAYS)
def test_what_people_write_comes_back_exactly(x):
    codec = TextCodec()
    assert codec.decode(codec.encode(x)) == x
    assert codec.space.contains(x)
    assert codec.decode_many(codec.encode_many([x, x])) == [x, x]


@given(texts, st.integers(1, 50), st.integers(4, 60))
def test_a_text_is_an_action_where_characters_and_lengths_allow_it(x, most, most_bytes):
    codec = TextCodec(most, max_bytes=most_bytes)
    fits = 1 <= len(x) <= most and len(x.encode()) <= most_bytes
    fits = fits and set(x) <= common_characters()
    assert codec.space.contains(x) is fits
    if fits:
        assert codec.decode(codec.encode(x)) == x
        assert codec.decode_many([x]) == [x]
        return
    with pytest.raises(UnencodablePost, match="TextCodec cannot encode a post"):
        codec.encode(x)
    for refused in (lambda: codec.decode(x), lambda: codec.check_actions(["a", x])):
        with pytest.raises(InvalidAction, match="action is not in PostText"):
            refused()


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        ("", "it is empty"),
        ("nul \0 inside", r"not allowed: U\+0000"),
        ("bell \a and escape \x1b[31m", r"not allowed: U\+0007, U\+001B"),
        ("half a pair \ud83d", r"not allowed: U\+D83D"),
        ("private \ue000", r"not allowed: U\+E000"),
        ("word " * 2000, "counts 10,000 characters, more than 280"),
        (None, "None is not a text"),
        (b"bytes", "b'bytes' is not a text"),
        (7, "7 is not a text"),
        (["a"], "is not a text"),
    ],
)
def test_what_is_no_post_is_refused_with_the_reason(x, reason):
    with pytest.raises(UnencodablePost, match=reason) as caught:
        TextCodec(max_bytes=100_000).encode(x)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("x", "length"),
    [
        ("", 0),
        ("abc", 3),
        ("\r\n", 1),
        ("e\u0301", 1),
        (FAMILY * 2, 2),
        (f"{FAMILY}e\u0301\r\n", 3),
        ("🇪🇺🇩🇪", 2),
        ("नि", 1),
        ("a\u200bb", 3),
        ("\ud800", 1),
    ],
)
def test_graphemes_are_what_a_reader_sees(x, length):
    assert graphemes(x) == length


def test_where_regex_is_missing_the_error_names_the_extra_of_text(monkeypatch):
    monkeypatch.setitem(sys.modules, "regex", None)
    assert graphemes("plain") == 5
    with pytest.raises(ImportError, match=r"Graphemes need regex: .*\[text\]"):
        TextCodec(300, count=graphemes)


def test_blueskys_limits_are_graphemes_and_bytes():
    codec = TextCodec(300, count=graphemes)
    codec.encode("e\u0301" * 300)
    codec.encode("a" * 300)
    with pytest.raises(UnencodablePost, match="counts 301 characters, more than 300"):
        codec.encode("e\u0301" * 301)
    codec.encode(FAMILY * 166)  # 18 bytes each
    with pytest.raises(UnencodablePost, match="takes 3,006 bytes, more than 3,000"):
        codec.encode(FAMILY * 167)


@pytest.mark.parametrize(
    "codec",
    [
        TextCodec(),
        TextCodec(3),
        TextCodec(5, "abc"),
        TextCodec(300, count=graphemes),
        TextCodec(20, max_bytes=4),
    ],
    ids=str,
)
def test_what_the_space_samples_it_contains(codec):
    space = copy.deepcopy(codec.space)
    space.seed(0)
    drawn = [space.sample() for _ in range(50)]
    assert all(space.contains(x) for x in drawn)
    assert len(set(drawn)) > 10
    batch = batch_space(space, 4)
    batch.seed(0)
    sampled = batch.sample()
    assert batch.contains(sampled)
    assert batch.contains(codec.check_actions(sampled))


def test_copies_of_a_space_are_equal_and_have_a_stream_of_their_own():
    space = TextCodec(30).space
    space.seed(1)
    twin, pickled = copy.deepcopy(space), pickle.loads(pickle.dumps(space))
    assert twin == pickled == space
    drawn = [space.sample() for _ in range(3)]
    assert drawn == [twin.sample() for _ in range(3)] == [pickled.sample() for _ in range(3)]
    assert space != TextCodec(31).space
    assert space != TextCodec(30, "abc").space
    assert space != TextCodec(30, count=graphemes).space
    assert space != TextCodec(30, max_bytes=30).space
    assert len(repr(space)) < 100


@pytest.mark.parametrize("actions", ["text", None, 3, [["a"], ["b"]], [1], np.array([["a"]])])
def test_what_is_no_batch_of_texts_is_refused(actions):
    with pytest.raises(InvalidAction, match="action"):
        TextCodec().check_actions(actions)


def test_every_kind_of_batch_gives_texts_of_python():
    for batch in (["a", "b"], ("a", "b"), np.array(["a", "b"]), np.array(["a", "b"], object)):
        assert list(map(type, TextCodec().decode_many(batch))) == [str, str]
        assert TextCodec().check_actions(batch).shape == (2,)
    assert TextCodec().encode_many([]).shape == (0,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TextCodec(0), "max_length must be an integer of at least 1, got 0"),
        (lambda: TextCodec(2.5), "max_length must be an integer"),
        (lambda: TextCodec(max_bytes=3), "max_bytes must be an integer of at least 4, got 3"),
        (lambda: TextCodec(characters=""), "characters must be at least one"),
        (lambda: TextCodec(characters=["ab"]), "each a text of length 1"),
        (lambda: TextCodec(characters=["\ud800"]), "no surrogate"),
        (lambda: TextCodec(count=5), "count must be a function"),
    ],
)
def test_arguments_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_texts_are_played_on_a_face_one_by_one_in_rounds_and_in_separate_environments():
    codec = TextCodec(20)
    env = FaceEnv(WallFace(len), codec)
    env.reset()
    assert env.step("four")[1] == 4
    with pytest.raises(InvalidAction, match="it is empty"):
        env.step("")
    together = FaceVectorEnv(WallFace(len), 3, codec)
    separate = SyncVectorEnv(
        [lambda: FaceEnv(WallFace(len), codec)] * 3, autoreset_mode=AutoresetMode.SAME_STEP
    )
    posts = ["a", "héé", "👍"]
    for vector in (together, separate):
        vector.reset()
        for actions in (posts, tuple(posts), codec.encode_many(posts)):
            assert vector.step(actions)[1].tolist() == [1.0, 3.0, 1.0]
    assert together.action_space == separate.action_space
    gym.spaces.flatten(codec.space, "four")
