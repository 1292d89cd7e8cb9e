import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilroy_gym.comparison.statistics import difference, estimate, iqm

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ([7.0], 7.0),
        ([1.0, 2.0], 1.5),
        ([0.0, 1.0, 5.0], 2.0),
        ([-100.0, 1.0, 3.0, 100.0], 2.0),
        ([1000.0, 1.0, 2.0, 3.0, -1000.0], 2.0),
        ([8, 1, 2, 3, 4, 5, 6, 7], 4.5),
    ],
)
def test_the_interquartile_mean_cuts_a_quarter_at_each_end(sample, expected):
    assert iqm(sample) == expected


@pytest.mark.parametrize("sample", [[0.1], [0.1] * 5, [0.1, 0.1], [0.0] * 20])
def test_equal_values_and_a_single_seed_have_an_interval_of_no_width(sample):
    found = estimate(sample)
    assert found.low <= found.iqm <= found.high
    assert found.high - found.low == pytest.approx(0, abs=1e-12)
    assert found.iqm == pytest.approx(sample[0])


@given(values)
def test_an_interval_holds_the_estimate_lies_within_the_values_and_is_valid_json(sample):
    found = estimate(sample, resamples=200).as_json()
    json.dumps(found, allow_nan=False)
    room = 1e-9 * max(map(abs, sample))
    assert min(sample) - room <= found["low"] <= found["iqm"] <= found["high"]
    assert found["high"] <= max(sample) + room


def test_an_interval_is_that_of_all_resamples_where_they_can_be_listed():
    # Two seeds have four resamples, of means 0, 1/2, 1/2 and 1, so a 95% interval reaches all.
    found = estimate([0.0, 1.0])
    assert (found.low, found.iqm, found.high) == (0.0, 0.5, 1.0)


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(40, 300))  # 40 seeds of 300 measures at once
    found = estimate(samples, resamples=1000)
    covered = np.mean((found.low <= 0) & (found.high >= 0))
    assert 0.90 <= covered <= 0.98


@given(values)
def test_a_sample_does_not_differ_from_itself(sample):
    found = difference(sample, sample)
    assert (found.iqm, found.low, found.high) == (0.0, 0.0, 0.0)


def test_a_difference_is_paired_by_seed():
    worlds = np.array([0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0])
    found = difference(worlds + 1.0, worlds)
    assert (found.low, found.iqm, found.high) == pytest.approx((1.0, 1.0, 1.0))
    unpaired = difference(worlds + 1.0, worlds[::-1])
    assert unpaired.low < 0 < unpaired.high


def test_the_same_values_give_the_same_interval():
    sample = np.random.default_rng(1).normal(size=9)
    assert estimate(sample) == estimate(sample)
