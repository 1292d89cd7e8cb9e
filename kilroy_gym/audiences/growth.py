"""An audience that grows."""

import numpy as np

from kilroy_gym._checks import integer, number
from kilroy_gym.audiences.base import Audience, Response
from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.interfaces import Action, AnyArray


class GrowthAudience(Audience):
    """
    ## Description

    The account grows, and with it every score: the same post earns a handful of likes today and
    ten thousand next year, and the noise grows too. What is liked stays the same, but a learner
    that does not take the growth out of the scores sees nothing else.

    ## Action Space

    `Discrete(topics)`: the topic of the post.

    ## Observation Space

    `Box(0, 1, (1,), float32)`: always `[1.0]`, since there is nothing to observe
    (`observation="discrete"` gives `Discrete(1)`, always 0).

    ## Rewards

    `m_t + s_t * (mu_a + noise * eps)` for topic `a` in post number `t`, with standard normal
    `eps`; `m_t` goes linearly from 0 to `followers` and `s_t` from 1 to `followers / 10` over
    the first `posts` posts, and stay there. The best expected score is that of the greatest
    `mu_a`. (Source: an experiment of the original Kilroy project.)

    ## Starting State

    Every seed is a world of its own: the `mu_a` are standard normal. The community writes about
    topic `a` with probability proportional to `exp(mu_a / 2)`.

    ## Episode End

    An episode is one post: every step terminates.

    ## Arguments

    In addition to those of every environment (`render_mode`, `post_rate`, `score_delay_s`,
    `observation`, `world_seed`, `posts_per_episode`), as in
    `gym.make("Kilroy-Growth-v0", topics=50)`:

    - `topics`: number of topics, 2 to 10,000 (100)
    - `followers`: `m_t` at the end of the growth, 10 to 1,000,000,000 (10,000)
    - `posts`: length of the growth in posts, 1 to 1,000,000,000 (10,000)
    - `noise`: standard deviation of the noise, 0 to 100 (1)

    ## Version History

    * v0: Initial version
    """  # noqa: D212, D415 - laid out as Gymnasium's documentation wants it

    module = "kilroy_gym.adapters.own_modules:growth_module"

    def __init__(
        self, topics: int = 100, followers: float = 10_000, posts: int = 10_000, noise: float = 1.0
    ) -> None:
        """Checks the arguments."""
        self.topics = integer("topics", topics, 2, 10_000)
        self.followers = number("followers", followers, 10, 1e9)
        self.posts = integer("posts", posts, 1, 10**9)
        self.noise = number("noise", noise, 0, 100)
        self.codec = CategoricalCodec(range(self.topics))

    def restart(self, rng: np.random.Generator) -> None:
        """Draws what is liked, and goes back to the first follower."""
        self.means = rng.standard_normal(self.topics)
        weights = np.exp(self.means / 2)
        self._shares = weights / weights.sum()
        self._best = float(self.means.max())
        self._made = 0

    def respond(self, actions: Action, rng: np.random.Generator) -> Response:
        """Scores topics, with noise, at the number of followers that the account has by then."""
        actions = np.asarray(actions)
        numbers = np.arange(self._made, self._made + actions.size).reshape(actions.shape)
        self._made += actions.size
        share = np.minimum(numbers / self.posts, 1)
        level, scale = self.followers * share, 1 + (self.followers / 10 - 1) * share
        mean = self.means[actions]
        score = level + scale * (mean + self.noise * rng.standard_normal(mean.shape))
        return score, level + scale * mean, level + scale * self._best

    def community(self, count: int, rng: np.random.Generator) -> tuple[AnyArray, None]:
        """Writes a little more often about what is liked."""
        return rng.choice(self.topics, count, p=self._shares), None
