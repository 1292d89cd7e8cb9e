"""What follows what in a corpus of posts, as sorted arrays."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

START, END = 0, 1
"""The numbers of what stands before the first word of a post and after the last."""

IDEOGRAPHS = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Kana and ideographs, which are written without spaces: each is taken as a word."""

WORD = re.compile(rf"\s*(?:[{IDEOGRAPHS}]|[^\s{IDEOGRAPHS}]+)")


def words_of(text: str) -> list[str]:
    """Splits a post into words, each with the white space before it.

    Joined they are the post again, but for white space at its ends, after a space at the start:
    so a word is the same wherever it stands.
    """
    return WORD.findall(f" {text.strip()}")


@dataclass
class Level:
    """The continuations of all contexts of one length.

    Those of context ``c`` are at ``starts[c]`` to ``starts[c + 1]`` of the other arrays, sorted.

    Attributes:
        keys: By context: the number of its last words without the first, and the first, in one.
        starts: By context, and one more.
        words: What follows.
        counts: How often, in posts of mean weight 1.
        pairs: The number of the pair of the word before and this one.
    """

    keys: Integers
    starts: Integers
    words: Integers
    counts: npt.NDArray[np.float64]
    pairs: Integers


class NgramTable:
    """How often each word follows each context of up to ``order - 1`` words.

    Args:
        posts: At least one text with a word, and how often it was met.
        order: Length of a context and its continuation, at least 2.
        words: Words that get the first numbers, whether a post has them or not.

    Attributes:
        vocabulary: The words by number; where posts are added their numbers stay.
        pair_keys: By pair: the numbers of the word before and of the word, in one; sorted.
    """

    def __init__(self, posts: Mapping[str, int], order: int, words: Iterable[str] = ()) -> None:
        """Counts everything."""
        numbers = {"": START, " ": END}  # no word is without a character
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
        # To a mean of 1: so it is the same whether the posts were gone through once or often.
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
        """Returns the contexts at the end of a history that have been met, the longest first.

        Each as its length, and where its continuations begin and end in the arrays of its level.
        """
        context, found = 0, [(0, 0, len(self.levels[0].words))]
        for length in range(1, len(self.levels)):
            level, key = self.levels[length], context * self._size + history[-length]
            context = int(level.keys.searchsorted(key))
            if context == len(level.keys) or level.keys[context] != key:
                break
            found.append((length, int(level.starts[context]), int(level.starts[context + 1])))
        return found[::-1]
