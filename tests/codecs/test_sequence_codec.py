import numpy as np
import pytest
from gymnasium.error import InvalidAction
from gymnasium.spaces import MultiDiscrete
from hypothesis import given
from hypothesis import strategies as st

from kilroy_gym.codecs import SequenceCodec, UnencodablePost

CODEC = SequenceCodec(vocabulary=10, length=5, start=1, stop=2)


@st.composite
def codecs(draw):
    vocabulary = draw(st.integers(2, 50))
    tokens = st.integers(0, vocabulary - 1)
    start, stop = draw(st.lists(tokens, min_size=2, max_size=2, unique=True))
    return SequenceCodec(vocabulary, draw(st.integers(2, 8)), start, stop)


@st.composite
def contents(draw, codec):
    """Draws a post: it begins with the start and ends with a stop or at its full length."""
    words = st.integers(0, codec.vocabulary - 1).filter(lambda token: token != codec.stop)
    middle = draw(st.lists(words, max_size=codec.length - 1))
    end = (codec.stop,) if len(middle) < codec.length - 1 else ()
    return (codec.start, *middle, *end)


@given(st.data())
def test_posts_come_back_exactly(data):
    codec = data.draw(codecs())
    x = data.draw(contents(codec))
    action = codec.encode(x)
    assert codec.space == MultiDiscrete([codec.vocabulary] * (codec.length - 1))
    assert codec.space.contains(action)
    assert codec.decode(action) == x
    assert {type(token) for token in codec.decode(action)} == {int}


@given(st.data())
def test_every_action_is_a_post_and_what_follows_a_stop_is_ignored(data):
    codec = data.draw(codecs())
    action = np.array(
        data.draw(
            st.lists(
                st.integers(0, codec.vocabulary - 1) | st.just(codec.stop),
                min_size=codec.length - 1,
                max_size=codec.length - 1,
            )
        )
    )
    x = codec.decode(action)
    assert x[0] == codec.start
    assert codec.stop not in x[:-1]
    assert len(x) == codec.length or x[-1] == codec.stop
    assert list(x[1:]) == action[: len(x) - 1].tolist()
    again = codec.encode(x)
    assert again[: len(x) - 1].tolist() == list(x[1:])
    assert set(again[len(x) - 1 :].tolist()) <= {codec.stop}


@given(st.data())
def test_batches_of_posts_equal_the_single_ones(data):
    codec = data.draw(codecs())
    xs = data.draw(st.lists(contents(codec), max_size=5))
    actions = codec.encode_many(xs)
    assert (actions.shape, actions.dtype) == ((len(xs), codec.length - 1), np.int64)
    assert actions.tolist() == [codec.encode(x).tolist() for x in xs]
    assert codec.decode_many(actions) == [codec.decode(action) for action in actions] == xs


@pytest.mark.parametrize("kind", [list, tuple, np.array, lambda x: np.array(x, np.uint8)])
def test_every_kind_of_sequence_is_a_post(kind):
    assert CODEC.encode(kind([1, 9, 0, 2])).tolist() == [9, 0, 2, 2]
    assert CODEC.decode(kind([9, 0, 2, 7])) == (1, 9, 0, 2)
    assert CODEC.decode_many([kind([9, 0, 2, 7])]) == [(1, 9, 0, 2)]


@pytest.mark.parametrize(
    "x",
    [
        (),
        (1,),
        (1, 9),  # neither stopped nor full
        (9, 2),  # no start
        (2, 2),
        (1, 2, 2),  # goes on after a stop
        (1, 2, 9, 9, 9),
        (1, 9, 9, 9, 9, 9),  # too long
        (1, 9, 9, 9, 9, 2),
        (1, 10, 2),
        (1, -1, 2),
        (1, 9.0, 2),
        (1, True, None),
        (1, 10**30, 2),
        "12",
        12,
        None,
        {},
        [[1, 2]],
        [1, [2]],
    ],
    ids=repr,
)
def test_what_is_no_such_sequence_is_refused_with_what_is(x):
    with pytest.raises(UnencodablePost, match=r"from 0 to 9 .* begins with 1 .* after 5 tokens"):
        CODEC.encode(x)


@pytest.mark.parametrize(
    "action",
    [
        0,
        [],
        [1, 1, 1],
        [1, 1, 1, 1, 1],
        [1, 1, 1, 10],
        [-1, 1, 1, 1],
        [2, 2, 2, 10],  # after a stop, too
        [1.0, 1.0, 1.0, 1.0],
        ["1", "1", "1", "1"],
        None,
        [None] * 4,
        [[1, 1, 1, 1]],
        [1, [1], 1, 1],
        [10**30, 1, 1, 1],
    ],
    ids=repr,
)
def test_an_action_outside_the_space_is_refused(action):
    with pytest.raises(InvalidAction, match=r"an array of 4 integers|from 0 to 9"):
        CODEC.decode(action)
    with pytest.raises(InvalidAction, match=r"an array of 4 integers|from 0 to 9"):
        CODEC.check_actions([[0, 0, 0, 0], action])


def test_a_batch_with_one_wrong_action_names_it():
    with pytest.raises(InvalidAction, match=r"action \[0, 0, 10, 0\] is not in MultiDiscrete"):
        CODEC.check_actions([[0, 0, 0, 0], [0, 0, 10, 0]])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"vocabulary": 1}, "vocabulary must be an integer of at least 2, got 1"),
        ({"vocabulary": 2.5}, "vocabulary must be an integer"),
        ({"length": 1}, "length must be an integer of at least 2, got 1"),
        ({"length": "5"}, "length must be an integer"),
        ({"start": 10}, "start must be an integer from 0 to 9, got 10"),
        ({"stop": -1}, "stop must be an integer from 0 to 9, got -1"),
        ({"start": 2}, "two different tokens, got 2 twice"),
    ],
)
def test_numbers_that_make_no_sequences_are_refused(change, reason):
    with pytest.raises(ValueError, match=reason):
        SequenceCodec(**{"vocabulary": 10, "length": 5, "start": 1, "stop": 2} | change)


def test_it_shows_its_arguments():
    assert repr(CODEC) == "SequenceCodec(10, 5, 1, 2)"
