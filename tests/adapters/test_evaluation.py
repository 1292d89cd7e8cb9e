"""How agents are evaluated: on copies of what they play, by the scores of the Face."""

import threading

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode
from parts import WallFace

from kilroy_gym import FaceEnv, KilroyTrainer, ModuleAgent
from kilroy_gym.adapters.evaluation import evaluation_copy, mean_score
from kilroy_gym.codecs import BinaryCodec, SequenceCodec
from kilroy_gym.modules import CategoricalModule, SequenceModule


class Cycling:
    """Stops one post in two at once, and composes the best post otherwise."""

    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        best = np.array([9, 0, 9, 0])
        written = np.asarray(observation)[..., 11:].reshape(*observation.shape[:-1], 4, 11)
        written = (written.argmax(axis=-1) < 10).sum(axis=-1)
        if observation.ndim == 1:
            return best[written], state
        stops = (np.arange(len(observation)) % 2 == 0) & (written == 0)
        return np.where(stops, 2, best[written]), state


def test_composed_posts_count_alike_however_long_they_are():
    env = gym.make_vec("Kilroy-ZigzagSteps-v0", num_envs=2)
    assert mean_score(Cycling(), env, 6) == pytest.approx((1 / 36 + 35 / 36) / 2)
    assert mean_score(Cycling(), env, 3) == pytest.approx((2 * 1 / 36 + 35 / 36) / 3)


def test_a_composed_post_counts_once():
    assert mean_score(Cycling(), gym.make("Kilroy-ZigzagSteps-v0"), 3) == pytest.approx(35 / 36)


@pytest.mark.parametrize("slots", [1, 7, 30])
@pytest.mark.parametrize("env_id", ["Kilroy-Zigzag-v0", "Kilroy-ZigzagSteps-v0"])
def test_it_is_the_mean_of_as_many_posts_as_asked_for(env_id, slots):
    codec = SequenceCodec(10, 5, 1, 2)
    env = gym.make_vec(env_id, num_envs=slots)
    # the first drafts of a slot do not depend on how long the others are
    agent, twin = (ModuleAgent(SequenceModule(codec, seed=3), env) for _ in range(2))
    drafts = [twin.module.generate()[1].x for _ in range(slots)]
    whole = gym.make("Kilroy-Zigzag-v0").unwrapped
    scores = [whole.step(codec.encode(x))[1] for x in drafts]
    assert mean_score(agent, env, slots) == pytest.approx(np.mean(scores))


def test_a_run_that_does_not_wait_is_evaluated_on_scores_and_not_on_zeros():
    env = gym.make_vec("Kilroy-Delayed-v0", num_envs=5, wait=False)
    trainer = KilroyTrainer(env, CategoricalModule(range(5), seed=0), seed=0).run(posts=20)
    waiting = gym.make_vec("Kilroy-Delayed-v0", num_envs=5)
    waiting.reset(seed=0)
    assert trainer.evaluate(200) > waiting.unwrapped.face.audience.means.min()
    assert env.unwrapped.wait is False


BERNOULLI, SAME_STEP = "Kilroy-Bernoulli-v0", {"autoreset_mode": AutoresetMode.SAME_STEP}
vector = gym.wrappers.vector


def separate(env_id):
    return gym.make_vec(env_id, 3, vectorization_mode="sync", vector_kwargs=SAME_STEP)


def turned(env):
    """An environment in which action 0 posts True."""
    if isinstance(env, gym.Env):
        return gym.wrappers.TransformAction(env, lambda action: 1 - action, None)
    return vector.TransformAction(env, lambda actions: 1 - actions)


every_kind = pytest.mark.parametrize(
    "make",
    [gym.make, lambda env_id: gym.make_vec(env_id, 4), separate],
    ids=["scalar", "vector", "separate"],
)


@every_kind
def test_what_was_learned_through_an_action_wrapper_is_evaluated_through_it(make):
    env = turned(make(BERNOULLI))
    trainer = KilroyTrainer(env, CategoricalModule([False, True], seed=0), seed=0)
    trainer.run(posts=600, progress_bar=False)
    *_, score = turned_scores = [trainer.evaluate(50) for _ in range(2)]
    assert turned_scores == [score, score]
    assert score == 1.0


@every_kind
@pytest.mark.parametrize("env_id", ["Kilroy-Topics-v0", "Kilroy-ZigzagSteps-v0"])
def test_what_happens_on_a_copy_changes_nothing(make, env_id):
    env, reference = turned_off(make(env_id)), turned_off(make(env_id))
    for one in (env, reference):
        one.reset(seed=1)
    twin = evaluation_copy(env)
    twin.reset(seed=5)
    twin.action_space.seed(0)
    for _ in range(5):
        twin.step(twin.action_space.sample())
        if isinstance(twin, gym.Env):
            twin.reset()
    env.action_space.seed(0)
    for _ in range(5):
        action = env.action_space.sample()
        assert data_equivalence(env.step(action), reference.step(action))


def turned_off(env):
    """Wrappers that change nothing."""
    if isinstance(env, gym.Env):
        return gym.wrappers.TransformReward(env, lambda reward: reward)
    return vector.TransformReward(env, lambda rewards: rewards)


class Constant:
    """Always acts alike."""

    def __init__(self, action):
        self.action = action

    def predict(self, observation, state=None, episode_start=None, deterministic=False):
        self.seen = observation
        batch = np.ndim(observation) > 1
        return np.full(len(observation), self.action) if batch else self.action, state


@every_kind
def test_the_score_is_that_of_the_face_whatever_wrappers_make_of_rewards(make):
    env = make(BERNOULLI)
    kinds = gym.wrappers if isinstance(env, gym.Env) else vector
    env = kinds.TransformReward(env, lambda reward: 100 * reward)
    assert mean_score(Constant(1), evaluation_copy(env), 10) == 1.0


def test_an_observation_wrapper_is_copied():
    env = gym.wrappers.TransformObservation(gym.make(BERNOULLI), lambda seen: seen / 4, None)
    agent = Constant(1)
    mean_score(agent, evaluation_copy(env), 1)
    assert agent.seen == 0.25


def test_running_statistics_stay_as_they_are():
    env = gym.wrappers.NormalizeObservation(gym.make("Kilroy-Timing-v0"))
    env.reset(seed=0)
    twin = evaluation_copy(env)
    before = twin.obs_rms.mean.copy()
    for _ in range(5):
        twin.reset()
        twin.step(0)
    np.testing.assert_array_equal(twin.obs_rms.mean, before)
    np.testing.assert_array_equal(env.obs_rms.mean, before)
    assert env.update_running_mean


def layers(env):
    names = []
    while env is not env.unwrapped:
        names.append(type(env).__name__)
        env = env.env
    return names


def test_what_records_or_shows_is_left_off(tmp_path):
    monitor = pytest.importorskip("stable_baselines3.common.monitor")
    env = gym.make(BERNOULLI, render_mode="rgb_array")
    env = monitor.Monitor(env, str(tmp_path / "log"))
    env = gym.wrappers.RenderCollection(gym.wrappers.RecordEpisodeStatistics(env))
    env = gym.wrappers.TransformReward(env, lambda reward: reward)
    env.reset(seed=0)
    left = ["TransformReward", "OrderEnforcing", "PassiveEnvChecker"]
    assert layers(evaluation_copy(env)) == left
    together = vector.RecordEpisodeStatistics(gym.make_vec(BERNOULLI, 2))
    assert layers(evaluation_copy(together)) == []
    mean_score(Constant(1), evaluation_copy(env), 5)
    assert not env.get_wrapper_attr("return_queue")
    env.close()


class Locked(gym.Wrapper):
    """Holds what cannot be copied."""

    def __init__(self, env):
        super().__init__(env)
        self.lock = threading.Lock()


@pytest.mark.parametrize(
    ("wrap", "name"),
    [
        (Locked, "Locked"),
        (lambda env: gym.wrappers.TransformReward(Locked(env), float), "Locked"),
        (gym.wrappers.AddRenderObservation, "AddRenderObservation"),
    ],
)
def test_what_cannot_be_copied_is_refused_by_name(wrap, name):
    env = wrap(gym.make(BERNOULLI, render_mode="rgb_array"))
    with pytest.raises(TypeError, match=f"^{name} cannot be copied to evaluate on"):
        evaluation_copy(env)


def test_a_live_face_is_not_copied():
    with pytest.raises(TypeError, match="WallFace cannot be copied"):
        evaluation_copy(gym.wrappers.TransformReward(FaceEnv(WallFace(), BinaryCodec()), float))
