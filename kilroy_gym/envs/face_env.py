"""One post per step."""

from typing import Any, ClassVar, Generic

import gymnasium as gym
import numpy as np
from gymnasium.error import InvalidAction

from kilroy_gym._checks import integer
from kilroy_gym.clock import Clock
from kilroy_gym.codecs import Codec
from kilroy_gym.envs.base import (
    RENDER_FPS,
    RENDER_MODES,
    OnFace,
    action_space_for,
    in_context,
)
from kilroy_gym.envs.episodes import LoneResets
from kilroy_gym.interfaces import Action, Info, KilroyFace, PlaysActions, PostId
from kilroy_gym.post import PostData, X


class FaceEnv(OnFace, gym.Env[Any, Any], Generic[X, PostId]):
    """A Face as a Gymnasium environment: an action is a post, its reward is its score.

    An episode is one post, so every step terminates. ``info`` holds ``post_id``, and where the
    Face knows the truth (a method ``truth(post_id)``) also ``expected_score`` and
    ``best_score``, as Python numbers. On a simulated Face ``reset`` gives the same keys, with -1
    and 0.0. ``reset`` never touches the platform: nothing un-posts. With a seed it starts a
    *simulated* Face over, unless ``world_seed`` has started its world.

    The observation is a float32 vector of what the Face shows (``observe``), or the constant
    ``[1.0]`` where it shows nothing: see :class:`~kilroy_gym.envs.observations.Observations`. The
    action space is the codec's; with no codec the action is the
    :class:`~kilroy_gym.post.PostData` itself.

    Args:
        face: The platform.
        codec: Between posts and actions, or ``None``.
        post_rate: Seconds to wait after each post, at least 0.
        score_delay_s: How old a post must be, in seconds, before its score is asked for.
        render_mode: ``"ansi"`` (the feed as text), ``"human"`` (the same, printed as posts are
            made), ``"rgb_array"`` (a picture of the scores over time) or ``None``.
        clock: Where time comes from; the machine's unless another is handed in.
        close_face: Whether ``close`` closes the Face, too.
        observation: ``"vector"``, or ``"discrete"`` for observations as the Face shows them.
        world_seed: Starts a simulated world now; no reset starts it over, and a reset's seed
            only seeds ``np_random``. For tools that pass a seed to every reset.
        posts_per_episode: At least 2: the posts of an episode, which then ends by truncation. For
            tools that waste a step at the end of every episode; set their discount to 0.

    Raises:
        TypeError: ``face`` or ``codec`` is something else.
        ValueError: A number is out of its range, or ``render_mode`` or ``observation`` is unknown,
            or ``world_seed`` is given for a live Face.

    Example:
        >>> from kilroy_gym.audiences import BernoulliAudience
        >>> from kilroy_gym.codecs import BinaryCodec
        >>> from kilroy_gym.faces import SimulatedFace
        >>> env = FaceEnv(SimulatedFace(BernoulliAudience()), BinaryCodec())
        >>> observation, info = env.reset(seed=0)
        >>> env.step(0)[:4]
        (array([1.], dtype=float32), -1.0, True, False)
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": RENDER_MODES,
        "render_fps": RENDER_FPS,
    }

    def __init__(
        self,
        face: KilroyFace[X, PostId],
        codec: Codec[X] | None = None,
        post_rate: float = 0.0,
        score_delay_s: float = 0.0,
        render_mode: str | None = None,
        clock: Clock | None = None,
        *,
        close_face: bool = True,
        observation: str = "vector",
        world_seed: int | None = None,
        posts_per_episode: int | None = None,
    ) -> None:
        """Checks the arguments and derives the spaces."""
        self._set_up(
            face,
            codec,
            post_rate,
            score_delay_s,
            render_mode,
            clock,
            True,
            close_face,
            observation,
            world_seed,
        )
        if posts_per_episode is not None:
            self.posts_per_episode = integer("posts_per_episode", posts_per_episode, 2)
        self.observation_space = self.observations.space
        self.action_space = action_space_for(codec)
        self._nothing = np.ones(1, np.float32) if self.observations.constant else None
        self._posts = 0  # since the last reset
        self._lone_resets = LoneResets()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, Info]:
        """Begins an episode; with a seed, starts a simulated Face over unless it is pinned."""
        if seed is not None:  # without one Gymnasium's own reset does nothing, at a cost
            super().reset(seed=seed)
            self._restart(self.np_random)
            if self.simulated and not self.pinned:
                self._lone_resets.add(self._posts)
        else:
            self._lone_resets.count = 0
        self._posts = 0
        self._look()
        return self._observation(), self._before.copy()

    def step(self, action: Action) -> tuple[Any, float, bool, bool, Info]:
        """Makes a post, waits until its score is known, and returns that as the reward.

        Returns:
            The observation before the next post, the score, whether the episode is over by its
            end and by truncation, and the ``info`` of the post.

        Raises:
            gymnasium.error.InvalidAction: The action is not in the space; nothing was posted.
            FaceError: The Face failed; the error carries the post where it was made.
        """
        if self._repeats:
            repeated: tuple[Any, float, bool, bool, Info] = self._repeated()
            return repeated
        if self._player is not None and self._feed is None:
            score, info = self._play(self._player, action)
        else:
            score, info = self._publish(action)
        self._scored = score
        self._posts += 1
        ends = self.posts_per_episode
        truncated = ends is not None and self._posts % ends == 0
        self._returned = self._observation(), score, ends is None, truncated, info.copy()
        self.steps += 1
        return (*self._returned[:4], info)

    def close(self) -> None:
        """Closes the Face, too."""
        self._close_face()

    def render(self) -> Any:
        """Returns the feed as text or as a picture; ``None`` where it is printed or not kept."""
        return None if self.render_mode == "human" else self._frame()

    def _play(self, player: PlaysActions, action: Action) -> tuple[float, Info]:
        """Takes the step without making a post of the action."""
        codec = self._codec_of(player)
        action = codec.check_action(action)
        played = action if codec is player.codec else player.codec.encode(codec.decode(action))
        post_id, (score, expected_score, best_score) = player.play_one(played)
        self._sent = (action, self._seen)
        self._look()
        return float(score), {
            "post_id": post_id,
            "expected_score": float(expected_score),
            "best_score": float(best_score),
        }

    def _publish(self, action: Action) -> tuple[float, Info]:
        """Makes a post of the action and sends it."""
        if self.codec is not None:
            (post,) = in_context([self.codec.decode(action)], self._seen)
        elif isinstance(action, PostData):
            post = action
        else:
            raise InvalidAction(
                f"action {action!r} is no PostData, and there is no codec to make one"
            )
        post_id, score = self._publisher.one(post)
        info = {"post_id": post_id}
        if self._knows_truth:
            truths = self._publisher.truths([post], {post_id: score}, [post_id])
            ((info["expected_score"], info["best_score"]),) = truths or []
        if self._observe is not None:
            self._publisher.keep([post_id], {post_id: score})
            with self._publisher.reporting([post]):
                self._look()
        self._publisher.finish()
        self._sent = [post]
        if self._feed is not None:
            self._feed.add(post_id, post.x, score)
            if self.render_mode == "human":
                print(self._feed.text(last=1))
        return score, info

    def _observation(self) -> Any:
        if self._nothing is not None:
            return self._nothing.copy()
        if self._seen is None:
            return 0
        return self.observations.flattened(self._seen)[0]

    def _decoded(self, actions: Action) -> list[Any]:
        return [] if self.codec is None else [self.codec.decode(actions)]
