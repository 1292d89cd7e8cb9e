import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3 import A2C, DQN, PPO, SAC
from stable_baselines3.common.callbacks import CheckpointCallback, EvalCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecNormalize

from kilroy_gym import (
    FaceEnv,
    FaceError,
    FaceVectorEnv,
    KilroyFace,
    KilroyTrainer,
    ModuleAgent,
    PostData,
)
from kilroy_gym.adapters import Agent
from kilroy_gym.adapters.sb3 import KilroyVecEnv, SB3Agent
from kilroy_gym.audiences import BernoulliAudience
from kilroy_gym.codecs import BinaryCodec, BoxCodec
from kilroy_gym.faces import SimulatedFace
from kilroy_gym.modules import BernoulliModule

ENV = "Kilroy-Bernoulli-v0"
SMALL = {
    PPO: {"n_steps": 3, "batch_size": 10},
    A2C: {"n_steps": 3},
    DQN: {"learning_starts": 5, "train_freq": 3},
}
# How the rollouts of these tests divide into batches is none of their matter.
pytestmark = pytest.mark.filterwarnings("ignore:You have specified a mini-batch size")


class LiveFace(KilroyFace):
    """Counts what is posted, and cannot start over."""

    def __init__(self):
        self.posted = []

    def scrap(self, limit=None):
        yield from enumerate(PostData(x) for x in (True, False, False))

    def post(self, data):
        self.posted.append(data.x)
        return len(self.posted) - 1

    def score(self, post_id):
        return 1.0 if self.posted[post_id] else -1.0


def agent_of(algorithm, env, seed=0, **settings):
    return SB3Agent.of(algorithm, env, seed, **{**SMALL.get(algorithm, {}), **settings})


def make(slots):
    return gym.make_vec(ENV, num_envs=slots)


def test_a_model_on_an_environment_of_one_post_a_step_is_an_agent_of_the_trainer():
    env = gym.make(ENV)
    trainer = KilroyTrainer(env, PPO("MlpPolicy", env, n_steps=8, batch_size=8, device="cpu"))
    rounds = []
    assert trainer.fine_tune().run(posts=20, callback=rounds.append) is trainer
    assert isinstance(trainer.agent, Agent)
    assert [len(played.posts) for played in rounds] == [1] * 20
    assert trainer.agent.updates > 0


def test_a_model_on_rounds_reports_what_was_posted_and_earned():
    env = make(4)
    model = A2C("MlpPolicy", KilroyVecEnv(env), n_steps=3, device="cpu", seed=0)
    rounds = []
    KilroyTrainer(env, model, seed=0).run(posts=12, callback=rounds.append)
    assert [played.number for played in rounds] == [1, 2, 3]
    assert [post_id for played in rounds for post_id in played.post_ids] == list(range(12))
    for played in rounds:
        assert [2.0 * post.x - 1.0 for post in played.posts] == played.scores
        assert played.expected_scores.tolist() == played.scores
        assert played.best_scores.tolist() == [1.0] * 4


@pytest.mark.parametrize("algorithm", [PPO, A2C, DQN])
@pytest.mark.parametrize("slots", [1, 3, 7, 10, 100])
def test_a_budget_of_a_hundred_posts_is_never_passed(algorithm, slots):
    env = make(slots)
    posts = []
    rounds = min(3, 100 // slots)
    settings = {"n_steps": rounds} if algorithm is not DQN else {"train_freq": rounds}
    agent = agent_of(algorithm, env, **settings)
    KilroyTrainer(env, agent).run(posts=100, callback=lambda r: posts.extend(r.post_ids))
    assert posts == list(range(100 // slots * slots))
    assert agent.updates > 0


def test_a_model_learns_from_a_last_rollout_that_fits_the_budget():
    agent = agent_of(A2C, make(10), n_steps=5)
    agent.learn(100)
    assert agent.updates == 2


def test_several_runs_go_on_from_each_other():
    env = make(10)
    agent = agent_of(DQN, env)
    ids = []
    for _ in range(2):
        agent.learn(50, callback=lambda played: ids.extend(played.post_ids))
    assert ids == list(range(100))
    assert agent.model.num_timesteps == 100


def test_false_from_the_callback_stops():
    numbers = []

    def stop_after_three(played):
        numbers.append(played.number)
        return played.number < 3

    agent_of(A2C, make(2)).learn(100, callback=stop_after_three)
    assert numbers == [1, 2, 3]


def test_steps_are_updates_and_seconds_stop_the_run():
    env = make(5)
    agent = agent_of(A2C, env, n_steps=2)
    trainer = KilroyTrainer(env, agent)
    trainer.run(steps=3)
    assert (agent.updates, agent.update_rate, agent.rollout) == (3, 10, "5x2")
    trainer.run(seconds=1e-9)
    assert agent.model.num_timesteps == 35
    with pytest.raises(TypeError, match="callback must be a function"):
        trainer.run(seconds=1, callback=EvalCallback(KilroyVecEnv(make(1))))


def test_a_model_keeps_its_slots():
    env = make(5)
    trainer = KilroyTrainer(env, agent_of(A2C, env))
    trainer.run(posts=15, update_rate=5)
    with pytest.raises(ValueError, match=r"must be left out or 5: .* keeps the slots"):
        trainer.run(posts=15, update_rate=10)
    with pytest.raises(ValueError, match="built with 5 slots and the environment has 4"):
        trainer.agent.set_env(make(4))


def test_a_model_moves_to_another_environment_with_as_many_slots():
    face = LiveFace()
    agent = agent_of(A2C, make(5))
    agent.set_env(FaceVectorEnv(face, 5, BinaryCodec()))
    agent.learn(15)
    assert len(face.posted) == 15


def test_a_model_of_another_face_is_refused():
    env = make(5)
    for model in (PPO("MlpPolicy", ENV, device="cpu"), agent_of(A2C, make(5))):
        with pytest.raises(ValueError, match="wraps another Face"):
            KilroyTrainer(env, model)
        with pytest.raises(ValueError, match="wraps another Face"):
            KilroyTrainer(SimulatedFace(BernoulliAudience()), model)


def test_a_trainer_of_a_face_takes_the_environment_of_the_model_with_its_timing():
    face = LiveFace()
    env = FaceEnv(face, BinaryCodec())
    trainer = KilroyTrainer(face, A2C("MlpPolicy", env, device="cpu"))
    trainer.fine_tune().run(posts=10)
    assert len(face.posted) == 10
    with pytest.raises(ValueError, match="post_rate given twice"):
        trainer.run(posts=10, post_rate=1.0)


def test_several_environments_may_share_a_live_face():
    face = LiveFace()
    vec = make_vec_env(lambda: FaceEnv(face, BinaryCodec()), n_envs=3)
    trainer = KilroyTrainer(face, A2C("MlpPolicy", vec, n_steps=2, device="cpu"))
    trainer.fine_tune().run(posts=9)
    assert len(face.posted) == 9


def test_what_a_face_raises_comes_through_and_the_agent_can_go_on():
    face = LiveFace()
    env = FaceVectorEnv(face, 5, BinaryCodec())
    agent = KilroyTrainer(env, agent_of(A2C, env)).fine_tune().agent

    def fail(post_id):
        raise OSError("gone")

    face.score = fail
    with pytest.raises(FaceError, match="gone") as failure:
        agent.learn(30)
    assert len(failure.value.posts) == 5
    del face.score
    agent.learn(30)
    assert len(face.posted) == 35


def test_separate_audiences_are_played_too():
    mode = AutoresetMode.SAME_STEP
    env = SyncVectorEnv([lambda: gym.make(ENV)] * 3, autoreset_mode=mode)
    rounds = []
    trainer = KilroyTrainer(env, agent_of(A2C, env))
    trainer.fine_tune().run(posts=9, callback=rounds.append)
    assert [list(played.post_ids) for played in rounds] == [[0] * 3, [1] * 3, [2] * 3]
    assert -1 <= trainer.evaluate(10) <= 1


@pytest.mark.parametrize(
    ("algorithm", "settings", "advice"),
    [
        (PPO, {"n_steps": 2048}, r"n_steps=2048 .* 20480 posts .* budget is 1000: set n_steps=100"),
        (DQN, {"learning_starts": 1000}, "learning_starts=1000 .* set learning_starts below 1000"),
        (DQN, {"train_freq": 101}, "train_freq=101 on 10 slots DQN makes 1010 .* train_freq=100"),
    ],
)
def test_a_model_whose_first_update_is_beyond_the_budget(algorithm, settings, advice):
    face = LiveFace()
    live = agent_of(algorithm, FaceVectorEnv(face, 10, BinaryCodec()), **settings)
    with pytest.raises(ValueError, match=advice) as refused:
        live.learn(1000)
    assert "nothing was posted" in str(refused.value)
    assert face.posted == []
    simulated = agent_of(algorithm, make(10), **settings)
    posts = []
    with pytest.warns(UserWarning, match="it was not updated"):
        simulated.learn(1000, callback=lambda played: posts.extend(played.post_ids))
    assert (len(posts), simulated.updates) == (1000, 0)


def test_a_default_ppo_is_refused_on_a_live_face_also_with_one_slot():
    face = LiveFace()
    env = FaceEnv(face, BinaryCodec())
    trainer = KilroyTrainer(env, PPO("MlpPolicy", env, device="cpu"))
    with pytest.raises(ValueError, match="n_steps=2048 on 1 slot PPO makes 2048 posts"):
        trainer.fine_tune().run(posts=500)
    assert face.posted == []


def test_a_budget_below_a_round_is_refused():
    with pytest.raises(ValueError, match="a round makes 10 posts, so a budget of 9 allows none"):
        agent_of(A2C, make(10)).learn(9)


@pytest.mark.parametrize(
    ("algorithm", "codec", "able"),
    [(DQN, BoxCodec(0.0, 1.0), "PPO, A2C, SAC, TD3, DDPG can"), (SAC, None, "PPO, A2C, DQN can")],
)
def test_an_algorithm_that_cannot_play_the_actions_says_which_can(algorithm, codec, able):
    env = FaceVectorEnv(LiveFace(), 2, codec) if codec else make(2)
    with pytest.raises(TypeError, match=f"{algorithm.__name__} cannot play .*; {able}"):
        SB3Agent.of(algorithm, env)


def test_bad_arguments_are_refused():
    model = A2C("MlpPolicy", ENV, device="cpu")
    with pytest.raises(TypeError, match="must be a model of Stable-Baselines3"):
        SB3Agent(BernoulliModule())
    with pytest.raises(TypeError, match="is not a Kilroy environment"):
        SB3Agent(A2C("MlpPolicy", "CartPole-v1", device="cpu"))
    with pytest.raises(ValueError, match="clone_weight must be at least 0"):
        SB3Agent(model, clone_weight=-1)
    with pytest.raises(ValueError, match="clone_decay_posts must be at least 1"):
        SB3Agent(model, clone_decay_posts=0)
    with pytest.raises(TypeError, match="KilroyModule or an agent"):
        KilroyTrainer(gym.make(ENV), PPO)


@pytest.mark.parametrize("algorithm", [PPO, A2C, DQN])
def test_the_same_seed_gives_the_same_run(algorithm):
    def run():
        env = make(5)
        posts = []
        trainer = KilroyTrainer(env, agent_of(algorithm, env, seed=7), seed=7)
        trainer.fine_tune(epochs=20)
        trainer.run(posts=60, callback=lambda played: posts.extend(p.x for p in played.posts))
        return posts

    assert run() == run()


@pytest.mark.parametrize("algorithm", [PPO, A2C, DQN])
def test_a_saved_agent_goes_on_also_with_other_slots(algorithm, tmp_path):
    agent = agent_of(algorithm, make(5))
    agent.learn(60)
    path = tmp_path / f"agent{agent.file_suffix}"
    agent.save(path)
    again = SB3Agent.load(path, algorithm, make(3))
    assert (again.slots, again.updates) == (3, agent.updates)
    observations = np.ones((4, 1), np.float32)
    expected, _ = agent.predict(observations, deterministic=True)
    np.testing.assert_array_equal(again.predict(observations, deterministic=True)[0], expected)
    again.learn(60)
    assert again.updates > agent.updates


def test_a_model_without_environment_gets_one(tmp_path):
    agent_of(A2C, make(5)).save(tmp_path / "model.zip")
    model = A2C.load(tmp_path / "model.zip", device="cpu")
    with pytest.raises(ValueError, match="has no environment"):
        SB3Agent(model)
    assert SB3Agent(model, make(5)).learn(15).updates == 1


def test_it_predicts_one_action_for_one_observation_and_a_batch_for_a_batch():
    agent = agent_of(A2C, make(5))
    assert agent.predict(np.ones(1, np.float32))[0].shape == ()
    assert agent.predict(np.ones((7, 1), np.float32))[0].shape == (7,)


def test_normalised_rewards_do_not_change_the_scores_that_are_reported():
    env = make(5)
    vec = VecNormalize(KilroyVecEnv(env), norm_obs=False)
    scores = []
    trainer = KilroyTrainer(env, A2C("MlpPolicy", vec, device="cpu"))
    trainer.run(posts=50, callback=lambda played: scores.extend(played.scores))
    assert set(scores) <= {-1.0, 1.0}
    assert -1 <= trainer.evaluate(10) <= 1


def test_evaluate_policy_takes_a_module_and_a_warm_model():
    vec = KilroyVecEnv(make(5))
    module = ModuleAgent(BernoulliModule(p=0.0, seed=0), make(5))
    assert evaluate_policy(module, vec, n_eval_episodes=20) == (-1.0, 0.0)
    trainer = KilroyTrainer(vec.env, agent_of(DQN, vec.env)).fine_tune()
    assert evaluate_policy(trainer.agent.model, vec, n_eval_episodes=20) == (-1.0, 0.0)


def test_the_callbacks_of_stable_baselines3_work(tmp_path):
    env = make(5)
    trainer = KilroyTrainer(env, agent_of(A2C, env))
    evaluation = EvalCallback(
        KilroyVecEnv(env.unwrapped.snapshot()), eval_freq=2, log_path=str(tmp_path), verbose=0
    )
    trainer.run(posts=30, callback=evaluation)
    assert np.load(tmp_path / "evaluations.npz")["timesteps"].tolist() == [10, 20, 30]
    trainer.run(posts=30, callback=CheckpointCallback(3, str(tmp_path), "kept"))
    kept = sorted(path.name for path in tmp_path.glob("kept*"))
    assert kept == ["kept_45_steps.zip", "kept_60_steps.zip"]
    assert SB3Agent.load(tmp_path / kept[0], A2C, make(2)).learn(6).updates > 0


@pytest.mark.filterwarnings("ignore::tqdm.TqdmExperimentalWarning")
def test_a_progress_bar_and_tensorboard_are_there(tmp_path, capfd):
    env = make(5)
    agent = agent_of(A2C, env, tensorboard_log=str(tmp_path), n_steps=1)
    KilroyTrainer(env, agent).run(posts=1000, progress_bar=True)
    assert "1,000/1,000" in "".join(capfd.readouterr())
    logs = list(tmp_path.glob("*/events.out.tfevents*"))
    assert len(logs) == 1
    assert b"rollout/ep_rew_mean" in logs[0].read_bytes()


def test_importing_the_package_loads_neither_stable_baselines_nor_torch():
    program = (
        "import sys, kilroy_gym, kilroy_gym.adapters, kilroy_gym.training;"
        "print({'torch', 'stable_baselines3'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"


@pytest.mark.parametrize(
    "needed", ["import kilroy_gym.adapters.sb3", "kilroy_gym.adapters.load_agent_file('ppo')"]
)
def test_without_stable_baselines3_the_extra_is_named(needed):
    program = f"import sys, kilroy_gym; sys.modules['stable_baselines3'] = None; {needed}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert b"ImportError: " in done.stderr
    assert b"pip install 'kilroy-gym[sb3]'" in done.stderr


def test_episodes_of_several_posts_are_refused_since_a_round_would_hide_all_but_the_last():
    env = gym.make("Kilroy-Bernoulli-v0", posts_per_episode=4)
    model = PPO("MlpPolicy", env, n_steps=20, batch_size=10, device="cpu")
    with pytest.raises(ValueError, match="make the environment without it"):
        SB3Agent(model)
