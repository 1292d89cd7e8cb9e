"""Whole posts for an environment that composes them token by token."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space

from kilroy_gym.codecs import SequenceCodec
from kilroy_gym.interfaces import KilroyEnv
from kilroy_gym.post import PostData

Posts = npt.NDArray[np.int64]


class WholePosts(VectorWrapper):  # not generic before Gymnasium 1.3
    """Takes whole posts, one for each slot, and writes them token by token.

    So a module that writes whole posts plays a composed environment, wrapped or not: a step here
    is as many steps there as the longest post has tokens. A slot whose post has gone out waits
    for the others: it writes a draft that is dropped at the end, before it could go out.

    Args:
        env: A composed environment (see :class:`~kilroy_gym.envs.ComposedVectorEnv`), or separate
            ones in a ``SyncVectorEnv``, with autoreset in the ``SAME_STEP``.
        codec: Of its posts; actions are this codec's.
        inside: The Kilroy environments in it, which tell what was posted.

    Attributes:
        last_posts: The posts that the last step made, in slot order.
    """

    def __init__(
        self, env: VectorEnv[Any, Any, Any], codec: SequenceCodec, inside: Sequence[KilroyEnv]
    ) -> None:
        """Takes the codec's action space; what is observed stays the post so far."""
        super().__init__(env)
        self.last_posts: list[PostData[Any]] = []
        self._inside = inside
        self.codec = codec
        self.single_action_space = codec.space
        self.action_space = batch_space(codec.space, env.num_envs)

    def step(
        self, actions: Any
    ) -> tuple[Any, npt.NDArray[np.float64], npt.NDArray[Any], npt.NDArray[Any], dict[str, Any]]:
        """Writes a post in every slot; rewards are their scores.

        ``infos["final_info"]`` holds what belongs to the posts, and ``infos["arrived"]`` what it
        holds in the environment.

        Raises:
            gymnasium.error.InvalidAction: An action is no post; nothing was written.
        """
        posts = self.codec.check_actions(actions)
        scores, writing = np.zeros(self.num_envs), np.ones(self.num_envs, np.bool_)
        final_info: dict[str, Any] = {}
        arrived: dict[Any, float] = {}
        posted: dict[int, PostData[Any]] = {}
        for tokens in posts.T:
            # The start is no stop, and whoever waits began late: that draft cannot be finished.
            tokens = np.where(writing, tokens, self.codec.start)
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
        if not ended.all():  # some have waited
            observations, _ = self.env.reset()
        self.last_posts = [posted[slot] for slot in range(self.num_envs)]
        everywhere = np.ones(self.num_envs, np.bool_)
        infos = {"final_info": final_info, "arrived": arrived}
        return observations, scores, everywhere, ~everywhere, infos

    def next_tokens(
        self, observations: Any, state: Any, write: Callable[[Any], Posts]
    ) -> tuple[Posts, Posts]:
        """Returns the next token of each post, for an agent that is asked token by token.

        Args:
            observations: The posts so far, of shape ``(n, length)``.
            state: What the last call returned, or ``None`` where every post is at its beginning.
            write: From the observations of the posts that begin to whole posts, as actions.

        Returns:
            The tokens, int64 of shape ``(n,)``, and the state: the posts that they belong to.

        Raises:
            ValueError: A post has begun and there is no state to tell how it goes on.
        """
        drafts = np.asarray(observations)
        written = (drafts < self.codec.vocabulary).sum(axis=1) - 1
        begins = written == 0
        if state is None and not begins.all():
            raise ValueError(
                "a module writes whole posts, so in the middle of one it needs the state that the "
                "last `predict` returned: hand it in, as `predict(observation, state)`"
            )
        posts = np.zeros((len(drafts), self.codec.length - 1), np.int64)
        if state is not None:
            posts[:] = state
        if begins.any():
            posts[begins] = write(drafts[begins])
        return posts[np.arange(len(drafts)), written], posts
