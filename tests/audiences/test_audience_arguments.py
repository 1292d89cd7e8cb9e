"""What the arguments of every audience do inside their ranges and outside."""

import inspect
import math
import re

import gymnasium as gym
import pytest
from hypothesis import given
from hypothesis import strategies as st
from parts import MoodyAudience
from ranges import ARGUMENTS, RANGES

from kilroy_gym.audiences import DriftAudience
from kilroy_gym.envs.suite import AUDIENCES, audience_class
from kilroy_gym.testing import check_audience

every_audience = pytest.mark.parametrize("kind", [*RANGES, MoodyAudience])
every_argument = pytest.mark.parametrize(("kind", "name"), ARGUMENTS)
MOST = 30
"""Topics, scales and tokens are no more than this here, since an example must be quick."""


def values(allowed):
    if allowed.whole:
        large = allowed.high > 100_000
        return st.integers(
            allowed.low, allowed.high if large else min(allowed.high, allowed.low + MOST)
        )
    inside = st.floats(allowed.low, allowed.high)
    return inside | st.just(0.0) if allowed.or_zero else inside


def arguments(kind):
    return st.fixed_dictionaries(
        {}, optional={n: values(r) for n, r in RANGES.get(kind, {}).items()}
    )


def test_the_table_names_every_audience_and_every_argument():
    assert set(RANGES) == set(map(audience_class, AUDIENCES.values()))
    for kind, ranges in RANGES.items():
        assert set(ranges) == set(inspect.signature(kind).parameters)


@every_audience
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_inside_its_ranges_every_audience_keeps_its_promises(kind, data, seed):
    check_audience(kind(**data.draw(arguments(kind))), seed)


@every_argument
@pytest.mark.parametrize("end", ["low", "high"])
def test_the_ends_of_a_range_are_inside(kind, name, end):
    check_audience(kind(**{name: getattr(RANGES[kind][name], end)}))


@every_argument
@given(data=st.data())
def test_what_is_outside_is_refused_with_the_range(kind, name, data):
    allowed = RANGES[kind][name]
    if allowed.whole:
        below, above = st.integers(max_value=allowed.low - 1), st.integers(allowed.high + 1)
    else:
        low = 0.0 if allowed.or_zero else allowed.low
        below = st.floats(max_value=allowed.low, exclude_max=True).filter(
            lambda value: not (allowed.or_zero and value == low)
        )
        above = st.floats(allowed.high, exclude_min=True)
    other = st.none() | st.text() | st.booleans() | st.just(math.nan) | st.just([3])
    value = data.draw(below | above | other)
    with pytest.raises(ValueError, match=rf"^{name}.* must be") as caught:
        kind(**{name: value})
    message = str(caught.value)
    assert repr(value) in message
    assert "or 0" in message or not allowed.or_zero
    if value is not False:  # which equals 0
        for end in (allowed.low, allowed.high):
            assert (f"{end:d}" if allowed.whole else f"{end:g}") in message


@every_argument
def test_what_is_no_integer_is_no_number_of_things(kind, name):
    allowed = RANGES[kind][name]
    if allowed.whole:
        with pytest.raises(ValueError, match=f"{name} must be an integer"):
            kind(**{name: float(allowed.high)})
    else:
        kind(**{name: math.ceil(allowed.high)})


@every_argument
def test_the_page_says_the_range_and_the_default(kind, name):
    allowed = RANGES[kind][name]
    text = " ".join(kind.__doc__.split())
    entry = re.search(rf"- `{name}`: (.*?)(?= - `| ## )", text)[1]
    assert f"{allowed.low:,.10g} to {allowed.high:,.10g}" in entry
    assert not allowed.or_zero or "or 0" in entry
    default = inspect.signature(kind).parameters[name].default
    assert re.search(rf"\({default:,.10g}[,)]", entry)


@every_argument
def test_arguments_come_through_make_and_make_vec(kind, name):
    allowed = RANGES[kind][name]
    env_id = next(i for i, name in AUDIENCES.items() if audience_class(name) is kind)
    value = math.ceil(allowed.low) + 1
    for env in (gym.make(env_id, **{name: value}), gym.make_vec(env_id, 2, **{name: value})):
        assert getattr(env.unwrapped.face.audience, name) == value
    with pytest.raises(ValueError, match=rf"{name}.* must be"):
        gym.make(env_id, **{name: allowed.high + 1})


def test_no_jumps_are_allowed():
    assert DriftAudience(jump_every=0).jump_every == 0
