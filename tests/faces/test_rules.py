import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilroy_gym import PostData
from kilroy_gym.faces.rules import ask_person, banned, fingerprint, length

limits = st.tuples(st.integers(0, 20), st.integers(0, 20)).map(sorted)


@given(limits, st.text(max_size=30))
def test_length_lets_pass_what_is_within_its_limits(limits, text):
    shortest, longest = limits
    refusal = length(longest, shortest)(PostData(text))
    assert (refusal is None) == (shortest <= len(text) <= longest)


def test_length_counts_as_the_platform_does():
    in_bytes = length(4, count=lambda text: len(text.encode()))
    assert in_bytes(PostData("żółw")) == "length 7 is not from 1 to 4"
    assert in_bytes(PostData("wolf")) is None


@pytest.mark.parametrize("limits", [(-1, 0), (5, 6), (2.5, 1), (5, -1)])
def test_length_refuses_limits_that_make_no_sense(limits):
    with pytest.raises(ValueError, match="must be an integer of at least"):
        length(*limits)


@pytest.mark.parametrize(
    "text",
    [
        "spam",
        "Spam!",
        "buy  SPAM now",
        "\uff53\uff50\uff41\uff4d",
        "s\u200bp\u00adam",
        "say no\n to drugs",
        "(spam)",
    ],
)
def test_a_banned_word_is_found_however_it_is_written(text):
    assert banned(["SPAM", "no to"])(PostData(text)) is not None


@pytest.mark.parametrize("x", ["spamalot", "antispam", "", "sp am", "a.c", 3, True, (1, 2)])
def test_what_only_looks_like_a_banned_word_passes(x):
    assert banned(["spam", "a+c"])(PostData(x)) is None


@given(st.text(st.characters(categories=["L", "P", "S"]), min_size=1), st.text(), st.text())
def test_a_banned_word_is_found_between_any_others(word, before, after):
    rule = banned([word])
    assert rule(PostData(f"{before} {word} {after}")) is not None


@pytest.mark.parametrize("words", [[], ["fine", ""], ["\u200b"], "spam"])
def test_banning_nothing_is_refused(words):
    with pytest.raises(ValueError, match="words must be"):
        banned(words)


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("y\n", None),
        (" YES \n", None),
        ("n\n", "a person said no"),
        ("what?\n\nno\n", "a person said no"),
    ],
)
def test_a_person_decides(monkeypatch, capsys, typed, refusal):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert ask_person(PostData("hello")) == refusal
    assert capsys.readouterr().out.count("Post 'hello'? [y/n]") == typed.count("\n")


def test_a_person_sees_what_a_text_would_hide(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    ask_person(PostData("nice\x1b[2K\u202etext\u200b"))
    assert r"'nice\x1b[2K\u202etext\u200b'" in capsys.readouterr().out


def test_where_nobody_can_be_asked_nothing_passes(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(RuntimeError, match="there is no terminal to ask at"):
        ask_person(PostData("hello"))


def test_contents_are_the_same_but_for_case_and_white_space():
    assert fingerprint("Hello\n  World") == fingerprint("hello world ")
    assert fingerprint("hello worlds") != fingerprint("hello world")


@given(st.sampled_from([(True, 1), (1, 1.0), ("1", 1), ((1,), [1])]))
def test_contents_of_different_types_are_different(pair):
    assert fingerprint(pair[0]) != fingerprint(pair[1])
