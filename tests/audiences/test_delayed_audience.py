import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import assert_counts, assert_standard_normal, started

from kilroy_gym import PostData, ScorePending
from kilroy_gym.audiences import DelayedAudience
from kilroy_gym.faces import SimulatedFace

ENV = "Kilroy-Delayed-v0"


def test_noise_is_normal():
    audience, rng = started(DelayedAudience, noise=2.0)
    actions = rng.integers(0, 5, 20_000)
    scores, expected, best = audience.respond(actions, rng)
    assert (expected == audience.means[actions]).all()
    assert best == audience.means.max()
    assert_standard_normal((scores - expected) / 2)


def test_what_is_liked_is_normal_around_five():
    audience, _ = started(DelayedAudience, topics=10_000)
    assert_standard_normal((audience.means - 5) / 2)


def test_the_community_writes_a_little_more_about_what_is_liked():
    audience, rng = started(DelayedAudience)
    weights = np.exp(audience.means / 4)
    counts = np.bincount(audience.community(50_000, rng)[0], minlength=5)
    assert_counts(counts, weights / weights.sum())


@pytest.mark.parametrize(
    ("score", "delay"),
    # q = d / (1 + |d|) is 0, 1/2, -1/2, 9/10, -9/10 and next to 1 and -1
    [(5, 50), (7, 25), (3, 75), (23, 5), (-13, 95), (1e9, 0), (-1e9, 100)],
)
def test_the_delay_follows_from_the_score(score, delay):
    assert DelayedAudience(longest=100, noise=2.0).delay(score) == delay


@given(
    scores=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2).map(sorted),
    longest=st.integers(0, 10_000),
    noise=st.floats(0.01, 1000),
)
def test_a_better_score_is_never_known_later(scores, longest, noise):
    worse, better = map(DelayedAudience(longest=longest, noise=noise).delay, scores)
    assert 0 <= better <= worse <= longest


@given(
    seed=st.integers(0, 2**32),
    xs=st.lists(st.integers(0, 4), min_size=1, max_size=40),
    longest=st.integers(0, 20),
)
def test_a_score_is_known_after_exactly_as_many_later_posts(seed, xs, longest):
    audience = DelayedAudience(longest=longest)
    face = SimulatedFace(audience, seed)
    twin = SimulatedFace(DelayedAudience(longest=longest), seed)
    scores = twin.play(np.array(xs))[1][0]
    for number, x in enumerate(xs):
        assert face.post(PostData(x)) == number
        for earlier in range(number + 1):
            if number - earlier >= audience.delay(scores[earlier]):
                assert face.score(earlier) == scores[earlier]
            else:
                with pytest.raises(ScorePending):
                    face.score(earlier)


@given(
    seed=st.integers(0, 2**32),
    slots=st.integers(1, 5),
    rounds=st.integers(1, 12),
    longest=st.integers(0, 30),
)
def test_without_waiting_every_score_comes_once_and_is_the_right_one(seed, slots, rounds, longest):
    env = gym.make_vec(ENV, num_envs=slots, wait=False, longest=longest)
    waiting = gym.make_vec(ENV, num_envs=slots, longest=longest)
    env.reset(seed=seed)
    waiting.reset(seed=seed)
    delay = env.unwrapped.face.audience.delay
    came, right = [], {}
    for number in range(rounds):
        actions = (np.arange(slots) + number) % 5
        _, rewards, _, _, infos = env.step(actions)
        _, scores, _, _, final = waiting.step(actions)
        ids = infos["final_info"]["post_id"].tolist()
        assert ids == final["final_info"]["post_id"].tolist()
        right.update(zip(ids, scores.tolist(), strict=True))
        known = [i for i, s in right.items() if ids[-1] - i >= delay(s)]
        pending = infos["final_info"]["pending"]
        came += [
            (i, r) for i, r, late in zip(ids, rewards.tolist(), pending, strict=True) if not late
        ]
        came += infos["arrived"].items()
        assert sorted(i for i, _ in came) == known
        assert rewards[pending].tolist() == [0.0] * pending.sum()
    came += env.unwrapped.drain().items()
    assert sorted(came) == sorted(right.items())
    assert env.unwrapped.drain() == {}


@pytest.mark.parametrize("longest", [0, 30, 10_000])
def test_whoever_waits_gets_the_same_scores_as_without_delay(longest):
    """The feed makes posts go out one by one, and be waited for one by one."""
    at_once, waiting = gym.make(ENV, longest=0), gym.make(ENV, longest=longest, render_mode="ansi")
    at_once.reset(seed=0)
    waiting.reset(seed=0)
    for action in (0, 1, 2, 3, 4):
        assert waiting.step(action) == at_once.step(action)
        at_once.reset()
        waiting.reset()


def test_a_round_waits_for_all_its_scores():
    at_once = gym.make_vec(ENV, num_envs=4)
    waiting = gym.make_vec(ENV, num_envs=4, render_mode="ansi")
    for env in (at_once, waiting):
        env.reset(seed=0)
    for _ in range(5):
        _, rewards, _, _, infos = waiting.step([0, 1, 2, 3])
        assert rewards.tolist() == at_once.step([0, 1, 2, 3])[1].tolist()
        assert "pending" not in infos["final_info"]
