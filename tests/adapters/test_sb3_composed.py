"""Models that write posts token by token."""

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from stable_baselines3 import A2C, DQN, PPO

from kilroy_gym import KilroyTrainer
from kilroy_gym.adapters.sb3 import SB3Agent
from kilroy_gym.codecs import SequenceCodec
from kilroy_gym.envs.compose import tokens_of

ENV = "Kilroy-ZigzagSteps-v0"
SETTINGS = {PPO: {"n_steps": 8, "batch_size": 8}, A2C: {}, DQN: {"learning_starts": 20}}


def test_whole_posts_are_taken_apart_into_drafts_and_tokens():
    codec = SequenceCodec(vocabulary=10, length=4, start=1, stop=2)
    drafts, tokens = tokens_of(codec.encode_many([(1, 9, 0, 5), (1, 7, 2)]), codec)
    assert drafts.tolist() == [
        [1, 10, 10, 10],
        [1, 9, 10, 10],
        [1, 9, 0, 10],
        [1, 10, 10, 10],
        [1, 7, 10, 10],
    ]
    assert tokens.tolist() == [9, 0, 5, 7, 2]


@pytest.mark.parametrize("algorithm", SETTINGS)
@pytest.mark.parametrize("slots", [1, 4])
def test_a_budget_is_of_posts_and_not_of_tokens(algorithm, slots):
    env = gym.make_vec(ENV, num_envs=slots)
    agent = SB3Agent.of(algorithm, env, seed=0, **SETTINGS[algorithm])
    rounds = []
    KilroyTrainer(env, agent, seed=0).run(posts=203, callback=rounds.append)
    made = env.unwrapped.face._next_id
    assert 203 - 2 * slots < made <= 203
    assert [i for played in rounds for i in played.post_ids] == list(range(made))


def test_rounds_report_whole_posts_with_their_scores():
    env = gym.make_vec(ENV, num_envs=3)
    rounds = []
    agent = SB3Agent.of(A2C, env, seed=0)
    KilroyTrainer(env, agent, seed=0).run(posts=30, callback=rounds.append)
    for played in rounds:
        for post, score in zip(played.posts, played.scores, strict=True):
            assert score == pytest.approx(np.abs(np.diff(post.x)).sum() / 36)


@pytest.mark.parametrize("algorithm", [PPO, A2C])
def test_a_model_clones_posts_token_by_token(algorithm):
    env = gym.make_vec(ENV, num_envs=2)
    face = env.unwrapped.face
    post = np.array([[9, 0, 9, 2]])
    face.audience.community = lambda count, rng: (np.repeat(post, count, axis=0), None)
    agent = SB3Agent.of(algorithm, env, seed=0, **SETTINGS[algorithm])
    trainer = KilroyTrainer(env, agent, seed=0).fine_tune()
    rounds = []
    trainer.run(posts=20, callback=rounds.append)
    written = [post.x for played in rounds for post in played.posts]
    assert written.count((1, 9, 0, 9, 2)) > 0.6 * len(written)
