"""Policy gradient over a list of contents."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.interfaces import Observation
from kilroy_gym.modules.softmax import Path, SoftmaxModule, log_softmax


class CategoricalModule(SoftmaxModule):
    """Posts one of a list of contents, each with its own probability.

    The arguments after ``choices`` are those of
    :class:`~kilroy_gym.modules.softmax.SoftmaxModule`.

    Args:
        choices: The contents, hashable and all different.
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

    def __init__(
        self,
        choices: Sequence[Hashable],
        mimic_rate: float = 0.1,
        rate: float = 1.0,
        memory: int = 0,
        passes: int = 1,
        entropy_weight: float = 0.0,
        entropy_posts: float | None = None,
        kl_weight: float = 0.0,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        """Starts with a uniform policy."""
        self._codec = CategoricalCodec(choices)
        shape = (1, len(self._codec.choices))
        super().__init__(
            shape, mimic_rate, rate, memory, passes, entropy_weight, entropy_posts, kl_weight, seed
        )

    def _path(self, x: Any) -> tuple[list[int], list[int]]:
        return [0], [self._codec.encode(x)]

    def _write(self, observation: Observation) -> tuple[Path, Any]:
        logs = log_softmax(self.logits)[0]
        choice = int(self._rng.choice(len(logs), p=np.exp(logs)))
        return ([0], [choice], float(logs[choice])), self._codec.choices[choice]
