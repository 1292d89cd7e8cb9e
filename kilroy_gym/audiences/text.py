"""Posts of text."""

import string
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from kilroy_gym._checks import integer, number
from kilroy_gym.audiences.base import Audience, Response
from kilroy_gym.codecs import TextCodec, WordCodec
from kilroy_gym.interfaces import Action, AnyArray

SLOTS: tuple[tuple[str, ...], ...] = (
    ("apparently", "breaking", "finally", "honestly", "look", "reportedly", "sadly", "yes"),
    ("cats", "dentists", "grandmothers", "librarians", "penguins", "pirates", "robots", "wizards"),
    ("always", "bravely", "loudly", "never", "quietly", "rarely", "secretly", "still"),
    ("bake", "collect", "dream", "hide", "invent", "paint", "rescue", "steal"),
    ("ancient", "angry", "cheap", "enormous", "haunted", "invisible", "spicy", "tiny"),
    ("accordions", "bicycles", "cakes", "clouds", "maps", "pickles", "socks", "volcanoes"),
    ("again", "daily", "forever", "here", "together", "tonight", "underwater", "yesterday"),
)
"""The words of the grammar: a sentence takes them from left to right."""

OPTIONAL = (0, 2, 4, 6)
"""The slots that a sentence may leave out."""

WORDS = tuple(word for slot in SLOTS for word in slot)
SLOT_OF = {word: number for number, slot in enumerate(SLOTS) for word in slot}
BEGIN, FINISH = -1, len(SLOTS)
STEPS = frozenset(
    (before, after)
    for before in range(BEGIN, FINISH)
    for after in range(before + 1, FINISH + 1)
    if all(slot in OPTIONAL for slot in range(before + 1, after))
)
"""The steps from slot to slot that the grammar makes, with the beginning and the end."""


class TextAudience(Audience):
    """
    ## Description

    What to say and how to put it: posts are text, and people like some words better than others,
    in sentences that read well. The community writes sentences of a small grammar, as
    `honestly robots secretly collect tiny maps daily`, and knows nothing of what is liked: so
    mimicking gives sentences that read well, and only scores tell which words to put in them.

    ## Action Space

    `Text` of 1 to 140 characters of printable ASCII: the post itself.

    ## Observation Space

    `Box(0, 1, (1,), float32)`: always `[1.0]`, since there is nothing to observe
    (`observation="discrete"` gives `Discrete(1)`, always 0).

    ## Rewards

    Likes: a negative binomial count with mean `m` and variance `m + m**2 / dispersion`, where `m`
    is `likes` times the appeal of a post, times how well it reads.

    The grammar has seven slots of eight words each (`kilroy_gym.audiences.text.SLOTS`), and each
    word has an appeal. That of a post is the mean over the slots of the mean appeal of the post's
    words in that slot, 0 where it has none. How well it reads is the share of steps that the
    grammar makes, of all steps from the beginning over word after word to the end: to a slot
    further right with none but optional slots in between, which are the first, third, fifth and
    last. Words are what white space separates, in any case, without punctuation at their ends.

    The best expected score is `likes`: the most appealing word of each slot, from left to right.

    ## Starting State

    Every seed is a world of its own: in each slot the appeals are `(k / 7)**2` with `k` from 0 to
    7, in random order. The community's sentences have a random word in each slot, but leave each
    optional slot out with probability 1/2: a quarter of `likes` is what they are expected to get.

    ## Episode End

    An episode is one post: every step terminates.

    ## Arguments

    In addition to those of every environment (`render_mode`, `post_rate`, `score_delay_s`,
    `observation`, `world_seed`, `posts_per_episode`), as in
    `gym.make("Kilroy-Text-v0", likes=100)`:

    - `likes`: likes of the best post, 0.01 to 1,000,000 (20)
    - `dispersion`: small is heavy-tailed, 0.01 to 1,000 (5)
    - `max_length`: most characters in a post, 80 to 10,000 (140)

    ## Version History

    * v0: Initial version
    """  # noqa: D212, D415 - laid out as Gymnasium's documentation wants it

    module = "kilroy_gym.adapters.own_modules:text_module"
    codec: TextCodec

    def __init__(self, likes: float = 20.0, dispersion: float = 5.0, max_length: int = 140) -> None:
        """Checks the arguments."""
        self.likes = number("likes", likes, 0.01, 1e6)
        self.dispersion = number("dispersion", dispersion, 0.01, 1000)
        self.max_length = integer("max_length", max_length, 80, 10_000)
        self.codec = TextCodec(self.max_length, map(chr, range(ord(" "), ord("~") + 1)))

    @property
    def tokens(self) -> WordCodec:
        """Between sentences and the words that they are composed of: 7 at most, as the slots."""
        return WordCodec(WORDS, len(SLOTS))

    def restart(self, rng: np.random.Generator) -> None:
        """Draws which words are liked."""
        self.appeals: dict[str, float] = {}
        for slot in SLOTS:
            appeals = (rng.permutation(len(slot)) / (len(slot) - 1)) ** 2
            self.appeals.update(zip(slot, appeals.tolist(), strict=True))

    def respond(self, actions: Action, rng: np.random.Generator) -> Response:
        """Draws likes."""
        if isinstance(actions, str):
            expected: Any = np.float64(self._expected(actions))
        else:
            expected = np.array([self._expected(text) for text in actions], np.float64)
        chances = self.dispersion / (self.dispersion + expected)
        return rng.negative_binomial(self.dispersion, chances) * 1.0, expected, self.likes

    def community(self, count: int, rng: np.random.Generator) -> tuple[AnyArray, None]:
        """Writes sentences."""
        choices = rng.integers(0, len(SLOTS[0]), (count, len(SLOTS)))
        left_out = rng.random((count, len(OPTIONAL))) < 0.5
        choices[:, OPTIONAL] = np.where(left_out, -1, choices[:, OPTIONAL])
        posts = (
            " ".join(slot[choice] for slot, choice in zip(SLOTS, row, strict=True) if choice >= 0)
            for row in choices.tolist()
        )
        return self.codec.encode_many(posts), None

    def _expected(self, text: str) -> float:
        """Returns the expected score of a post."""
        words = words_of(text)
        found: dict[int, list[float]] = {}
        for word in words:
            appeal = self.appeals.get(word)
            if appeal is not None:
                found.setdefault(SLOT_OF[word], []).append(appeal)
        if not found:
            return 0.0
        of_slots = [sum(found[slot]) / len(found[slot]) for slot in sorted(found)]
        return self.likes * (sum(of_slots) / len(SLOTS)) * reads(words)


def words_of(text: str) -> list[str]:
    """Returns the words of a post, in lower case and without punctuation at their ends."""
    words = text.lower().split()
    # Most words are of the grammar as they stand.
    return [word if word in SLOT_OF else word.strip(string.punctuation) for word in words]


def reads(words: Iterable[str]) -> float:
    """Returns the share of steps that the grammar makes, from 0 to 1.

    Args:
        words: Of a post, in lower case; one that the grammar does not have makes no step right.
    """
    places = [BEGIN, *map(SLOT_OF.get, words), FINISH]
    return sum([step in STEPS for step in pairwise(places)]) / (len(places) - 1)
