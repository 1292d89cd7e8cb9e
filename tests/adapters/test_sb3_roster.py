import runpy
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import MultiDiscrete
from stable_baselines3 import PPO

from kilroy_gym import FaceVectorEnv, KilroyTrainer
from kilroy_gym.adapters import load_agent_file, roster
from kilroy_gym.audiences import Audience, BernoulliAudience
from kilroy_gym.codecs import BoxCodec, CategoricalCodec, Codec
from kilroy_gym.faces import SimulatedFace

ENV = "Kilroy-Bernoulli-v0"
LEARNERS = ["a2c", "dqn", "ppo", "thompson"]


class ArmsAudience(Audience):
    """Ten posts with scores of any scale, the last of them the best."""

    def __init__(self, scale=1.0, offset=0.0, noise=0.5, arms=10):
        self.codec = CategoricalCodec(range(arms))
        self.means = offset + scale * np.linspace(-1, 1, arms)
        self.noise = scale * noise

    def respond(self, actions, rng):
        expected = self.means[actions]
        noise = self.noise * rng.normal(size=np.shape(actions))
        return expected + noise, expected, self.means[-1]

    def community(self, count, rng):
        return rng.integers(len(self.means), size=count), None


class PairCodec(Codec):
    """Pairs of a letter and a digit."""

    def __init__(self):
        self.space = MultiDiscrete([3, 4])

    def encode(self, x):
        return np.array(["abc".index(x[0]), int(x[1])])

    def decode(self, action):
        return "abc"[action[0]] + str(action[1])

    def check_actions(self, actions):
        return np.asarray(actions)


class PairAudience(Audience):
    """Likes c2 and nothing else."""

    def __init__(self):
        self.codec = PairCodec()

    def respond(self, actions, rng):
        score = 1.0 * (np.asarray(actions) == [2, 2]).all(axis=-1)
        return score, score, 1.0

    def community(self, count, rng):
        return np.zeros((count, 2), np.int64), None


def rounds_of(audience, slots=10):
    return FaceVectorEnv(SimulatedFace(audience), slots, audience.codec)


@pytest.mark.parametrize("name", sorted(roster()))
def test_an_agent_file_is_short_and_says_what_it_is(name):
    lines = roster()[name].read_text().splitlines()
    assert len(lines) <= 60
    assert lines[0].startswith('"""')
    assert lines[0].rstrip('"').endswith(".")


@pytest.mark.parametrize("slots", [None, 7, 128])
@pytest.mark.parametrize("name", LEARNERS)
def test_an_agent_learns_with_any_number_of_slots(name, slots):
    env = gym.make(ENV) if slots is None else gym.make_vec(ENV, num_envs=slots)
    scores = []
    trainer = KilroyTrainer(env, load_agent_file(name)(env, 0), seed=0).fine_tune()
    trainer.run(posts=1500, callback=lambda played: scores.extend(played.scores))
    assert 1500 - (slots or 1) < len(scores) <= 1500
    assert np.mean(scores[-100:]) > 0.8


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("name", ["ppo", "a2c", "dqn"])
@pytest.mark.parametrize("seed", range(3))
def test_a_tuned_agent_comes_above_95_percent_true_within_a_thousand_posts(name, warm, seed):
    env = gym.make_vec(ENV, num_envs=10)
    trainer = KilroyTrainer(env, load_agent_file(name)(env, seed), seed=seed)
    if warm:
        trainer.fine_tune()
    trainer.run(posts=1000)
    assert (trainer.evaluate(1000) + 1) / 2 > 0.95


def test_the_default_ppo_learns_nothing_from_so_few_posts():
    env = gym.make_vec(ENV, num_envs=10)
    agent = load_agent_file("ppo_default")(env, 0)
    assert agent.rollout == "10x2048"
    with pytest.warns(UserWarning, match="20480 posts before its first update"):
        agent.learn(100)
    assert agent.updates == 0


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (1000.0, 5.0), (0.001, -7.0)])
def test_thompson_finds_the_best_post_whatever_the_scale_of_scores(scale, offset):
    env = rounds_of(ArmsAudience(scale, offset))
    best = []
    trainer = KilroyTrainer(env, load_agent_file("thompson")(env, 0), seed=0).fine_tune()
    trainer.run(posts=1000, callback=lambda r: best.extend(post.x == 9 for post in r.posts))
    assert np.mean(best[-200:]) > 0.9


def test_thompson_plays_posts_of_several_parts():
    env = rounds_of(PairAudience())
    liked = []
    trainer = KilroyTrainer(env, load_agent_file("thompson")(env, 0), seed=0)
    trainer.run(posts=500, callback=lambda r: liked.extend(post.x == "c2" for post in r.posts))
    assert np.mean(liked[-100:]) > 0.9


@pytest.mark.parametrize("codec", [BoxCodec(0.0, 1.0), CategoricalCodec(range(100_001)), None])
def test_thompson_refuses_what_cannot_be_counted(codec):
    env = FaceVectorEnv(SimulatedFace(BernoulliAudience()), 2, codec)
    with pytest.raises(TypeError, match=r"plays up to 100,000 posts|has no codec"):
        load_agent_file("thompson")(env, 0)


@pytest.mark.parametrize("name", ["ppo", "thompson"])
def test_an_agent_file_runs_by_itself(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--posts", "50"])
    with pytest.raises(SystemExit) as done:
        runpy.run_path(str(roster()[name]), run_name="__main__")
    assert not done.value.code
    assert "50 posts: mean score" in capsys.readouterr().out


@pytest.mark.slow
def test_rl_zoo3_trains_with_the_hyperparameters_that_ship(tmp_path):
    pytest.importorskip("rl_zoo3")
    command = [sys.executable, "-m", "rl_zoo3.train", "--gym-packages", "kilroy_gym"]
    command += ["--env", ENV, "--algo", "ppo", "--seed", "0", "--log-folder", str(tmp_path)]
    command += ["--conf-file", str(roster()["ppo"].parent / "rl_zoo3.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    model = PPO.load(tmp_path / "ppo" / f"{ENV}_1" / f"{ENV}.zip", device="cpu")
    assert model.predict(np.ones(1, np.float32), deterministic=True)[0] == 1
