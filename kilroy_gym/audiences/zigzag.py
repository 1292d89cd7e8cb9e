"""Posts of tokens."""

import numpy as np

from kilroy_gym._checks import integer
from kilroy_gym.audiences.base import Audience, Response
from kilroy_gym.codecs import SequenceCodec
from kilroy_gym.interfaces import Action, AnyArray

START, STOP = 1, 2


class ZigzagAudience(Audience):
    """
    ## Description

    A post is a sequence of tokens, and people like it to jump up and down. What a token earns
    depends on the one before it, so an agent has to learn whole posts; and a good beginning is
    worth nothing where the post stops early. (Source: the zigzag experiment of the original
    Kilroy project.)

    ## Action Space

    `MultiDiscrete([vocabulary] * (length - 1))`: the tokens after the start token 1. Token 2 stops
    the post, and what follows it is ignored; any other token, 0 too, counts as its number.

    ## Observation Space

    `Box(0, 1, (1,), float32)`: always `[1.0]`, since there is nothing to observe
    (`observation="discrete"` gives `Discrete(1)`, always 0).

    ## Rewards

    The sum of the absolute differences of neighbouring tokens, the start and a stop included,
    divided by `(vocabulary - 1) * (length - 1)`. There is no noise. The best post jumps to the
    greatest token, then between 0 and that: with the defaults 35/36, since the start is 1.

    ## Starting State

    The same every time. The community's posts are of uniformly random tokens.

    ## Episode End

    An episode is one post: every step terminates.

    ## Arguments

    In addition to those of every environment (`render_mode`, `post_rate`, `score_delay_s`,
    `observation`, `world_seed`, `posts_per_episode`), as in
    `gym.make("Kilroy-Zigzag-v0", length=7)`:

    - `vocabulary`: number of tokens, 4 to 1,000 (10)
    - `length`: most tokens in a post, the start included, 2 to 1,000 (5)

    ## Version History

    * v0: Initial version
    """  # noqa: D212, D415 - laid out as Gymnasium's documentation wants it

    module = "kilroy_gym.adapters.own_modules:zigzag_module"
    codec: SequenceCodec

    def __init__(self, vocabulary: int = 10, length: int = 5) -> None:
        """Checks the arguments."""
        self.vocabulary = integer("vocabulary", vocabulary, 4, 1000)
        self.length = integer("length", length, 2, 1000)
        self.codec = SequenceCodec(self.vocabulary, self.length, START, STOP)
        self._most = (self.vocabulary - 1) * (self.length - 1)
        self._best = (self._most - 1) / self._most

    def respond(self, actions: Action, rng: np.random.Generator) -> Response:
        """Scores sequences."""
        tokens = np.asarray(actions)
        before = np.concatenate([np.full((*tokens.shape[:-1], 1), START), tokens[..., :-1]], -1)
        stopped = np.cumsum(before == STOP, axis=-1) > 0
        jumps = np.abs(tokens - before)
        score = np.where(stopped, 0, jumps).sum(axis=-1) / self._most
        return score, score, self._best

    def community(self, count: int, rng: np.random.Generator) -> tuple[AnyArray, None]:
        """Writes random tokens."""
        return rng.integers(0, self.vocabulary, (count, self.length - 1)), None
