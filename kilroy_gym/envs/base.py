"""What both environments share: the one of a post per step, and the one of a round per step."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import Space
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.seeding import np_random

from kilroy_gym._checks import integer, number
from kilroy_gym.clock import Clock, SystemClock
from kilroy_gym.codecs import Codec
from kilroy_gym.codecs.base import AnyCodec
from kilroy_gym.envs.feed import Feed
from kilroy_gym.envs.observations import NOTHING, Observations
from kilroy_gym.envs.publisher import Publisher
from kilroy_gym.envs.spaces import PostSpace
from kilroy_gym.interfaces import (
    Action,
    AnyArray,
    AnyFace,
    AnyId,
    KilroyFace,
    KnowsTruth,
    Observes,
    PlaysActions,
    Simulated,
    find,
)
from kilroy_gym.post import AnyPost, PostData

RENDER_MODES = ["ansi", "human", "rgb_array"]
RENDER_FPS = 4


class OnFace:
    """A Face with its codec and its timing: the part that both environments share.

    Attributes:
        composed: Whether an action is one token, and the whole post the episode.
        observations: Between what the Face shows and what agents get.
        posts_per_episode: How many posts an episode has where it is not one, else ``None``.
        steps: How many steps were finished.
    """

    composed: bool = False
    face: AnyFace
    codec: AnyCodec | None
    observations: Observations
    posts_per_episode: int | None = None
    render_mode: str | None
    wait: bool = True
    steps: int = 0
    _slots: int = 1
    _returned: Any = None  # by the last step
    _repeats: bool = False
    _pinned: bool = False
    _spec: EnvSpec | None = None

    def _set_up(
        self,
        face: AnyFace,
        codec: AnyCodec | None,
        post_rate: float,
        score_delay_s: float,
        render_mode: str | None,
        clock: Clock | None,
        wait: bool,
        close_face: bool,
        observation: str,
        world_seed: int | None,
    ) -> None:
        """Checks and keeps the arguments that both environments take."""
        if not isinstance(face, KilroyFace):
            raise TypeError(f"face must be a KilroyFace, got {face!r}")
        if codec is not None and not isinstance(codec, Codec):
            raise TypeError(f"codec must be a Codec or None, got {codec!r}")
        if render_mode is not None and render_mode not in RENDER_MODES:
            raise ValueError(
                f"render_mode must be None or one of {RENDER_MODES}, got {render_mode!r}"
            )
        self.face = face
        self.codec = codec
        self.render_mode = render_mode
        self._publisher = Publisher(face, 0.0, 0.0, clock or SystemClock())
        self._feed = Feed() if render_mode else None
        self._knows_truth = find(face, KnowsTruth) is not None
        self._world = find(face, Simulated)
        observes = find(face, Observes)
        shown = NOTHING if observes is None else observes.observation_space
        self.observations = Observations(shown, observation)
        # Most Faces show nothing; they are never asked.
        self._observe = observes.observe if observes is not None and shown != NOTHING else None
        # Only the Face itself: around a wrapper this would go past the wrapper's own `post`.
        plays = face if isinstance(face, PlaysActions) and face.plays_actions else None
        own = plays is not None and (plays.codec is codec or self.composed)
        self._untimed_player = plays if own else None
        self._set_pace(post_rate, score_delay_s, wait)
        # What the last step sent: posts, or actions with the observations before them.
        self._sent: list[AnyPost] | tuple[Any, AnyArray | None] = []
        self._scored: Any = None
        self._seen: AnyArray | None = None
        self._face_to_close = face if close_face else None
        # Minari records only keys that `reset` and `step` have in common.
        self._before: dict[str, Any] = {} if self._world is None else {"post_id": -1}
        if self._before and self._knows_truth:
            self._before.update(expected_score=0.0, best_score=0.0)
        if world_seed is not None:
            self._pin(integer("world_seed", world_seed, 0))

    def _set_pace(self, post_rate: float, score_delay_s: float, wait: bool) -> None:
        number("post_rate (in seconds)", post_rate, 0)
        number("score_delay_s", score_delay_s, 0)
        self.wait = wait
        self._publisher.set_pace(post_rate, score_delay_s)
        untimed = wait and not (post_rate or score_delay_s)
        self._player = self._untimed_player if untimed else None

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
    def pinned(self) -> bool:
        """Whether the world was started by ``world_seed``, and no reset starts it over."""
        return self._pinned

    @property
    def spec(self) -> EnvSpec | None:
        """How Gymnasium made the environment; that of a pinned world is nondeterministic."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        # Checkers read there whether a seed repeats what happened.
        pinned = spec is not None and self._pinned
        self._spec = replace(spec, nondeterministic=True) if spec and pinned else spec

    @property
    def contexts(self) -> AnyArray:
        """What is observed before each of the next posts, as the Face shows it: ``(slots, ...)``.

        Zeros where there is nothing to observe. It is the structured observation, whatever form
        the agent gets it in.
        """
        return np.zeros(self._slots, np.int64) if self._seen is None else self._seen

    @property
    def last_posts(self) -> list[AnyPost]:
        """The posts that the last step made, in slot order; decoded only when it is asked for."""
        if not isinstance(self._sent, list):
            actions, seen = self._sent
            self._sent = in_context(self._decoded(actions), seen)
        return list(self._sent)

    @property
    def last_scores(self) -> npt.NDArray[np.float64]:
        """What the posts of the last step scored, float64 of shape ``(slots,)``.

        NaN where a slot made no post, or its score is pending. No wrapper changes it.
        """
        if self._scored is None:
            return np.full(self._slots, np.nan)
        return np.array(self._scored, np.float64).reshape(self._slots)

    def scrap(self, limit: int | None = None) -> Iterator[tuple[Any, AnyPost]]:
        """Yields existing posts of the Face with their ids."""
        return self.face.scrap(limit)

    def resume(self, post_ids: Mapping[int, AnyId] | None = None, *, repeat: bool = False) -> None:
        """Lets the next step go on with the round that an error or an interrupt ended.

        That step must be given the same actions; what was made is not made again. Where no round
        was broken off it changes nothing.

        Args:
            post_ids: The ids of the posts that were made, by their slot, for a round that another
                process began; ``None`` where this environment played it.
            repeat: Whether the last step was finished here, and failed around this environment:
                then the next step returns the same once more.
        """
        if repeat:
            self._repeats = True
        else:
            self._publisher.resume(post_ids)

    def _repeated(self) -> Any:
        """Returns what the last step returned."""
        self._repeats = False
        *others, infos = self._returned
        return (*others, infos.copy())

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
        twin.render_mode = twin._feed = twin._face_to_close = None  # noqa: SLF001 - its own twin
        return twin

    def _pin(self, world_seed: int) -> None:
        """Starts the world once and for all.

        Raises:
            ValueError: The Face is a live one.
        """
        if self._world is None:
            raise ValueError(
                f"world_seed starts a simulated world, and {type(self.face).__name__} is a live "
                "Face: leave it out"
            )
        self._restart(np_random(world_seed)[0])
        self._pinned = True

    def _restart(self, rng: np.random.Generator) -> None:
        """Starts a simulated Face over; a live one, or a pinned world, stays as it is."""
        if self._world is not None and not self._pinned:
            self._world.restart(rng)
            self._publisher.forget()
            if self._feed is not None:
                self._feed = Feed()

    def _close_face(self) -> None:
        """Closes the Face, once, unless somebody else is to close it."""
        if self._face_to_close is not None:
            self._face_to_close.close()  # where that fails, the next call tries again
            self._face_to_close = None

    def _look(self) -> None:
        """Observes what is there before the next posts."""
        if self._observe is not None:
            self._seen = self._observe(self._slots)

    def _codec_of(self, player: PlaysActions) -> AnyCodec:
        """Returns the codec of the actions; where posts are composed it is not the Face's own."""
        return player.codec if self.codec is None else self.codec

    def _decoded(self, actions: Action) -> list[Any]:
        """Returns the contents that checked actions stand for."""
        raise NotImplementedError

    def _frame(self) -> Any:
        """Renders the feed in the mode that was asked for."""
        if self._feed is None:
            return None
        if self.render_mode == "rgb_array":
            return self._feed.picture()
        return self._feed.text()


def in_context(xs: list[Any], seen: AnyArray | None) -> list[AnyPost]:
    """Returns contents as posts, each with what was observed when it was written."""
    if seen is None:
        return [PostData(x) for x in xs]
    return [PostData(x, context) for x, context in zip(xs, seen, strict=True)]


def action_space_for(codec: AnyCodec | None) -> Space[Any]:
    """Returns the action space of an environment with a codec, or without one."""
    # Copied: their random streams must not be shared between environments.
    return copy.deepcopy(codec.space) if codec else PostSpace()
