"""One token per step: posts that are composed."""

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Discrete, MultiDiscrete

from kilroy_gym.audiences import Audience
from kilroy_gym.codecs import CategoricalCodec, TokenCodec
from kilroy_gym.codecs.base import AnyCodec
from kilroy_gym.envs.arrays import check_count, object_array
from kilroy_gym.envs.observations import NOTHING, Observations
from kilroy_gym.envs.suite import AnyAudience, SimulatedEnv, SimulatedVectorEnv
from kilroy_gym.interfaces import Action, AnyArray, Info

Tokens = npt.NDArray[np.int64]


class ComposedEnv(SimulatedEnv):
    """
    ## Description

    A post of tokens, composed one after another: the audiences of `Kilroy-Zigzag-v0` and
    `Kilroy-Text-v0` for agents that act step by step. Only the whole post earns a score, so an
    agent has to work out from the end what a token was worth.

    ## Registered Configurations

    | id | audience | tokens | most tokens in a post |
    | --- | --- | --- | --- |
    | `Kilroy-ZigzagSteps-v0` | `Kilroy-Zigzag-v0` | the numbers 0 to 9; 2 stops the post | 4, after the start token 1 |
    | `Kilroy-TextSteps-v0` | `Kilroy-Text-v0` | the 56 words of the grammar (`kilroy_gym.audiences.text.WORDS`), then a stop | 7 |

    ## Action Space

    `Discrete(vocabulary)`: the next token. With `Kilroy-ZigzagSteps-v0` it is `Discrete(10)`, with
    `Kilroy-TextSteps-v0` `Discrete(57)`.

    ## Observation Space

    The post so far, as one-hot vectors one after another: one for each place in a post, each of
    `vocabulary + 1` elements. The last element marks a place where no token is yet. So it is
    `Box(0, 1, (55,), float32)` with `Kilroy-ZigzagSteps-v0`, where the first place always holds
    the start token, and `Box(0, 1, (406,), float32)` with `Kilroy-TextSteps-v0`. With
    `observation="discrete"` it is `MultiDiscrete([vocabulary + 1] * places)`: the tokens
    themselves, and the number `vocabulary` where no token is yet.

    ## Rewards

    0 for every token but the last, whose reward is the score of the whole post: with the defaults
    at best 35/36 as in `Kilroy-Zigzag-v0`, or 20 likes on average as in `Kilroy-Text-v0`. A text
    that stops at once is posted as a single space, which nobody likes.

    ## Starting State

    A post without any token but the start token. The audience is that of `Kilroy-Zigzag-v0`, the
    same every time, or of `Kilroy-Text-v0`, where every seed is a world of its own.

    ## Episode End

    An episode is the composition of one post. It terminates when the post goes out, after a stop
    or at its full length; `info` then holds what it holds of a post in the other environment.
    Before that, `post_id` is -1 and both scores are 0.0. A post that is not finished at a `reset`
    is dropped, and nobody ever sees it.

    ## Arguments

    Those of `Kilroy-Zigzag-v0` and of `Kilroy-Text-v0`, as in
    `gym.make("Kilroy-ZigzagSteps-v0", length=7)`.

    In `make_vec`, the posts that are finished in a step go out in the order of their slots, to one
    audience.

    ## Version History

    * v0: Initial version
    """  # noqa: D212, D415, E501 - laid out as Gymnasium's documentation wants it

    composed = True
    codec: TokenCodec[Any]

    def __init__(self, audience: AnyAudience, **kwargs: Any) -> None:
        """Takes the arguments of :class:`~kilroy_gym.envs.SimulatedEnv`.

        Raises:
            ValueError: The audience's posts are not composed of tokens.
        """
        super().__init__(audience, **kwargs)
        self._tokens = CategoricalCodec(range(self.codec.vocabulary))
        self.observations = observations_of(self.codec, kwargs)
        self.observation_space = self.observations.space
        self.action_space = Discrete(self.codec.vocabulary)
        self._nothing = None
        self._draft = beginnings(self.codec, 1)
        self._written = self._first = len(self.codec.beginning)
        self.__doc__ = ComposedEnv.__doc__

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[AnyArray, Info]:
        """Begins a post; with a seed, starts the audience over unless it is pinned."""
        _, info = super().reset(seed=seed)
        self._begin()
        return self._observation(), info

    def step(self, action: Action) -> tuple[AnyArray, float, bool, bool, Info]:
        """Writes a token; with the last one the post goes out. A step after that begins the next.

        Raises:
            gymnasium.error.InvalidAction: The action is no token; nothing was written.
        """
        token = self._tokens.check_action(action)
        codec = self.codec
        if self._written == 0:
            self._begin()
        self._draft[0, self._written] = token
        self._written += 1
        if token != codec.stop and self._written < codec.length:
            self._sent, self._scored = [], None
            return self._observation(), 0.0, False, False, self._before.copy()
        self._written = 0
        _, score, terminated, truncated, info = super().step(whole_posts_of(self._draft[0], codec))
        if not (terminated or truncated):
            self._begin()
        return self._observation(), score, terminated, truncated, info

    def _codec_for(self, audience: Audience) -> AnyCodec:
        return check_composable(audience)

    def _observation(self) -> Any:
        return self.observations.flattened(self._draft)[0]

    def _begin(self) -> None:
        self._draft[0, self._first :] = self.codec.vocabulary
        self._written = self._first


class ComposedVectorEnv(SimulatedVectorEnv):
    """Posts that are composed token by token, one in each slot, for one audience.

    Slots finish at different times: the posts that are finished in a step go out in the order of
    their slots, and their slots begin the next (``SAME_STEP``). ``info["final_info"]`` and
    ``info["final_obs"]`` are there when a post went out, with masks of the slots that sent one.
    See :class:`ComposedEnv` for spaces and rewards.
    """

    composed = True
    codec: TokenCodec[Any]

    def __init__(self, audience: AnyAudience, num_envs: int, **kwargs: Any) -> None:
        """Takes the arguments of :class:`~kilroy_gym.envs.SimulatedVectorEnv`.

        Raises:
            ValueError: The audience's posts are not composed of tokens.
        """
        super().__init__(audience, num_envs, **kwargs)
        self._tokens = CategoricalCodec(range(self.codec.vocabulary))
        self.observations = observations_of(self.codec, kwargs)
        self._set_spaces(self.observations.space, Discrete(self.codec.vocabulary))
        self._every_slot = np.arange(self.num_envs)
        self._drafts = beginnings(self.codec, self.num_envs)
        self._first = len(self.codec.beginning)
        self._written = np.full(self.num_envs, self._first)
        self.__doc__ = ComposedEnv.__doc__

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[AnyArray, Info]:
        """Begins a post in every slot; with a seed, starts the audience over unless pinned."""
        self._begin(slice(None))
        return super().reset(seed=seed)

    def step(
        self, actions: Action
    ) -> tuple[AnyArray, npt.NDArray[np.float64], AnyArray, AnyArray, Any]:
        """Writes a token in every slot; the posts that are finished go out.

        Returns:
            The posts so far, of shape ``(num_envs, ...)``; rewards, float64 of shape
            ``(num_envs,)``, 0.0 where no post went out; whether a post went out and ``False``,
            bool of shape ``(num_envs,)``; and the infos.

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
        infos: Info = {} if self.wait else {"arrived": {}}
        slots = ended.nonzero()[0]
        self._sent, scores = [], np.full(self.num_envs, np.nan)
        if slots.size:
            finished = self._drafts[slots]
            self._begin(slots)
            posts = whole_posts_of(finished, self.codec)
            rewards[slots], final_info, infos = self._round(posts, len(posts))
            scores[slots] = self._scored
            infos["final_info"] = self._in_slots(final_info, slots, ended)
            infos["final_obs"] = np.full(self.num_envs, None, object)
            last_seen = self.observations.flattened(finished)
            infos["final_obs"][slots] = object_array(list(last_seen))
            infos["_final_info"], infos["_final_obs"] = ended.copy(), ended.copy()
        self._scored = scores
        infos |= self._of_new_episodes(iter(self._masks.copy()))
        truncated = np.zeros(self.num_envs, np.bool_)
        return self._observations(), rewards, ended, truncated, infos

    def _codec_for(self, audience: Audience) -> AnyCodec:
        return check_composable(audience)

    def _observations(self) -> Any:
        return self.observations.flattened(self._drafts)

    def _in_slots(
        self, values: dict[str, Any], slots: AnyArray, ended: npt.NDArray[np.bool_]
    ) -> dict[str, Any]:
        """Puts what belongs to the posts of a step in their slots, with masks."""
        spread: dict[str, Any] = {}
        for key, of_posts in values.items():
            spread[key] = np.zeros(self.num_envs, of_posts.dtype)
            spread[key][slots] = of_posts
            spread[f"_{key}"] = ended.copy()
        return spread

    def _begin(self, slots: Any) -> None:
        self._drafts[slots, self._first :] = self.codec.vocabulary
        self._written[slots] = self._first


def check_composable(audience: Audience) -> TokenCodec[Any]:
    """Returns the codec between posts and the tokens that they are composed of.

    Raises:
        ValueError: There is none, or there is something else to observe.
    """
    tokens = audience.tokens
    if tokens is None or audience.observation_space != NOTHING:
        raise ValueError(
            f"posts can be composed for an audience with a TokenCodec and nothing to observe, and "
            f"{type(audience).__name__} has {audience.codec!r} and {audience.observation_space}"
        )
    return tokens


def observations_of(codec: TokenCodec[Any], kwargs: dict[str, Any]) -> Observations:
    """Returns what is observed while composing: a token per place, ``vocabulary`` for none yet."""
    space = MultiDiscrete([codec.vocabulary + 1] * codec.length)
    return Observations(space, kwargs.get("observation", "vector"))


def beginnings(codec: TokenCodec[Any], count: int) -> Tokens:
    """Returns posts without a token of their own, int64 of shape ``(count, length)``."""
    drafts = np.full((count, codec.length), codec.vocabulary, np.int64)
    drafts[:, : len(codec.beginning)] = codec.beginning
    return drafts


def whole_posts_of(drafts: Tokens, codec: TokenCodec[Any]) -> Tokens:
    """Returns the actions that finished posts are: what follows a stop becomes stops."""
    after = drafts[..., len(codec.beginning) :]
    return np.where(after == codec.vocabulary, codec.stop, after)


def tokens_of(posts: Tokens, codec: TokenCodec[Any]) -> tuple[Tokens, Tokens]:
    """Takes whole posts apart: what was observed before each token, and the token.

    Args:
        posts: Actions of the codec, of shape ``(n, steps)``.
        codec: Of the posts.

    Returns:
        Drafts of shape ``(m, length)`` and tokens of shape ``(m,)``, post by post.
    """
    first = len(codec.beginning)
    drafts = np.repeat(beginnings(codec, len(posts))[:, None], codec.steps, axis=1)
    for written in range(1, codec.steps):
        drafts[:, written, first : first + written] = posts[:, :written]
    stopped = np.cumsum(posts == codec.stop, axis=1) - (posts == codec.stop) > 0
    return drafts[~stopped], posts[~stopped]
