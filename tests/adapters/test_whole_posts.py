"""Modules, which write whole posts, on environments that compose them."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given
from hypothesis import strategies as st
from parts import ManualClock

from kilroy_gym import KilroyTrainer, ModuleAgent
from kilroy_gym.adapters.environments import whole_posts
from kilroy_gym.codecs import SequenceCodec
from kilroy_gym.modules import SequenceModule

STEPS, WHOLE = "Kilroy-ZigzagSteps-v0", "Kilroy-Zigzag-v0"
CODEC = SequenceCodec(10, 5, 1, 2)
SAME_STEP = {"autoreset_mode": AutoresetMode.SAME_STEP}
MAKERS = {
    "scalar": gym.make,
    "vector": lambda env_id: gym.make_vec(env_id, num_envs=5),
    "separate": lambda env_id: gym.make_vec(
        env_id, num_envs=5, vectorization_mode="sync", vector_kwargs=SAME_STEP
    ),
}
every_kind = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
posts = st.lists(
    st.lists(st.sampled_from([0, 2, 9]) | st.integers(0, 9), min_size=4, max_size=4),
    min_size=3,
    max_size=3,
)


def trained(env, budget=200):
    """Returns the rounds of a module's run, and its state afterwards."""
    rounds = []
    agent = ModuleAgent(SequenceModule(CODEC, seed=1), env, update_rate=10)
    agent.learn(budget, rounds.append)
    return rounds, agent.module.state()


@given(st.lists(posts, max_size=3))
def test_whole_posts_earn_what_they_earn_at_once(rounds):
    composed = whole_posts(gym.make_vec(STEPS, num_envs=3))
    at_once = gym.make_vec(WHOLE, num_envs=3)
    beginnings, _ = composed.reset(seed=0)
    for made, actions in enumerate(rounds):
        observations, rewards, terminated, truncated, infos = composed.step(np.array(actions))
        _, scores, _, _, expected = at_once.step(np.array(actions))
        assert observations.tolist() == beginnings.tolist()
        assert rewards.tolist() == scores.tolist()
        assert terminated.all()
        assert not truncated.any()
        final_info = infos["final_info"]
        assert sorted(final_info["post_id"]) == [3 * made, 3 * made + 1, 3 * made + 2]
        for key in ("expected_score", "best_score"):
            assert final_info[key].tolist() == expected["final_info"][key].tolist()


@every_kind
def test_a_module_learns_from_composed_posts_as_from_whole_ones(make):
    (composed, one), (at_once, other) = trained(make(STEPS)), trained(make(WHOLE))
    assert [played.scores for played in composed] == [played.scores for played in at_once]
    assert [played.posts for played in composed] == [played.posts for played in at_once]
    np.testing.assert_equal(one, other)


@every_kind
def test_a_budget_is_of_posts_and_not_of_tokens(make):
    env = make(STEPS)
    rounds, _ = trained(env, budget=47)
    assert [len(played.post_ids) for played in rounds] == [10] * 4
    if make is not MAKERS["separate"]:
        made = [post_id for played in rounds for post_id in played.post_ids]
        assert sorted(made) == list(range(40))
        with pytest.raises(KeyError, match="no post 40"):
            env.unwrapped.face.score(40)


def test_wrappers_around_the_environment_see_every_post():
    env = gym.wrappers.RecordEpisodeStatistics(gym.make(STEPS))
    rounds, _ = trained(env, budget=20)
    assert list(env.return_queue) == [score for played in rounds for score in played.scores]
    assert list(env.length_queue) == [len(p.x) - 1 for played in rounds for p in played.posts]


def test_late_scores_reinforce_their_own_posts():
    clock = ManualClock()
    env = gym.make_vec(STEPS, 5, wait=False, post_rate=1.0, score_delay_s=12.0, clock=clock)
    rounds, state = trained(env, 50)
    scores = {}
    for played in rounds:
        scores.update(played.arrived)
        scores.update(
            (i, s) for i, s in zip(played.post_ids, played.scores, strict=True) if s is not None
        )
    assert sorted(scores) == list(range(50))
    at_once = gym.make(WHOLE)
    for played in rounds:
        for post_id, post in zip(played.post_ids, played.posts, strict=True):
            assert at_once.unwrapped.step(CODEC.encode(post.x))[1] == scores[post_id]
    assert state["drafts"] == []


@every_kind
def test_predicting_token_by_token_writes_the_modules_posts(make):
    agent = ModuleAgent(SequenceModule(CODEC, seed=1), make(STEPS))
    twin = SequenceModule(CODEC, seed=1)
    env = gym.make(STEPS)
    for _ in range(5):
        observation, _ = env.reset()
        state, ended = None, False
        while not ended:
            action, state = agent.predict(observation, state)
            observation, _, ended, _, _ = env.step(action)
        x = twin.generate()[1].x
        (tokens,) = env.unwrapped.observations.unflattened(observation[None])
        assert tokens[: len(x)].tolist() == list(x)
    assert agent.module.state()["drafts"] == []


def test_slots_that_begin_at_different_times_are_predicted_together():
    env = gym.make_vec(STEPS, num_envs=6, observation="discrete")
    agent = ModuleAgent(SequenceModule(CODEC, seed=1), env)
    observations, _ = env.reset(seed=0)
    state, scores = None, []
    for _ in range(12):
        before = None if state is None else state.copy()
        actions, state = agent.predict(observations, state)
        goes_on = (observations[:, 1] < 10).nonzero()[0]
        for slot in goes_on:
            assert state[slot].tolist() == before[slot].tolist()
        observations, rewards, terminated, _, infos = env.step(actions)
        for slot in terminated.nonzero()[0]:
            written = infos["final_obs"][slot]
            assert CODEC.decode(state[slot]) == tuple(written[written < 10].tolist())
            scores.append(rewards[slot])
    assert len(scores) > 12


def test_the_middle_of_a_post_needs_the_state():
    env = gym.make(STEPS)
    agent = ModuleAgent(SequenceModule(CODEC, seed=1), env)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="pass it, as in"):
        agent.predict(env.step(9)[0])


def test_stable_baselines_evaluates_a_module():
    evaluation = pytest.importorskip("stable_baselines3.common.evaluation")
    monitor = pytest.importorskip("stable_baselines3.common.monitor")
    agent = ModuleAgent(SequenceModule(CODEC, seed=1), gym.make(STEPS))
    twin = SequenceModule(CODEC, seed=1)
    env = monitor.Monitor(gym.make(STEPS))
    scores, lengths = evaluation.evaluate_policy(agent, env, 8, return_episode_rewards=True)
    drafts = [twin.generate()[1].x for _ in range(8)]
    at_once = gym.make(WHOLE).unwrapped
    np.testing.assert_allclose(scores, [at_once.step(CODEC.encode(x))[1] for x in drafts], 1e-4)
    assert lengths == [len(x) - 1 for x in drafts]


@every_kind
def test_the_trainer_warm_starts_runs_and_evaluates(make):
    trainer = KilroyTrainer(make(STEPS), SequenceModule(CODEC, seed=1), seed=0)
    before = trainer.fine_tune(epochs=1, limit=20).evaluate(100)
    after = trainer.run(posts=400).evaluate(100)
    assert before + 0.1 < after
