"""What a model plays: the Kilroy environments inside its own, and what is around them."""

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import NormalizeObservation
from stable_baselines3.common.utils import is_vectorized_observation
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecFrameStack, VecNormalize

from kilroy_gym.adapters.environments import check_one_post, codec_of, kilroy_envs
from kilroy_gym.adapters.sb3.vec_env import KilroyVecEnv
from kilroy_gym.adapters.sb3.vec_wrappers import rewrapped, vec_layers
from kilroy_gym.adapters.through import (
    REMEMBERS,
    ShowsBatch,
    each_part,
    in_chunks,
    not_inverted,
    reverted,
    seen_through,
)
from kilroy_gym.adapters.wrappers import layers
from kilroy_gym.codecs import TokenCodec
from kilroy_gym.codecs.base import AnyCodec
from kilroy_gym.envs.observations import Observations
from kilroy_gym.interfaces import AnyArray, AnyEnv, KilroyEnv, Observation
from kilroy_gym.post import AnyPost

SAME_STEP = {"autoreset_mode": AutoresetMode.SAME_STEP}


class Played:
    """The Kilroy environments that a model plays.

    Args:
        vec_env: The model's environment.

    Attributes:
        vec_env: The same.
        envs: The Gymnasium environments with their wrappers: one, or one for each slot.
        inside: The Kilroy environments inside them.
        codec: Between posts and actions.

    Raises:
        TypeError: There is no Kilroy environment inside, or it has no codec, or it lives in
            another process.
        ValueError: An episode has several posts.
    """

    def __init__(self, vec_env: VecEnv) -> None:
        """Finds them."""
        self.vec_env = vec_env
        self.envs = envs_of(vec_env)
        self.inside: list[KilroyEnv] = [each for env in self.envs for each in kilroy_envs(env)]
        self.codec: AnyCodec = codec_of(self.envs[0])
        for each in self.inside:
            check_one_post(each)

    @property
    def simulated(self) -> bool:
        """Whether every Face is a simulated one."""
        return all(env.simulated for env in self.inside)

    @property
    def composed(self) -> TokenCodec[Any] | None:
        """The codec of whole posts, where the model writes these token by token."""
        codec = self.inside[0].codec
        return codec if self.inside[0].composed and isinstance(codec, TokenCodec) else None

    @property
    def last_posts(self) -> list[AnyPost]:
        """The posts that the last step made, in slot order."""
        return [post for env in self.inside for post in env.last_posts]

    @property
    def normalizes(self) -> bool:
        """Whether a wrapper normalizes observations by statistics that go on learning."""
        scalar = [layer for layer in self._layers() if isinstance(layer, NormalizeObservation)]
        vector = [layer for layer in self._layers() if isinstance(layer, VecNormalize)]
        return any(layer.update_running_mean for layer in scalar) or any(
            layer.training and layer.norm_obs for layer in vector
        )

    @property
    def observations(self) -> Observations:
        """Between what the Face shows and what is observed inside all wrappers."""
        return self.inside[0].observations

    def observed(self, contexts: Any, learning: bool = False) -> Any:
        """Returns what the policy sees where something is observed.

        What wrappers normalize with stays as it is, or with ``learning`` learns from it, as it
        does when the model plays. Where slots have wrappers of their own, those of the first
        count.

        Args:
            contexts: A batch of what is observed inside all wrappers.
            learning: Whether wrappers that normalize learn from it.

        Raises:
            TypeError: A wrapper does not let it be told; the message names it.
        """
        self._check_memory()
        singles, vectors = self._chains()
        observations = contexts
        for env in reversed(singles if learning else singles[:1]):
            observations = seen_through(env, contexts, learning)
        for vector in vectors:
            observations = seen_through(vector, observations, learning)
        return self.shown(observations, learning)

    def shown(self, observations: Observation, learning: bool = False) -> Any:
        """Returns what the policy sees of observations of the Gymnasium environment.

        Args:
            observations: One, or a batch of any size.
            learning: Whether wrappers that normalize learn from it.

        Raises:
            TypeError: A wrapper of Stable-Baselines3 does not let it be told.
        """
        if self.vec_env is self.vec_env.unwrapped:
            return observations
        self._check_memory()
        base = self.vec_env.unwrapped
        space = base.observation_space
        stand_in = ShowsBatch(base.num_envs, space, base.action_space, SAME_STEP)
        twin = rewrapped(self.vec_env, KilroyVecEnv(stand_in), learning)

        def show(rows: Any) -> Any:
            stand_in.shown = rows
            return twin.reset()

        if is_vectorized_observation(observations, space):
            return in_chunks(show, observations, base.num_envs)
        batch = each_part(observations, lambda part: np.asarray(part)[None])
        return each_part(in_chunks(show, batch, base.num_envs), lambda part: part[0])

    def reverted(self, actions: AnyArray) -> AnyArray:
        """Returns the model's actions that become those of the codec, of shape ``(n, ...)``.

        Raises:
            TypeError: A wrapper cannot be inverted; the message names it.
        """
        singles, vectors = self._chains()
        for env in (*singles[:1], *vectors):
            actions = reverted(env, actions)
        for layer in reversed([*vec_layers(self.vec_env)]):
            if layer.action_space != layer.venv.action_space:
                raise not_inverted(layer)
        return actions

    def _chains(self) -> tuple[list[Any], list[Any]]:
        """Returns the environments of single slots with their wrappers, and those of all slots."""
        if isinstance(self.vec_env.unwrapped, DummyVecEnv):
            return self.envs, []
        base = self.envs[0].unwrapped
        return list(base.envs) if isinstance(base, SyncVectorEnv) else [], self.envs

    def _layers(self) -> list[Any]:
        """Returns all wrappers."""
        singles, vectors = self._chains()
        inner = [layer for env in (*singles, *vectors) for layer in layers(env)]
        return [*inner, *vec_layers(self.vec_env)]

    def _check_memory(self) -> None:
        """Refuses wrappers that would need to know how a post was begun."""
        for layer in self._layers():
            if self.composed and isinstance(layer, (*REMEMBERS, VecFrameStack)):
                raise TypeError(
                    f"{type(layer).__name__} shows earlier tokens of a post that is composed, and "
                    "which those were is not known here: take it off; what is observed is the "
                    "post so far anyway"
                )


def envs_of(vec_env: VecEnv) -> list[AnyEnv]:
    """Returns the Gymnasium environments that a model plays: one, or one for each slot.

    Raises:
        TypeError: They live in another process.
    """
    base = vec_env.unwrapped
    if isinstance(base, KilroyVecEnv):
        return [base.env]
    if isinstance(base, DummyVecEnv):
        return list(base.envs)
    raise TypeError(
        f"the environments of the model are behind a {type(base).__name__}, in other processes "
        "perhaps, where nobody can ask them what was posted; make the model on KilroyVecEnv(env) "
        "(a round a step), or on a DummyVecEnv"
    )
