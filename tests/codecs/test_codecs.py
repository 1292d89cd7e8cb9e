import sys

import numpy as np
import pytest
from gymnasium.error import InvalidAction
from gymnasium.spaces import Box, Discrete
from hypothesis import assume, example, given
from hypothesis import strategies as st

from kilroy_gym.codecs import BinaryCodec, BoxCodec, CategoricalCodec, UnencodablePost

contents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.tuples(inner, inner) | st.tuples() | st.frozensets(inner, max_size=3),
    max_leaves=4,
)
choices = st.lists(contents, min_size=1, max_size=8, unique=True)
finite = st.floats(allow_nan=False, allow_infinity=False)
ordinary = st.floats(-1e6, 1e6)
bounds = st.lists(st.tuples(finite, finite), min_size=1, max_size=4).map(
    lambda pairs: [(min(pair), max(pair)) for pair in pairs]
)
shares = st.lists(st.floats(0, 1), min_size=4, max_size=4)


def within(low, high, share):
    return float(np.clip(low * (1 - share) + high * share, low, high))


@given(choices)
def test_choices_come_back_exactly(choices):
    codec = CategoricalCodec(choices)
    assert codec.space == Discrete(len(choices))
    for x in choices:
        action = codec.encode(x)
        assert codec.space.contains(action)
        assert codec.decode(action) == x
        assert type(codec.decode(action)) is type(x)


@given(choices, st.data())
def test_batches_of_choices_equal_the_single_ones(choices, data):
    codec = CategoricalCodec(choices)
    xs = data.draw(st.lists(st.sampled_from(choices)))
    actions = codec.encode_many(xs)
    assert (actions.shape, actions.dtype) == ((len(xs),), np.int64)
    assert actions.tolist() == [codec.encode(x) for x in xs]
    assert codec.decode_many(actions) == [codec.decode(action) for action in actions] == xs


@pytest.mark.parametrize("action", [0, np.int64(0), np.uint8(0), np.array(0), False, np.False_])
def test_every_kind_of_integer_is_an_action(action):
    assert BinaryCodec().decode(action) is False
    assert BinaryCodec().decode_many(np.array([action])) == [False]


@pytest.mark.parametrize(
    "action", [2, -1, 0.0, 1.5, np.float32(1), "1", None, [1], np.array([1]), np.int64(2), 10**30]
)
def test_what_is_no_choice_is_refused_with_what_is_allowed(action):
    with pytest.raises(InvalidAction, match="from 0 to 1"):
        BinaryCodec().decode(action)


@pytest.mark.parametrize(
    "actions",
    [1, [[0, 1]], [0.0, 1.0], [0, None], ["a"], None, [0, [1]], [10**30], [float("nan")]],
    ids=repr,
)
def test_what_is_no_batch_of_choices_is_refused(actions):
    with pytest.raises(InvalidAction, match="one-dimensional array of integers"):
        BinaryCodec().check_actions(actions)


@pytest.mark.parametrize("wrong", [-1, 2, 2**63 - 1, -(2**63)])
def test_a_batch_with_one_wrong_choice_names_it(wrong):
    with pytest.raises(InvalidAction, match=f"action {wrong} is not in Discrete.*from 0 to 1"):
        BinaryCodec().check_actions([0, 1, wrong])


@pytest.mark.parametrize("x", ["birds", None, 3, [], {}, np.array([1, 2])], ids=repr)
def test_content_that_is_no_choice_is_refused_with_the_choices(x):
    with pytest.raises(UnencodablePost, match=r"must be one of \('cats', 'dogs'\)"):
        CategoricalCodec(["cats", "dogs"]).encode(x)


@pytest.mark.parametrize(
    ("choices", "reason"),
    [([], "at least one"), ([1, 2, 1], "different"), ([True, 1], "different"), ([[]], "hashable")],
)
def test_choices_that_cannot_be_told_apart_are_refused(choices, reason):
    with pytest.raises(ValueError, match=reason):
        CategoricalCodec(choices)


def test_an_error_does_not_flood_the_terminal():
    with pytest.raises(UnencodablePost) as caught:
        CategoricalCodec(range(10_000)).encode("x" * 10_000)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("x", [False, True, 0, 1, np.True_, np.False_])
def test_binary_contents_come_back(x):
    codec = BinaryCodec()
    assert codec.decode(codec.encode(x)) == x
    assert type(codec.decode(codec.encode(x))) is bool


@given(bounds, shares)
def test_vectors_come_back_within_float32_of_the_range(bounds, shares):
    low, high = np.array(bounds).T
    assume((high / 2 - low / 2 > sys.float_info.min).all())
    x = np.array([within(*pair, share) for pair, share in zip(bounds, shares, strict=False)])
    codec = BoxCodec(low, high)
    action = codec.encode(x)
    assert codec.space == Box(-1, 1, (len(bounds),), np.float32)
    assert codec.space.contains(action)
    # Halved, because the width of the range may overflow. The rounding of float64 matters where
    # the range is narrow and far from zero.
    rounding = np.finfo(np.float64).eps * np.maximum(-low, high)
    tolerance = np.finfo(np.float32).eps * (high / 2 - low / 2) + rounding
    close = np.abs(codec.decode(action) / 2 - x / 2) <= tolerance
    assert close.all()
    assert ((low <= codec.decode(action)) & (codec.decode(action) <= high)).all()


@given(finite, finite)
@example(1.0, float(np.nextafter(1, 2)))
@example(1.0, float(np.nextafter(1, 0)) + 4e-16)
def test_both_ends_of_a_range_are_actions(low, high):
    assume(high / 2 - low / 2 > 0)
    codec = BoxCodec(low, high)
    assert codec.space.contains(codec.encode(low))
    assert codec.space.contains(codec.encode(high))
    for action in ([-1.0], [0.0], [1.0]):
        assert low <= codec.decode(action) <= high


@given(ordinary, ordinary, st.lists(st.floats(0, 1), max_size=8))
def test_batches_of_numbers_equal_the_single_ones(low, high, shares):
    assume(high / 2 - low / 2 > 0)
    codec = BoxCodec(low, high)
    xs = [within(low, high, share) for share in shares]
    actions = codec.encode_many(xs)
    assert (actions.shape, actions.dtype) == ((len(xs), 1), np.float32)
    assert all((action == codec.encode(x)).all() for action, x in zip(actions, xs, strict=True))
    assert codec.decode_many(actions) == [codec.decode(action) for action in actions]
    assert all(type(x) is float for x in codec.decode_many(actions))


@given(bounds, st.lists(shares, max_size=8))
def test_batches_of_vectors_equal_the_single_ones(bounds, rows):
    low, high = np.array(bounds).T
    assume((high / 2 - low / 2 > 0).all())
    codec = BoxCodec(low, high)
    actions = np.array(rows, np.float32).reshape(len(rows), 4)[:, : len(bounds)]
    decoded = codec.decode_many(actions)
    assert len(decoded) == len(rows)
    for x, action in zip(decoded, actions, strict=True):
        np.testing.assert_array_equal(x, codec.decode(action))
    assert codec.encode_many(decoded).shape == (len(rows), len(bounds))


@pytest.mark.parametrize(
    "x",
    [-0.1, 10.1, float("nan"), float("inf"), "5", b"5", None, [5.0], [], 1j, np.array(1j), {},
     10**400, [1, [2]], np.datetime64(5, "s")],
    ids=repr,
)  # fmt: skip
def test_a_number_outside_is_refused_with_the_range(x):
    with pytest.raises(UnencodablePost, match=r"shape \(\) and from 0\.0 to 10\.0"):
        BoxCodec(0, 10).encode(x)


@pytest.mark.parametrize(
    "action",
    [0.5, [], [0.5, 0.5], [1.1], [-1.1], [float("nan")], ["0"], None, [None], [[0.5], 1],
     np.int8([-128]), [1j]],
    ids=repr,
)  # fmt: skip
def test_an_action_outside_the_box_is_refused(action):
    with pytest.raises(InvalidAction, match=r"in \[-1, 1\]|is not in Box"):
        BoxCodec(0, 10).decode(action)
    with pytest.raises(InvalidAction, match=r"in \[-1, 1\]|is not in Box"):
        BoxCodec(0, 10).check_actions([[0.0], action])


@pytest.mark.parametrize(
    ("low", "high"),
    [(1, 1), (2, 1), (0, float("inf")), (float("nan"), 1), ([0, 0], [1, 0]), ([0, 0], [1, 1, 1]),
     ("a", "b"), ([], []), ([[0]], [[1]]), (None, 1), (0, 5e-324)],
)  # fmt: skip
def test_bounds_that_make_no_range_are_refused(low, high):
    with pytest.raises(ValueError, match="low"):
        BoxCodec(low, high)
