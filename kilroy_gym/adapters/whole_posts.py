"""Whole posts on an environment that composes them token by token."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorWrapper
from gymnasium.vector.utils import batch_space

from kilroy_gym.codecs import TokenCodec
from kilroy_gym.interfaces import (
    Action,
    AnyId,
    AnyVectorEnv,
    Info,
    KilroyEnv,
    Observation,
)
from kilroy_gym.post import AnyPost

Posts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class WholePosts(VectorWrapper):  # not generic before Gymnasium 1.3
    """Takes a whole post per slot and writes it token by token.

    This lets a module that writes whole posts play a composed environment, wrapped or not. One step
    here equals as many steps there as the longest post has tokens. A slot whose post has gone out
    waits for the others: meanwhile it writes a draft that is dropped before it could go out.

    Args:
        env: A composed environment (see :class:`~kilroy_gym.envs.ComposedVectorEnv`), or separate
            ones in a ``SyncVectorEnv``, with autoreset mode ``SAME_STEP``.
        codec: The codec of its posts and of the actions here.
        inside: The Kilroy environments inside, which tell what was posted.

    Attributes:
        last_posts: The posts that the last step made, in slot order.
    """

    def __init__(
        self, env: AnyVectorEnv, codec: TokenCodec[Any], inside: Sequence[KilroyEnv]
    ) -> None:
        """Takes the codec's action space; the observation is still the post so far."""
        super().__init__(env)
        self.last_posts: list[AnyPost] = []
        self._inside = inside
        self.codec = codec
        self.single_action_space = codec.space
        self.action_space = batch_space(codec.space, env.num_envs)

    def step(
        self, actions: Action
    ) -> tuple[Observation, npt.NDArray[np.float64], Flags, Flags, Info]:
        """Writes a post in every slot; rewards are their scores.

        Args:
            actions: Whole posts, int64 of shape ``(slots, length - 1)``.

        Returns:
            Observations; rewards, float64 of shape ``(slots,)``; terminated (all ``True``) and
            truncated (all ``False``), bool of shape ``(slots,)``; and infos, with ``final_info``
            about the posts and ``arrived`` as in the environment.

        Raises:
            gymnasium.error.InvalidAction: An action is not a post; nothing was written.
        """
        posts = self.codec.check_actions(actions)
        scores, writing = np.zeros(self.num_envs), np.ones(self.num_envs, np.bool_)
        final_info: Info = {}
        arrived: dict[AnyId, float] = {}
        posted: dict[int, AnyPost] = {}
        for tokens in posts.T:
            # A waiting slot began late: its draft cannot be finished without a stop.
            tokens = np.where(writing, tokens, self.codec.stop == 0)
            observations, rewards, terminated, truncated, infos = self.env.step(tokens)
            scores += rewards
            ended = terminated | truncated
            for key, values in infos.get("final_info", {}).items():
                if isinstance(values, np.ndarray):
                    final_info.setdefault(key, values.copy())[ended] = values[ended]
            arrived.update(infos.get("arrived", {}))
            made = (post for each in self._inside for post in each.last_posts)
            posted.update(zip(ended.nonzero()[0].tolist(), made, strict=True))
            writing &= ~ended
            if not writing.any():
                break
        if not ended.all():  # some slots have waited
            observations, _ = self.env.reset()
        self.last_posts = [posted[slot] for slot in range(self.num_envs)]
        everywhere = np.ones(self.num_envs, np.bool_)
        infos = {"final_info": final_info, "arrived": arrived}
        return observations, scores, everywhere, ~everywhere, infos

    def next_tokens(
        self, observations: Observation, state: Any, write: Callable[[Observation], Posts]
    ) -> tuple[Posts, Posts]:
        """Returns the next token of each post, for an agent that is asked token by token.

        Args:
            observations: The posts so far as tokens, of shape ``(n, length)``.
            state: What the last call returned, or ``None`` if all posts are empty.
            write: Maps the observations of empty posts to whole posts, as actions.

        Returns:
            The tokens, int64 of shape ``(n,)``, and the state: the whole posts, int64 of shape
            ``(n, steps)``.

        Raises:
            ValueError: A post is not empty and there is no state to tell how it continues.
        """
        drafts = np.asarray(observations)
        written = (drafts < self.codec.vocabulary).sum(axis=1) - len(self.codec.beginning)
        begins = written == 0
        if state is None and not begins.all():
            raise ValueError(
                "a module writes whole posts, so in the middle of one it needs the state that the "
                "last `predict` returned: pass it, as in `predict(observation, state)`"
            )
        posts = np.zeros((len(drafts), self.codec.steps), np.int64)
        if state is not None:
            posts[:] = state
        if begins.any():
            posts[begins] = write(drafts[begins])
        return posts[np.arange(len(drafts)), written], posts
