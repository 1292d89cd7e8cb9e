"""What holds for every module that learns from scores, and what each of them learns."""

import json

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilroy_gym import KilroyTrainer, ModuleAgent, PostData, module_for
from kilroy_gym.adapters.own_modules import time_features
from kilroy_gym.codecs import SequenceCodec, TextCodec
from kilroy_gym.envs.suite import AUDIENCES
from kilroy_gym.modules import (
    CategoricalModule,
    ContextualModule,
    GaussianModule,
    GrowingModule,
    NgramModule,
    SequenceModule,
    ThompsonModule,
)
from kilroy_gym.storage.packing import pack, unpack

SEQUENCES = SequenceCodec(vocabulary=6, length=4, start=1, stop=2)
MONDAY_NOON = np.array([12, 0])
MAKERS = {
    "categorical": lambda seed: CategoricalModule(range(4), seed=seed),
    "categorical with memory": lambda seed: CategoricalModule(range(4), memory=20, seed=seed),
    "thompson": lambda seed: ThompsonModule(range(4), seed=seed),
    "thompson, gamma": lambda seed: ThompsonModule(range(4), likelihood="gamma", seed=seed),
    "thompson, discounted": lambda seed: ThompsonModule(range(4), discount=0.9, seed=seed),
    "growing": lambda seed: GrowingModule(range(4), seed=seed),
    "contextual": lambda seed: ContextualModule(range(4), time_features, seed=seed),
    "gaussian": lambda seed: GaussianModule(0.0, 3.0, seed=seed),
    "gaussian, two": lambda seed: GaussianModule([0.0, -1.0], [3.0, 1.0], seed=seed),
    "sequence": lambda seed: SequenceModule(SEQUENCES, seed=seed),
    "ngram": lambda seed: NgramModule(TextCodec(60), words=["a", "bb", "cccc"], seed=seed),
}
every_module = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
ENV_IDS = list(AUDIENCES)


def write(module, count=1):
    return module.generate_many(count, [MONDAY_NOON] * count)


def liking(x):
    """A score that is never negative, and greater for greater contents."""
    return float(len(x) if isinstance(x, str) else np.sum(np.abs(x)))


def train(module, rounds, size=5):
    for _ in range(rounds):
        drafts = write(module, size)
        module.reinforce({draft_id: liking(post.x) for draft_id, post in drafts})
    return module


@every_module
def test_a_module_writes_better_posts_after_training(make):
    def mean(module):
        return np.mean([liking(post.x) for _, post in write(module, 200)])

    assert mean(train(make(0), 60)) > mean(make(0)) * 1.15


@every_module
def test_the_same_seed_writes_the_same_posts(make):
    posts = [[post.x for _, post in write(make(seed), 60)] for seed in (1, 1, 2)]
    np.testing.assert_equal(posts[0], posts[1])
    with pytest.raises(AssertionError):
        np.testing.assert_equal(posts[0], posts[2])


@every_module
def test_a_module_goes_on_bit_for_bit_from_its_state(make):
    module = make(3)
    posts = [PostData(post.x, MONDAY_NOON) for _, post in write(make(9), 20)]
    train(module.mimic(posts), 4)
    drafts = write(module, 3)  # open ones are kept too
    stored = unpack(json.loads(json.dumps(pack(module.state()))))
    other = make(8)
    other.set_state(stored)
    scores = {draft_id: 1.0 + draft_id % 3 for draft_id, _ in drafts}
    for each in (module, other):
        train(each.reinforce(scores), 3)
    np.testing.assert_equal(other.state(), module.state())


@every_module
def test_late_scores_go_to_their_own_drafts(make):
    def learned(order):
        module = make(4)
        drafts = write(module, 30)
        scores = {draft_id: liking(post.x) for draft_id, post in drafts}
        for draft_ids in order:
            module.reinforce({draft_id: scores[draft_id] for draft_id in draft_ids})
        return module

    late = learned([range(20, 30), range(10), range(10, 20)])
    assert late.state()["drafts"] == []
    assert np.mean([liking(p.x) for _, p in write(late, 300)]) > 0.9 * np.mean(
        [liking(p.x) for _, p in write(make(5), 300)]
    )


@every_module
def test_drafts_can_be_forgotten_and_nothing_is_kept_for_them(make):
    module = make(0)
    drafts = write(module, 4)
    module.forget([draft_id for draft_id, _ in drafts[:3]])
    assert [draft_id for draft_id, _ in module.state()["drafts"]] == [drafts[3][0]]
    module.forget([12345])


@every_module
def test_no_scores_change_nothing(make):
    module = train(make(0), 2)
    before = module.state()
    assert module.reinforce({}) is module
    np.testing.assert_equal(module.state(), before)


@every_module
def test_memory_does_not_grow_with_the_run(make):
    def size(rounds):
        state = train(make(0), rounds, 20).state()
        return sum(np.size(value) for key, value in state.items() if key != "_history")

    assert size(120) <= size(60) + 200 * (size(60) < 2000)


@every_module
@given(scores=st.lists(st.floats(0, 1e9) | st.just(0.0), min_size=1, max_size=12))
def test_any_scores_leave_a_module_that_writes(make, scores):
    module = make(0)
    for score in scores:
        ((draft_id, _),) = write(module)
        module.reinforce({draft_id: score})
    ((_, post),) = write(module)
    assert np.isfinite(liking(post.x))
    assert all(np.isfinite(value) for value in module.metrics().values())


@pytest.mark.parametrize("env_id", ENV_IDS)
@pytest.mark.parametrize("warm", [False, True])
def test_the_module_of_an_environment_beats_posting_at_random(env_id, warm):
    def mean_score(learning):
        env = gym.make_vec(env_id, num_envs=10)
        trainer = KilroyTrainer(env, module_for(env, seed=1), seed=1)
        if warm:
            trainer.fine_tune(epochs=2)
        if learning:
            trainer.run(posts=600)
        return trainer.evaluate(200)

    assert mean_score(True) > mean_score(False)


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_the_module_of_an_environment_is_saved_and_goes_on(env_id, tmp_path):
    def agent():
        env = gym.make_vec(env_id, num_envs=5)
        env.reset(seed=0)
        return ModuleAgent(module_for(env, seed=0), env), env

    (unstopped, _), (stopped, env) = agent(), agent()
    unstopped.learn(50)
    stopped.learn(50).save(tmp_path / "agent.json")
    loaded = ModuleAgent.load(tmp_path / "agent.json", module_for(env, seed=7), env)
    unstopped.learn(50)
    loaded.learn(50)
    np.testing.assert_equal(loaded.module.state(), unstopped.module.state())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ThompsonModule([]), "at least one"),
        (lambda: ThompsonModule(["a"], prior=0), "prior must be a number above 0"),
        (lambda: ThompsonModule(["a"], discount=1.5), "discount must be .* at most 1, got 1.5"),
        (lambda: ThompsonModule(["a"], likelihood="beta"), "'normal' or 'gamma', got 'beta'"),
        (lambda: GrowingModule(["a"], trust=-1), "trust must be a number of at least 0"),
        (lambda: GaussianModule(1.0, 0.0), "low must be below high"),
        (lambda: GaussianModule(0.0, 1.0, memory=1), "memory must be an integer of at least 2"),
        (lambda: CategoricalModule("ab", rate=0), "rate must be a number above 0"),
        (lambda: CategoricalModule("ab", passes=0), "passes must be an integer of at least 1"),
        (lambda: SequenceModule(SEQUENCES, entropy_posts=0), "entropy_posts must be .* above 0"),
        (lambda: ContextualModule("ab", time_features, noise=0), "noise must be .* above 0"),
    ],
)
def test_arguments_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_gamma_likelihood_refuses_negative_scores():
    module = ThompsonModule("ab", likelihood="gamma", seed=0)
    ((draft_id, _),) = write(module)
    with pytest.raises(ValueError, match=r"never negative, got -1.0; use likelihood='normal'"):
        module.reinforce({draft_id: -1.0})
    module.reinforce({draft_id: 1.0})  # the draft is still there
