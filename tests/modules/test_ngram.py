import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kilroy_gym import KilroyTrainer, PostData
from kilroy_gym.codecs import TextCodec, UnencodablePost, graphemes
from kilroy_gym.modules import NgramModule
from kilroy_gym.modules.ngram_table import END, START, NgramTable, words_of
from kilroy_gym.storage.packing import pack, unpack

TITLES = Path(__file__).parents[3] / "shared/data/reddit_titles/reddit_top2013_titles.csv.gz"
SENTENCES = ["the cat sat down", "the dog sat up", "a dog ran", "the dog ran home"]
SHORT = TextCodec(60, count=graphemes)
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=4)
posts = st.lists(words, min_size=1, max_size=6).map(" ".join).filter(SHORT.space.contains)
corpora = st.lists(posts.filter(str.split), min_size=1, max_size=8)


def taught(texts, **kwargs):
    return NgramModule(**{"seed": 0, **kwargs}).mimic([PostData(x) for x in texts])


def written(module, count):
    return [post.x for _, post in module.generate_many(count)]


def chance(module, sentence, word):
    """Returns how often `word` follows the beginning of a sentence, of many posts."""
    followed = [x.split()[len(sentence.split()) :][:1] for x in written(module, 2000)
                if x.startswith(sentence)]  # fmt: skip
    return followed.count([word]) / len(followed)


@given(st.text())
@example("  two  spaces\nand\ta line\u3000 ")
@example("日本語の文 and words")
@example("\x1c")
def test_words_joined_are_the_post(text):
    assert "".join(words_of(text)).removeprefix(" ") == text.strip()
    assert all(word.strip() for word in words_of(text))


def test_each_ideograph_is_a_word():
    assert words_of("日本 is 国") == [" 日", "本", " is", " 国"]


@given(corpora, st.integers(2, 4))
def test_the_table_counts_what_follows_what(texts, order):
    table = NgramTable(dict.fromkeys(texts, 1), order)
    numbers = {word: number for number, word in enumerate(table.vocabulary)}
    expected = [Counter() for _ in range(order)]
    for text in dict.fromkeys(texts):
        tokens = [START] * (order - 1) + [numbers[word] for word in words_of(text)] + [END]
        for place in range(order - 1, len(tokens)):
            for length in range(order):
                expected[length][tuple(tokens[place - length : place + 1])] += 1
    for length, counts in enumerate(expected):
        for history in {ngram[:-1] for ngram in counts}:
            known = table.known([START] * (order - length) + list(history))
            begin, end = next((b, e) for found, b, e in known if found == length)
            level = table.levels[length]
            found = zip(level.words[begin:end].tolist(), level.counts[begin:end], strict=True)
            assert dict(found) == {n[-1]: c for n, c in counts.items() if n[:-1] == history}


@given(corpora, st.integers(0, 100))
def test_whatever_is_mimicked_posts_are_texts_of_the_codec(texts, seed):
    texts = [x for x in texts if SHORT.space.contains(x)] or ["a"]
    for x in written(taught(texts, codec=SHORT, backoff=5.0, seed=seed), 20):
        assert SHORT.space.contains(x)
        assert set(x) <= {" ", *"".join(texts)}


def test_no_post_is_longer_than_the_platform_allows():
    module = taught(["na na na na na na na na"], codec=TextCodec(25), backoff=100.0)
    lengths = [len(x) for x in written(module, 300)]
    assert 20 < max(lengths) <= 25


def test_it_writes_like_the_corpus_and_something_new():
    new = set(written(taught(SENTENCES), 300)) - set(SENTENCES)
    assert "the dog sat down" in new
    assert chance(taught(SENTENCES * 50 + ["zebras zoom"]), "the cat sat", "down") > 0.3


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_neither_epochs_nor_batches_change_what_is_written(batch_size):
    posts = [PostData(x) for x in [*SENTENCES, SENTENCES[0]]]
    module = NgramModule(seed=0)
    for _ in range(7):
        for start in range(0, len(posts), batch_size):
            module.mimic(posts[start : start + batch_size])
    assert written(module, 50) == written(NgramModule(seed=0).mimic(posts), 50)


def test_what_is_met_more_often_is_written_more_often():
    module = taught(["yes"] * 90 + ["no"] * 10, backoff=0.01)
    assert 0.85 < written(module, 1000).count("yes") / 1000 < 0.95


def test_good_scores_make_words_more_probable_and_bad_ones_less():
    before = chance(taught(SENTENCES), "the", "cat")
    for sign in (1, -1):
        module = taught(SENTENCES)
        for _ in range(20):
            module.reinforce({i: sign * float("cat" in p.x) for i, p in module.generate_many(10)})
        assert sign * chance(module, "the", "cat") > sign * before * (1.5 if sign > 0 else 0.5)


def test_a_word_is_liked_where_it_stands_and_not_elsewhere():
    module = taught(["red cats eat", "red dogs eat", "blue cats eat", "blue dogs eat"])
    liked = ("red cats", "blue dogs")
    for _ in range(150):
        module.reinforce({i: float(p.x.startswith(liked)) for i, p in module.generate_many(10)})
    assert chance(module, "red", "cats") > 0.7 or chance(module, "blue", "dogs") > 0.7
    assert sum(x.startswith(liked) for x in written(module, 500)) > 400


def test_equal_scores_teach_nothing():
    module = taught(SENTENCES)
    for _ in range(5):
        module.reinforce({i: 5.0 for i, _ in module.generate_many(10)})
    assert not module.state()["_word_weights"].any()


def test_the_first_step_is_the_policy_gradient():
    """A finite difference of the log-probability of the post, in each of the weights."""
    module = taught(SENTENCES, rate=0.01)
    first, (draft_id, _) = module.generate()[0], module.generate()
    module.reinforce({first: 0.0})
    kept_words, kept_lengths, log_then = module._drafts[draft_id]
    module._running[:] = 1.0, 0.0, 1.0  # one score of 0; a deviation of 1: the advantage is 1

    def log_chance():
        choices = module._choices(kept_words, kept_lengths)
        return sum(np.log(chances[chosen]) for _, _, chances, chosen in choices)

    assert log_chance() == pytest.approx(log_then)
    gradients = []
    for weights in (module._word_weights, module._pair_weights):
        for place in range(len(weights)):
            weights[place] += 1e-6
            above = log_chance()
            weights[place] -= 2e-6
            gradients.append((above - log_chance()) / 2e-6)
            weights[place] += 1e-6
    module.reinforce({draft_id: 1.0})
    moved = np.concatenate([module._word_weights, module._pair_weights])
    np.testing.assert_allclose(moved, 0.01 * np.array(gradients), atol=1e-9)


def test_a_late_score_counts_less_where_the_post_has_become_improbable():
    def step(between):
        module = taught(["yes", "no"])
        drafts = {post.x: i for i, post in module.generate_many(100)}
        module._running[:] = 100.0, 0.0, 1.0
        module._word_weights[:] = 0.0
        module._word_weights[2] = between  # "yes" is the first word after the two marks
        module.reinforce({drafts["yes"]: 1.0})
        return module._word_weights[2] - between

    fresh, improbable = step(0.0), step(-5.0)
    assert 0 < improbable < fresh / 10


def test_drafts_of_the_same_content_each_count():
    module = taught(["yes", "no"])
    yes = [i for i, post in module.generate_many(60) if post.x == "yes"]
    module._running[:] = 100.0, 0.0, 1.0
    weights = []
    for draft_id in yes[:5]:
        module.reinforce({draft_id: 1.0})
        weights.append(module._word_weights[2])
    assert (np.diff(weights) > 0).all()


def test_a_score_that_comes_after_more_was_mimicked_goes_to_its_words():
    module = NgramModule(words=["cold"], seed=0)
    ((cold, _),) = module.generate_many(1)
    module.mimic([PostData(x) for x in SENTENCES])
    ((warm, _),) = module.generate_many(1)
    module.mimic([PostData("something else entirely")])
    module.reinforce({cold: 0.0, warm: 5.0})
    assert module.state()["drafts"] == []
    assert np.count_nonzero(module._word_weights) > 0


def test_what_was_learned_stays_when_more_is_mimicked():
    module = taught(["yes yes", "no no"])
    for _ in range(50):
        module.reinforce({i: float("yes" in p.x) for i, p in module.generate_many(10)})
    module.mimic([PostData("well then")])
    said = Counter(x.split()[0] for x in written(module, 300))
    assert said["yes"] > 5 * said["no"]


def test_its_state_goes_through_json_with_any_posts():
    texts = ["emoji 👩‍👩‍👧 here", "שלום עולם", "zero\u200bwidth", "$dict $tuple", "line\nline"]
    module = taught(texts)
    module.reinforce({i: float(i) for i, _ in module.generate_many(10)})
    other = NgramModule(seed=9)
    other.set_state(unpack(json.loads(json.dumps(pack(module.state())))))
    assert written(other, 20) == written(module, 20)


def test_only_cold_it_writes_with_the_words_that_it_was_given():
    module = NgramModule(words=["one", "two"], seed=0)
    assert {word for x in written(module, 50) for word in x.split()} == {"one", "two"}
    module.mimic([PostData(x) for x in SENTENCES])
    assert not any("one" in x or "two" in x for x in written(module, 50))


def test_with_nothing_to_write_it_says_what_to_do():
    with pytest.raises(ValueError, match=r"let it mimic posts first \(`trainer.fine_tune\(\)`\)"):
        NgramModule().generate()
    module = taught(["  \n "])  # white space teaches nothing
    with pytest.raises(ValueError, match="nothing to write with"):
        module.generate()


@pytest.mark.parametrize("x", ["", "nul\0", "word " * 2000, None, 5, ["a"], b"a"])
def test_what_is_no_post_cannot_be_mimicked(x):
    with pytest.raises(UnencodablePost, match="TextCodec cannot encode"):
        NgramModule().mimic([PostData(x)])


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"order": 1}, "order must be an integer of at least 2, got 1"),
        ({"backoff": 0}, "backoff must be a number above 0"),
        ({"rate": -1}, "rate must be a number above 0"),
        ({"horizon": 0}, "horizon must be an integer of at least 1"),
        ({"words": ["two words"]}, "words must be single words"),
        ({"words": [" "]}, "words must be single words"),
        ({"codec": TextCodec(5, "ab")}, "codec must allow the space"),
    ],
)
def test_arguments_out_of_range_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        NgramModule(**kwargs)


@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_posts_more_than_double_the_likes_of_the_text_audience(seed):
    env = gym.make_vec("Kilroy-Text-v0", num_envs=10)
    trainer = KilroyTrainer(env, NgramModule(env.unwrapped.codec, seed=seed), seed=seed)
    trainer.fine_tune(epochs=1)
    mimicking = trainer.evaluate(300)
    assert 3.5 < mimicking < 6.5  # as the community, whose sentences get 5.1 on average
    assert trainer.run(posts=1000).evaluate(300) > 2 * mimicking


@pytest.mark.skipif(not TITLES.exists(), reason=f"needs the reddit titles in {TITLES}")
def test_real_titles_are_mimicked():
    with gzip.open(TITLES, "rt", encoding="utf-8", newline="") as file:
        titles = [row["title"] for row in csv.DictReader(file)]
    codec = TextCodec(300, count=graphemes)
    known = [x for x in titles if codec.space.contains(x)]
    assert len(known) > 0.999 * len(titles) > 40_000
    posts = written(taught(known, codec=codec), 300)
    assert all(codec.space.contains(x) for x in posts)
    assert len(set(posts) - set(known)) > 200
