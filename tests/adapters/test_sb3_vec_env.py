import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from hypothesis import given
from hypothesis import strategies as st
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from kilroy_gym import FaceVectorEnv
from kilroy_gym.adapters.sb3 import KilroyVecEnv
from kilroy_gym.audiences import BernoulliAudience
from kilroy_gym.codecs import BinaryCodec
from kilroy_gym.faces import SimulatedFace

ENV = "Kilroy-Bernoulli-v0"


class Steps(gym.Env):
    """Episodes of some steps, ended or cut off by turns, with the step's number as observation."""

    observation_space = gym.spaces.Box(0.0, 100.0, (1,), np.float64)
    action_space = gym.spaces.Discrete(10)

    def __init__(self, lengths):
        self.lengths, self.episodes, self.number = lengths, -1, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episodes, self.number = self.episodes + 1, 0
        return np.zeros(1), {"begun": self.episodes}

    def step(self, action):
        self.number += 1
        length, truncated = self.lengths[self.episodes % len(self.lengths)]
        done = self.number >= length
        info = {"number": self.number} if self.number % 2 else {}
        return (
            np.full(1, self.number),
            0.5 * action,
            done and not truncated,
            done and truncated,
            info,
        )


def vector(kind, slots=3):
    mode = AutoresetMode.SAME_STEP
    if kind == "sync":
        return SyncVectorEnv([lambda: gym.make(ENV)] * slots, autoreset_mode=mode)
    env = gym.make_vec(ENV, num_envs=slots)
    return RecordEpisodeStatistics(env) if kind == "wrapped" else env


def without_time(info):
    episode = {key: value for key, value in info.get("episode", {}).items() if key != "t"}
    return {**info, "episode": episode}


@pytest.mark.parametrize("kind", ["round", "wrapped", "sync"])
def test_a_step_is_what_stable_baselines_own_environments_make_of_it(kind):
    ours, theirs = KilroyVecEnv(vector(kind)), make_vec_env(ENV, n_envs=3)
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    for actions in np.array([[1, 0, 1], [0, 0, 1]]):
        (obs, rewards, dones, infos), expected = ours.step(actions), theirs.step(actions)
        np.testing.assert_array_equal(obs, expected[0])
        np.testing.assert_array_equal(rewards, expected[1])
        np.testing.assert_array_equal(dones, expected[2])
        assert rewards.dtype == expected[1].dtype
        for info, other in zip(infos, expected[3], strict=True):
            info["post_id"] = other["post_id"]  # these are separate audiences with separate ids
            assert without_time(info) == without_time(other)
            assert info["episode"].keys() == other["episode"].keys()


def test_the_posts_of_a_round_have_their_own_ids_and_truths():
    vec = KilroyVecEnv(gym.make_vec(ENV, num_envs=2))
    vec.reset()
    vec.step(np.array([1, 0]))
    _, _, _, infos = vec.step(np.array([0, 1]))
    assert [info["post_id"] for info in infos] == [2, 3]
    assert [info["expected_score"] for info in infos] == [-1.0, 1.0]
    assert [info["best_score"] for info in infos] == [1.0, 1.0]


episodes = st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=3)


@given(st.lists(episodes, min_size=1, max_size=4), st.integers(0, 100))
def test_longer_episodes_add_up_in_every_slot_and_end_as_with_monitors(slots, seed):
    makers = [lambda lengths=lengths: Steps(lengths) for lengths in slots]
    ours = KilroyVecEnv(SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP))
    theirs = DummyVecEnv([lambda make=make: Monitor(make()) for make in makers])
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    assert ours.reset_infos == theirs.reset_infos
    rng = np.random.default_rng(seed)
    for _ in range(12):
        actions = rng.integers(10, size=len(slots))
        (obs, rewards, dones, infos), expected = ours.step(actions), theirs.step(actions)
        np.testing.assert_array_equal(obs, expected[0])
        np.testing.assert_array_equal(rewards, expected[1])
        np.testing.assert_array_equal(dones, expected[2])
        assert [without_time(info) for info in infos] == [without_time(i) for i in expected[3]]
        assert ours.reset_infos == theirs.reset_infos


def test_an_environment_of_one_post_a_step_is_a_single_slot():
    vec = KilroyVecEnv(TimeLimit(gym.make(ENV), 5))
    vec.reset()
    _, rewards, dones, infos = vec.step(np.array([1]))
    assert (vec.num_envs, rewards.tolist(), dones.tolist()) == (1, [1.0], [True])
    assert not infos[0]["TimeLimit.truncated"]


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED])
def test_other_ways_to_reset_are_refused(mode):
    env = SyncVectorEnv([lambda: gym.make(ENV)], autoreset_mode=mode)
    with pytest.raises(ValueError, match="must have autoreset_mode=SAME_STEP"):
        KilroyVecEnv(env)


def test_an_environment_without_codec_is_refused_and_the_codecs_are_named():
    with pytest.raises(TypeError, match=r"codec=BinaryCodec\(\), CategoricalCodec"):
        KilroyVecEnv(FaceVectorEnv(SimulatedFace(BernoulliAudience()), 2))


def test_an_environment_that_does_not_wait_for_scores_is_refused_with_the_reason():
    env = FaceVectorEnv(SimulatedFace(BernoulliAudience()), 2, BinaryCodec(), wait=False)
    with pytest.raises(ValueError, match=r"a pending score reads as 0\.0"):
        KilroyVecEnv(env)


def test_what_is_no_environment_is_refused():
    with pytest.raises(TypeError, match="must be a Gymnasium environment"):
        KilroyVecEnv(make_vec_env(ENV))


@pytest.mark.parametrize("kind", ["round", "wrapped", "sync"])
def test_a_seed_starts_the_world_over_once(kind):
    vec = KilroyVecEnv(vector(kind))
    face = vec.get_attr("face")[0]

    def begin():
        vec.reset()
        return face.__dict__["_rng"].random()

    vec.seed(3)
    first = begin()
    later = begin()
    vec.seed(3)
    assert begin() == first != later


@pytest.mark.parametrize("kind", ["round", "wrapped", "sync"])
def test_attributes_and_methods_of_the_environment_can_be_reached(kind):
    vec = KilroyVecEnv(vector(kind))
    faces = vec.get_attr("face")
    assert len({id(face) for face in faces}) == (3 if kind == "sync" else 1)
    assert vec.get_attr("codec", indices=1) == [faces[1].codec]
    assert vec.has_attr("post_rate")
    assert not vec.has_attr("nonsense")
    vec.set_attr("label", "a", indices=[0])
    assert vec.get_attr("label", indices=0) == ["a"]
    assert len(vec.env_method("snapshot", indices=[0, 2])) == 2
    assert vec.env_method("scrap", 1)[0] is not None


def test_a_shared_environment_is_called_once_for_all_slots():
    vec = KilroyVecEnv(vector("round"))
    scrapes = vec.env_method("scrap")
    assert scrapes[0] is scrapes[1] is scrapes[2]


def test_wrappers_are_found_and_a_monitor_is_built_in():
    vec = KilroyVecEnv(vector("wrapped"))
    assert vec.env_is_wrapped(Monitor) == [True] * 3
    assert vec.env_is_wrapped(RecordEpisodeStatistics, indices=0) == [True]
    assert vec.env_is_wrapped(TimeLimit) == [False] * 3
    inside = KilroyVecEnv(TimeLimit(gym.make(ENV), 5))
    assert inside.env_is_wrapped(TimeLimit) == [True]


def test_it_renders_and_closes():
    env = gym.make_vec(ENV, num_envs=2, render_mode="rgb_array")
    vec = KilroyVecEnv(env)
    vec.reset()
    vec.step(np.array([0, 1]))
    assert vec.render().shape == (200, 400, 3)
    vec.close()
    assert env.closed
