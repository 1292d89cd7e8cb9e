"""Topics with heavy-tailed likes."""

import numpy as np

from kilroy_gym._checks import integer, number
from kilroy_gym.audiences.base import Audience, Response
from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.interfaces import Action, AnyArray


class TopicsAudience(Audience):
    """
    ## Description

    What to write about, where a few posts get most of the likes. A post is one of 10 topics, and
    its likes are heavy-tailed and over-dispersed: most posts get a few, some go viral, and a
    single score says little about its topic. What others write about is related to what people
    like, but not the same, so scraped posts are a hint and no more.

    ## Action Space

    `Discrete(topics)`: the topic of the post.

    ## Observation Space

    `Box(0, 1, (1,), float32)`: always `[1.0]`, since there is nothing to observe
    (`observation="discrete"` gives `Discrete(1)`, always 0).

    ## Rewards

    Likes: a negative binomial count with mean `m_a` and variance `m_a + m_a**2 / dispersion`,
    which is a Poisson count whose rate is gamma-distributed (Greenwood and Yule, 1920). The best
    expected score is the greatest of `m_a = likes * exp(spread * z_a)`.

    ## Starting State

    Every seed is a world of its own: the `z_a` are standard normal. The community writes about
    topic `a` with probability proportional to
    `exp(focus * (relation * z_a + sqrt(1 - relation**2) * y_a))`, with standard normal `y_a`.

    ## Episode End

    An episode is one post: every step terminates.

    ## Arguments

    In addition to those of every environment (`render_mode`, `post_rate`, `score_delay_s`,
    `observation`, `world_seed`, `posts_per_episode`), as in
    `gym.make("Kilroy-Topics-v0", topics=20)`:

    - `topics`: number of topics, 2 to 10,000 (10)
    - `likes`: likes of a topic in the middle, 0.01 to 1,000,000 (20)
    - `spread`: how much topics differ, as the standard deviation of the logarithm of their mean,
      0 to 3 (1)
    - `dispersion`: small is heavy-tailed, 0.01 to 1,000 (2)
    - `relation`: correlation between what is liked and what is written about, -1 to 1 (0.9)
    - `focus`: how much the community keeps to its topics, 0 to 5 (2)

    ## Version History

    * v0: Initial version
    """  # noqa: D212, D415 - laid out as Gymnasium's documentation wants it

    module = "kilroy_gym.adapters.own_modules:topics_module"

    def __init__(
        self,
        topics: int = 10,
        likes: float = 20.0,
        spread: float = 1.0,
        dispersion: float = 2.0,
        relation: float = 0.9,
        focus: float = 2.0,
    ) -> None:
        """Checks the arguments."""
        self.topics = integer("topics", topics, 2, 10_000)
        self.likes = number("likes", likes, 0.01, 1e6)
        self.spread = number("spread", spread, 0, 3)
        self.dispersion = number("dispersion", dispersion, 0.01, 1000)
        self.relation = number("relation", relation, -1, 1)
        self.focus = number("focus", focus, 0, 5)
        self.codec = CategoricalCodec(range(self.topics))

    def restart(self, rng: np.random.Generator) -> None:
        """Draws what people like and what others write about."""
        taste, habit = rng.standard_normal((2, self.topics))
        self.means = self.likes * np.exp(self.spread * taste)
        self._chances = self.dispersion / (self.dispersion + self.means)
        self._best = float(self.means.max())
        weights = np.exp(
            self.focus * (self.relation * taste + np.sqrt(1 - self.relation**2) * habit)
        )
        self.shares = weights / weights.sum()

    def respond(self, actions: Action, rng: np.random.Generator) -> Response:
        """Draws likes."""
        score = rng.negative_binomial(self.dispersion, self._chances[actions])
        return score * 1.0, self.means[actions], self._best

    def community(self, count: int, rng: np.random.Generator) -> tuple[AnyArray, None]:
        """Writes about the community's own topics."""
        return rng.choice(self.topics, count, p=self.shares), None
