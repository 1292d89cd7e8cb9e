from itertools import product

import gymnasium as gym
import numpy as np
import pytest
from worlds import assert_counts, started

from kilroy_gym.audiences import ZigzagAudience


def zigzag(tokens, vocabulary=10, length=5):
    """Scores the tokens after the start as the original experiment did, in plain Python."""
    total, before = 0, 1
    for token in tokens:
        total += abs(token - before)
        if token == 2:
            break
        before = token
    return total / ((vocabulary - 1) * (length - 1))


def every_action(vocabulary, length):
    return np.array(list(product(range(vocabulary), repeat=length - 1)))


def test_every_one_of_ten_thousand_posts_scores_as_counted_by_hand():
    audience, rng = started(ZigzagAudience)
    actions = every_action(10, 5)
    scores, expected, best = audience.respond(actions, rng)
    assert scores.tolist() == expected.tolist() == [zigzag(action) for action in actions.tolist()]
    assert best == scores.max() == 35 / 36
    assert [tuple(action) for action in actions[scores == best].tolist()] == [(9, 0, 9, 0)]


@pytest.mark.parametrize(("vocabulary", "length"), [(4, 2), (4, 6), (7, 4), (30, 3)])
def test_the_best_is_known_in_closed_form(vocabulary, length):
    audience, rng = started(ZigzagAudience, vocabulary=vocabulary, length=length)
    actions = every_action(vocabulary, length)
    scores, _, best = audience.respond(actions, rng)
    assert scores.tolist() == [zigzag(a, vocabulary, length) for a in actions.tolist()]
    most = (vocabulary - 1) * (length - 1)
    assert best == scores.max() == (most - 1) / most


@pytest.mark.parametrize(
    ("action", "x", "score"),
    [
        ([9, 0, 9, 0], (1, 9, 0, 9, 0), 35 / 36),
        ([2, 9, 0, 9], (1, 2), 1 / 36),  # what follows a stop is ignored
        ([0, 2, 5, 5], (1, 0, 2), 3 / 36),  # 0 is a token like any other
        ([1, 1, 1, 1], (1, 1, 1, 1, 1), 0.0),  # so is the start
    ],
)
def test_scores_of_some_posts(action, x, score):
    env = gym.make("Kilroy-Zigzag-v0")
    env.reset(seed=0)
    assert env.unwrapped.codec.decode(action) == x
    assert env.step(np.array(action))[1] == score


def test_the_community_writes_any_token():
    audience, rng = started(ZigzagAudience)
    actions, _ = audience.community(10_000, rng)
    for position in range(4):
        assert_counts(np.bincount(actions[:, position], minlength=10), np.full(10, 0.1))
