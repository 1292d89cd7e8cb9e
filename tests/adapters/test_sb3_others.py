"""Algorithms of other libraries, and what a model cannot be."""

import gymnasium as gym
import numpy as np
import pytest
import torch as th
from parts import ListFace
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.vec_env import SubprocVecEnv

from kilroy_gym import FaceVectorEnv, KilroyTrainer, PostData
from kilroy_gym.adapters.sb3 import KilroyVecEnv, Recipe, SB3Agent, recipes, register_cloning
from kilroy_gym.adapters.sb3.losses import mode_and_spread
from kilroy_gym.adapters.sb3.recipes import Parts
from kilroy_gym.codecs import BinaryCodec, BoxCodec
from kilroy_gym.interfaces import Agent, Checkpointable, ClonesPosts, MovesToEnv, PlaysOneFace

ENV = "Kilroy-Bernoulli-v0"


def make(slots=5):
    return gym.make_vec(ENV, num_envs=slots)


def live(posts=(), codec=None, slots=5):
    return FaceVectorEnv(ListFace(posts), slots, codec or BinaryCodec())


class Count(BaseCallback):
    """Counts the steps, and stops after some."""

    def __init__(self, most=1000):
        super().__init__()
        self.most, self.steps = most, 0

    def _on_step(self):
        self.steps += 1
        return self.steps < self.most


def test_callbacks_of_stable_baselines3_come_alone_or_as_a_list():
    for callbacks in ([Count(), Count(3)], (Count(3),), Count(3)):
        env = make()
        KilroyTrainer(env, SB3Agent.of(A2C, env, 0)).run(posts=50, callback=callbacks)
        last = callbacks[-1] if not isinstance(callbacks, Count) else callbacks
        assert last.steps == 3
    KilroyTrainer(env, SB3Agent.of(A2C, env, 0)).run(posts=50, callback=[])


@pytest.mark.parametrize("callback", [3, [Count(), print], "abc"])
def test_what_is_no_callback_is_refused_before_anything_is_posted(callback):
    env = live()
    trainer = KilroyTrainer(env, SB3Agent.of(A2C, env, 0))
    with pytest.raises(TypeError, match=r"a list of these, got .*; nothing was posted"):
        trainer.run(posts=50, callback=callback)
    assert env.face.posted == []


def test_an_agent_does_what_the_interfaces_name():
    agent = SB3Agent.of(A2C, make(), 0)
    for capability in (Agent, MovesToEnv, ClonesPosts, PlaysOneFace, Checkpointable):
        assert isinstance(agent, capability)


def test_a_model_in_other_processes_is_refused_with_what_to_do():
    vec = make_vec_env(f"kilroy_gym:{ENV}", n_envs=1, vec_env_cls=SubprocVecEnv)
    try:
        model = A2C("MlpPolicy", vec, device="cpu")
        with pytest.raises(TypeError, match=r"behind a SubprocVecEnv, .* KilroyVecEnv\(env\)"):
            SB3Agent(model)
        with pytest.raises(TypeError, match="behind a SubprocVecEnv"):
            KilroyTrainer(make(1), model)
    finally:
        vec.close()


def test_an_environment_that_is_changed_behind_the_agent_is_taken():
    agent = SB3Agent.of(A2C, live(), 0)
    env = live(codec=BinaryCodec())
    agent.model.set_env(KilroyVecEnv(env))
    agent.learn(25)
    assert len(env.face.posted) == 25
    assert agent.codec is env.codec


class Policy(BasePolicy):
    """A policy of a kind that nobody knows."""

    def _predict(self, observation, deterministic=False):
        return th.zeros(len(observation), dtype=th.long)


class Foreign(OnPolicyAlgorithm):
    """Has a name that is known, and a policy that is not."""

    __module__ = "elsewhere.ppo"
    __qualname__ = __name__ = "PPO"

    def __init__(self, env):
        super().__init__(
            *(Policy, env, 3e-4, 4, 0.99, 1.0, 0.0, 0.5, 0.5, False, -1),
            device="cpu",
            _init_setup_model=False,
        )
        self.policy = Policy(self.observation_space, self.action_space)


Foreign.__name__ = "PPO"


def test_what_cannot_be_cloned_is_told_apart_from_what_can_by_its_library():
    env = live([PostData(True)])
    trainer = KilroyTrainer(env, SB3Agent(Foreign(KilroyVecEnv(env))))
    with pytest.raises(TypeError) as refused:
        trainer.fine_tune()
    for part in (
        "elsewhere.PPO with its Policy cannot be warm-started",
        "Known are stable_baselines3's PPO, A2C, DQN",
    ):
        assert part in str(refused.value)
    assert "register_cloning adds another" in str(refused.value)
    assert env.face.posted == []


class Evolves(BaseAlgorithm):
    """Learns in a way of its own."""

    def __init__(self, env):
        super().__init__("MlpPolicy", env, 0.1, device="cpu", support_multi_env=True)

    policy_aliases = {"MlpPolicy": Policy}  # noqa: RUF012

    def _setup_model(self):
        pass

    def learn(self, *args, **kwargs):
        raise AssertionError


def test_what_learns_neither_on_policy_nor_off_policy_is_refused():
    with pytest.raises(TypeError, match=r"Evolves is neither an on-policy nor an off-policy"):
        SB3Agent(Evolves(KilroyVecEnv(make())))


# --- sb3-contrib --------------------------------------------------------------------------------


def contrib(name):
    return getattr(pytest.importorskip("sb3_contrib", reason="sb3-contrib is not there"), name)


SETTINGS = {
    "TRPO": {"n_steps": 4, "batch_size": 20, "learning_rate": 0.01},
    "RecurrentPPO": {"n_steps": 4, "batch_size": 20, "policy": "MlpLstmPolicy"},
    "QRDQN": {"learning_starts": 20, "learning_rate": 0.003},
    "TQC": {"learning_starts": 20},
    "CrossQ": {"learning_starts": 20},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["TRPO", "RecurrentPPO", "QRDQN"])
def test_the_others_of_sb3_contrib_are_cloned_and_learn_from_there(name):
    env = live([PostData(number % 3 == 0) for number in range(99)])
    agent = SB3Agent.of(contrib(name), env, 0, **SETTINGS[name])
    trainer = KilroyTrainer(env, agent, seed=0).fine_tune()
    if name == "QRDQN":
        values = agent.model.quantile_net(
            agent.model.policy.obs_to_tensor(np.ones(1, np.float32))[0]
        )
        assert values.mean(dim=1)[0].tolist() == pytest.approx([2 / 3, 1 / 3], abs=0.07)
    else:
        starts = np.ones(3000, np.bool_)
        drawn = agent.predict(np.ones((3000, 1), np.float32), None, starts)[0]
        assert drawn.mean() == pytest.approx(1 / 3, abs=0.06)
    trainer.run(posts=600)
    assert len(env.face.posted) == 600
    assert np.mean(env.face.posted[-100:]) > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("name", ["TQC", "CrossQ"])
def test_what_sb3_contrib_has_besides_plays_and_is_not_cloned(name):
    env = live([PostData(0.5)], BoxCodec(0.0, 1.0))
    trainer = KilroyTrainer(env, SB3Agent.of(contrib(name), env, 0, **SETTINGS[name]))
    with pytest.raises(TypeError, match=f"sb3_contrib.{name} with its .* cannot be warm-started"):
        trainer.fine_tune()
    assert env.face.posted == []
    trainer.run(posts=40)
    assert len(env.face.posted) == 40


@pytest.mark.slow
def test_masked_actions_and_evolution_are_refused_in_words_before_a_post():
    env = live([PostData(True)])
    agent = SB3Agent.of(contrib("MaskablePPO"), env, 0, n_steps=4, batch_size=20)
    with pytest.raises(TypeError, match=r"sb3_contrib.MaskablePPO with its .* cannot be"):
        agent.fine_tune([PostData(True)])
    with pytest.raises(ValueError, match="does not support action masking"):
        agent.learn(20)
    with pytest.raises(TypeError, match=r"sb3_contrib.ARS is neither an on-policy"):
        SB3Agent.of(contrib("ARS"), env, 0)
    assert env.face.posted == []


@pytest.mark.slow
def test_another_kind_of_policy_is_cloned_once_it_is_registered(monkeypatch):
    monkeypatch.setattr(recipes, "_RECIPES", dict(recipes._RECIPES))
    register_cloning(
        "sb3_contrib.tqc.policies.TQCPolicy",
        Recipe(
            ("sb3_contrib.TQC",),
            lambda policy: Parts(policy.actor, policy.actor.optimizer),
            mode_and_spread,
            squashed=True,
        ),
    )
    posts = [PostData(float(x)) for x in np.random.default_rng(0).normal(2.0, 0.5, 100).clip(0, 10)]
    env = live(posts, BoxCodec(0.0, 10.0))
    agent = KilroyTrainer(env, SB3Agent.of(contrib("TQC"), env, 0), seed=0).fine_tune().agent
    assert env.codec.decode(
        agent.predict(np.ones(1, np.float32), deterministic=True)[0]
    ) == pytest.approx(2.0, abs=0.5)


@pytest.mark.slow
def test_a_clone_that_no_optimizer_trains_cannot_be_kept_near():
    env = live([PostData(True)])
    agent = SB3Agent.of(contrib("TRPO"), env, 0, clone_weight=0.5, **SETTINGS["TRPO"])
    with pytest.raises(ValueError, match="clone_weight must be 0 for TRPO"):
        agent.fine_tune([PostData(True)])


@pytest.mark.slow
def test_a_policy_that_remembers_is_not_cloned_token_by_token():
    env = gym.make("Kilroy-ZigzagSteps-v0")
    agent = SB3Agent.of(contrib("RecurrentPPO"), env, 0, **SETTINGS["RecurrentPPO"])
    with pytest.raises(TypeError, match=r"RecurrentPPO cannot clone posts token by token"):
        KilroyTrainer(env, agent).fine_tune()


def test_the_default_agents_are_known_without_another_library():
    for algorithm in (PPO, A2C, DQN):
        assert recipes.recipe_for(SB3Agent.of(algorithm, make(), 0).model).algorithms
