"""One round a step."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Generic

import numpy as np
import numpy.typing as npt
from gymnasium.error import InvalidAction
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from kilroy_gym._checks import integer
from kilroy_gym.clock import Clock
from kilroy_gym.codecs import Codec
from kilroy_gym.envs.base import RENDER_FPS, RENDER_MODES, OnFace, in_context, spaces_for
from kilroy_gym.interfaces import KilroyFace, PlaysActions, PostId
from kilroy_gym.post import PostData, X

Floats = npt.NDArray[np.float64]


class FaceVectorEnv(OnFace, VectorEnv[Any, Any, npt.NDArray[Any]], Generic[X, PostId]):
    """A Face as a Gymnasium vector environment: a step is a round, a slot is a post of it.

    The posts go out one after another, in slot order, to **one** Face, and are scored together:
    the same as as many steps of :class:`~kilroy_gym.envs.FaceEnv`. (``make_vec`` with
    ``vectorization_mode="sync"`` is something else: as many separate audiences.)

    Every episode is one post, so autoreset is ``SAME_STEP``, and what belongs to a step is in
    ``info["final_info"]``: ``post_id``, and where the Face knows the truth ``expected_score``
    and ``best_score``, with the masks that ``SyncVectorEnv`` gives.

    With ``wait=False`` a step does not wait for scores. A post whose score is not known gets
    reward 0.0 and ``final_info["pending"]``; scores of earlier rounds that became known are in
    ``info["arrived"]``, by post id. That is for modules: an agent that believes the 0.0 would
    learn from a score that nobody gave. At the end :meth:`drain` waits for the rest.

    Args:
        face: The platform.
        num_envs: Posts in a round, at least 1.
        codec: Between posts and actions, or ``None``: then actions are a sequence of posts.
        post_rate: Seconds to wait after each post, at least 0.
        score_delay_s: How old a post must be, in seconds, before its score is asked for.
        wait: Whether a step waits until every score of its round is known.
        render_mode: As in :class:`~kilroy_gym.envs.FaceEnv`; ``render`` gives one frame.
        clock: Where time comes from; the machine's unless another is handed in.
        close_face: Whether ``close`` closes the Face, too.

    Raises:
        TypeError: ``face`` or ``codec`` is something else.
        ValueError: ``num_envs`` or a duration is out of range, or the render mode is unknown.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": RENDER_MODES,
        "render_fps": RENDER_FPS,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        face: KilroyFace[X, PostId],
        num_envs: int,
        codec: Codec[X] | None = None,
        post_rate: float = 0.0,
        score_delay_s: float = 0.0,
        wait: bool = True,
        render_mode: str | None = None,
        clock: Clock | None = None,
        *,
        close_face: bool = True,
    ) -> None:
        """Checks the arguments and derives the spaces."""
        num_envs = integer("num_envs", num_envs, 1)
        self._set_up(face, codec, post_rate, score_delay_s, render_mode, clock, wait, close_face)
        self.num_envs = self._slots = num_envs
        self.wait = wait
        self.single_observation_space, self.single_action_space = spaces_for(face, codec)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        # The same at every step: made once, and read-only since every step gives them out.
        self._everywhere = np.ones(num_envs, np.bool_)
        self._final_obs = np.full(num_envs, 0, dtype=object)
        self._everywhere.flags.writeable = self._final_obs.flags.writeable = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[Any], dict[str, Any]]:
        """Begins the episodes; with a seed, starts a simulated Face over.

        Raises:
            ValueError: ``seed`` is a list: there is one audience, so it takes one seed.
        """
        if seed is not None and not isinstance(seed, (int, np.integer)):
            raise ValueError(f"one audience takes one seed, got {seed!r}")
        super().reset(seed=seed)
        if seed is not None:
            self._restart(self.np_random)
        self._look()
        return self.contexts, {}

    def step(
        self, actions: Any
    ) -> tuple[npt.NDArray[Any], Floats, npt.NDArray[np.bool_], npt.NDArray[np.bool_], Any]:
        """Makes a round of posts; rewards are their scores.

        Raises:
            gymnasium.error.InvalidAction: An action is not in the space; nothing was posted.
            FaceError: The Face failed; the error carries the posts and scores so far.
        """
        final_obs = self._final_obs
        if self._observe is not None:  # each episode ends where the next post's begins
            final_obs = object_array(list(self._observe(self.num_envs + 1)[1:]))
        rewards, final_info, infos = self._round(actions, self.num_envs)
        for key in tuple(final_info):
            final_info[f"_{key}"] = self._everywhere
        infos["final_obs"], infos["_final_obs"] = final_obs, self._everywhere
        infos["final_info"], infos["_final_info"] = final_info, self._everywhere
        truncated = np.zeros(self.num_envs, np.bool_)
        self._look()
        return self.contexts, rewards, ~truncated, truncated, infos

    def drain(self) -> dict[Any, float]:
        """Waits for all scores that are pending and returns them by post id.

        Raises:
            FaceError: The Face failed; the error carries the scores so far.
        """
        scores = self._publisher.drain()
        if self._feed is not None:
            self._feed.update(scores)
        return scores

    def expect(self, ages_s: Mapping[Any, float]) -> None:
        """Expects the scores of posts that were made before, by another process perhaps.

        Args:
            ages_s: How long ago each was made, in seconds, by post id.
        """
        self._publisher.expect(ages_s)

    def close_extras(self, **kwargs: Any) -> None:
        """Closes the Face, too; called once, by ``close``."""
        self._close_face()

    def __del__(self) -> None:
        """Does nothing; before Gymnasium 1.3 it would close the Face, which others may use."""

    def render(self) -> tuple[Any, ...] | None:
        """Returns one frame, since there is one feed; ``None`` where it is printed or not kept."""
        frame = self._frame()
        return None if frame is None or self.render_mode == "human" else (frame,)

    def _round(self, actions: Any, count: int) -> tuple[Floats, dict[str, Any], dict[str, Any]]:
        """Makes ``count`` posts; returns their rewards, their infos and those of the step."""
        if self._player is None:
            return self._play_posts(actions, count)
        return self._play_arrays(self._player, actions, count)

    def _play_arrays(
        self, player: PlaysActions, actions: Any, count: int
    ) -> tuple[Floats, dict[str, Any], dict[str, Any]]:
        # Copied: what was posted may be asked for when the caller has changed the array.
        actions = player.codec.check_actions(actions).copy()
        check_count(len(actions), count)
        post_ids, response = player.play(actions)
        self._sent = (actions, self._seen)
        scores, expected, best = (
            np.broadcast_to(np.asarray(value, np.float64), post_ids.shape) for value in response
        )
        if self._feed is not None:
            self._show(post_ids.tolist(), self._decoded(actions), scores.tolist())
        final_info = {
            "post_id": post_ids,
            "expected_score": expected.copy(),
            "best_score": best.copy(),
        }
        return scores.copy(), final_info, {}

    def _play_posts(
        self, actions: Any, count: int
    ) -> tuple[Floats, dict[str, Any], dict[str, Any]]:
        posts = self._posts(actions)
        check_count(len(posts), count)
        post_ids, scores = self._publisher.round(posts, self.wait)
        truths = self._publisher.truths(posts, scores, post_ids)
        self._publisher.finish()
        self._sent = posts
        known = [scores.pop(post_id, None) for post_id in post_ids]
        rewards = np.array([0.0 if score is None else score for score in known])
        final_info: dict[str, Any] = {"post_id": id_array(post_ids)}
        infos: dict[str, Any] = {}
        if not self.wait:
            final_info["pending"] = np.array([score is None for score in known])
            infos["arrived"] = scores
        if truths is not None:
            final_info["expected_score"], final_info["best_score"] = np.array(
                truths, float
            ).T.copy()
        if self._feed is not None:
            self._feed.update(scores)
            self._show(post_ids, [post.x for post in posts], known)
        return rewards, final_info, infos

    def _posts(self, actions: Any) -> list[PostData[Any]]:
        if self.codec is not None:
            posts = in_context(self.codec.decode_many(actions), self._seen)
        else:
            posts = list(actions) if isinstance(actions, Iterable) else [actions]
            for post in posts:
                if not isinstance(post, PostData):
                    raise InvalidAction(
                        f"action {post!r} is no PostData, and there is no codec to make one"
                    )
        return posts

    def _decoded(self, actions: Any) -> list[Any]:
        return [] if self.codec is None else self.codec.decode_many(actions)

    def _show(self, post_ids: list[Any], xs: list[Any], scores: list[Any]) -> None:
        if self._feed is not None:
            for post_id, x, score in zip(post_ids, xs, scores, strict=True):
                self._feed.add(post_id, x, score)
            if self.render_mode == "human":
                print(self._feed.text(last=len(post_ids)))


def check_count(given: int, count: int) -> None:
    """Refuses a round of another number of posts.

    Raises:
        gymnasium.error.InvalidAction: ``given`` is not ``count``.
    """
    if given != count:
        raise InvalidAction(f"a round has {count} actions, got {given}")


def id_array(post_ids: list[Any]) -> npt.NDArray[Any]:
    """Returns post ids as an array: int64 where they are all integers that fit, else objects."""
    if all(type(post_id) is int for post_id in post_ids):
        try:
            return np.array(post_ids, np.int64)
        except OverflowError:
            pass
    return object_array(post_ids)


def object_array(items: list[Any]) -> npt.NDArray[Any]:
    """Returns an array of the items themselves, also where these are tuples or arrays."""
    array = np.empty(len(items), dtype=object)
    for slot, item in enumerate(items):
        array[slot] = item
    return array
