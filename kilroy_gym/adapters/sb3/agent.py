"""A Stable-Baselines3 model as an agent."""

from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from os import PathLike
from typing import Any

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv

from kilroy_gym.adapters.environments import kilroy_envs
from kilroy_gym.adapters.sb3.checks import cannot_play, plays, steps_per_update
from kilroy_gym.adapters.sb3.learning import Callbacks, learn_within
from kilroy_gym.adapters.sb3.played import Played, envs_of
from kilroy_gym.adapters.sb3.vec_env import KilroyVecEnv
from kilroy_gym.adapters.sb3.vec_wrappers import rewrapped, set_statistics, statistics
from kilroy_gym.adapters.sb3.warm_start import WarmStart
from kilroy_gym.codecs.base import AnyCodec
from kilroy_gym.interfaces import AfterEpoch, AnyEnv, AnyFace, KilroyFace, Observation
from kilroy_gym.post import AnyPost


class SB3Agent:
    """Lets a Stable-Baselines3 model play a Kilroy environment.

    A budget of posts is a hard ceiling: no algorithm makes one more. An update takes as many
    posts as the model's own settings say (:attr:`update_rate`). See
    :class:`~kilroy_gym.adapters.sb3.hand_over.HandOver` for how it learns from its clone on.

    Args:
        model: The model, on a Kilroy environment: ``PPO("MlpPolicy", env)`` for a single
            environment, ``PPO("MlpPolicy", KilroyVecEnv(env))`` for a vector environment.
        env: The environment, for a model that was loaded without one.
        clone_weight: After a warm start, the weight of the cloning loss in the loss of the
            policy, at least 0: with a larger weight the model stays near its clone for longer.
            It decays linearly to 0.
        clone_decay_posts: Posts until it is 0, at least 1.

    Attributes:
        model: The model.

    Raises:
        TypeError: ``model`` is something else, or learns neither on-policy nor off-policy, or
            its environment is no Kilroy environment, has no codec or lives in another process.
        ValueError: The model has no environment, or another one than ``env``, or a number is out
            of range.
    """

    file_suffix = ".zip"

    def __init__(
        self,
        model: BaseAlgorithm,
        env: AnyEnv | None = None,
        *,
        clone_weight: float = 0.0,
        clone_decay_posts: int = 1000,
    ) -> None:
        """Sets the environment."""
        if not isinstance(model, BaseAlgorithm):
            raise TypeError(f"model must be a model of Stable-Baselines3, got {model!r}")
        self.model = model
        self._warm_start = WarmStart(model, clone_weight, clone_decay_posts)
        if model.get_env() is None:
            if env is None:
                name = type(model).__name__
                raise ValueError(
                    f"this {name} has no environment: SB3Agent(model, env) gives it one"
                )
            self.set_env(env)
        elif env is not None:
            self.check_face(env)
        steps_per_update(model)  # refuses what learns in another way
        self._found = Played(self._vec_env)

    @classmethod
    def of(
        cls,
        algorithm: type[BaseAlgorithm],
        env: AnyEnv,
        seed: int | None = None,
        clone_weight: float = 0.0,
        clone_decay_posts: int = 1000,
        **settings: Any,
    ) -> "SB3Agent":
        """Returns a new model of an algorithm as an agent: how agent files make one.

        Args:
            algorithm: A class of Stable-Baselines3.
            env: The environment, single or vector.
            seed: Seed of the model.
            clone_weight: As for the class.
            clone_decay_posts: As for the class.
            **settings: The algorithm's own arguments; by default an ``MlpPolicy`` on the CPU.

        Raises:
            TypeError: The algorithm cannot play the action space; the message says which can.
        """
        vec_env = KilroyVecEnv(env)
        settings = {"policy": "MlpPolicy", "device": "cpu", **settings}
        try:
            model = algorithm(env=vec_env, seed=seed, **settings)
        except AssertionError as error:
            if plays(algorithm, vec_env, settings["policy"]):
                raise
            raise cannot_play(algorithm, vec_env, settings["policy"]) from error
        return cls(model, clone_weight=clone_weight, clone_decay_posts=clone_decay_posts)

    @property
    def env(self) -> AnyEnv:
        """The Gymnasium environment that the model plays; the first of several separate ones."""
        return envs_of(self._vec_env)[0]

    @property
    def codec(self) -> AnyCodec:
        """The codec between posts and the actions of the environment inside all wrappers."""
        return self._played.codec

    @property
    def slots(self) -> int:
        """Posts in a round: the number of environments that the model was built with."""
        return self.model.n_envs

    @property
    def update_rate(self) -> int:
        """Posts between two updates."""
        return self.slots * steps_per_update(self.model)

    @property
    def rollout(self) -> str:
        """The same as slots x rounds: ``"10x4"``."""
        return f"{self.slots}x{steps_per_update(self.model)}"

    @property
    def updates(self) -> int:
        """How often the model has learned from scores, as Stable-Baselines3 counts it."""
        return self.model._n_updates  # noqa: SLF001 - the library says it nowhere else

    def check_face(self, face_or_env: AnyFace | AnyEnv) -> None:
        """Refuses a Face, or an environment around one, that the model does not play.

        Raises:
            ValueError: The model's environment wraps another Face.
        """
        if isinstance(face_or_env, KilroyFace):
            theirs: list[Any] = [face_or_env]
        else:
            theirs = [inside.face for inside in kilroy_envs(face_or_env)]
        ours = [inside.face for env in envs_of(self._vec_env) for inside in kilroy_envs(env)]
        if not all(any(face is other for other in theirs) for face in ours):
            raise ValueError(
                "the model's environment wraps another Face than the one given: make the model "
                f"on this very environment, {type(self.model).__name__}('MlpPolicy', env) for "
                "one post per step and KilroyVecEnv(env) for one round per step"
            )

    def set_env(self, env: AnyEnv, update_rate: int | None = None) -> None:
        """Moves to another environment with as many slots.

        Wrappers of Stable-Baselines3 around the one before are copied around it.

        Args:
            env: The environment.
            update_rate: Must be left out or be the number of slots, which a model keeps.

        Raises:
            ValueError: The number of slots differs.
        """
        if update_rate is not None and update_rate != self.slots:
            raise ValueError(
                f"update_rate must be left out or {self.slots}: a Stable-Baselines3 model keeps "
                f"the slots it was built with, got {update_rate!r}"
            )
        current = self.model.get_env()
        if current is not None and self.env is env:
            return
        vec_env = KilroyVecEnv(env)
        if vec_env.num_envs != self.slots:
            raise ValueError(
                f"the model was built with {self.slots} slots and the environment has "
                f"{vec_env.num_envs}; SB3Agent.load(path, {type(self.model).__name__}, env) "
                "takes a saved model to another number"
            )
        wrapped = vec_env if current is None else rewrapped(current, vec_env, learning=True)
        self.model.set_env(wrapped)

    def predict(
        self,
        observation: Observation,
        state: Any = None,
        episode_start: Any = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """Returns the model's action for an observation, or a batch for a batch, and the state.

        The observation is one of the Gymnasium environment: wrappers of Stable-Baselines3, such
        as ``VecNormalize``, are applied here, and learn nothing from it.
        """
        seen = self._played.shown(observation)
        return self.model.predict(seen, state, episode_start, deterministic)

    def mimic(self, posts: Sequence[AnyPost]) -> "SB3Agent":
        """Takes one gradient step towards writing posts like these."""
        self._warm_start.mimic(posts, self._played)
        return self

    def fine_tune(
        self,
        posts: Sequence[AnyPost],
        epochs: int = 100,
        batch_size: int | None = None,
        rng: np.random.Generator | None = None,
        shuffle: bool = True,
        after_epoch: AfterEpoch | None = None,
        progress_bar: bool | None = False,
    ) -> int:
        """Clones posts, with a validation split and early stopping; returns the best epoch.

        Args:
            posts: What to write like; at least one.
            epochs: The most epochs.
            batch_size: Posts per gradient step; by default 32.
            rng: Draws the split and the order; by default from the model's seed.
            shuffle: Whether every epoch has its own order.
            after_epoch: Called with the number and the loss of every epoch; ``False`` stops.
            progress_bar: Whether to show one; ``None`` shows it on a terminal.
        """
        return self._warm_start.fine_tune(
            posts, self._played, epochs, batch_size, rng, shuffle, after_epoch, progress_bar
        )

    def learn(
        self,
        total_timesteps: int,
        callback: Callbacks | None = None,
        progress_bar: bool | None = False,
        *,
        between_updates: Callable[[], object] | None = None,
    ) -> "SB3Agent":
        """Posts and learns from the scores: ``model.learn`` within a budget.

        Only whole rounds are played: posts that would not fill one are not made. It goes on from
        where the last call ended.

        Args:
            total_timesteps: The most posts to make.
            callback: Called with every round; ``False`` stops. Or one of Stable-Baselines3's own,
                or a list of these.
            progress_bar: Whether to show one.
            between_updates: Called before the first post, and after every update but the last.

        Raises:
            TypeError: ``callback`` is something else.
            ValueError: The budget does not allow one round, or on a live Face no update.
            FaceError: The Face failed.

        Warns:
            UserWarning: The budget was too small for an update.
        """
        learn_within(
            self.model,
            self._played,
            total_timesteps,
            self._warm_start.hand_over,
            callback,
            bool(progress_bar),
            between_updates,
        )
        return self

    def state(self) -> dict[str, Any]:
        """Returns all it takes to go on from the last update: JSON values, arrays and bytes.

        The bytes are the model as Stable-Baselines3 saves it, which holds neither rollout nor
        replay buffer. What ``VecNormalize`` normalizes with is there besides.
        """
        saved = BytesIO()
        self.model.save(saved)
        return {
            "model": saved.getvalue(),
            "warm_start": self._warm_start.state(),
            "statistics": statistics(self._vec_env),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes on from what :meth:`state` returned, on this agent's environment.

        Stable-Baselines3 unpickles parts of the model: take only what you trust. From here on it
        draws other random numbers than at the beginning.
        """
        saved = BytesIO(state["model"])
        model = type(self.model).load(saved, self._vec_env, device=self.model.device)
        if model.seed is not None:
            model.set_random_seed(model.seed + model.num_timesteps)
        self.model = model
        set_statistics(self._vec_env, state.get("statistics", []))
        self._warm_start = self._warm_start.moved(model, self._played, state["warm_start"])

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the model to a file of Stable-Baselines3."""
        self.model.save(path)  # type: ignore[arg-type]

    @classmethod
    def load(
        cls, path: str | PathLike[str], algorithm: type[BaseAlgorithm], env: AnyEnv, **kwargs: Any
    ) -> "SB3Agent":
        """Returns an agent that goes on from what :meth:`save` wrote.

        Stable-Baselines3 unpickles parts of the file: load only what you trust.

        Args:
            path: The file.
            algorithm: The class of the model.
            env: The environment to play, with any number of slots.
            **kwargs: Arguments of the class.
        """
        return cls(algorithm.load(path, KilroyVecEnv(env)), **kwargs)  # type: ignore[arg-type]

    @property
    def _played(self) -> Played:
        if self._found.vec_env is not self._vec_env:  # somebody called model.set_env
            self._found = Played(self._vec_env)
        return self._found

    @property
    def _vec_env(self) -> VecEnv:
        vec_env = self.model.get_env()
        if vec_env is None:
            raise ValueError("the model has no environment")
        return vec_env
