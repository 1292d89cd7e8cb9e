"""A world that no reset starts over, episodes of several posts, and a seed at every reset."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.utils.env_checker import data_equivalence as same
from gymnasium.vector import AutoresetMode
from parts import WallFace
from playing import every_id, finish, play

from kilroy_gym import FaceEnv, KilroyTrainer, ModuleAgent, PostData, module_for
from kilroy_gym.adapters.evaluation import mean_score
from kilroy_gym.comparison.plan import Plan
from kilroy_gym.envs.episodes import LoneResets
from kilroy_gym.modules import BernoulliModule

BERNOULLI = "Kilroy-Bernoulli-v0"


def make_vec(env_id, **kwargs):
    return gym.make_vec(env_id, num_envs=2, **kwargs)


@every_id
@pytest.mark.parametrize("make", [gym.make, make_vec])
def test_a_pinned_world_is_that_of_its_seed_and_goes_on_through_every_reset(env_id, make):
    pinned, plain = make(env_id, world_seed=3), make(env_id)
    for env, seed in ((pinned, 7), (plain, 3)):
        env.reset(seed=seed)
        env.action_space.seed(0)
    for seed in range(4):
        assert same(finish(pinned), finish(plain))
        pinned.reset(seed=seed)
        plain.reset()


@every_id
def test_the_seed_of_a_reset_only_seeds_the_environments_own_stream(env_id):
    env = gym.make(env_id, world_seed=0).unwrapped
    env.reset(seed=5)
    assert env.np_random.random() == np.random.default_rng(5).random()


@every_id
@pytest.mark.parametrize("make", [gym.make, make_vec])
def test_a_pinned_world_counts_as_nondeterministic(env_id, make):
    spec = make(env_id, world_seed=0).spec
    assert spec.nondeterministic
    assert not make(env_id).spec.nondeterministic
    if make is gym.make:
        assert EnvSpec.from_json(spec.to_json()) == spec


@every_id
def test_gymnasiums_checker_passes_on_a_pinned_world(env_id):
    check_env(gym.make(env_id, world_seed=0).unwrapped)


def test_a_live_face_has_no_world_to_pin():
    with pytest.raises(ValueError, match=r"world_seed starts a simulated world.*WallFace"):
        FaceEnv(WallFace(), world_seed=0)


@pytest.mark.parametrize("wrong", [-1, 0.5, "0", True])
def test_what_is_no_seed_is_refused(wrong):
    with pytest.raises(ValueError, match="world_seed must be an integer of at least 0"):
        gym.make(BERNOULLI, world_seed=wrong)


def test_a_trainer_with_a_seed_refuses_a_pinned_world():
    env = gym.make(BERNOULLI, world_seed=0)
    with pytest.raises(ValueError, match=r"world_seed pins the world.*trainer's seed"):
        KilroyTrainer(env, BernoulliModule(seed=0), seed=0)
    assert KilroyTrainer(env, BernoulliModule(seed=0)).run(1, progress_bar=False)


def test_a_comparison_refuses_a_pinned_world():
    gym.register(
        "Pinned-v0",
        entry_point="kilroy_gym.envs:SimulatedEnv",
        vector_entry_point="kilroy_gym.envs:SimulatedVectorEnv",
        kwargs={"audience": "BernoulliAudience", "world_seed": 0},
    )
    try:
        with pytest.raises(ValueError, match=r"world_seed pins the world.*every run"):
            Plan.checked("Pinned-v0", ["uniform"])
    finally:
        del gym.registry["Pinned-v0"]


@pytest.fixture
def unsaid(monkeypatch):
    monkeypatch.setattr(LoneResets, "_said", False)


def lone_posts(env, resets, posts=1):
    for number in range(resets):
        env.reset(seed=number)
        for _ in range(posts):
            finish(env)


def test_a_seed_at_every_reset_is_spoken_of_once(unsaid):
    env = gym.make(BERNOULLI)
    lone_posts(env, 50)
    with pytest.warns(UserWarning, match=r"50 resets had a seed.*world_seed=0"):
        env.reset(seed=50)
    other = gym.make(BERNOULLI)
    lone_posts(other, 60)  # a second warning would be an error here


@pytest.mark.parametrize(
    "play_on",
    [
        lambda: lone_posts(gym.make(BERNOULLI), 60, posts=2),
        lambda: lone_posts(gym.make(BERNOULLI, world_seed=0), 60),
        lambda: lone_posts(gym.wrappers.TransformAction(FaceEnv(WallFace()), None, None), 60, 0),
        lambda: [lone_posts(gym.make(BERNOULLI), 40) for _ in range(2)],
    ],
)
def test_nothing_is_said_where_no_world_is_lost(play_on, unsaid):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        play_on()


def test_a_reset_without_a_seed_ends_the_row(unsaid):
    env = gym.make(BERNOULLI)
    for _ in range(3):
        lone_posts(env, 40)
        env.reset()


@every_id
def test_an_episode_of_several_posts_ends_by_truncation(env_id):
    env, plain = gym.make(env_id, posts_per_episode=3), gym.make(env_id)
    for _ in range(2):
        env.reset(seed=0)
        plain.reset(seed=0)
        env.action_space.seed(0)
        posts = 0
        while posts < 3:
            action = env.action_space.sample()
            observation, score, terminated, truncated, info = env.step(action)
            known, expected, ended, _, expected_info = plain.step(action)
            posts += ended
            assert (score, info, terminated) == (expected, expected_info, False)
            assert truncated is (posts == 3)
            if ended:
                known, _ = plain.reset()
                if truncated:
                    break
            assert np.array_equal(observation, known)


@every_id
def test_gymnasiums_checker_passes_on_episodes_of_several_posts(env_id):
    check_env(gym.make(env_id, posts_per_episode=3).unwrapped)


@pytest.mark.parametrize("wrong", [0, 1, -3, 2.0, True, "2"])
def test_an_episode_of_several_posts_has_at_least_two(wrong):
    with pytest.raises(ValueError, match="posts_per_episode must be an integer of at least 2"):
        gym.make(BERNOULLI, posts_per_episode=wrong)


def test_gymnasiums_default_of_separate_audiences_wastes_a_step_per_episode():
    env = gym.make_vec(BERNOULLI, 2, vectorization_mode="sync", posts_per_episode=3)
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    env.reset(seed=0)
    for _ in range(40):
        env.step(np.array([1, 1]))
    for inside in env.envs:
        assert inside.unwrapped.face.post(PostData(True)) == 30


@pytest.mark.parametrize(
    "use",
    [
        lambda: gym.make_vec(BERNOULLI, 2, posts_per_episode=3),
        lambda: ModuleAgent(BernoulliModule(), gym.make(BERNOULLI, posts_per_episode=3)),
        lambda: KilroyTrainer(gym.make(BERNOULLI, posts_per_episode=3), BernoulliModule()),
    ],
)
def test_rounds_and_modules_refuse_episodes_of_several_posts(use):
    with pytest.raises(ValueError, match="posts_per_episode"):
        use()


def test_a_stable_baselines_environment_refuses_episodes_of_several_posts():
    sb3 = pytest.importorskip("kilroy_gym.adapters.sb3")
    with pytest.raises(ValueError, match="posts_per_episode=3"):
        sb3.KilroyVecEnv(gym.make(BERNOULLI, posts_per_episode=3))


def test_evaluation_reports_per_post():
    class Half:
        def __init__(self):
            self.posts = 0

        def predict(self, observation, state=None, episode_start=None, deterministic=False):
            self.posts += 1
            return self.posts % 2, state

    agent = Half()
    assert mean_score(agent, gym.make(BERNOULLI, posts_per_episode=4), 10) == 0.0
    assert agent.posts == 10


@every_id
def test_a_round_resets_in_the_same_step_and_says_so(env_id):
    env = gym.make_vec(env_id, 3)
    assert env.autoreset_mode is AutoresetMode.SAME_STEP
    for mode in (AutoresetMode.SAME_STEP, "SameStep"):
        assert same(play(gym.make_vec(env_id, 3, autoreset_mode=mode)), play(env))
    for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED, "NextStep", None):
        with pytest.raises(ValueError, match="a round resets in the SAME_STEP"):
            gym.make_vec(env_id, 3, autoreset_mode=mode)


def test_module_for_takes_a_pinned_world():
    assert isinstance(module_for(gym.make(BERNOULLI, world_seed=0)), BernoulliModule)
