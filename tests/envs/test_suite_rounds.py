"""What happens in every environment that is registered, alone and in rounds."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence as same
from parts import ManualClock
from playing import SAME_STEP, every_id, play, play_on


def shape_of(info):
    """Returns the keys of an info with the types of the values, and the masks themselves."""
    return {
        key: shape_of(value)
        if isinstance(value, dict)
        else value.tolist()
        if key.startswith("_")
        else (value.dtype, value.shape)
        for key, value in info.items()
    }


@every_id
def test_the_same_seed_gives_the_same_trajectory(env_id):
    env = gym.make(env_id)
    first = play(env)
    assert same(play(env), first)
    assert same(play(gym.make(env_id)), first)


@every_id
@pytest.mark.parametrize(
    "how", [{}, {"vectorization_mode": "sync", "vector_kwargs": SAME_STEP}, {"wait": False}]
)
def test_the_same_seed_gives_the_same_trajectory_in_make_vec(env_id, how):
    env = gym.make_vec(env_id, num_envs=3, **how)
    first = play(env)
    assert same(play(env), first)
    assert same(play(gym.make_vec(env_id, num_envs=3, **how)), first)


@every_id
def test_a_round_equals_the_same_posts_one_after_another(env_id):
    scalar, vector = gym.make(env_id), gym.make_vec(env_id, num_envs=4)
    scalar.reset(seed=0)
    vector.reset(seed=0)
    vector.action_space.seed(0)
    written = [[] for _ in range(4)]
    for _ in range(10):
        actions = vector.action_space.sample()
        _, rewards, terminated, _, infos = vector.step(actions)
        for slot, action in enumerate(actions):
            written[slot].append(action)
            if not terminated[slot]:
                assert rewards[slot] == 0
                continue
            scalar.reset()
            *_, (observation, reward, ended, _, info) = map(scalar.step, written[slot])
            assert ended
            assert reward == rewards[slot]
            assert np.array_equal(observation, infos["final_obs"][slot])
            assert info == {
                key: values[slot]
                for key, values in infos["final_info"].items()
                if not key.startswith("_")
            }
            written[slot] = []


@every_id
def test_posting_and_playing_arrays_are_the_same(env_id):
    """With a feed or with times a post is made of every action; else none is."""
    assert same(play(gym.make(env_id, render_mode="ansi")), play(gym.make(env_id)))
    timed = gym.make_vec(env_id, num_envs=3, score_delay_s=1.0, clock=ManualClock())
    assert same(play(timed), play(gym.make_vec(env_id, num_envs=3)))


@every_id
def test_without_waiting_nothing_is_lost(env_id):
    env, waiting = (gym.make_vec(env_id, num_envs=3, wait=wait) for wait in (False, True))
    came, expected = {}, {}
    for (_, rewards, _, _, infos), (_, scores, _, _, final) in zip(
        play(env)[1:], play(waiting)[1:], strict=True
    ):
        assert ("final_info" in infos) == ("final_info" in final)
        came.update(infos["arrived"])
        if "final_info" not in infos:
            continue
        sent = infos["_final_info"]
        ids = infos["final_info"]["post_id"]
        expected.update(zip(ids[sent].tolist(), scores[sent].tolist(), strict=True))
        known = sent & ~infos["final_info"]["pending"]
        came.update(zip(ids[known].tolist(), rewards[known].tolist(), strict=True))
    came.update(env.unwrapped.drain())
    assert came == expected


@every_id
def test_the_info_has_the_keys_of_sync_vector_env(env_id):
    separate = gym.make_vec(env_id, num_envs=2, vectorization_mode="sync", vector_kwargs=SAME_STEP)
    together = gym.make_vec(env_id, num_envs=2)
    assert separate.observation_space == together.observation_space
    assert separate.action_space == together.action_space
    for ours, theirs in zip(play(together), play(separate), strict=True):
        assert shape_of(ours[-1]) == shape_of(theirs[-1])


@every_id
def test_record_episode_statistics_reports_one_episode_a_post(env_id):
    env = gym.wrappers.RecordEpisodeStatistics(gym.make(env_id))
    scores, steps = [], 0
    for happened in play(env)[1:]:
        if len(happened) == 5:
            _, reward, ended, _, info = happened
            steps += 1
            if ended:
                scores.append(reward)
                assert (info["episode"]["r"], info["episode"]["l"]) == (reward, steps)
                steps = 0
    assert list(env.return_queue) == scores


@pytest.mark.skipif(
    tuple(map(int, gym.__version__.split(".")[:2])) < (1, 4),
    reason="Gymnasium's vector wrapper took every mode for NEXT_STEP (its pull request 1624)",
)
@every_id
def test_vector_record_episode_statistics_reports_one_episode_a_post(env_id):
    env = gym.wrappers.vector.RecordEpisodeStatistics(gym.make_vec(env_id, num_envs=3))
    posts = 0
    for _, rewards, terminated, _, infos in play(env)[1:]:
        posts += terminated.sum()
        if terminated.any():
            assert infos["episode"]["r"].tolist() == rewards.tolist()
            assert infos["_episode"].tolist() == terminated.tolist()
    assert env.episode_count == posts


@every_id
def test_a_warm_start_changes_no_later_audience_draw(env_id):
    env = gym.make(env_id)
    cold = play(env)[1:]
    env.reset(seed=0)
    posts = list(env.get_wrapper_attr("scrap")(30))
    assert len(posts) == 30
    assert same(list(play_on(env, 20, 0)), cold)


@every_id
@pytest.mark.parametrize("make", [gym.make, lambda i: gym.make_vec(i, num_envs=2)])
def test_a_snapshot_goes_on_alike_and_changes_nothing(env_id, make):
    env, reference = make(env_id), make(env_id)
    for one in (env, reference):
        play(one, steps=3)
    actions = [env.action_space.sample() for _ in range(5)]
    twin = env.unwrapped.snapshot()
    copied = [twin.step(action) for action in actions]
    play(twin, seed=9)
    going_on = [env.unwrapped.step(action) for action in actions]
    assert same(going_on, copied)
    assert same(going_on, [reference.unwrapped.step(action) for action in actions])
