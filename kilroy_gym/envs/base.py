"""What the environment of one post a step and that of one round a step have in common."""

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
from gymnasium import Space
from gymnasium.spaces import Discrete

from kilroy_gym._checks import number
from kilroy_gym.clock import Clock, SystemClock
from kilroy_gym.codecs import Codec
from kilroy_gym.envs.feed import Feed
from kilroy_gym.envs.publisher import Publisher
from kilroy_gym.envs.spaces import PostSpace
from kilroy_gym.faces import SimulatedFace
from kilroy_gym.interfaces import KilroyFace, Simulated
from kilroy_gym.post import PostData

RENDER_MODES = ["ansi", "human", "rgb_array"]
RENDER_FPS = 4
NOTHING = Discrete(1)
"""What is observed where there is nothing to observe: a constant input to every kind of policy."""


class OnFace:
    """A Face with its codec and its timing, as both kinds of environment hold it.

    Attributes:
        composed: Whether an action is a part of a post, and the post itself the episode.
    """

    composed: bool = False
    face: KilroyFace[Any, Any]
    codec: Codec[Any] | None
    render_mode: str | None
    _plays_actions: bool  # whether a simulated Face takes actions as they are, without posts

    def _set_up(
        self,
        face: KilroyFace[Any, Any],
        codec: Codec[Any] | None,
        post_rate: float,
        score_delay_s: float,
        render_mode: str | None,
        clock: Clock | None,
        wait: bool = True,
    ) -> None:
        """Checks and keeps the arguments that both environments take."""
        if not isinstance(face, KilroyFace):
            raise TypeError(f"face must be a KilroyFace, got {face!r}")
        if codec is not None and not isinstance(codec, Codec):
            raise TypeError(f"codec must be a Codec or None, got {codec!r}")
        number("post_rate (in seconds)", post_rate, 0)
        number("score_delay_s", score_delay_s, 0)
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise ValueError(
                f"render_mode must be None or one of {RENDER_MODES}, got {render_mode!r}"
            )
        self.face = face
        self.codec = codec
        self.render_mode = render_mode
        self._publisher = Publisher(face, post_rate, score_delay_s, clock or SystemClock())
        self._feed = Feed() if render_mode else None
        # What is observed is always 0 on most Faces; those are not asked.
        observes = getattr(face, "observation_space", NOTHING) != NOTHING
        self._observe = face.observe if observes else None  # type: ignore[attr-defined]
        # A subclass may post or score in a way of its own.
        direct = type(face) is SimulatedFace and face.codec is codec
        self._plays_actions = direct and wait and not (post_rate or score_delay_s)

    @property
    def post_rate(self) -> float:
        """Seconds after each post before the next goes out."""
        return self._publisher.post_rate

    @property
    def score_delay_s(self) -> float:
        """How old a post must be, in seconds, before its score is asked for."""
        return self._publisher.score_delay_s

    @property
    def simulated(self) -> bool:
        """Whether the Face is a simulated one, which can start over and be copied."""
        return isinstance(self.face, Simulated)

    def scrap(self, limit: int | None = None) -> Iterator[tuple[Any, PostData[Any]]]:
        """Yields existing posts of the Face with their ids."""
        return self.face.scrap(limit)

    def snapshot(self) -> Any:
        """Returns an independent copy of the environment and its world, to evaluate on.

        What is done to the copy changes nothing here, and the copy renders nothing.

        Raises:
            TypeError: The Face is a live one: the world cannot be copied.
        """
        if not self.simulated:
            raise TypeError(
                f"{type(self.face).__name__} cannot be copied: only a simulated Face "
                "(one with `restart(rng)`) gives a snapshot to evaluate on"
            )
        twin = copy.deepcopy(self)
        twin.render_mode = twin._feed = None
        return twin

    def _restart(self, rng: np.random.Generator) -> None:
        """Starts a simulated Face over; a live one stays as it is."""
        if isinstance(self.face, Simulated):
            self.face.restart(rng)
            self._publisher.pending.clear()
            if self._feed is not None:
                self._feed = Feed()

    def _frame(self) -> Any:
        """Renders the feed in the mode that was asked for."""
        if self._feed is None:
            return None
        if self.render_mode == "rgb_array":
            return self._feed.picture()
        return self._feed.text()


def spaces_for(
    face: KilroyFace[Any, Any], codec: Codec[Any] | None
) -> tuple[Space[Any], Space[Any]]:
    """Returns the observation space and the action space of an environment."""
    # Copied: their random streams must not be shared between environments.
    observation_space = copy.deepcopy(getattr(face, "observation_space", NOTHING))
    return observation_space, copy.deepcopy(codec.space) if codec else PostSpace()
