"""The audience of the original notebook."""

import numpy as np

from kilroy_gym.audiences.base import Audience, Response
from kilroy_gym.codecs import BinaryCodec
from kilroy_gym.interfaces import Action, AnyArray


class BernoulliAudience(Audience):
    """
    ## Description

    The Face of the original Kilroy notebook: a post is True or False, and people like True.
    What others post is True only every third time, so an agent that mimics them starts on the
    wrong side and has to learn from scores what people like. There is no noise: an agent that
    does not reach the best score here has a mistake in it.

    ## Action Space

    `Discrete(2)`: the post to make.

    - 0: False
    - 1: True

    ## Observation Space

    `Box(0, 1, (1,), float32)`: always `[1.0]`, since there is nothing to observe
    (`observation="discrete"` gives `Discrete(1)`, always 0).

    ## Rewards

    +1 for True, -1 for False. The best expected score is 1; a uniform agent's is 0; that of an
    agent which mimics the community is -0.32.

    ## Starting State

    The same every time. `scrap` gives 100 posts unless it is told another limit, and every
    third of them, beginning with the first, is True.

    ## Episode End

    An episode is one post: every step terminates.

    ## Arguments

    None but those of every environment: `render_mode`, `post_rate`, `score_delay_s`,
    `observation`, `world_seed`, `posts_per_episode`.

    ```python
    >>> import gymnasium as gym
    >>> import kilroy_gym
    >>> env = gym.make("Kilroy-Bernoulli-v0")
    >>> env.reset(seed=0)
    (array([1.], dtype=float32), {'post_id': -1, 'expected_score': 0.0, 'best_score': 0.0})
    >>> observation, *happened = env.step(1)
    >>> happened
    [1.0, True, False, {'post_id': 0, 'expected_score': 1.0, 'best_score': 1.0}]

    ```

    ## Version History

    * v0: Initial version
    """  # noqa: D212, D415 - laid out as Gymnasium's documentation wants it

    module = "kilroy_gym.adapters.own_modules:bernoulli_module"

    def __init__(self) -> None:
        """Takes no arguments."""
        self.codec = BinaryCodec()

    def respond(self, actions: Action, rng: np.random.Generator) -> Response:
        """Scores True +1 and False -1."""
        score = 2.0 * actions
        score -= 1.0
        return score, score, 1.0

    def community(self, count: int, rng: np.random.Generator) -> tuple[AnyArray, None]:
        """Posts True every third time."""
        return np.where(np.arange(count) % 3 == 0, 1, 0), None
