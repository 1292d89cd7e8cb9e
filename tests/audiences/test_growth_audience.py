import numpy as np
import pytest
from scipy import stats
from worlds import IMPLAUSIBLE, assert_counts, assert_standard_normal, expected_of_all, started

from kilroy_gym.audiences import GrowthAudience


def level_and_scale(number):
    """Returns ``m_t`` and ``s_t``, of 10,000 posts from 0 to 10,000 and from 1 to 1,000."""
    share = min(number / 10_000, 1)
    return 10_000 * share, 1 + 999 * share


def test_the_level_and_the_scale_grow_linearly_and_then_stay():
    audience, rng = started(GrowthAudience, topics=3)
    levels = expected_of_all(audience, 12_000)
    for number in (0, 1, 2_500, 9_999, 10_000, 11_999):
        level, scale = level_and_scale(number)
        np.testing.assert_allclose(levels[number], level + scale * audience.means)
    _, _, best = audience.respond(np.zeros(12_000, int), rng)
    np.testing.assert_allclose(best, levels.max(axis=1))


def test_another_growth_has_its_own_end():
    audience, _ = started(GrowthAudience, topics=2, followers=500, posts=100)
    levels = expected_of_all(audience, 200)
    np.testing.assert_allclose(levels[0], audience.means)
    np.testing.assert_allclose(levels[50], 250 + 25.5 * audience.means)
    np.testing.assert_allclose(levels[100:], [500 + 50 * audience.means] * 100)


@pytest.mark.parametrize("first", [0, 5_000, 20_000])
def test_noise_is_normal_and_grows_with_the_scale(first):
    audience, rng = started(GrowthAudience, noise=0.7)
    audience.respond(np.zeros(first, int), rng)
    scores, expected, _ = audience.respond(rng.integers(0, 100, 20_000), rng)
    scales = np.array([level_and_scale(number)[1] for number in range(first, first + 20_000)])
    assert_standard_normal((scores - expected) / (scales * 0.7))


def test_what_is_liked_is_standard_normal():
    audience, _ = started(GrowthAudience, topics=10_000)
    assert stats.kstest(audience.means, "norm").pvalue > IMPLAUSIBLE


def test_the_community_writes_a_little_more_about_what_is_liked():
    audience, rng = started(GrowthAudience, topics=20)
    weights = np.exp(audience.means / 2)
    counts = np.bincount(audience.community(50_000, rng)[0], minlength=20)
    assert_counts(counts, weights / weights.sum())
