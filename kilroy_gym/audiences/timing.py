"""What to write at which time."""

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import MultiDiscrete

from kilroy_gym._checks import integer, number
from kilroy_gym.audiences.base import Audience, Response
from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.interfaces import Action, AnyArray

HOURS, WEEKDAYS = 24, 7
WEEK = HOURS * WEEKDAYS
TIMES = np.stack([np.arange(WEEK) % HOURS, np.arange(WEEK) // HOURS], axis=1)
"""Hour and weekday of each hour of the week."""
WEEKEND = 5
"""The first weekday of the weekend, counted from Monday as 0."""


class TimingAudience(Audience):
    """
    ## Description

    The best topic depends on the hour and the weekday: news in the morning, jokes at night, and
    something else at weekends. A contextual bandit: the observation is the time at which the next
    post goes out. The community roughly knows what to write when.

    ## Action Space

    `Discrete(topics)`: the topic of the post.

    ## Observation Space

    `Box(0, 1, (31,), float32)`: the hour of the next post as a one-hot vector of 24 elements, then
    its weekday, from Monday, as one of 7. With `observation="discrete"` it is
    `MultiDiscrete([24, 7])`: the hour and the weekday themselves, Monday as 0.

    ## Rewards

    The expected score of topic `a` at hour `h` is
    `10 * w_a * exp(sharpness * (cos(2 pi (h - p_a) / 24) - 1))`, where `w_a` is another number
    at weekends; noise is normal. The best expected score is that of the best topic at that time.

    ## Starting State

    Every seed is a world of its own: the hours `p_a` are uniform, the `w_a` uniform in
    [0.5, 1] for weekdays and again for weekends. The first post goes out on Monday at 0:00, the
    next ones `hours_between` hours later each. Scraped posts were made at uniformly random times
    (their `context`); half of them are about the topic that is best then, half about any.

    ## Episode End

    An episode is one post: every step terminates.

    ## Arguments

    In addition to those of every environment (`render_mode`, `post_rate`, `score_delay_s`,
    `observation`, `world_seed`, `posts_per_episode`), as in
    `gym.make("Kilroy-Timing-v0", topics=8)`:

    - `topics`: number of topics, 2 to 1,000 (5)
    - `sharpness`: how much the hour matters, 0 to 10 (2)
    - `noise`: standard deviation of the noise, 0 to 1,000 (1)
    - `hours_between`: hours from a post to the next, 1 to 168 (5, which meets every hour of the
      week)

    ## Version History

    * v0: Initial version
    """  # noqa: D212, D415 - laid out as Gymnasium's documentation wants it

    module = "kilroy_gym.adapters.own_modules:timing_module"

    def __init__(
        self, topics: int = 5, sharpness: float = 2.0, noise: float = 1.0, hours_between: int = 5
    ) -> None:
        """Checks the arguments."""
        self.topics = integer("topics", topics, 2, 1000)
        self.sharpness = number("sharpness", sharpness, 0, 10)
        self.noise = number("noise", noise, 0, 1000)
        self.hours_between = integer("hours_between", hours_between, 1, WEEK)
        self.codec = CategoricalCodec(range(self.topics))
        self.observation_space = MultiDiscrete([HOURS, WEEKDAYS])

    def restart(self, rng: np.random.Generator) -> None:
        """Draws which topic suits which time, and begins the week."""
        peaks = rng.uniform(0, HOURS, self.topics)
        weights = rng.uniform(0.5, 1, (2, self.topics))
        hours = np.arange(WEEK)[:, None]
        weekend = (hours[:, 0] // HOURS >= WEEKEND).astype(int)
        closeness = np.cos(2 * np.pi * (hours - peaks) / HOURS) - 1
        self.means = 10 * weights[weekend] * np.exp(self.sharpness * closeness)
        self._best = self.means.max(axis=1)
        self._posts = 0

    def observe(self, count: int) -> npt.NDArray[np.int64]:
        """Returns hour and weekday of the next posts, int64 of shape ``(count, 2)``."""
        return TIMES[self._hours(count)]

    def respond(self, actions: Action, rng: np.random.Generator) -> Response:
        """Scores topics at their time, with noise."""
        actions = np.asarray(actions)
        hours = self._hours(actions.size).reshape(actions.shape)
        self._posts += actions.size
        expected = self.means[hours, actions]
        score = expected + self.noise * rng.standard_normal(expected.shape)
        return score, expected, self._best[hours]

    def community(
        self, count: int, rng: np.random.Generator
    ) -> tuple[AnyArray, npt.NDArray[np.int64]]:
        """Writes about the best topic of the time, or about any."""
        hours = rng.integers(0, WEEK, count)
        anything = rng.integers(0, self.topics, count)
        actions = np.where(rng.random(count) < 0.5, self.means[hours].argmax(axis=1), anything)
        return actions, TIMES[hours]

    def _hours(self, count: int) -> npt.NDArray[np.int64]:
        """Returns the hours of the week of the next posts."""
        return (self._posts + np.arange(count)) * self.hours_between % WEEK
