"""Scores that arrive late."""

import numpy as np

from kilroy_gym._checks import integer, number
from kilroy_gym.audiences.base import Audience, Response
from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.interfaces import Action, AnyArray


class DelayedAudience(Audience):
    """
    ## Description

    People need time: a score becomes known only after later posts have gone out, and sooner for
    better posts, since these spread. A module may go on without waiting (`wait=False` in
    `make_vec`), and must give a late score to the post that earned it. Other agents wait: while
    they do, others post, and time passes as well.

    ## Action Space

    `Discrete(topics)`: the topic of the post.

    ## Observation Space

    `Box(0, 1, (1,), float32)`: always `[1.0]`, since there is nothing to observe
    (`observation="discrete"` gives `Discrete(1)`, always 0).

    ## Rewards

    `mu_a` and normal noise. The score is known after `longest * (1 - q) / 2` later posts, rounded,
    where `q = d / (1 + |d|)` and `d` is by how much the score is above that of a topic in the
    middle, in units of the noise. The best expected score is the greatest `mu_a`.

    ## Starting State

    Every seed is a world of its own: the `mu_a` are normal with mean 5 and standard deviation 2.
    The community writes about topic `a` with probability proportional to `exp(mu_a / 4)`.

    ## Episode End

    An episode is one post: every step terminates.

    ## Arguments

    In addition to those of every environment (`render_mode`, `post_rate`, `score_delay_s`,
    `observation`, `world_seed`, `posts_per_episode`), as in
    `gym.make("Kilroy-Delayed-v0", longest=100)`:

    - `topics`: number of topics, 2 to 10,000 (5)
    - `longest`: the longest delay in posts, 0 to 10,000 (30)
    - `noise`: standard deviation of the noise, 0.01 to 1,000 (1)

    ## Version History

    * v0: Initial version
    """  # noqa: D212, D415 - laid out as Gymnasium's documentation wants it

    module = "kilroy_gym.adapters.own_modules:delayed_module"

    def __init__(self, topics: int = 5, longest: int = 30, noise: float = 1.0) -> None:
        """Checks the arguments."""
        self.topics = integer("topics", topics, 2, 10_000)
        self.longest = integer("longest", longest, 0, 10_000)
        self.noise = number("noise", noise, 0.01, 1000)
        self.codec = CategoricalCodec(range(self.topics))

    def restart(self, rng: np.random.Generator) -> None:
        """Draws what is liked."""
        self.means = rng.normal(5, 2, self.topics)
        self._best = float(self.means.max())
        weights = np.exp(self.means / 4)
        self._shares = weights / weights.sum()

    def respond(self, actions: Action, rng: np.random.Generator) -> Response:
        """Scores topics, with noise."""
        expected = self.means[actions]
        return expected + self.noise * rng.standard_normal(expected.shape), expected, self._best

    def delay(self, score: float) -> int:
        """Returns the delay of a score, in posts: better scores arrive sooner."""
        distance = (score - 5) / self.noise
        return round(self.longest * (1 - distance / (1 + abs(distance))) / 2)

    def community(self, count: int, rng: np.random.Generator) -> tuple[AnyArray, None]:
        """Writes a little more often about what is liked."""
        return rng.choice(self.topics, count, p=self._shares), None
