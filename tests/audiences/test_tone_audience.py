import numpy as np
import pytest
from scipy import stats
from worlds import IMPLAUSIBLE, assert_standard_normal, started

from kilroy_gym.audiences import ToneAudience


def action_of(tones):
    return np.asarray(tones) / 5 - 1


@pytest.mark.parametrize("scales", [1, 3])
def test_the_best_tone_earns_the_best_score_and_half_of_it_is_lost_a_width_away(scales):
    audience, rng = started(ToneAudience, scales=scales, width=1.5)
    tones = audience.best_tone + np.array([[0.0], [1.5], [-1.5], [3.0]])
    _, expected, best = audience.respond(action_of(tones), rng)
    assert best == 1
    np.testing.assert_allclose(expected, [1, 1 / 2, 1 / 2, 1 / 5])


def test_the_distance_is_the_mean_over_the_scales():
    audience, rng = started(ToneAudience, scales=2, width=1.0)
    _, expected, _ = audience.respond(action_of(audience.best_tone + np.array([2.0, 0.0])), rng)
    assert expected == pytest.approx(1 / (1 + 4 / 2))


def test_noise_is_normal():
    audience, rng = started(ToneAudience, noise=0.3)
    scores, expected, _ = audience.respond(rng.uniform(-1, 1, (20_000, 1)), rng)
    assert_standard_normal((scores - expected) / 0.3)


def test_the_best_tone_is_anywhere_from_three_to_seven():
    worlds = [started(ToneAudience, seed, scales=100)[0].best_tone for seed in range(50)]
    assert min(map(min, worlds)) >= 3
    assert max(map(max, worlds)) <= 7
    assert stats.kstest(np.ravel(worlds), "uniform", args=(3, 4)).pvalue > IMPLAUSIBLE
    assert not np.array_equal(worlds[0], worlds[1])


def test_the_community_is_off_by_the_offset_up_or_down():
    audience, rng = started(ToneAudience, scales=100, offset=1.5)
    steps = audience.habit - audience.best_tone
    np.testing.assert_allclose(np.abs(steps), 1.5)
    assert 30 < (steps > 0).sum() < 70
    actions, contexts = audience.community(20_000, rng)
    assert contexts is None
    tones = (actions + 1) * 5
    scale = int(np.argmin(np.abs(audience.habit - 5)))  # the ends of the scale are far from there
    inside = (tones[:, scale] > 0) & (tones[:, scale] < 10)
    assert inside.mean() > 0.999
    assert_standard_normal(tones[inside, scale] - audience.habit[scale])
