"""Posts that are composed token by token."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import InvalidAction
from hypothesis import given
from hypothesis import strategies as st
from parts import ManualClock

from kilroy_gym.envs import ComposedEnv, ComposedVectorEnv

BEFORE = {"post_id": -1, "expected_score": 0.0, "best_score": 0.0}
STEPS, WHOLE = "Kilroy-ZigzagSteps-v0", "Kilroy-Zigzag-v0"
NOTHING_YET = 10
tokens = st.integers(0, 9)


def make(env_id=STEPS, **kwargs):
    return gym.make(env_id, observation="discrete", **kwargs)


def make_vec(slots, **kwargs):
    return gym.make_vec(STEPS, slots, observation="discrete", **kwargs)


either = pytest.mark.parametrize("make", [make, lambda: make_vec(1)], ids=["make", "make_vec"])


def compose(env, written):
    """Writes tokens into a new post; returns the last step."""
    env.reset()
    return [env.step(token) for token in written][-1]


def test_a_post_is_written_token_by_token_and_scored_at_its_end():
    env = make()
    assert env.observation_space == gym.spaces.MultiDiscrete([11] * 5)
    assert env.action_space == gym.spaces.Discrete(10)
    observation, _ = env.reset(seed=0)
    assert observation.tolist() == [1, 10, 10, 10, 10]
    for token, so_far in [(9, [1, 9, 10, 10, 10]), (0, [1, 9, 0, 10, 10])]:
        observation, *rest = env.step(token)
        assert observation.tolist() == so_far
        assert rest == [0.0, False, False, BEFORE]
    observation, reward, terminated, truncated, info = env.step(2)
    assert observation.tolist() == [1, 9, 0, 2, 10]
    assert (reward, terminated, truncated) == (19 / 36, True, False)
    assert info == {"post_id": 0, "expected_score": 19 / 36, "best_score": 35 / 36}


def test_the_best_post_earns_the_best_score():
    _, reward, terminated, _, info = compose(gym.make(STEPS), [9, 0, 9, 0])
    assert terminated
    assert reward == info["best_score"] == 35 / 36


@given(
    slots=st.integers(1, 4),
    written=st.lists(st.lists(st.sampled_from([0, 2, 9]) | tokens, min_size=4, max_size=4)),
    length=st.integers(2, 6),
)
def test_every_slot_composes_its_own_post_and_finished_ones_go_out_in_order(slots, written, length):
    env = make_vec(slots, length=length)
    whole = make(WHOLE, length=length)
    env.reset(seed=0)
    drafts, made = [[1] for _ in range(slots)], 0
    for row in written:
        observations, rewards, terminated, truncated, infos = env.step(np.array(row[:slots]))
        assert not truncated.any()
        for slot, token in enumerate(row[:slots]):
            drafts[slot].append(token)
            ended = token == 2 or len(drafts[slot]) == length
            assert terminated[slot] == ended
            if ended:
                so_far = drafts[slot] + [NOTHING_YET] * (length - len(drafts[slot]))
                assert infos["final_obs"][slot].tolist() == so_far
                assert infos["final_info"]["post_id"][slot] == made
                whole.reset()
                post = drafts[slot][1:] + [2] * (length - len(drafts[slot]))
                assert rewards[slot] == whole.step(np.array(post))[1]
                drafts[slot], made = [1], made + 1
            else:
                assert rewards[slot] == 0
            so_far = drafts[slot] + [NOTHING_YET] * (length - len(drafts[slot]))
            assert observations[slot].tolist() == so_far
        assert ("final_info" in infos) == terminated.any()
        for key, values in infos.items():
            if key.startswith("_"):
                assert values.tolist() == (terminated | (not key.startswith("_final"))).tolist()
        assert infos["post_id"].tolist() == [-1] * slots


@either
def test_a_post_that_is_dropped_at_a_reset_never_goes_out(make):
    env = make()
    env.reset(seed=0)
    act = (lambda token: token) if isinstance(env, gym.Env) else (lambda token: [token])
    env.step(act(9))
    observation, _ = env.reset()
    assert np.ravel(observation).tolist() == [1, 10, 10, 10, 10]
    *_, info = env.step(act(2))
    assert np.ravel(info.get("final_info", info)["post_id"]).tolist() == [0]
    with pytest.raises(KeyError, match="no post 1"):
        env.unwrapped.face.score(1)


def test_a_step_after_the_end_begins_the_next_post():
    env = make().unwrapped
    compose(env, [2])
    assert env.step(7)[0].tolist() == [1, 7, 10, 10, 10]


@pytest.mark.parametrize("wrong", [10, -1, 1.5, None, [1]])
def test_what_is_no_token_is_refused_and_not_written(wrong):
    env, vector = make().unwrapped, make_vec(2)
    env.reset(seed=0)
    vector.reset(seed=0)
    with pytest.raises(InvalidAction, match="action"):
        env.step(wrong)
    with pytest.raises(InvalidAction, match="action"):
        vector.step([3, wrong])
    assert env.step(5)[0].tolist() == [1, 5, 10, 10, 10]
    assert vector.step([5, 6])[0].tolist() == [[1, 5, 10, 10, 10], [1, 6, 10, 10, 10]]


def test_a_step_with_too_few_tokens_is_refused():
    env = gym.make_vec(STEPS, num_envs=3)
    env.reset(seed=0)
    with pytest.raises(InvalidAction, match="a round has 3 actions, got 2"):
        env.step([1, 1])


@either
def test_what_is_handed_out_is_not_written_on_later(make):
    env = make()
    first, _ = env.reset(seed=0)
    action = 4 if isinstance(env, gym.Env) else [4]
    second = env.step(action)[0]
    first[...], second[...] = 0, 0
    assert np.ravel(env.step(action)[0]).tolist() == [1, 4, 4, 10, 10]


@pytest.mark.parametrize("audience", ["TopicsAudience", "TimingAudience", "ToneAudience"])
@pytest.mark.parametrize("make", [ComposedEnv, lambda name: ComposedVectorEnv(name, 2)])
def test_an_audience_of_other_posts_is_refused(make, audience):
    with pytest.raises(ValueError, match=f"with a TokenCodec.*{audience} has"):
        make(audience)


def test_a_score_that_is_waited_for_is_the_last_tokens_reward():
    clock = ManualClock()
    env = gym.make(STEPS, post_rate=1.0, score_delay_s=5.0, clock=clock)
    _, reward, terminated, _, _ = compose(env, [9, 0, 9, 0])
    assert (reward, terminated, clock.now) == (35 / 36, True, 5.0)


def test_without_waiting_late_scores_arrive_at_the_end_of_later_posts():
    clock = ManualClock()
    env = gym.make_vec(STEPS, 2, wait=False, post_rate=1.0, score_delay_s=3.0, clock=clock)
    env.reset(seed=0)
    *_, infos = env.step([2, 9])
    assert infos["final_info"]["pending"].tolist() == [True, False]
    assert infos["_final_info"].tolist() == [True, False]
    *_, infos = env.step([0, 0])
    assert infos["arrived"] == {}
    assert infos["post_id"].tolist() == [-1, -1]
    *_, infos = env.step([2, 2])
    assert infos["arrived"] == {0: 1 / 36}
    *_, infos = env.step([2, 9])
    assert infos["arrived"] == {1: 3 / 36}
    assert env.drain() == {2: 19 / 36, 3: 1 / 36}
