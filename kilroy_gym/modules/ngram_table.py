"""Counts of n-grams in a corpus of posts, as sorted arrays."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

START, END = 0, 1
"""The numbers of the markers before a post's first word and after its last."""

IDEOGRAPHS = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Kana and ideographs, written without spaces: each counts as a word."""

WORD = re.compile(rf"\s*(?:[{IDEOGRAPHS}]|[^\s{IDEOGRAPHS}]+)")


def words_of(text: str) -> list[str]:
    """Splits a post into words, each with the white space before it.

    A space is put before the first word, so that a word is the same wherever it occurs. Joined,
    the words are the post after that space, without white space at its ends.
    """
    return WORD.findall(f" {text.strip()}")


@dataclass
class Level:
    """The continuations of all contexts of one length.

    Those of context ``c`` are at ``starts[c]`` to ``starts[c + 1]`` of ``words``, ``counts`` and
    ``pairs``, sorted by word. There are ``c`` contexts and ``n`` continuations.

    Attributes:
        keys: One per context, int64 of shape ``(c,)``, sorted: the number of the context without
            its first word, times the vocabulary, plus its first word.
        starts: Where each context's continuations begin, int64 of shape ``(c + 1,)``.
        words: The words that follow, int64 of shape ``(n,)``.
        counts: How often they do, in posts of mean weight 1, float64 of shape ``(n,)``.
        pairs: The number of the pair of the word before and this word, int64 of shape ``(n,)``;
            empty without context.
    """

    keys: Integers
    starts: Integers
    words: Integers
    counts: npt.NDArray[np.float64]
    pairs: Integers


class NgramTable:
    """How often each word follows each context of up to ``order - 1`` words.

    Args:
        posts: How often each text was seen; at least one text, each with a word.
        order: Length of a context plus its continuation, at least 2.
        words: Words that get the first numbers, whether posts contain them or not.

    Attributes:
        vocabulary: The words by number. A word keeps its number when posts are added.
        levels: The continuations of contexts of 0 to ``order - 1`` words.
        pair_keys: One per pair of neighbours, int64, sorted: the first word's number, shifted
            left by 32 bits, and the second's.
    """

    def __init__(self, posts: Mapping[str, int], order: int, words: Iterable[str] = ()) -> None:
        """Counts all n-grams."""
        numbers = {"": START, " ": END}  # words are never empty
        for word in words:
            numbers.setdefault(word, len(numbers))
        stream: list[int] = []
        lengths = []
        for text in posts:
            found = [numbers.setdefault(word, len(numbers)) for word in words_of(text)]
            stream += [START] * (order - 1)
            stream += found
            stream.append(END)
            lengths.append(len(found) + order)
        self.vocabulary = list(numbers)
        self._size = len(numbers)
        tokens = np.array(stream, np.int64)
        counts = np.fromiter(posts.values(), np.float64, len(posts))
        # Scaled to a mean of 1, so that the number of epochs does not matter.
        weights = np.repeat(counts * len(posts) / counts.sum(), lengths)
        places = np.flatnonzero(tokens != START)
        words_there, weights_there = tokens[places], weights[places]
        contexts, keys = np.zeros(len(places), np.int64), np.zeros(1, np.int64)
        self.levels: list[Level] = []
        pairs = np.zeros(0, np.int64)
        for length in range(order):
            if length:
                before = contexts * self._size + tokens[places - length]
                keys, contexts = np.unique(before, return_inverse=True)
            follows, first, numbered = np.unique(
                contexts * self._size + words_there, return_index=True, return_inverse=True
            )
            if length == 1:
                pairs = numbered
            starts = np.searchsorted(follows // self._size, np.arange(len(keys) + 1))
            counted = np.bincount(numbered, weights_there).astype(np.float64)
            its_pairs = pairs[first] if length else np.zeros(0, np.int64)
            self.levels.append(Level(keys, starts, follows % self._size, counted, its_pairs))
        befores = np.repeat(self.levels[1].keys, np.diff(self.levels[1].starts))
        self.pair_keys = befores << 32 | self.levels[1].words

    def known(self, history: Sequence[int]) -> list[tuple[int, int, int]]:
        """Returns the known contexts at the end of a history, the longest first.

        Each is its length, and where its continuations begin and end in the arrays of its level.
        """
        context, found = 0, [(0, 0, len(self.levels[0].words))]
        for length in range(1, len(self.levels)):
            level, key = self.levels[length], context * self._size + history[-length]
            context = int(level.keys.searchsorted(key))
            if context == len(level.keys) or level.keys[context] != key:
                break
            found.append((length, int(level.starts[context]), int(level.starts[context + 1])))
        return found[::-1]
