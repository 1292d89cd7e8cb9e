"""Minari records posts as a data set: a seed at every reset, as its collector does by default."""

import gc
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence as same
from playing import every_id

from kilroy_gym.envs.episodes import LoneResets

minari = pytest.importorskip("minari", reason="pip install 'minari[create,hdf5]' to run these")
pytest.importorskip("jax", reason="Minari writes with jax: pip install 'minari[create]'")
pytest.importorskip("h5py", reason="Minari writes with h5py: pip install 'minari[hdf5]'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning"),
]

EPISODES = 20
ABOUT = {
    "algorithm_name": "random",
    "author": "nobody",
    "author_email": "nobody@example.org",
    "code_permalink": "https://example.org",
    "description": "Random posts.",
}


@pytest.fixture(autouse=True)
def datasets(tmp_path, monkeypatch):
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    yield
    # Minari leaves its temporary folders to the garbage collector, which would warn in other tests.
    with warnings.catch_warnings(action="ignore", category=ResourceWarning):
        gc.collect()


def collect(env, episodes=EPISODES):
    """Plays random posts and returns, per episode, its actions, rewards and infos."""
    env.action_space.seed(0)
    played = []
    for _ in range(episodes):
        infos, actions, rewards, over = [env.reset()[1]], [], [], False
        while not over:
            actions.append(env.action_space.sample())
            _, reward, terminated, truncated, info = env.step(actions[-1])
            over = terminated or truncated
            rewards.append(reward)
            infos.append(info)
        played.append((actions, rewards, infos))
    return played


def collected(env_id, record_infos=False):
    """Returns what was played, and the data set of it as Minari reads it back."""
    collector = minari.DataCollector(gym.make(env_id, world_seed=0), record_infos=record_infos)
    played = collect(collector)
    collector.create_dataset("kilroy/random-v0", eval_env=env_id, **ABOUT)
    collector.close()
    return played, minari.load_dataset("kilroy/random-v0")


@every_id
@pytest.mark.parametrize("record_infos", [False, True])
def test_a_data_set_holds_the_posts_and_their_scores(env_id, record_infos):
    played, dataset = collected(env_id, record_infos)
    episodes = list(dataset.iterate_episodes())
    assert len(episodes) == EPISODES
    for episode, (actions, rewards, _) in zip(episodes, played, strict=True):
        assert same(list(episode.actions), actions)
        np.testing.assert_array_equal(episode.rewards, rewards)
        assert episode.terminations[-1]


@every_id
def test_recorded_infos_hold_post_ids_and_expected_scores(env_id):
    played, dataset = collected(env_id, record_infos=True)
    posts = []
    for episode, (*_, infos) in zip(dataset.iterate_episodes(), played, strict=True):
        assert episode.infos.keys() == infos[0].keys()
        for key, values in episode.infos.items():
            np.testing.assert_array_equal(values, [info[key] for info in infos])
        posts.append(episode.infos["post_id"][-1])
    assert posts == list(range(EPISODES))


@every_id
def test_the_recovered_environment_gives_the_same_scores_to_the_same_posts(env_id):
    _, dataset = collected(env_id)
    env = dataset.recover_environment()
    assert env.unwrapped.pinned
    for episode in dataset.iterate_episodes():
        env.reset()
        rewards = [env.step(action)[1] for action in episode.actions]
        np.testing.assert_array_equal(rewards, episode.rewards)


def test_collecting_from_a_world_that_is_not_pinned_is_spoken_of(monkeypatch):
    monkeypatch.setattr(LoneResets, "_said", False)
    collector = minari.DataCollector(gym.make("Kilroy-Bernoulli-v0"))
    with pytest.warns(UserWarning, match=r"50 resets had a seed.*world_seed=0"):
        collect(collector, episodes=51)
    collector.close()
