import gymnasium as gym
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

from kilroy_gym.audiences import TimingAudience

WEEK = 168
HOURS = np.arange(WEEK)
ANGLES = 2 * np.pi * HOURS / 24


def test_the_level_of_a_topic_is_a_bump_around_its_hour_on_weekdays_and_at_weekends():
    audience, _ = started(TimingAudience, sharpness=1.7, hours_between=1)
    levels = np.log(expected_of_all(audience, WEEK))
    weekend = HOURS >= 5 * 24
    for topic in range(5):
        phases = []
        for when in (weekend, ~weekend):
            mean, amplitude, phase, error = wave(levels[when, topic], ANGLES[when])
            assert error < 1e-9
            assert amplitude == pytest.approx(1.7)
            assert 5 <= np.exp(mean + amplitude) <= 10  # 10 * w at the peak
            phases.append(phase)
        assert phases[0] == pytest.approx(phases[1])


def test_peaks_and_weights_are_uniform():
    audience, _ = started(TimingAudience, topics=1000, sharpness=1.0, hours_between=1)
    levels = np.log(audience.means)
    of_both = []
    for when in (HOURS >= 120, HOURS < 120):
        mean, amplitude, phase = np.array(
            [wave(levels[when, topic], ANGLES[when])[:3] for topic in range(1000)]
        ).T
        weights = np.exp(mean + amplitude) / 10
        of_both.append(weights)
        assert stats.kstest(weights, "uniform", args=(0.5, 0.5)).pvalue > IMPLAUSIBLE
        assert stats.kstest(phase / (2 * np.pi), "uniform").pvalue > IMPLAUSIBLE
    assert abs(np.corrcoef(of_both)[0, 1]) < 0.13  # weekends have weights of their own


def test_the_best_score_is_that_of_the_best_topic_of_the_moment():
    audience, rng = started(TimingAudience)
    levels = expected_of_all(audience, 50)
    actions = rng.integers(0, 5, 50)
    _, expected, best = audience.respond(actions, rng)
    assert (best == levels.max(axis=1)).all()
    assert (expected == levels[np.arange(50), actions]).all()
    assert len(set(levels.argmax(axis=1))) > 1


def test_noise_is_normal():
    audience, rng = started(TimingAudience, noise=0.5)
    scores, expected, _ = audience.respond(rng.integers(0, 5, 20_000), rng)
    assert_standard_normal((scores - expected) / 0.5)


@pytest.mark.parametrize("between", [1, 5, 24, 168])
def test_the_week_begins_on_monday_and_goes_on_in_equal_steps(between):
    audience, rng = started(TimingAudience, hours_between=between)
    audience.respond(np.zeros(3, int), rng)
    hours = between * np.arange(3, 103)
    expected = np.stack([hours % 24, hours // 24 % 7], axis=1)
    assert audience.observe(100).tolist() == expected.tolist()


def test_five_hours_between_posts_meet_every_hour_of_the_week():
    audience, _ = started(TimingAudience)
    assert len(set(map(tuple, audience.observe(WEEK)))) == WEEK


def test_half_of_the_community_writes_about_what_is_best_at_the_time():
    audience, rng = started(TimingAudience)
    actions, contexts = audience.community(100_000, rng)
    hours = contexts @ [1, 24]
    assert_counts(np.bincount(hours, minlength=WEEK), np.full(WEEK, 1 / WEEK))
    audience.hours_between = 1
    best = expected_of_all(audience, WEEK).argmax(axis=1)
    right = actions == best[hours]
    assert_counts(np.array([right.sum(), (~right).sum()]), np.array([0.6, 0.4]))
    other = (actions - best[hours])[~right] % 5
    assert_counts(np.bincount(other, minlength=5)[1:], np.full(4, 1 / 4))


def test_scraped_posts_carry_the_time_at_which_they_were_made():
    env = gym.make("Kilroy-Timing-v0")
    env.reset(seed=0)
    posts = [post for _, post in env.unwrapped.scrap(200)]
    assert all(env.unwrapped.observations.structured.contains(post.context) for post in posts)
    assert len({tuple(post.context) for post in posts}) > 100


def test_observations_are_the_same_in_a_round_as_one_after_another():
    scalar, vector = gym.make("Kilroy-Timing-v0"), gym.make_vec("Kilroy-Timing-v0", num_envs=3)
    observation, _ = scalar.reset(seed=0)
    observations, _ = vector.reset(seed=0)
    for _ in range(60):
        following, _, _, _, infos = vector.step([0, 0, 0])
        for slot in range(3):
            assert observation.tolist() == observations[slot].tolist()
            final, *_ = scalar.step(0)
            assert infos["final_obs"][slot].tolist() == final.tolist()
            observation, _ = scalar.reset()
            assert observation.tolist() == final.tolist()
        observations = following
