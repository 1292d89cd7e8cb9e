"""Posts of text that are composed word by word."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from hypothesis import given
from hypothesis import strategies as st

from kilroy_gym import KilroyTrainer, ModuleAgent, module_for
from kilroy_gym.audiences.text import SLOTS, WORDS
from kilroy_gym.codecs import WordCodec
from kilroy_gym.modules import NgramModule

STEPS, WHOLE = "Kilroy-TextSteps-v0", "Kilroy-Text-v0"
STOP = len(WORDS)
sentences = st.lists(st.integers(0, STOP), min_size=7, max_size=7)


def compose(env, tokens):
    """Writes tokens into a new post until it goes out; returns the last step."""
    env.reset()
    for token in tokens:
        happened = env.step(token)
        if happened[2]:
            return happened
    raise AssertionError("the post did not go out")


def test_tokens_are_the_words_of_the_grammar_and_a_stop():
    env = gym.make(STEPS)
    assert len(WORDS) == 56
    assert env.action_space == Discrete(57)
    assert env.observation_space == Box(0, 1, (7 * 58,), np.float32)
    env.reset(seed=0)
    for token in (3, 17, STOP):
        env.step(token)
    (post,) = env.unwrapped.last_posts
    assert post.x == f"{WORDS[3]} {WORDS[17]}"


@given(sentences, st.integers(0, 100))
def test_a_composed_text_has_the_truth_and_the_likes_of_the_whole_one(tokens, seed):
    composed, whole = gym.make(STEPS), gym.make(WHOLE)
    composed.reset(seed=seed)
    whole.reset(seed=seed)
    *_, info = happened = compose(composed, tokens)
    text = composed.unwrapped.codec.decode(tokens)
    _, score, _, _, expected = whole.step(text)
    assert (happened[1], info) == (score, expected)


def test_seven_words_end_a_post():
    env = gym.make(STEPS)
    env.reset(seed=0)
    for number in range(6):
        assert not env.step(number)[2]
    assert env.step(6)[2]


def test_the_best_sentence_is_expected_to_earn_the_best_score():
    env = gym.make(STEPS)
    env.reset(seed=0)
    appeals = env.unwrapped.face.audience.appeals
    best = [WORDS.index(max(slot, key=appeals.__getitem__)) for slot in SLOTS]
    *_, info = compose(env, best)
    assert info["expected_score"] == pytest.approx(info["best_score"])


def test_a_stop_at_once_posts_a_blank_that_nobody_likes():
    env = gym.make(STEPS)
    env.reset(seed=0)
    _, score, ended, _, info = env.step(STOP)
    assert (score, ended, info["expected_score"]) == (0.0, True, 0.0)
    assert [post.x for post in env.unwrapped.last_posts] == [" "]


@pytest.mark.parametrize("render_mode", [None, "ansi"])
def test_what_others_write_can_be_composed(render_mode):
    env = gym.make_vec(STEPS, 2, render_mode=render_mode)
    env.reset(seed=0)
    codec = env.codec
    posts = [post.x for _, post in env.scrap(100)]
    assert codec.decode_many(codec.encode_many(posts)) == posts


@pytest.mark.parametrize(
    "make", [gym.make, lambda env_id: gym.make_vec(env_id, 5)], ids=["scalar", "vector"]
)
def test_its_own_module_writes_word_by_word_and_learns(make):
    env = make(STEPS)
    module = module_for(env, seed=0)
    assert isinstance(module, NgramModule)
    trainer = KilroyTrainer(env, module, seed=0).fine_tune(epochs=1, progress_bar=False)
    before = trainer.evaluate(300)
    trainer.run(posts=2000, progress_bar=False)
    assert trainer.evaluate(300) > before + 3


def test_its_own_module_writes_what_fits_without_a_warm_start():
    env = gym.make_vec(STEPS, 5)
    env.reset(seed=0)
    rounds = []
    ModuleAgent(module_for(env, seed=0), env).learn(2000, rounds.append)
    texts = [post.x for played in rounds for post in played.posts]
    assert len(texts) == 2000
    assert max(len(text.split()) for text in texts) <= 7


def test_ppo_plays_it_and_is_warm_started():
    pytest.importorskip("stable_baselines3")
    from stable_baselines3 import PPO

    from kilroy_gym.adapters.sb3 import SB3Agent

    env = gym.make_vec(STEPS, 10)
    rounds = []
    agent = SB3Agent.of(PPO, env, 0, n_steps=20, batch_size=50)
    trainer = KilroyTrainer(env, agent, seed=0)
    before = trainer.evaluate(200)
    trainer.fine_tune(epochs=20, progress_bar=False)
    trainer.run(posts=60, callback=rounds.append, progress_bar=False)
    assert trainer.evaluate(200) > before + 2
    texts = [post.x for played in rounds for post in played.posts]
    assert len(texts) <= 60
    assert set(" ".join(texts).split()) <= set(WORDS)


codec = WordCodec(["cats", "dogs", "sleep"], length=4)


@given(st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_a_text_of_words_comes_back(tokens):
    text = codec.decode(tokens)
    assert codec.decode(codec.encode(text)) == text
    assert codec.decode_many([tokens]) == [text]
    assert codec.encode_many([text]).tolist() == [codec.encode(text).tolist()]


@pytest.mark.parametrize(
    "x",
    ["", "  ", "cats  dogs", "cats birds", "Cats", " cats", "cats cats cats cats cats", 3, None],
)
def test_another_text_is_not_encoded(x):
    with pytest.raises(ValueError, match=r"WordCodec cannot encode .*at most 4 of 3 words"):
        codec.encode(x)


@pytest.mark.parametrize("words", [[], ["a", "a"], ["a b"], [""], [3]])
def test_what_are_no_words_is_refused(words):
    with pytest.raises(ValueError, match="words must"):
        WordCodec(words, 3)
