"""The registered environments, and the classes of simulated ones."""

import copy
from typing import Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode

from kilroy_gym._named import find_named
from kilroy_gym.audiences import Audience
from kilroy_gym.clock import Clock
from kilroy_gym.codecs.base import AnyCodec
from kilroy_gym.envs.face_env import FaceEnv
from kilroy_gym.envs.face_vector_env import FaceVectorEnv
from kilroy_gym.faces import SimulatedFace

AUDIENCES = {
    "Kilroy-Bernoulli-v0": "kilroy_gym.audiences.bernoulli:BernoulliAudience",
    "Kilroy-Topics-v0": "kilroy_gym.audiences.topics:TopicsAudience",
    "Kilroy-Tone-v0": "kilroy_gym.audiences.tone:ToneAudience",
    "Kilroy-Timing-v0": "kilroy_gym.audiences.timing:TimingAudience",
    "Kilroy-Drift-v0": "kilroy_gym.audiences.drift:DriftAudience",
    "Kilroy-Growth-v0": "kilroy_gym.audiences.growth:GrowthAudience",
    "Kilroy-Delayed-v0": "kilroy_gym.audiences.delayed:DelayedAudience",
    "Kilroy-Zigzag-v0": "kilroy_gym.audiences.zigzag:ZigzagAudience",
    "Kilroy-ZigzagSteps-v0": "kilroy_gym.audiences.zigzag:ZigzagAudience",
    "Kilroy-Text-v0": "kilroy_gym.audiences.text:TextAudience",
    "Kilroy-TextSteps-v0": "kilroy_gym.audiences.text:TextAudience",
}
"""Every environment id and the audience that is behind it."""

COMPOSED = {"Kilroy-ZigzagSteps-v0", "Kilroy-TextSteps-v0"}
"""The ids where a post is composed token by token."""

AnyAudience = str | type[Audience] | Audience


def audience_class(name: str) -> type[Audience]:
    """Returns the class of an audience.

    Args:
        name: ``package.module:Name``, or the name of a class in :mod:`kilroy_gym.audiences`.

    Raises:
        ValueError: There is no such class.
    """
    cause: Exception | None = None
    try:
        found = find_named(name if ":" in name else f"kilroy_gym.audiences:{name}")
    except (ImportError, AttributeError, ValueError) as error:
        found, cause = None, error
    if not (isinstance(found, type) and issubclass(found, Audience)):
        shipped = sorted({path.rpartition(":")[2] for path in AUDIENCES.values()})
        raise ValueError(
            f"audience must be one of {shipped}, a class of your own, or its name as "
            f"'package.module:Name', got {name!r}" + (f" ({cause})" if cause else "")
        ) from cause
    return found


def audience_of(audience: AnyAudience, arguments: dict[str, Any]) -> Audience:
    """Returns a new audience.

    Args:
        audience: A class, or its name as for :func:`audience_class`; or an audience, which is
            copied, since every environment has one of its own.
        arguments: Of the class; for an audience there must be none.

    Raises:
        TypeError: It is something else, or an audience is given with arguments.
        ValueError: There is no class of that name.
    """
    if isinstance(audience, Audience):
        if arguments:
            raise TypeError(
                f"{', '.join(arguments)} given beside a {type(audience).__name__} that is made "
                "already: give its class, or leave the arguments out"
            )
        return copy.deepcopy(audience)
    kind = audience_class(audience) if isinstance(audience, str) else audience
    if not (isinstance(kind, type) and issubclass(kind, Audience)):
        raise TypeError(
            f"audience must be an Audience, its class or the name of one, got {audience!r}"
        )
    return kind(**arguments)


def register() -> None:
    """Registers every environment id with Gymnasium; a second call changes nothing."""
    for env_id, name in AUDIENCES.items():
        if env_id not in gym.registry:
            kind = "compose:Composed" if env_id in COMPOSED else "suite:Simulated"
            gym.register(
                id=env_id,
                entry_point=f"kilroy_gym.envs.{kind}Env",
                vector_entry_point=f"kilroy_gym.envs.{kind}VectorEnv",
                kwargs={"audience": name},
            )


class SimulatedEnv(FaceEnv[Any, int]):
    """A simulated audience, one post per step. Its page is the docstring of its audience.

    Args:
        audience: A class of audience, its name as ``"package.module:Name"``, or an audience.
        post_rate: Seconds to wait after each post.
        score_delay_s: How old a post must be, in seconds, before its score is asked for.
        render_mode: See :class:`~kilroy_gym.envs.FaceEnv`.
        clock: See :class:`~kilroy_gym.envs.FaceEnv`.
        observation: See :class:`~kilroy_gym.envs.FaceEnv`.
        world_seed: See :class:`~kilroy_gym.envs.FaceEnv`.
        posts_per_episode: See :class:`~kilroy_gym.envs.FaceEnv`.
        **kwargs: Arguments of the audience.
    """

    def __init__(
        self,
        audience: AnyAudience,
        post_rate: float = 0.0,
        score_delay_s: float = 0.0,
        render_mode: str | None = None,
        clock: Clock | None = None,
        *,
        observation: str = "vector",
        world_seed: int | None = None,
        posts_per_episode: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Makes the audience and a Face of it."""
        face = SimulatedFace(audience_of(audience, kwargs))
        super().__init__(
            face,
            self._codec_for(face.audience),
            post_rate,
            score_delay_s,
            render_mode,
            clock,
            observation=observation,
            world_seed=world_seed,
            posts_per_episode=posts_per_episode,
        )
        self.__doc__ = face.audience.__doc__

    def _codec_for(self, audience: Audience) -> AnyCodec:
        """Returns the codec of the environment's actions."""
        return audience.codec


class SimulatedVectorEnv(FaceVectorEnv[Any, int]):
    """A simulated audience, one round per step. Its page is the docstring of its audience.

    Args:
        audience: A class of audience, its name as ``"package.module:Name"``, or an audience.
        num_envs: Posts in a round.
        post_rate: Seconds to wait after each post.
        score_delay_s: How old a post must be, in seconds, before its score is asked for.
        wait: See :class:`~kilroy_gym.envs.FaceVectorEnv`.
        render_mode: See :class:`~kilroy_gym.envs.FaceVectorEnv`.
        clock: See :class:`~kilroy_gym.envs.FaceVectorEnv`.
        observation: See :class:`~kilroy_gym.envs.FaceVectorEnv`.
        world_seed: See :class:`~kilroy_gym.envs.FaceVectorEnv`.
        autoreset_mode: See :class:`~kilroy_gym.envs.FaceVectorEnv`.
        posts_per_episode: See :class:`~kilroy_gym.envs.FaceVectorEnv`.
        **kwargs: Arguments of the audience.
    """

    def __init__(
        self,
        audience: AnyAudience,
        num_envs: int,
        post_rate: float = 0.0,
        score_delay_s: float = 0.0,
        wait: bool = True,
        render_mode: str | None = None,
        clock: Clock | None = None,
        *,
        observation: str = "vector",
        world_seed: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        posts_per_episode: None = None,
        **kwargs: Any,
    ) -> None:
        """Makes the audience and a Face of it."""
        face = SimulatedFace(audience_of(audience, kwargs))
        super().__init__(
            face,
            num_envs,
            self._codec_for(face.audience),
            post_rate,
            score_delay_s,
            wait,
            render_mode,
            clock,
            observation=observation,
            world_seed=world_seed,
            autoreset_mode=autoreset_mode,
            posts_per_episode=posts_per_episode,
        )
        self.__doc__ = face.audience.__doc__

    def _codec_for(self, audience: Audience) -> AnyCodec:
        """Returns the codec of the environment's actions."""
        return audience.codec
