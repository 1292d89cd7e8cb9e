"""Where episodes begin and end."""

from typing import ClassVar

from gymnasium import logger
from gymnasium.vector import AutoresetMode

LONE_RESETS = 50
"""After so many seeded resets in a row with at most one post each, a word is said."""


class LoneResets:
    """Counts resets with a seed that at most one post followed, and speaks of many in a row.

    Tools that pass a seed to every reset start a new world for every post, without knowing.

    Attributes:
        count: How many there were in a row.
    """

    _said: ClassVar[bool] = False

    def __init__(self) -> None:
        """Starts with none."""
        self.count = 0

    def add(self, posts: int) -> None:
        """Takes note of a reset with a seed, and says a word per process.

        Args:
            posts: How many posts were made since the reset before.
        """
        self.count = self.count + 1 if posts <= 1 else 0
        if self.count > LONE_RESETS and not LoneResets._said:
            LoneResets._said = True
            logger.warn(
                f"the last {LONE_RESETS} resets had a seed, and at most one post followed each. "
                "Every seed starts a new world with a new audience, so these posts went to "
                f"{LONE_RESETS} audiences and say little about any of them: give a seed to the "
                "first reset only, or pin the world with world_seed=0 where the environment is "
                "made"
            )


def check_episodes(autoreset_mode: AutoresetMode | str, posts_per_episode: int | None) -> None:
    """Refuses another kind of episode than one post, with the next in the same step.

    Raises:
        ValueError: It is of another kind.
    """
    if autoreset_mode not in (AutoresetMode.SAME_STEP, AutoresetMode.SAME_STEP.value):
        raise ValueError(
            "a round resets in the SAME_STEP, since every episode is one post: leave "
            f"autoreset_mode out, got {autoreset_mode!r}. Separate audiences take other modes: "
            'gym.make_vec(..., vectorization_mode="sync", '
            'vector_kwargs={"autoreset_mode": ...})'
        )
    if posts_per_episode is not None:
        raise ValueError(
            "posts_per_episode is for single environments (gym.make): in a round every episode is "
            f"one post, and nothing is wasted at its end; leave it out, got {posts_per_episode!r}"
        )
