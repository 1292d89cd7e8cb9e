import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilroy_gym.audiences import TextAudience
from kilroy_gym.audiences.text import OPTIONAL, SLOTS, WORDS, reads

sentences = st.tuples(
    *(
        st.sampled_from(["", *slot] if number in OPTIONAL else slot)
        for number, slot in enumerate(SLOTS)
    )
).map(lambda words: [word for word in words if word])
anything = st.lists(st.sampled_from(WORDS) | st.text("abc ", max_size=5), max_size=12).map(" ".join)


def started(seed=0, **kwargs):
    audience = TextAudience(**kwargs)
    audience.restart(np.random.default_rng(seed))
    return audience


def expected(audience, text):
    return float(audience.respond(text, np.random.default_rng(0))[1])


def test_the_slots_are_alike_and_every_word_has_one():
    assert {len(slot) for slot in SLOTS} == {8}
    assert len(set(WORDS)) == len(WORDS) == 56


@given(sentences)
def test_every_sentence_of_the_grammar_reads_well(words):
    assert reads(words) == 1


def test_a_sentence_that_lacks_what_it_needs_or_goes_back_reads_less_well():
    assert reads(["cats", "bake", "cakes"]) == 1
    assert reads(["bake", "cakes"]) == 2 / 3  # nobody bakes
    assert reads(["cakes", "bake", "cats"]) == 0
    assert reads(["cats", "cats", "bake", "cakes"]) == 4 / 5
    assert reads(["cats", "bake", "gorgeous", "cakes"]) == 3 / 5
    assert reads([]) == 0


@given(st.integers(0, 2**32), st.floats(0.01, 1e6))
def test_the_best_post_has_the_most_appealing_word_of_each_slot(seed, likes):
    audience = started(seed, likes=likes)
    best = " ".join(max(slot, key=audience.appeals.__getitem__) for slot in SLOTS)
    assert expected(audience, best) == pytest.approx(likes)
    assert audience.codec.space.contains(best)


@given(st.integers(0, 2**32), anything)
def test_no_text_is_expected_to_do_better(seed, text):
    assert 0 <= expected(started(seed), text) <= 20


def test_the_mean_over_all_words_of_a_slot_is_as_stated():
    audience = started()
    for slot in SLOTS:
        appeals = sorted(audience.appeals[word] for word in slot)
        assert appeals == pytest.approx([(k / 7) ** 2 for k in range(8)])
    sentence = ["cats", "bake", "cakes"]
    appeal = sum(audience.appeals[word] for word in sentence) / 7
    assert expected(audience, " ".join(sentence)) == pytest.approx(20 * appeal)


def test_words_count_in_any_case_and_without_punctuation():
    audience = started()
    plain = expected(audience, "honestly cats bake cakes")
    assert expected(audience, 'Honestly,  CATS bake "cakes"!') == plain > 0


def test_repeating_good_words_does_not_help():
    audience = started()
    best = " ".join(max(slot, key=audience.appeals.__getitem__) for slot in SLOTS)
    assert expected(audience, f"{best} {best}") < expected(audience, best)
    assert expected(audience, "gibberish") == expected(audience, "?") == 0


def test_scores_are_counts_with_the_stated_mean_and_variance():
    audience = started(dispersion=2.0)
    text = next(
        x for x in map(" ".join, itertools.product(*SLOTS[1:6])) if expected(audience, x) > 8
    )
    scores, means, best = audience.respond([text] * 40_000, np.random.default_rng(1))
    mean = means[0]
    assert best == 20
    assert (scores == scores.round()).all()
    assert scores.mean() == pytest.approx(mean, rel=0.02)
    assert scores.var() == pytest.approx(mean + mean**2 / 2, rel=0.05)


def test_the_community_writes_sentences_that_get_about_a_quarter_of_the_likes():
    audience = started(3)
    posts, contexts = audience.community(4000, np.random.default_rng(0))
    assert contexts is None
    assert all(reads(post.split()) == 1 for post in posts)
    means = audience.respond(posts, np.random.default_rng(0))[1]
    assert means.mean() == pytest.approx(20 * (3 + 4 / 2) / 7 * 140 / 49 / 8, rel=0.03)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"likes": 0}, "likes must be a number"),
        ({"dispersion": 0}, "dispersion must be a number"),
        ({"max_length": 79}, "max_length must be an integer from 80 to 10000, got 79"),
    ],
)
def test_arguments_out_of_range_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        TextAudience(**kwargs)
