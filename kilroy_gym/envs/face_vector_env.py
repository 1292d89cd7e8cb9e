"""One round per step."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Generic

import numpy as np
import numpy.typing as npt
from gymnasium import Space
from gymnasium.error import InvalidAction
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from kilroy_gym._checks import integer
from kilroy_gym.clock import Clock
from kilroy_gym.codecs import Codec
from kilroy_gym.envs.arrays import check_count, filled, id_array, object_array
from kilroy_gym.envs.base import (
    RENDER_FPS,
    RENDER_MODES,
    OnFace,
    action_space_for,
    in_context,
)
from kilroy_gym.envs.episodes import check_episodes
from kilroy_gym.interfaces import Action, AnyArray, AnyId, Info, KilroyFace, PlaysActions, PostId
from kilroy_gym.post import AnyPost, PostData, X

Floats = npt.NDArray[np.float64]


class FaceVectorEnv(OnFace, VectorEnv[Any, Any, npt.NDArray[Any]], Generic[X, PostId]):
    """A Face as a Gymnasium vector environment: a step is a round, a slot is a post of it.

    The posts go out one after another, in slot order, to **one** Face, and are scored together:
    equivalent to that many steps of :class:`~kilroy_gym.envs.FaceEnv`. (``make_vec`` with
    ``vectorization_mode="sync"`` makes that many separate audiences instead.)

    Every episode is one post, so autoreset is ``SAME_STEP``, and what belongs to a step is in
    ``info["final_info"]``: ``post_id``, and where the Face knows the truth ``expected_score``
    and ``best_score``, with the masks that ``SyncVectorEnv`` gives. On a simulated Face ``info``
    itself has the same keys, with -1 and 0.0: those of the episodes that begin.

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
        render_mode: As in :class:`~kilroy_gym.envs.FaceEnv`.
        clock: Where time comes from; the machine's unless another is handed in.
        close_face: Whether ``close`` closes the Face, too.
        observation: As in :class:`~kilroy_gym.envs.FaceEnv`.
        world_seed: As in :class:`~kilroy_gym.envs.FaceEnv`.
        autoreset_mode: ``SAME_STEP``, the only one there is here.
        posts_per_episode: Must be left out: in a round every episode is one post.

    Attributes:
        autoreset_mode: ``SAME_STEP``.

    Raises:
        TypeError: ``face`` or ``codec`` is something else.
        ValueError: An argument is out of its range.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": RENDER_MODES,
        "render_fps": RENDER_FPS,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }
    autoreset_mode: AutoresetMode = AutoresetMode.SAME_STEP

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
        observation: str = "vector",
        world_seed: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        posts_per_episode: None = None,
    ) -> None:
        """Checks the arguments and derives the spaces."""
        num_envs = integer("num_envs", num_envs, 1)
        check_episodes(autoreset_mode, posts_per_episode)
        self._set_up(
            face,
            codec,
            post_rate,
            score_delay_s,
            render_mode,
            clock,
            wait,
            close_face,
            observation,
            world_seed,
        )
        self.num_envs = self._slots = num_envs
        self._set_spaces(self.observations.space, action_space_for(codec))
        # Copied for every step, which is several times faster than making them anew.
        self._no = np.zeros(num_envs, np.bool_)
        self._masks = np.ones((12, num_envs), np.bool_)  # more than any step has
        self._new = {key: np.full(num_envs, value) for key, value in self._before.items()}
        self._nothing = np.ones((num_envs, 1), np.float32) if self.observations.constant else None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[AnyArray, Info]:
        """Begins the episodes; with a seed, starts a simulated Face over unless it is pinned.

        Raises:
            ValueError: ``seed`` is a list: there is one audience, so it takes one seed.
        """
        if seed is not None and not isinstance(seed, (int, np.integer)):
            raise ValueError(f"one audience takes one seed, got {seed!r}")
        super().reset(seed=seed)
        if seed is not None:
            self._restart(self.np_random)
        self._look()
        return self._observations(), self._of_new_episodes(iter(self._masks.copy()))

    def step(
        self, actions: Action
    ) -> tuple[AnyArray, Floats, npt.NDArray[np.bool_], npt.NDArray[np.bool_], Any]:
        """Makes a round of posts; rewards are their scores.

        Returns:
            The observations before the next posts, of shape ``(num_envs, ...)``; rewards,
            float64 of shape ``(num_envs,)``; whether episodes terminated (all) and were truncated
            (none), bool of shape ``(num_envs,)``; and the infos. ``infos["final_obs"]`` holds an
            array per slot; where nothing is observed, that is one ``[1.0]`` for all slots.

        Raises:
            gymnasium.error.InvalidAction: An action is not in the space; nothing was posted.
            FaceError: The Face failed; the error carries the posts and scores so far.
        """
        if self._repeats:
            repeated: tuple[Any, Floats, Any, Any, Any] = self._repeated()
            return repeated
        with self._publisher.reporting([]):
            final_obs = self._final_obs()
        rewards, final_info, infos = self._round(actions, self.num_envs)
        masks = iter(self._masks.copy())
        for key in tuple(final_info):
            final_info[f"_{key}"] = next(masks)
        infos["final_obs"], infos["_final_obs"] = final_obs, next(masks)
        infos["final_info"], infos["_final_info"] = final_info, next(masks)
        infos |= self._of_new_episodes(masks)
        told = self._observations(), rewards, next(masks), self._no.copy()
        self._returned = (*told, infos.copy())
        self.steps += 1
        return (*told, infos)

    def set_pace(self, post_rate: float, score_delay_s: float, wait: bool) -> None:
        """Sets the timing from the next post on; the arguments are those of the class.

        Raises:
            ValueError: A duration is negative or not a number.
        """
        self._set_pace(post_rate, score_delay_s, wait)

    def drain(self) -> dict[AnyId, float]:
        """Waits for all scores that are pending and returns them by post id.

        Raises:
            FaceError: The Face failed; the error carries the scores so far.
        """
        scores = self._publisher.drain()
        if self._feed is not None:
            self._feed.update(scores)
        return scores

    def expect(self, ages_s: Mapping[AnyId, float]) -> None:
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
        """Returns the feed's frame once per slot; ``None`` where it is printed or not kept.

        There is one feed: it is rendered once, and the slots share the frame.
        """
        frame = self._frame()
        return None if frame is None or self.render_mode == "human" else (frame,) * self.num_envs

    def _set_spaces(self, observation_space: Space[Any], action_space: Space[Any]) -> None:
        """Sets the spaces of a slot, and of a round."""
        self.single_observation_space, self.single_action_space = observation_space, action_space
        self.observation_space = batch_space(observation_space, self.num_envs)
        self.action_space = batch_space(action_space, self.num_envs)

    def _final_obs(self) -> AnyArray:
        """Returns what each episode of the next round ends with, an object per slot."""
        if self._observe is not None:  # where the next post's episode begins
            shown = self.observations.flattened(self._observe(self.num_envs + 1)[1:])
            return object_array(list(shown))
        # One for all slots: an array for each would take longer than the whole round.
        final_obs = np.empty(self.num_envs, dtype=object)
        final_obs.fill(0 if self._nothing is None else self._nothing[0].copy())
        return final_obs

    def _observations(self) -> Any:
        if self._nothing is not None:
            return self._nothing.copy()
        return self.observations.batched(self.observations.flattened(self.contexts))

    def _of_new_episodes(self, masks: Iterator[npt.NDArray[np.bool_]]) -> dict[str, Any]:
        """Returns what a reset says of every slot, with masks, as ``SyncVectorEnv`` does."""
        infos: Info = {}
        for key, values in self._new.items():
            infos[key], infos[f"_{key}"] = values.copy(), next(masks)
        return infos

    def _round(self, actions: Action, count: int) -> tuple[Floats, dict[str, Any], dict[str, Any]]:
        """Makes ``count`` posts; returns their rewards, their infos and those of the step."""
        if self._player is None:
            return self._play_posts(actions, count)
        return self._play_arrays(self._player, actions, count)

    def _play_arrays(
        self, player: PlaysActions, actions: Action, count: int
    ) -> tuple[Floats, dict[str, Any], dict[str, Any]]:
        # Copied: what was posted may be asked for when the caller has changed the array.
        codec = self._codec_of(player)
        actions = played = codec.check_actions(actions).copy()
        check_count(len(actions), count)
        if codec is not player.codec:
            played = player.codec.encode_many(codec.decode_many(actions))
        post_ids, response = player.play(played)
        self._sent = (actions, self._seen)
        self._look()
        scores, expected, best = (filled(value, count) for value in response)
        self._scored = scores
        if self._feed is not None:
            self._show(post_ids.tolist(), self._decoded(actions), scores.tolist())
        final_info = {"post_id": post_ids, "expected_score": expected, "best_score": best}
        return scores.copy(), final_info, {}

    def _play_posts(
        self, actions: Action, count: int
    ) -> tuple[Floats, dict[str, Any], dict[str, Any]]:
        posts = self._posts(actions)
        check_count(len(posts), count)
        post_ids, scores = self._publisher.round(posts, self.wait)
        truths = self._publisher.truths(posts, scores, post_ids)
        if self._observe is not None:
            self._publisher.keep(post_ids, scores)
            with self._publisher.reporting(posts):
                self._look()
        self._publisher.finish()
        self._sent = posts
        known = [scores.pop(post_id, None) for post_id in post_ids]
        self._scored = np.array(known, np.float64)  # NaN where it is None
        rewards = self._scored.copy()
        final_info: Info = {"post_id": id_array(post_ids)}
        infos: Info = {}
        if not self.wait:
            final_info["pending"] = pending = np.isnan(rewards)
            rewards[pending] = 0.0
            infos["arrived"] = scores
        if truths is not None:
            final_info["expected_score"], final_info["best_score"] = np.array(
                truths, float
            ).T.copy()
        if self._feed is not None:
            self._feed.update(scores)
            self._show(post_ids, [post.x for post in posts], known)
        return rewards, final_info, infos

    def _posts(self, actions: Action) -> list[AnyPost]:
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

    def _decoded(self, actions: Action) -> list[Any]:
        return [] if self.codec is None else self.codec.decode_many(actions)

    def _show(self, post_ids: list[AnyId], xs: list[Any], scores: list[Any]) -> None:
        if self._feed is not None:
            for post_id, x, score in zip(post_ids, xs, scores, strict=True):
                self._feed.add(post_id, x, score)
            if self.render_mode == "human":
                print(self._feed.text(last=len(post_ids)))
