"""Posts of tokens, written one by one."""

from typing import Any

import numpy as np

from kilroy_gym.codecs import SequenceCodec
from kilroy_gym.interfaces import Observation
from kilroy_gym.modules.softmax import Path, SoftmaxModule, log_softmax


class SequenceModule(SoftmaxModule):
    """Writes token by token: each is drawn given its position and the token before it.

    The arguments after ``codec`` are those of
    :class:`~kilroy_gym.modules.softmax.SoftmaxModule`.

    Args:
        codec: Defines which sequences are posts.
        mimic_rate: Step size of ``mimic``.
        rate: Step size of ``reinforce``.
        memory: How many past posts to reuse.
        passes: Gradient steps per call of ``reinforce``.
        entropy_weight: Weight of the entropy bonus.
        entropy_posts: Posts after which the bonus has decayed to 1/e; ``None`` for no decay.
        kl_weight: Weight of the penalty for diverging from the warm-started policy.
        seed: Seed, or a generator to draw from.

    Raises:
        ValueError: An argument is out of its range.
    """

    codec: SequenceCodec

    def __init__(
        self,
        codec: SequenceCodec,
        mimic_rate: float = 0.1,
        rate: float = 3.0,
        memory: int = 1000,
        passes: int = 10,
        entropy_weight: float = 1.5,
        entropy_posts: float | None = 300.0,
        kl_weight: float = 0.0,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        """Starts with a uniform policy."""
        self.codec = codec
        self._first_row = self._place(0, codec.start)
        shape = ((codec.length - 1) * codec.vocabulary, codec.vocabulary)
        super().__init__(
            shape, mimic_rate, rate, memory, passes, entropy_weight, entropy_posts, kl_weight, seed
        )

    def _path(self, x: Any) -> tuple[list[int], list[int]]:
        self.codec.encode(x)  # raises if x is not a post
        tokens = [int(token) for token in x]
        places = [self._place(number, token) for number, token in enumerate(tokens[:-1])]
        missing = self.codec.length - len(tokens)
        return places + [-1] * missing, tokens[1:] + [0] * missing

    def _write(self, observation: Observation) -> tuple[Path, Any]:
        tokens, log_chance = [self.codec.start], 0.0
        while len(tokens) < self.codec.length and tokens[-1] != self.codec.stop:
            logs = log_softmax(self.logits[self._place(len(tokens) - 1, tokens[-1])])
            tokens.append(int(self._rng.choice(len(logs), p=np.exp(logs))))
            log_chance += float(logs[tokens[-1]])
        x = tuple(tokens)
        return (*self._path(x), log_chance), x

    def _place(self, position: int, before: int) -> int:
        """Returns the row of the table for the token after ``before`` at ``position``."""
        return position * self.codec.vocabulary + before
