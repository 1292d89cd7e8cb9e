"""A continuous post."""

import numpy as np

from kilroy_gym._checks import integer, number
from kilroy_gym.audiences.base import Audience, Response
from kilroy_gym.codecs import BoxCodec
from kilroy_gym.interfaces import Action, AnyArray

LOW, HIGH = 0.0, 10.0


class ToneAudience(Audience):
    """
    ## Description

    How to write: a post is a point on one or more scales from 0 (formal, say) to 10 (casual).
    People like one tone best and others the less the further off they are, with noise; the
    community writes in a tone that is off by a step or two.

    ## Action Space

    `Box(-1, 1, (scales,), float32)`: the tone; -1 stands for 0 and 1 for 10. A post is a float,
    with several scales a float64 vector.

    ## Observation Space

    `Box(0, 1, (1,), float32)`: always `[1.0]`, since there is nothing to observe
    (`observation="discrete"` gives `Discrete(1)`, always 0).

    ## Rewards

    `1 / (1 + d / width**2)` and normal noise, with `d` the mean over the scales of the squared
    distance to the best tone. The best expected score is 1, at that tone.

    ## Starting State

    Every seed is a world of its own: the best tone is uniform in [3, 7] on every scale. The
    community's posts are normal around a tone that is `offset` away from it on every scale, up
    or down, with standard deviation 1, cut off at the ends of the scale.

    ## Episode End

    An episode is one post: every step terminates.

    ## Arguments

    In addition to those of every environment (`render_mode`, `post_rate`, `score_delay_s`,
    `observation`, `world_seed`, `posts_per_episode`), as in
    `gym.make("Kilroy-Tone-v0", scales=2)`:

    - `scales`: number of scales, 1 to 100 (1)
    - `width`: how far off half of the score is lost, 0.01 to 100 (2)
    - `noise`: standard deviation of the noise, 0 to 100 (0.1)
    - `offset`: how far the community is off, 0 to 3 (2)

    ## Version History

    * v0: Initial version
    """  # noqa: D212, D415 - laid out as Gymnasium's documentation wants it

    module = "kilroy_gym.adapters.own_modules:tone_module"

    def __init__(
        self, scales: int = 1, width: float = 2.0, noise: float = 0.1, offset: float = 2.0
    ) -> None:
        """Checks the arguments."""
        self.scales = integer("scales", scales, 1, 100)
        self.width = number("width", width, 0.01, 100)
        self.noise = number("noise", noise, 0, 100)
        self.offset = number("offset", offset, 0, 3)
        one = self.scales == 1
        self.codec = BoxCodec(LOW, HIGH) if one else BoxCodec([LOW] * scales, [HIGH] * scales)

    def restart(self, rng: np.random.Generator) -> None:
        """Draws the best tone and that of the community."""
        self.best_tone = rng.uniform(3, 7, self.scales)
        self.habit = self.best_tone + self.offset * rng.choice([-1.0, 1.0], self.scales)

    def respond(self, actions: Action, rng: np.random.Generator) -> Response:
        """Scores tones, with noise."""
        tones = (np.asarray(actions, np.float64) + 1) / 2 * (HIGH - LOW) + LOW
        squares = (tones - self.best_tone) ** 2
        # one scale after another: a sum over an axis may add in another order for a batch
        total = np.zeros(squares.shape[:-1])
        for scale in range(self.scales):
            total += squares[..., scale]
        expected = 1 / (1 + total / self.scales / self.width**2)
        return expected + self.noise * rng.standard_normal(expected.shape), expected, 1.0

    def community(self, count: int, rng: np.random.Generator) -> tuple[AnyArray, None]:
        """Writes in the community's tone."""
        tones = np.clip(rng.normal(self.habit, 1.0, (count, self.scales)), LOW, HIGH)
        return ((tones - LOW) / (HIGH - LOW) * 2 - 1).astype(np.float32), None
