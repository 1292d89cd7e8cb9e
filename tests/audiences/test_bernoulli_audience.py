import numpy as np

from kilroy_gym.audiences import BernoulliAudience

RNG = np.random.default_rng(0)


def test_true_scores_plus_one_and_false_minus_one():
    scores, expected, best = BernoulliAudience().respond(np.array([0, 1, 1]), RNG)
    assert scores.tolist() == expected.tolist() == [-1.0, 1.0, 1.0]
    assert best == 1.0


def test_every_third_post_of_the_community_is_true():
    assert BernoulliAudience().community(7, RNG)[0].tolist() == [1, 0, 0, 1, 0, 0, 1]
