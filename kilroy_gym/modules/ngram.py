"""Posts of text, written word by word."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from kilroy_gym._checks import integer, number
from kilroy_gym.codecs import TextCodec
from kilroy_gym.codecs.base import short
from kilroy_gym.interfaces import Observation, State
from kilroy_gym.modules.drafting import DraftingModule
from kilroy_gym.modules.ngram_table import END, START, NgramTable, words_of
from kilroy_gym.post import PostData

Floats = npt.NDArray[np.float64]
Written = tuple[list[int], list[int], float]
"""How a post was written: its words, the context length of each, and its log-probability."""

MOST_ADVANTAGE = 2.0
"""The largest advantage of a post, in mean absolute deviations: one viral post is not all."""

MOST_WEIGHT = 10.0
"""Weights are clipped to this, so that nothing others write becomes impossible."""


class NgramModule(DraftingModule[str, Written]):
    """An n-gram model: writes word by word, each drawn given the words before it.

    A word is drawn from those that followed the last ``order - 1`` words in the mimicked posts.
    With probability ``backoff / (count + backoff)``, the model backs off to a context one word
    shorter (the hierarchical Dirichlet model: MacKay and Bauman Peto, "A hierarchical Dirichlet
    language model", 1995, eq. 23). It always backs off from a context that it has never seen.

    ``reinforce`` learns a log-linear adjustment of these probabilities: each word and each pair
    of neighbours has a weight, and a count is multiplied by ``exp`` of the sum of both. The
    weights follow the policy gradient (Williams, "Simple statistical gradient-following
    algorithms", 1992, eq. 5), post by post, with the running mean of the scores as the baseline
    and their running mean absolute deviation as the unit. Importance weights, truncated at 1,
    correct late scores (V-trace: Espeholt et al., "IMPALA", 2018, section 4.1). Each draft counts
    on its own, even if several have the same content.

    ``mimic`` counts posts. Only their relative frequencies matter, so neither epochs nor the
    batch size change anything. The table is rebuilt when the next post is written. A post of
    white space only teaches nothing.

    Args:
        codec: Defines which texts can be written and mimicked; by default a ``TextCodec()``.
        order: Words per n-gram, counting the one that is drawn, at least 2.
        backoff: Larger values give more novel text; above 0.
        rate: Step size of ``reinforce``, above 0.
        horizon: Posts over which the running means average, at least 1.
        words: Words to write with, in any order, until something has been mimicked.
        seed: Seed, or a generator to draw from.

    Raises:
        ValueError: An argument is out of its range.

    Example:
        >>> module = NgramModule(seed=45)
        >>> posts = ["the cat sat down", "the dog sat up", "a dog ran"]
        >>> module.mimic([PostData(x) for x in posts]).generate()[1].x
        'the dog sat down'
    """

    codec: TextCodec
    _learned = ("_word_weights", "_running")

    def __init__(
        self,
        codec: TextCodec | None = None,
        order: int = 3,
        backoff: float = 1.0,
        rate: float = 0.1,
        horizon: int = 100,
        words: Iterable[str] = (),
        seed: int | np.random.Generator | None = None,
    ) -> None:
        """Starts without posts."""
        super().__init__(seed)
        self.codec = TextCodec() if codec is None else codec
        if " " not in self.codec.space.character_set:
            raise ValueError(f"codec must allow the space, which is between words, got {codec!r}")
        self.order = integer("order", order, 2)
        self.backoff = number("backoff", backoff, 0, above=True)
        self.rate = number("rate", rate, 0, above=True)
        self.horizon = integer("horizon", horizon, 1)
        self._words = {self.codec.encode(word).strip(): 1 for word in words}
        if not all(len(words_of(word)) == 1 for word in self._words):
            raise ValueError(f"words must be single words, got {short(list(self._words))}")
        self._posts: dict[str, int] = {}
        self._table: NgramTable | None = None
        self._word_weights = np.zeros(0)
        self._pair_keys, self._pair_weights = np.zeros(0, np.int64), np.zeros(0)
        # Of the scores: count, running mean, running mean absolute deviation.
        self._running = np.zeros(3)
        self._sums: dict[tuple[int, int], Floats] = {}

    def mimic(self, posts: Sequence[PostData[str]]) -> "NgramModule":
        """Counts posts.

        Raises:
            UnencodablePost: The codec does not allow a post.
        """
        for post in posts:
            text = post.x
            if type(text) is not str or text not in self._posts:
                text = self.codec.encode(text)
                if not words_of(text):
                    continue
                self._posts.setdefault(text, 0)
            self._posts[text] += 1
            self._table = None
        return self

    def reinforce(self, scores: Mapping[int, float]) -> "NgramModule":
        """Steps along the policy gradient, post by post."""
        for (words, lengths, log_then), score in self._take(scores):
            advantage = self._advantage(score)
            choices = self._choices(words, lengths)
            if choices is None or not advantage:
                continue
            log_now = sum(math.log(chances[chosen]) for _, _, chances, chosen in choices)
            step = self.rate * advantage * math.exp(min(log_now - log_then, 0.0))
            for length, begin, chances, chosen in choices:
                moves = -step * chances
                moves[chosen] += step
                self._move(length, begin, moves[:-1])  # backing off has no weight
            self._sums.clear()
        return self

    def metrics(self) -> dict[str, float]:
        """Returns the number of distinct posts mimicked, and the running mean of the scores."""
        return {"posts": float(len(self._posts)), "running_mean": float(self._running[1])}

    def state(self) -> State:
        """Returns mimicked posts, weights, open drafts and the generator's state."""
        moved = np.flatnonzero(self._pair_weights)
        pairs = {"pair_keys": self._pair_keys[moved], "pair_weights": self._pair_weights[moved]}
        return {**super().state(), "posts": dict(self._posts), **pairs}

    def set_state(self, state: State) -> None:
        """Continues from what :meth:`state` returned."""
        super().set_state(state)
        self._posts = dict(state["posts"])
        self._pair_keys, self._pair_weights = state["pair_keys"], state["pair_weights"]
        self._table = None

    def _write(self, observation: Observation) -> tuple[Written, str]:
        table = self._indexed()
        words: list[int] = []
        lengths: list[int] = []
        text, log_chance = "", 0.0
        while True:
            word, length, log = self._draw(words)
            longer = text + table.vocabulary[word]
            if word != END and text and self.codec.space.too_long(longer[1:]):
                break
            words.append(word)
            lengths.append(length)
            log_chance += log
            if word == END:
                break
            text = longer
        return (words, lengths, log_chance), text[1:]

    def _draw(self, words: Sequence[int]) -> tuple[int, int, float]:
        """Draws the next word; returns it, the length of its context, and its log-probability."""
        table, log = self._indexed(), 0.0
        for length, begin, end in table.known(self._history(words)):
            sums = self._sums.get((length, begin))
            if sums is None:
                sums = self._sums[length, begin] = self._weighted(length, begin, end).cumsum()
            total = float(sums[-1])
            away = self.backoff if words and length else 0.0
            drawn = self._rng.random() * (total + away)
            if drawn < total:
                place = int(sums.searchsorted(drawn, side="right"))
                share = float(sums[place] - (sums[place - 1] if place else 0.0))
                log += math.log(share / (total + away))
                return int(table.levels[length].words[begin + place]), length, log
            log += math.log(away / (total + away))
        raise RuntimeError("the probabilities of all words add up to 0")

    def _choices(
        self, words: Sequence[int], lengths: Sequence[int]
    ) -> list[tuple[int, int, Floats, int]] | None:
        """Returns the choices that made a post, or ``None`` if it could not be written now.

        Each choice is: the length of the context; where its continuations begin; their
        probabilities, with that of backing off at the end; and the position of the chosen one.
        """
        table = self._indexed()
        choices = []
        for number_, (word, chosen_length) in enumerate(zip(words, lengths, strict=True)):
            for length, begin, end in table.known(self._history(words[:number_])):
                away = self.backoff if number_ and length else 0.0
                chances = np.append(self._weighted(length, begin, end), away)
                chances /= chances.sum()
                chosen = len(chances) - 1
                if length <= chosen_length:
                    chosen = int(table.levels[length].words[begin:end].searchsorted(word))
                    if chosen == end - begin or table.levels[length].words[begin + chosen] != word:
                        return None
                choices.append((length, begin, chances, chosen))
                if length <= chosen_length:
                    break
        return choices

    def _weighted(self, length: int, begin: int, end: int) -> Floats:
        """Returns the weighted counts of continuations."""
        level = self._indexed().levels[length]
        weights = self._word_weights[level.words[begin:end]]
        if length:
            weights += self._pair_weights[level.pairs[begin:end]]
        weighted: Floats = level.counts[begin:end] * np.exp(weights)
        return weighted

    def _move(self, length: int, begin: int, moves: Floats) -> None:
        """Adds to the weights of continuations."""
        level = self._indexed().levels[length]
        where = slice(begin, begin + len(moves))
        parts = [(self._word_weights, level.words[where])]
        if length:
            parts.append((self._pair_weights, level.pairs[where]))
        for weights, places in parts:
            weights[places] = np.clip(weights[places] + moves, -MOST_WEIGHT, MOST_WEIGHT)

    def _advantage(self, score: float) -> float:
        """Returns a score's advantage over the running mean, then updates the running figures."""
        count, mean, deviation = self._running.tolist()
        away = score - mean if count else 0.0
        share = max(1 / (count + 1), 1 / self.horizon)
        self._running[:] = (
            count + 1,
            mean + share * away if count else score,
            deviation + share * (abs(away) - deviation),
        )
        unit = deviation or abs(away) or 1.0
        return min(max(away / unit, -MOST_ADVANTAGE), MOST_ADVANTAGE)

    def _history(self, words: Sequence[int]) -> list[int]:
        return [START] * (self.order - 1) + list(words[-self.order + 1 :])

    def _indexed(self) -> NgramTable:
        """Returns the table, rebuilt if posts were mimicked since.

        Raises:
            ValueError: There is nothing to write with.
        """
        if self._table is not None:
            return self._table
        posts = self._posts or self._words
        if not posts:
            raise ValueError(
                "NgramModule has nothing to write with: let it mimic posts first "
                "(`trainer.fine_tune()`), or give it words=[...]"
            )
        words = (f" {word}" for word in self._words)
        table = self._table = NgramTable(posts, self.order, words)
        grown = np.zeros(len(table.vocabulary))
        grown[: len(self._word_weights)] = self._word_weights
        pair_weights = np.zeros(len(table.pair_keys))
        # Weights of pairs that are no longer in the table are dropped.
        places = np.searchsorted(table.pair_keys, self._pair_keys)
        places = np.minimum(places, len(table.pair_keys) - 1)
        kept = table.pair_keys[places] == self._pair_keys
        pair_weights[places[kept]] = self._pair_weights[kept]
        self._word_weights, self._pair_weights = grown, pair_weights
        self._pair_keys = table.pair_keys
        self._sums.clear()
        return table
