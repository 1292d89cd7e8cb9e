import re
import sys
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilroy_gym.codecs import graphemes
from kilroy_gym.faces.bluesky.records import check_text, created_at, record_key
from kilroy_gym.interfaces import PostRefused

KEYS = st.integers(0, 2**53 - 1)
# https://atproto.com/specs/tid
TID = re.compile("^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$")
FAMILY = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"


def test_a_record_key_is_the_one_that_others_make():
    # TID.fromTime(1700000000000000, 0) of @atproto/common 0.5.16
    assert record_key(1_700_000_000_000_000) == "3ke6kg3wk2222"


@given(KEYS)
def test_every_key_gives_a_valid_record_key_from_which_it_can_be_read(key):
    name = record_key(key)
    assert TID.match(name)
    number = 0
    for digit in name:
        number = number * 32 + "234567abcdefghijklmnopqrstuvwxyz".index(digit)
    assert (number >> 10, number & 1023) == (key, 0)


@given(KEYS, KEYS)
def test_record_keys_are_in_the_order_of_the_keys(one, other):
    assert (record_key(one) < record_key(other)) == (one < other)


@given(KEYS)
def test_the_time_of_creation_is_the_keys(key):
    time = created_at(key)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", time)
    epoch = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    assert (datetime.fromisoformat(time) - epoch) // timedelta(microseconds=1) == key


@pytest.mark.parametrize("key", [-1, 2**53, 1.5, "1", None, True])
@pytest.mark.parametrize("function", [record_key, created_at])
def test_what_is_no_key_is_refused(function, key):
    with pytest.raises(ValueError, match="key must be an integer from 0 to 9007199254740991"):
        function(key)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (True, "is text, got bool"),
        (None, "is text, got NoneType"),
        (b"bytes", "is text, got bytes"),
        ("", "needs some text"),
        (" \n\t\N{NO-BREAK SPACE}", "needs some text"),
        ("a\0b", "NUL"),
        ("half \ud83d", "half a surrogate pair, got one at 5"),
        ("a" * 3001, "at most 3000 bytes, got 3001"),
        ("\N{GRINNING FACE}" * 751, "at most 3000 bytes, got 3004"),
    ],
)
def test_what_cannot_be_a_post_is_refused_and_says_why(text, reason):
    with pytest.raises(PostRefused, match=reason):
        check_text(text)


def test_a_text_of_301_characters_is_refused():
    pytest.importorskip("regex")
    with pytest.raises(PostRefused, match=r"at most 300 characters .*, got 301: shorten it"):
        check_text("é" * 301)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 300,
        "e\N{COMBINING ACUTE ACCENT}" * 300,
        FAMILY * 166,  # 2,988 bytes, 830 code points
        "\N{REGIONAL INDICATOR SYMBOL LETTER D}\N{REGIONAL INDICATOR SYMBOL LETTER E}" * 300,
        "\N{HEBREW LETTER SHIN}\N{HEBREW LETTER LAMED}" * 150,
        "\N{ZERO WIDTH SPACE}seen",
        "two\nlines",
    ],
)
def test_a_text_within_the_limits_is_returned_as_it_is(text):
    pytest.importorskip("regex")
    assert check_text(text) == text


def test_where_regex_is_missing_the_error_names_the_extra_of_bluesky(monkeypatch):
    monkeypatch.setitem(sys.modules, "regex", None)
    assert check_text("plain") == "plain"
    with pytest.raises(ImportError, match=r"Bluesky Faces need regex: .*\[bluesky\]"):
        check_text("é")


@given(st.text(st.characters(codec="utf-8"), max_size=400))
def test_a_text_is_refused_or_within_every_limit(text):
    pytest.importorskip("regex")
    if not text.strip() or "\0" in text or graphemes(text) > 300:
        with pytest.raises(PostRefused, match="a post on Bluesky"):
            check_text(text)
    else:
        assert check_text(text) == text
