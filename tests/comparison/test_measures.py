import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilroy_gym.comparison.measures import arrival, measure
from kilroy_gym.comparison.results import RunResult
from kilroy_gym.comparison.uniform import uniform_levels


def run(scores, expected=None, best=None):
    arrays = [None if values is None else np.array(values, float) for values in (expected, best)]
    return RunResult(np.array(scores, float), *arrays, wall_s=0.5, rollout="10")


def steps(bad, good):
    """The levels of an agent that is uniform at first, and then plays the best."""
    return np.concatenate([np.zeros(bad), np.ones(good)])


ZEROS, ONES = np.zeros(1000), np.ones(1000)


@pytest.mark.parametrize("bad", [0, 1, 50, 300, 895])
def test_an_agent_arrives_when_95_of_its_last_100_posts_are_the_best(bad):
    post = arrival(steps(bad, 1000 - bad), ZEROS, ONES)
    assert post == max(bad + 95, 100)


def test_no_agent_arrives_before_its_100th_post():
    assert arrival(np.ones(100), ZEROS[:100], ONES[:100]) == 100
    assert arrival(np.ones(99), ZEROS[:99], ONES[:99]) is None


def test_an_agent_that_gets_94_percent_of_the_way_never_arrives():
    assert arrival(np.full(1000, 0.949), ZEROS, ONES) is None
    assert arrival(np.full(1000, 0.95), ZEROS, ONES) == 100


def test_where_there_is_nothing_to_gain_every_agent_has_arrived():
    level = np.full(1000, 0.1)
    assert arrival(level, level, level) == 100


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(0, 905))
def test_arrival_does_not_depend_on_the_scale_of_scores(shift, scale, bad):
    levels = steps(bad, 1000 - bad)
    moved = arrival(shift + scale * levels, shift + scale * ZEROS, shift + scale * ONES)
    assert moved == arrival(levels, ZEROS, ONES)


def test_a_best_that_drifts_is_followed():
    best = np.linspace(0, 5, 1000)
    assert arrival(best, ZEROS, best) == 100
    lagging = best - 0.25  # 95% of the way once the mean of the best is at 5
    assert arrival(lagging, ZEROS, best) is None
    assert arrival(best - 0.125, ZEROS, best) == pytest.approx(550, abs=2)


def test_a_run_with_truth_is_measured_by_it():
    expected = [0.0, 0.5, 1.0, 1.0]
    found = measure(run([1, 0, 1, 0], expected, [1, 1, 1, 2]), np.zeros(4), None, budget=10)
    assert found == {
        "mean_score": 0.5,
        "regret": 2.5,
        "posts_to_95": 10.0,
        "reached": False,
        "final_score": 0.0,
        "wall_s": 0.5,
    }


def test_a_run_without_truth_is_measured_by_its_scores():
    found = measure(run(steps(200, 800)), ZEROS, 1.0, budget=1000)
    assert found["regret"] is None
    assert (found["posts_to_95"], found["reached"]) == (295.0, True)
    assert (found["mean_score"], found["final_score"]) == (0.8, 1.0)


def test_without_a_uniform_level_arrival_is_not_known():
    found = measure(run(ONES, ONES, ONES), None, None, budget=1000)
    assert (found["posts_to_95"], found["reached"]) == (None, None)
    assert found["regret"] == 0.0


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=300))
def test_measures_are_valid_json(scores):
    found = measure(run(scores), np.zeros(300), 0.0, budget=300)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_uniform_level_is_that_of_uniform_posts_and_always_the_same():
    levels = uniform_levels("Kilroy-Bernoulli-v0", seed=3, posts=1050)
    assert levels.shape == (1050,)
    assert abs(levels.mean()) < 0.05
    np.testing.assert_array_equal(levels, uniform_levels("Kilroy-Bernoulli-v0", seed=3, posts=1050))
