"""One token a step: posts that are composed."""

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Discrete, MultiDiscrete
from gymnasium.vector.utils import batch_space

from kilroy_gym.codecs import CategoricalCodec, SequenceCodec
from kilroy_gym.envs.base import NOTHING
from kilroy_gym.envs.face_vector_env import check_count, object_array
from kilroy_gym.envs.suite import SimulatedEnv, SimulatedVectorEnv

Tokens = npt.NDArray[np.int64]


class ComposedEnv(SimulatedEnv):
    """
    ## Description

    A post of tokens, composed one after another: the audience of `Kilroy-Zigzag-v0` for agents
    that act step by step. Only the whole post earns a score, so what a token was worth has to be
    worked out from the end.

    ## Action Space

    `Discrete(vocabulary)`: the next token, after the start token 1. Token 2 stops the post.

    ## Observation Space

    `MultiDiscrete([vocabulary + 1] * length)`: the post so far, the start included. Where there is
    no token yet it holds the number `vocabulary`, which is no token.

    ## Rewards

    0 for every token but the last, whose reward is the score of the whole post: with the defaults
    at best 35/36, as in `Kilroy-Zigzag-v0`.

    ## Starting State

    The start token alone. The audience is the same every time.

    ## Episode End

    An episode is the composition of one post. It terminates when the post goes out, after a stop
    or at its full length; `info` then holds what it holds of a post in `Kilroy-Zigzag-v0`. A post
    that is not finished at a `reset` is dropped, and nobody ever sees it.

    ## Arguments

    Those of `Kilroy-Zigzag-v0`, as in `gym.make("Kilroy-ZigzagSteps-v0", length=7)`.

    In `make_vec`, the posts that are finished in a step go out in the order of their slots, to one
    audience.

    ## Version History

    * v0: Initial version
    """  # noqa: D212, D415 - laid out as Gymnasium's documentation wants it

    composed = True
    codec: SequenceCodec

    def __init__(self, audience: str, **kwargs: Any) -> None:
        """Takes the arguments of :class:`~kilroy_gym.envs.SimulatedEnv`.

        Raises:
            ValueError: The audience's posts are no token sequences.
        """
        super().__init__(audience, **kwargs)
        self._tokens = check_composable(audience, self.codec, self.observation_space)
        self.observation_space, self.action_space = spaces_of(self.codec)
        self._draft = beginnings(self.codec, 1)[0]
        self._written = 1
        self.__doc__ = type(self).__doc__

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Tokens, dict[str, Any]]:
        """Begins a post; with a seed, starts the audience over."""
        super().reset(seed=seed)
        self._begin()
        return self._draft.copy(), {}

    def step(self, action: Any) -> tuple[Tokens, float, bool, bool, dict[str, Any]]:
        """Writes a token; with the last one the post goes out. A step after that begins the next.

        Raises:
            gymnasium.error.InvalidAction: The action is no token; nothing was written.
        """
        token = self._tokens.check_action(action)
        codec = self.codec
        if self._written == 0:
            self._begin()
        self._draft[self._written] = token
        self._written += 1
        if token != codec.stop and self._written < codec.length:
            self._sent = []
            return self._draft.copy(), 0.0, False, False, {}
        self._written = 0
        _, score, _, _, info = super().step(whole_posts_of(self._draft, codec))
        return self._draft.copy(), score, True, False, info

    def _begin(self) -> None:
        self._draft[1:] = self.codec.vocabulary
        self._written = 1


class ComposedVectorEnv(SimulatedVectorEnv):
    """Posts that are composed token by token, one in each slot, for one audience.

    Slots finish at different times: the posts that are finished in a step go out in the order of
    their slots, and their slots begin the next (``SAME_STEP``). ``info["final_info"]`` and
    ``info["final_obs"]`` are there when a post went out, with masks of the slots that sent one.
    See :class:`ComposedEnv` for spaces and rewards.
    """

    composed = True
    codec: SequenceCodec

    def __init__(self, num_envs: int, audience: str, **kwargs: Any) -> None:
        """Takes the arguments of :class:`~kilroy_gym.envs.SimulatedVectorEnv`.

        Raises:
            ValueError: The audience's posts are no token sequences.
        """
        super().__init__(num_envs, audience, **kwargs)
        self._tokens = check_composable(audience, self.codec, self.single_observation_space)
        self.single_observation_space, self.single_action_space = spaces_of(self.codec)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._every_slot = np.arange(self.num_envs)
        self._drafts = beginnings(self.codec, self.num_envs)
        self._written = np.ones(self.num_envs, np.int64)
        self.__doc__ = ComposedEnv.__doc__

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Tokens, dict[str, Any]]:
        """Begins a post in every slot; with a seed, starts the audience over."""
        super().reset(seed=seed)
        self._begin(slice(None))
        return self._drafts.copy(), {}

    def step(
        self, actions: Any
    ) -> tuple[Tokens, npt.NDArray[np.float64], npt.NDArray[Any], npt.NDArray[Any], Any]:
        """Writes a token in every slot; the posts that are finished go out.

        Raises:
            gymnasium.error.InvalidAction: An action is no token; nothing was written.
            FaceError: The Face failed; the error carries the posts and scores so far.
        """
        tokens = self._tokens.check_actions(actions)
        check_count(len(tokens), self.num_envs)
        self._drafts[self._every_slot, self._written] = tokens
        self._written += 1
        ended = (tokens == self.codec.stop) | (self._written == self.codec.length)
        rewards = np.zeros(self.num_envs)
        infos: dict[str, Any] = {} if self.wait else {"arrived": {}}
        slots = ended.nonzero()[0]
        self._sent = []
        if slots.size:
            finished = self._drafts[slots]
            self._begin(slots)
            posts = whole_posts_of(finished, self.codec)
            rewards[slots], final_info, infos = self._round(posts, len(posts))
            infos["final_info"] = self._in_slots(final_info, slots, ended)
            infos["final_obs"] = np.full(self.num_envs, None, object)
            infos["final_obs"][slots] = object_array(list(finished))
            infos["_final_info"], infos["_final_obs"] = ended.copy(), ended.copy()
        return self._drafts.copy(), rewards, ended, np.zeros(self.num_envs, np.bool_), infos

    def _in_slots(
        self, values: dict[str, Any], slots: npt.NDArray[Any], ended: npt.NDArray[np.bool_]
    ) -> dict[str, Any]:
        """Puts what belongs to the posts of a step in their slots, with masks."""
        spread: dict[str, Any] = {}
        for key, of_posts in values.items():
            spread[key] = np.zeros(self.num_envs, of_posts.dtype)
            spread[key][slots] = of_posts
            spread[f"_{key}"] = ended.copy()
        return spread

    def _begin(self, slots: Any) -> None:
        self._drafts[slots, 1:] = self.codec.vocabulary
        self._written[slots] = 1


def check_composable(audience: str, codec: Any, observation_space: Any) -> CategoricalCodec[int]:
    """Returns the codec of single tokens.

    Raises:
        ValueError: Posts are no token sequences, or there is something else to observe.
    """
    if not isinstance(codec, SequenceCodec) or observation_space != NOTHING:
        raise ValueError(
            f"posts can be composed for an audience with a SequenceCodec and nothing to observe, "
            f"and {audience} has {codec!r} and {observation_space}"
        )
    return CategoricalCodec(range(codec.vocabulary))


def spaces_of(codec: SequenceCodec) -> tuple[MultiDiscrete, Discrete]:
    """Returns the space of posts so far, and that of the next token."""
    return MultiDiscrete([codec.vocabulary + 1] * codec.length), Discrete(codec.vocabulary)


def beginnings(codec: SequenceCodec, count: int) -> Tokens:
    """Returns posts of the start token alone, int64 of shape ``(count, length)``."""
    drafts = np.full((count, codec.length), codec.vocabulary, np.int64)
    drafts[:, 0] = codec.start
    return drafts


def whole_posts_of(drafts: Tokens, codec: SequenceCodec) -> Tokens:
    """Returns the actions that finished posts are: what follows a stop becomes stops."""
    after = drafts[..., 1:]
    return np.where(after == codec.vocabulary, codec.stop, after)


def tokens_of(posts: Tokens, codec: SequenceCodec) -> tuple[Tokens, Tokens]:
    """Takes whole posts apart: what was observed before each token, and the token.

    Args:
        posts: Actions of the codec, of shape ``(n, length - 1)``.
        codec: Of the posts.

    Returns:
        Drafts of shape ``(m, length)`` and tokens of shape ``(m,)``, post by post.
    """
    drafts = np.repeat(beginnings(codec, len(posts))[:, None], codec.length - 1, axis=1)
    for written in range(1, codec.length - 1):
        drafts[:, written, 1 : written + 1] = posts[:, :written]
    stopped = np.cumsum(posts == codec.stop, axis=1) - (posts == codec.stop) > 0
    return drafts[~stopped], posts[~stopped]
