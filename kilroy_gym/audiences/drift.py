"""Tastes that move."""

import numpy as np
import numpy.typing as npt

from kilroy_gym._checks import integer, number
from kilroy_gym.audiences.base import Audience, Response
from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.interfaces import Action, AnyArray

BLOCK = 1024
"""For how many posts tastes are computed at a time."""


class DriftAudience(Audience):
    """
    ## Description

    What people like moves: slowly, as topics come into fashion and go out of it, and in jumps,
    when something happens and all is different. An agent that never forgets is left behind.

    ## Action Space

    `Discrete(topics)`: the topic of the post.

    ## Observation Space

    `Box(0, 1, (1,), float32)`: always `[1.0]`, since there is nothing to observe
    (`observation="discrete"` gives `Discrete(1)`, always 0).

    ## Rewards

    The expected score of topic `a` for post number `t` is
    `5 + 4 * cos(2 pi (t / period + f_a))`, where the phases `f_a` are drawn anew at every jump;
    noise is normal. The best expected score is that of the best topic at that moment.

    ## Starting State

    Every seed is a world of its own: the phases are uniform, and so are those after a jump. From
    one post to the next there is a jump with probability `1 / jump_every`. The community writes
    about the topic that is best at the start half of the time, and else about any.

    ## Episode End

    An episode is one post: every step terminates.

    ## Arguments

    In addition to those of every environment (`render_mode`, `post_rate`, `score_delay_s`,
    `observation`, `world_seed`, `posts_per_episode`), as in
    `gym.make("Kilroy-Drift-v0", jump_every=500)`:

    - `topics`: number of topics, 2 to 1,000 (5)
    - `period`: posts until a topic is in fashion again, 10 to 10,000,000 (10,000)
    - `jump_every`: posts between two jumps on average, 2 to 10,000,000, or 0 for none (1,000)
    - `noise`: standard deviation of the noise, 0 to 1,000 (1)

    ## Version History

    * v0: Initial version
    """  # noqa: D212, D415 - laid out as Gymnasium's documentation wants it

    module = "kilroy_gym.adapters.own_modules:drift_module"

    def __init__(
        self,
        topics: int = 5,
        period: float = 10_000.0,
        jump_every: float = 1000.0,
        noise: float = 1.0,
    ) -> None:
        """Checks the arguments."""
        self.topics = integer("topics", topics, 2, 1000)
        self.period = number("period", period, 10, 1e7)
        low = 0 if jump_every == 0 else 2
        self.jump_every = number("jump_every (or 0 for none)", jump_every, low, 1e7)
        self.noise = number("noise", noise, 0, 1000)
        self.codec = CategoricalCodec(range(self.topics))

    def restart(self, rng: np.random.Generator) -> None:
        """Goes back to the first post of a world with its own phases and jumps."""
        self._taste_rng = rng.spawn(1)[0]
        self.jumps: list[int] = []
        self._phases = self._taste_rng.random(self.topics)
        self._posts = self._computed = 0
        self._means = np.empty((0, self.topics))
        self._best = np.empty(0)
        self._at_start = int(self._tastes(1)[0][0].argmax())

    def respond(self, actions: Action, rng: np.random.Generator) -> Response:
        """Scores topics as they are liked at that moment, with noise."""
        actions = np.asarray(actions)
        means, best = self._tastes(actions.size)
        self._posts += actions.size
        expected = means[np.arange(actions.size), actions.ravel()].reshape(actions.shape)
        score = expected + self.noise * rng.standard_normal(expected.shape)
        return score, expected, best.reshape(actions.shape)

    def community(self, count: int, rng: np.random.Generator) -> tuple[AnyArray, None]:
        """Writes about what was best at the start, or about any topic."""
        anything = rng.integers(0, self.topics, count)
        return np.where(rng.random(count) < 0.5, self._at_start, anything), None

    def _tastes(self, count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Returns the expected score of every topic and the best one, for the next posts."""
        first = self._posts - (self._computed - len(self._means))
        if first + count > len(self._means):
            blocks = [self._means[first:]]
            while sum(map(len, blocks)) < count:
                blocks.append(self._block())
            self._means = np.concatenate(blocks)
            self._best = self._means.max(axis=1)
            first = 0
        return self._means[first : first + count], self._best[first : first + count]

    def _block(self) -> npt.NDArray[np.float64]:
        """Computes the tastes of the next block: the same for single posts and for rounds."""
        numbers = self._computed + np.arange(BLOCK)
        jumps = np.zeros(BLOCK, np.int64)
        if self.jump_every:
            jumps = (self._taste_rng.random(BLOCK) < 1 / self.jump_every).astype(np.int64)
            self.jumps += numbers[jumps > 0].tolist()
        phases = np.vstack([self._phases, self._taste_rng.random((jumps.sum(), self.topics))])
        self._phases = phases[-1]
        self._computed += BLOCK
        turns = numbers[:, None] / self.period + phases[jumps.cumsum()]
        means: npt.NDArray[np.float64] = 5 + 4 * np.cos(2 * np.pi * turns)
        return means
