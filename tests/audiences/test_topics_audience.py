import numpy as np
import pytest
from scipy import stats
from worlds import IMPLAUSIBLE, assert_counts, started

from kilroy_gym.audiences import TopicsAudience

POSTS = 100_000


@pytest.mark.parametrize("topic", [0, 3, 9])
def test_likes_are_a_negative_binomial(topic):
    audience, rng = started(TopicsAudience, dispersion=1.5)
    scores, expected, best = audience.respond(np.full(POSTS, topic), rng)
    mean = audience.means[topic]
    variance = mean + mean**2 / 1.5
    assert (expected == mean).all()
    assert best == audience.means.max()
    assert scores.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / POSTS))
    assert scores.var() == pytest.approx(variance, rel=0.05)
    # Greenwood and Yule: a Poisson count whose rate is gamma-distributed
    law = stats.nbinom(1.5, 1.5 / (1.5 + mean))
    end = int(law.ppf(0.999))
    counts = np.bincount(np.minimum(scores, end).astype(int), minlength=end + 1)
    shares = np.append(law.pmf(np.arange(end)), law.sf(end - 1))
    assert_counts(counts[-10:], shares[-10:] / shares[-10:].sum())
    assert_counts(counts[:20], shares[:20] / shares[:20].sum())


def test_the_means_of_topics_are_log_normal():
    audience, _ = started(TopicsAudience, topics=10_000, likes=5.0, spread=0.4)
    tastes = np.log(audience.means / 5) / 0.4
    assert stats.kstest(tastes, "norm").pvalue > IMPLAUSIBLE


@pytest.mark.parametrize("relation", [-1.0, 1.0])
def test_a_related_community_writes_by_what_is_liked(relation):
    audience, _ = started(TopicsAudience, relation=relation, focus=2.0)
    weights = np.exp(2 * relation * np.log(audience.means / 20) / audience.spread)
    np.testing.assert_allclose(audience.shares, weights / weights.sum())


@pytest.mark.parametrize("relation", [-0.5, 0.0, 0.7])
def test_what_is_written_correlates_with_what_is_liked(relation):
    audience, _ = started(TopicsAudience, topics=10_000, relation=relation)
    found = np.corrcoef(np.log(audience.means), np.log(audience.shares))[0, 1]
    assert found == pytest.approx(relation, abs=0.04)
    assert np.log(audience.shares).std() == pytest.approx(audience.focus, rel=0.03)


def test_the_community_writes_by_its_shares():
    audience, rng = started(TopicsAudience)
    actions, _ = audience.community(POSTS, rng)
    assert_counts(np.bincount(actions, minlength=10), audience.shares)
