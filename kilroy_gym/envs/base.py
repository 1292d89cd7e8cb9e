"""What the environment of one post a step and that of one round a step have in common."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import Space
from gymnasium.spaces import Discrete

from kilroy_gym._checks import number
from kilroy_gym.clock import Clock, SystemClock
from kilroy_gym.codecs import Codec
from kilroy_gym.envs.feed import Feed
from kilroy_gym.envs.publisher import Publisher
from kilroy_gym.envs.spaces import PostSpace
from kilroy_gym.interfaces import (
    KilroyFace,
    KnowsTruth,
    Observes,
    PlaysActions,
    Simulated,
    find,
)
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
    wait: bool = True
    _slots: int = 1

    def _set_up(
        self,
        face: KilroyFace[Any, Any],
        codec: Codec[Any] | None,
        post_rate: float,
        score_delay_s: float,
        render_mode: str | None,
        clock: Clock | None,
        wait: bool = True,
        close_face: bool = True,
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
        self._knows_truth = find(face, KnowsTruth) is not None
        self._world = find(face, Simulated)
        observes = find(face, Observes)
        # What is observed is always 0 on most Faces; those are not asked.
        asked = observes is not None and observes.observation_space != NOTHING
        self._observe = observes.observe if observes is not None and asked else None
        # Only the Face itself, since a wrapper's own `post` would be passed by.
        plays = face if isinstance(face, PlaysActions) and face.plays_actions else None
        untimed = wait and not (post_rate or score_delay_s)
        self._player = plays if plays and plays.codec is codec and untimed else None
        # What the last step sent: posts, or actions with what was observed before them.
        self._sent: list[PostData[Any]] | tuple[Any, npt.NDArray[Any] | None] = []
        self._seen: npt.NDArray[Any] | None = None
        self._face_to_close = face if close_face else None

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
        return self._world is not None

    @property
    def contexts(self) -> npt.NDArray[Any]:
        """What is observed before each of the next posts, as the Face gives it: ``(slots, ...)``.

        Zeros where there is nothing to observe. It is the structured observation, whatever form
        the agent gets it in.
        """
        return np.zeros(self._slots, np.int64) if self._seen is None else self._seen

    @property
    def last_posts(self) -> list[PostData[Any]]:
        """The posts that the last step made, in slot order; decoded only when it is asked for."""
        if not isinstance(self._sent, list):
            actions, seen = self._sent
            self._sent = in_context(self._decoded(actions), seen)
        return list(self._sent)

    def scrap(self, limit: int | None = None) -> Iterator[tuple[Any, PostData[Any]]]:
        """Yields existing posts of the Face with their ids."""
        return self.face.scrap(limit)

    def resume(self, post_ids: Mapping[int, Any] | None = None) -> None:
        """Lets the next step go on with the round that an error or an interrupt ended.

        That step must be given the same actions; what was made is not made again. Where no round
        was broken off it changes nothing.

        Args:
            post_ids: The ids of the posts that were made, by their slot, for a round that another
                process began; ``None`` where this environment played it.
        """
        self._publisher.resume(post_ids)

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
        twin.render_mode = twin._feed = twin._face_to_close = None
        return twin

    def _restart(self, rng: np.random.Generator) -> None:
        """Starts a simulated Face over; a live one stays as it is."""
        if self._world is not None:
            self._world.restart(rng)
            self._publisher.forget()
            if self._feed is not None:
                self._feed = Feed()

    def _close_face(self) -> None:
        """Closes the Face, once, unless somebody else is to close it."""
        face, self._face_to_close = self._face_to_close, None
        if face is not None:
            face.close()

    def _look(self) -> None:
        """Observes what is there before the next posts."""
        if self._observe is not None:
            self._seen = self._observe(self._slots)

    def _decoded(self, actions: Any) -> list[Any]:
        """Returns the contents that checked actions stand for."""
        raise NotImplementedError

    def _frame(self) -> Any:
        """Renders the feed in the mode that was asked for."""
        if self._feed is None:
            return None
        if self.render_mode == "rgb_array":
            return self._feed.picture()
        return self._feed.text()


def in_context(xs: list[Any], seen: npt.NDArray[Any] | None) -> list[PostData[Any]]:
    """Returns contents as posts, each with what was observed when it was written."""
    if seen is None:
        return [PostData(x) for x in xs]
    return [PostData(x, context) for x, context in zip(xs, seen, strict=True)]


def spaces_for(
    face: KilroyFace[Any, Any], codec: Codec[Any] | None
) -> tuple[Space[Any], Space[Any]]:
    """Returns the observation space and the action space of an environment."""
    # Copied: their random streams must not be shared between environments.
    observes = find(face, Observes)
    observation_space = copy.deepcopy(NOTHING if observes is None else observes.observation_space)
    return observation_space, copy.deepcopy(codec.space) if codec else PostSpace()
