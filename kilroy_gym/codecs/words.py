"""Posts of words from a list."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import MultiDiscrete

from kilroy_gym._checks import integer
from kilroy_gym.codecs.base import UnencodablePost, short
from kilroy_gym.codecs.sequence import TokenCodec

NO_WORDS = " "
"""The post of no word at all: platforms take no empty text."""


class WordCodec(TokenCodec[str]):
    """Texts of words from a list, as actions of the numbers of the words.

    A post is some of the words with a space between each two. Token ``i`` is the ``i``-th word,
    and the token after the last word stops the post. A stop at once posts a single space.

    Args:
        words: The words, all different, each without white space.
        length: Most words in a post, at least 1.

    Raises:
        ValueError: There are no words, two are equal, or one is no word.

    Example:
        >>> codec = WordCodec(["cats", "dogs", "sleep"], length=4)
        >>> codec.encode("cats sleep")
        array([0, 2, 3, 3])
        >>> codec.decode([1, 2, 3, 0])
        'dogs sleep'
    """

    beginning = ()

    def __init__(self, words: Sequence[str], length: int) -> None:
        """Numbers the words."""
        self.words = tuple(words)
        if not self.words or not all(isinstance(w, str) and w.split() == [w] for w in self.words):
            raise ValueError(
                f"words must be at least one, each without white space, got {short(words)}"
            )
        self._tokens = {word: token for token, word in enumerate(self.words)}
        if len(self._tokens) < len(self.words):
            raise ValueError(f"words must all be different, got {short(words)}")
        self.length = integer("length", length, 1)
        self.stop = len(self.words)
        self.vocabulary = self.stop + 1
        self.space = MultiDiscrete([self.vocabulary] * self.length)

    def encode(self, x: str) -> npt.NDArray[np.int64]:
        """Returns the numbers of the words, int64 of shape ``(length,)``, filled with stops."""
        words = x.split() if isinstance(x, str) else []
        known = all(word in self._tokens for word in words) and len(words) <= self.length
        if not known or x != (" ".join(words) or NO_WORDS):
            raise UnencodablePost(
                f"WordCodec cannot encode {short(x)}; it must be a text of at most {self.length} "
                f"of {len(self.words)} words, with a space between each two"
            )
        return self._filled([self._tokens[word] for word in words])

    def decode(self, action: Any) -> str:
        """Returns the text of the words up to the first stop."""
        return self._text(self._until_stop(action, with_stop=False))

    def encode_many(self, xs: Iterable[str]) -> npt.NDArray[np.int64]:
        """Returns the actions for texts, int64 of shape ``(n, length)``."""
        return np.array([self.encode(x) for x in xs], np.int64).reshape(-1, self.length)

    def decode_many(self, actions: Any) -> list[str]:
        """Returns the texts of a batch of actions."""
        rows = self.check_actions(actions).tolist()
        stop = self.stop
        return [self._text(row[: row.index(stop)] if stop in row else row) for row in rows]

    def _text(self, tokens: list[int]) -> str:
        return " ".join([self.words[token] for token in tokens]) or NO_WORDS

    def __repr__(self) -> str:
        """Shows the arguments."""
        return f"WordCodec({short(list(self.words))}, {self.length})"
