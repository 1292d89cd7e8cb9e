"""Posts of text."""

import copy
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np
from gymnasium.error import InvalidAction
from gymnasium.spaces import Text

from kilroy_gym._checks import integer
from kilroy_gym._extras import needs_extra
from kilroy_gym.codecs.base import Codec, UnencodablePost, short
from kilroy_gym.interfaces import Action, AnyArray

Count = Callable[[str], int]

BYTES_PER_CHARACTER = 10
"""Default limit of UTF-8 bytes per counted character, as in the AT protocol's lexicons."""

PRINTABLE = frozenset(map(chr, range(0x20, 0x7F)))
"""The characters of ASCII that are no controls."""

RANGES = (
    "\t\n\r",
    (0x20, 0x7E),  # printable ASCII
    (0xA0, 0xD7FF),  # the rest of the Basic Multilingual Plane up to the surrogates
    (0xF900, 0xFDCF),  # and after the private use area
    (0xFDF0, 0xFFFD),
    (0x1D400, 0x1D7FF),  # mathematical letters, which people use as fonts
    (0x1F000, 0x1FAFF),  # emoji
    (0xE0020, 0xE007F),  # tags, of which flags are made
)


@cache
def common_characters() -> frozenset[str]:
    """Returns the 60,928 characters that people write posts with.

    They are every living script with its marks, joiners and directions, symbols, emoji, tab,
    newline and carriage return. Excluded are other controls such as NUL, surrogates, private use,
    rare ideographs and historic scripts. Unassigned code points of these blocks are included, so
    the set is the same in every Python version and next year's emoji are allowed.
    """
    ranges = (map(chr, range(r[0], r[1] + 1)) if isinstance(r, tuple) else r for r in RANGES)
    return frozenset(character for characters in ranges for character in characters)


def graphemes(text: str) -> int:
    r"""Counts grapheme clusters, which readers see as characters (Unicode Standard Annex 29).

    A flag, an emoji family or a letter with its marks counts as one. Needs the extra ``text``
    unless the text is plain ASCII.

    Raises:
        ImportError: The extra is not installed.

    Example:
        >>> graphemes("e\u0301"), len("e\u0301")
        (1, 2)
    """
    if text.isascii() and "\r" not in text:
        return len(text)
    with needs_extra("text", "Graphemes"):
        import regex
    return len(regex.findall(r"\X", text))


class PostText(Text):
    """Non-empty texts of allowed characters, no longer than a platform allows.

    Unlike in Gymnasium's ``Text``, ``count`` defines the length.

    Args:
        max_length: Largest length, as given by ``count``.
        max_bytes: Largest size in UTF-8, in bytes.
        characters: The allowed characters.
        count: Maps a text to its length.
    """

    def __init__(
        self, max_length: int, max_bytes: int, characters: frozenset[str], count: Count
    ) -> None:
        """Allows up to ``max_bytes`` code points, as each takes at least one byte."""
        most = max_length if count is len else max_bytes
        super().__init__(most, min_length=1, charset=characters)
        self.limit, self.max_bytes, self.count = max_length, max_bytes, count
        self._takes_ascii = self.character_set.issuperset(PRINTABLE)

    def fault(self, x: object) -> str | None:
        """Says what is wrong with a text; ``None`` if it is in the space."""
        if not isinstance(x, str):
            return f"{short(x)} is not a text"
        if not x:
            return "it is empty"
        plain = self._takes_ascii and x.isascii() and x.isprintable()  # the usual one, at once
        if not plain and not self.character_set.issuperset(x):
            wrong = dict.fromkeys(c for c in x if c not in self.character_set)
            codes = ", ".join(f"U+{ord(character):04X}" for character in list(wrong)[:5])
            return f"{short(x, 60)} has characters that are not allowed: {codes}"
        return self.too_long(x)

    def too_long(self, text: str) -> str | None:
        """Says by how much a text is too long; ``None`` if it is not."""
        if len(text) * 4 > self.max_bytes:
            size = len(text.encode())
            if size > self.max_bytes:
                return f"{short(text, 60)} takes {size:,} bytes, more than {self.max_bytes:,}"
        length = self.count(text)
        if length > self.limit:
            return f"{short(text, 60)} counts {length:,} characters, more than {self.limit:,}"
        return None

    def contains(self, x: object) -> bool:
        """Tells whether ``x`` is a text in the space."""
        return self.fault(x) is None

    def sample(self, mask: Any = None, probability: Any = None) -> str:
        """Draws length and characters, with Gymnasium's arguments; halves what is too long."""
        text = super().sample(mask, probability)
        while len(text) > 1 and self.too_long(text):
            text = text[: len(text) // 2]
        return text

    def __deepcopy__(self, memo: dict[int, object]) -> "PostText":
        """Shares the characters, since an environment has one space per slot."""
        twin = copy.copy(self)
        twin._np_random = copy.deepcopy(self._np_random, memo)  # noqa: SLF001 - its own twin
        return twin

    def __eq__(self, other: object) -> bool:
        """Equal spaces have the same characters, limits and count."""
        return (
            isinstance(other, PostText)
            and (self.limit, self.max_bytes, self.count)
            == (other.limit, other.max_bytes, other.count)
            and self.character_set == other.character_set
        )

    def __repr__(self) -> str:
        """Shows the limits, but not tens of thousands of characters."""
        name = getattr(self.count, "__name__", repr(self.count))
        return (
            f"PostText(1 to {self.limit} by {name}, at most {self.max_bytes} bytes, "
            f"of {len(self.character_set)} characters)"
        )


class TextCodec(Codec[str]):
    """Texts as actions, unchanged, in a Gymnasium ``Text`` space.

    A batch of actions is a list, a tuple or an array of texts.

    Args:
        max_length: Largest length of a post, as given by ``count``.
        characters: The characters that a post may have; by default :func:`common_characters`.
        count: Maps a text to its length as the platform counts it: ``len`` counts code points,
            :func:`graphemes` what a reader sees. A single character must count as 1.
        max_bytes: Largest size in UTF-8, in bytes, at least 4; by default 10 per character of
            ``max_length``.

    Raises:
        ValueError: An argument is out of its range.
        ImportError: ``count`` needs an extra that is not installed.

    Example:
        >>> codec = TextCodec(300, count=graphemes)  # as on Bluesky
        >>> codec.encode("Grüße 🇪🇺")
        'Grüße 🇪🇺'
        >>> codec.encode("")
        Traceback (most recent call last):
        kilroy_gym.codecs.base.UnencodablePost: TextCodec cannot encode a post: it is empty
    """

    space: PostText

    def __init__(
        self,
        max_length: int = 280,
        characters: Iterable[str] | None = None,
        count: Count = len,
        max_bytes: int | None = None,
    ) -> None:
        """Checks the arguments."""
        max_length = integer("max_length", max_length, 1)
        most = max_length * BYTES_PER_CHARACTER if max_bytes is None else max_bytes
        most = integer("max_bytes", most, 4)
        allowed = common_characters() if characters is None else frozenset(characters)
        single = all(isinstance(c, str) and len(c) == 1 for c in allowed)
        if not (allowed and single) or any("\ud800" <= c <= "\udfff" for c in allowed):
            raise ValueError(
                "characters must be at least one, each a text of length 1 and no surrogate, got "
                f"{short(characters)}"
            )
        if not callable(count) or count("é") != 1:
            raise ValueError(f"count must be a function from a text to its length, got {count!r}")
        self.space = PostText(max_length, most, allowed, count)

    def encode(self, x: str) -> str:
        """Returns ``x`` if it is allowed."""
        fault = self.space.fault(x)
        if fault is not None:
            raise UnencodablePost(f"TextCodec cannot encode a post: {fault}")
        return str(x)  # numpy's own texts become str

    def decode(self, action: Action) -> str:
        """Returns the text that ``action`` is."""
        return self.check_action(action)

    def check_action(self, action: Action) -> str:
        """Returns one text as a ``str``; takes arrays of one text."""
        if isinstance(action, np.ndarray) and action.ndim == 0:
            action = action.item()
        fault = self.space.fault(action)
        if fault is not None:
            raise InvalidAction(f"the action is not in {self.space}: {fault}")
        return str(action)

    def check_actions(self, actions: Action) -> AnyArray:
        """Returns a batch of texts as an object array of shape ``(n,)``."""
        if isinstance(actions, str) or not isinstance(actions, Iterable):
            raise InvalidAction(f"actions must be a list or tuple of texts, got {short(actions)}")
        return _texts(map(self.check_action, actions))

    def encode_many(self, xs: Iterable[str]) -> AnyArray:
        """Returns the texts as an object array of shape ``(n,)``."""
        return _texts(map(self.encode, xs))

    def decode_many(self, actions: Action) -> list[str]:
        """Returns the texts of a batch."""
        texts: list[str] = self.check_actions(actions).tolist()
        return texts

    def __repr__(self) -> str:
        """Shows the limits."""
        return f"TextCodec({self.space})"


def _texts(texts: Iterable[str]) -> AnyArray:
    """Returns an object array, since numpy's own texts drop NULs at their ends."""
    return np.array([*texts, None], dtype=object)[:-1]
