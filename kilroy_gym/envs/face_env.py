"""One post a step."""

from typing import Any, ClassVar, Generic

import gymnasium as gym
from gymnasium.error import InvalidAction

from kilroy_gym.clock import Clock
from kilroy_gym.codecs import Codec
from kilroy_gym.envs.base import RENDER_FPS, RENDER_MODES, OnFace, in_context, spaces_for
from kilroy_gym.interfaces import KilroyFace, PlaysActions, PostId
from kilroy_gym.post import PostData, X


class FaceEnv(OnFace, gym.Env[Any, Any], Generic[X, PostId]):
    """A Face as a Gymnasium environment: an action is a post, its reward is its score.

    An episode is one post, so every step terminates. ``info`` holds ``post_id``, and where the
    Face knows the truth (a method ``truth(post_id)``) also ``expected_score`` and
    ``best_score``. ``reset`` never touches the platform: nothing un-posts. With a seed it starts
    a *simulated* Face over.

    The observation is what the Face gives (``observe``), else always 0 in ``Discrete(1)``. The
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

    Raises:
        TypeError: ``face`` or ``codec`` is something else.
        ValueError: A duration is negative or no number, or the render mode is unknown.

    Example:
        >>> from kilroy_gym.audiences import BernoulliAudience
        >>> from kilroy_gym.codecs import BinaryCodec
        >>> from kilroy_gym.faces import SimulatedFace
        >>> env = FaceEnv(SimulatedFace(BernoulliAudience()), BinaryCodec())
        >>> observation, info = env.reset(seed=0)
        >>> env.step(0)[:4]
        (0, -1.0, True, False)
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
    ) -> None:
        """Checks the arguments and derives the spaces."""
        self._set_up(
            face, codec, post_rate, score_delay_s, render_mode, clock, close_face=close_face
        )
        self.observation_space, self.action_space = spaces_for(face, codec)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begins an episode; with a seed, starts a simulated Face over."""
        if seed is not None:  # without one Gymnasium's own reset does nothing, at a cost
            super().reset(seed=seed)
            self._restart(self.np_random)
        self._look()
        return self._observation(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Makes a post, waits until its score is known, and returns that as the reward.

        Raises:
            gymnasium.error.InvalidAction: The action is not in the space; nothing was posted.
            FaceError: The Face failed; the error carries the post where it was made.
        """
        if self._player is not None and self._feed is None:
            return self._play(self._player, action)
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
        self._publisher.finish()
        self._sent = [post]
        if self._feed is not None:
            self._feed.add(post_id, post.x, score)
            if self.render_mode == "human":
                print(self._feed.text(last=1))
        self._look()
        return self._observation(), score, True, False, info

    def close(self) -> None:
        """Closes the Face, too."""
        self._close_face()

    def _play(
        self, player: PlaysActions, action: Any
    ) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Takes the step without making a post of the action."""
        action = player.codec.check_action(action)
        post_id, (score, expected_score, best_score) = player.play_one(action)
        self._sent = (action, self._seen)
        info = {
            "post_id": post_id,
            "expected_score": float(expected_score),
            "best_score": float(best_score),
        }
        self._look()
        return self._observation(), float(score), True, False, info

    def _observation(self) -> Any:
        return 0 if self._seen is None else self._seen[0]

    def _decoded(self, actions: Any) -> list[Any]:
        return [] if self.codec is None else [self.codec.decode(actions)]

    def render(self) -> Any:
        """Returns the feed as text or as a picture; ``None`` where it is printed or not kept."""
        return None if self.render_mode == "human" else self._frame()
