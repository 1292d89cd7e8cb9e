"""What Bluesky requires of a post: key, time and length."""

from datetime import UTC, datetime, timedelta

from kilroy_gym._checks import integer
from kilroy_gym._extras import needs_extra
from kilroy_gym.codecs import graphemes
from kilroy_gym.interfaces import PostRefused

MAX_GRAPHEMES = 300
"""The most grapheme clusters in a post (lexicon ``app.bsky.feed.post``)."""

MAX_BYTES = 3000
"""The most UTF-8 bytes in a post (lexicon ``app.bsky.feed.post``)."""

_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def record_key(key: int) -> str:
    """Returns the record key of a post: a TID of 13 digits, which sorts as the keys do.

    It encodes 53 bits of microseconds and a 10-bit clock id, here 0, in base32-sortable
    (https://atproto.com/specs/tid).

    Args:
        key: Unix microseconds, from 0 to below 2**53.

    Raises:
        ValueError: ``key`` is something else.

    Example:
        >>> record_key(1_700_000_000_000_000)
        '3ke6kg3wk2222'
    """
    bits = integer("key", key, 0, 2**53 - 1) << 10
    return "".join(_DIGITS[bits >> shift & 31] for shift in range(60, -1, -5))


def created_at(key: int) -> str:
    """Returns the time of creation that a key stands for: RFC 3339 in UTC, with microseconds.

    Args:
        key: Unix microseconds, from 0 to below 2**53.

    Raises:
        ValueError: ``key`` is something else.

    Example:
        >>> created_at(1_700_000_000_000_000)
        '2023-11-14T22:13:20.000000Z'
    """
    time = _EPOCH + timedelta(microseconds=integer("key", key, 0, 2**53 - 1))
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def check_text(text: object) -> str:
    """Returns the text of a post that Bluesky can show.

    Raises:
        PostRefused: It is not a text, has nothing to see, is too long, or has a character that
            cannot be sent.
        ImportError: ``regex`` is missing; the message names the extra to install.
    """
    if not isinstance(text, str):
        raise PostRefused(f"a post on Bluesky is text, got {type(text).__name__}")
    if not text.strip():
        raise PostRefused("a post on Bluesky needs some text, got only white space or nothing")
    if "\0" in text:
        raise PostRefused("a post on Bluesky cannot have the character NUL: leave it out")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise PostRefused(
            f"a post on Bluesky cannot have half a surrogate pair, got one at {error.start}"
        ) from None
    if size > MAX_BYTES:
        raise PostRefused(
            f"a post on Bluesky has at most {MAX_BYTES} bytes, got {size}: shorten it"
        )
    with needs_extra("bluesky", "Bluesky Faces"):
        length = graphemes(text)
    if length > MAX_GRAPHEMES:
        raise PostRefused(
            f"a post on Bluesky has at most {MAX_GRAPHEMES} characters (graphemes), got {length}: "
            "shorten it"
        )
    return text
