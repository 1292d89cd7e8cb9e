import numpy as np
import pytest
from scipy import stats
from worlds import (
    IMPLAUSIBLE,
    assert_counts,
    assert_standard_normal,
    expected_of_all,
    started,
    wave,
)

from kilroy_gym.audiences import DriftAudience


def test_without_jumps_every_topic_is_a_slow_wave():
    audience, _ = started(DriftAudience, period=700.0, jump_every=0)
    levels = expected_of_all(audience, 3000)
    for topic in range(5):
        mean, amplitude, _, error = wave(levels[:, topic], 2 * np.pi * np.arange(3000) / 700)
        assert (mean, amplitude) == (pytest.approx(5), pytest.approx(4))
        assert error < 1e-9
    assert audience.jumps == []


def test_tastes_change_at_jumps_and_only_there():
    audience, _ = started(DriftAudience, period=1e7, jump_every=200.0)
    levels = expected_of_all(audience, 5000)
    steps = np.abs(np.diff(levels, axis=0)).max(axis=1)
    copy = started(DriftAudience, period=1e7, jump_every=200.0)[0]
    copy.respond(np.zeros(5000, int), np.random.default_rng(0))
    jumps = [jump for jump in copy.jumps if 0 < jump < 5000]
    assert (np.flatnonzero(steps > 1e-5) + 1).tolist() == jumps
    assert len(jumps) > 10


def test_jumps_come_at_random_and_as_often_as_asked_for():
    audience, rng = started(DriftAudience, jump_every=50.0)
    audience.respond(np.zeros(200_000, int), rng)
    jumps = np.array(audience.jumps)
    jumps = jumps[jumps < 200_000]
    assert len(jumps) == pytest.approx(4000, abs=4 * np.sqrt(4000))
    gaps = np.diff(jumps)
    edges = [1, 11, 26, 51, 101, 151, np.inf]
    shares = np.diff(stats.geom(1 / 50).cdf(np.array(edges) - 1))
    assert_counts(np.histogram(gaps, edges)[0], shares)


def test_phases_are_uniform_at_the_start_and_after_jumps():
    at_start, after_jump = [], []
    for seed in range(300):
        audience, _ = started(DriftAudience, seed, period=1e7, jump_every=100.0)
        levels = expected_of_all(audience, 1000)
        at_start += levels[0].tolist()
        after_jump += levels[-1].tolist()
    for levels in (at_start, after_jump):
        angles = np.arccos(np.clip((np.array(levels) - 5) / 4, -1, 1)) / np.pi
        assert stats.kstest(angles, "uniform").pvalue > IMPLAUSIBLE


def test_the_best_score_is_that_of_the_best_topic_of_the_moment():
    audience, rng = started(DriftAudience, jump_every=20.0, period=100.0)
    levels = expected_of_all(audience, 500)
    actions = rng.integers(0, 5, 500)
    _, expected, best = audience.respond(actions, rng)
    assert (best == levels.max(axis=1)).all()
    assert (expected == levels[np.arange(500), actions]).all()


def test_noise_is_normal():
    audience, rng = started(DriftAudience, noise=2.5)
    scores, expected, _ = audience.respond(rng.integers(0, 5, 20_000), rng)
    assert_standard_normal((scores - expected) / 2.5)


def test_half_of_the_community_writes_about_what_was_best_at_the_start():
    audience, rng = started(DriftAudience)
    best = expected_of_all(audience, 1)[0].argmax()
    audience.respond(np.zeros(20_000, int), rng)
    counts = np.bincount(audience.community(50_000, rng)[0], minlength=5)
    shares = np.full(5, 0.1)
    shares[best] = 0.6
    assert_counts(counts, shares)
