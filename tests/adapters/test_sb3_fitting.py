import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stable_baselines3 import PPO

from kilroy_gym import KilroyTrainer
from kilroy_gym.adapters.sb3 import SB3Agent
from kilroy_gym.adapters.sb3.fitting import split
from kilroy_gym.faces import FaceWrapper

seeds = st.integers(0, 2**32)


@given(st.integers(1, 300), seeds)
def test_a_fifth_is_held_out_where_that_is_enough_to_judge_by(count, seed):
    held_out, rest = split(count, np.random.default_rng(seed))
    assert sorted([*held_out, *rest]) == list(range(count))
    assert rest.tolist() == sorted(rest)
    assert len(held_out) == (count // 5 if count >= 50 else 0)


@given(st.lists(st.integers(0, 99), min_size=1, max_size=300), seeds)
def test_copies_of_a_post_are_held_out_together(originals, seed):
    originals = np.array(originals)
    held_out, rest = split(len(originals), np.random.default_rng(seed), originals)
    assert sorted([*held_out, *rest]) == list(range(len(originals)))
    posts = set(originals.tolist())
    assert len(set(originals[held_out].tolist())) == (len(posts) // 5 if len(posts) >= 50 else 0)
    assert not set(originals[held_out].tolist()) & set(originals[rest].tolist())


class Scored(FaceWrapper):
    """Gives scores that say nothing to the posts of the community."""

    def scrap_scored(self, limit=None):
        scores = np.random.default_rng(0).random(limit)
        yield from (
            (*found, score) for found, score in zip(self.face.scrap(limit), scores, strict=True)
        )


@pytest.mark.parametrize("seed", range(3))
def test_copies_do_not_hide_from_a_clone_that_it_has_learned_posts_by_heart(seed):
    env = gym.make_vec("Kilroy-Timing-v0", num_envs=10)
    agent = SB3Agent.of(PPO, env, seed, n_steps=2, batch_size=20)
    trainer = KilroyTrainer(env, agent, seed=seed)
    env.unwrapped.face = Scored(env.unwrapped.face)
    epochs = []
    trainer.fine_tune(limit=200, weight_by_score=True, callback=lambda e: epochs.append(e.number))
    assert len(epochs) < 60  # it stopped by itself, by the posts that were held out
