"""A Gymnasium vector environment as Stable-Baselines3's."""

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import SyncVectorEnv
from stable_baselines3.common.env_util import is_wrapped
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvObs, VecEnvStepReturn

from kilroy_gym.adapters.environments import as_vector
from kilroy_gym.envs import PostSpace
from kilroy_gym.interfaces import AnyArray, AnyEnv, Info, KilroyEnv

Indices = Iterable[int] | int | None


class KilroyVecEnv(VecEnv):
    """A Kilroy environment for a Stable-Baselines3 model: one round per step.

    Stepping is one call of the Gymnasium environment, so a round stays a round. The info of a
    slot holds what belongs to its post (``post_id``, and where the Face knows the truth
    ``expected_score`` and ``best_score``), ``TimeLimit.truncated``, and at the end of an episode
    ``terminal_observation`` and ``episode``, as ``Monitor`` gives it: the return ``r``, the
    length ``l`` and the seconds ``t`` since the start. So no ``Monitor`` is needed, and
    ``env_is_wrapped(Monitor)`` says that there is one.

    ``get_attr``, ``set_attr`` and ``env_method`` look attributes up by name, since that is what
    Stable-Baselines3 asks of them; nothing else here does.

    Args:
        env: A Gymnasium vector environment that resets in the ``SAME_STEP``, wrapped or not; a
            single environment becomes one slot.

    Attributes:
        env: The Gymnasium vector environment.

    Raises:
        TypeError: ``env`` is something else, or has no codec.
        ValueError: It resets in another mode, or does not wait for scores.

    Example:
        >>> import gymnasium as gym
        >>> vec = KilroyVecEnv(gym.make_vec("Kilroy-Bernoulli-v0", num_envs=2))
        >>> vec.reset()
        array([[1.],
               [1.]], dtype=float32)
        >>> _, rewards, _, infos = vec.step(np.array([1, 0]))
        >>> rewards, infos[1]["post_id"], infos[1]["episode"]["r"]
        (array([ 1., -1.], dtype=float32), 1, -1.0)
    """

    def __init__(self, env: AnyEnv) -> None:
        """Starts the clock of the episodes."""
        self.env = as_vector(env)
        if isinstance(self.env.single_action_space, PostSpace):
            raise TypeError(
                f"a Stable-Baselines3 model needs actions that are numbers, and this environment "
                f"has the action space {self.env.single_action_space!r}"
            )
        base = self.env.unwrapped
        if isinstance(base, KilroyEnv) and not base.wait:
            raise ValueError(
                "a Stable-Baselines3 model needs an environment that waits for scores: with "
                "wait=False a pending score reads as 0.0 and it would learn from that; make the "
                "environment with wait=True (only modules can go on without waiting)"
            )
        super().__init__(
            self.env.num_envs, self.env.single_observation_space, self.env.single_action_space
        )
        self._started = time.time()
        self._actions: Any = None
        self._start_episodes()

    def reset(self) -> VecEnvObs:
        """Begins the episodes, with the seed of :meth:`seed` if one was given since the last."""
        observations, infos = self.env.reset(seed=self._seeds[0], options=self._options[0] or None)
        self.reset_infos = [{} for _ in range(self.num_envs)]
        _spread(infos, self.reset_infos)
        self._reset_seeds()
        self._reset_options()
        self._start_episodes()
        found: VecEnvObs = observations
        return found

    def step_async(self, actions: AnyArray) -> None:
        """Takes the actions of the next step."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Makes a round of posts; returns observations, scores, dones and infos."""
        observations, rewards, terminated, truncated, infos = self.env.step(self._actions)
        dones = terminated | truncated
        finals, last_seen = infos.pop("final_info", {}), infos.pop("final_obs", None)
        for key in ("_final_info", "_final_obs"):
            infos.pop(key, None)
        self._returns += rewards
        self._lengths += 1
        cut_off = (truncated & ~terminated).tolist()
        results = [{"TimeLimit.truncated": each} for each in cut_off]
        _spread(finals, results)
        if infos or np.count_nonzero(dones) < self.num_envs:
            others: list[dict[str, Any]] = [{} for _ in cut_off]
            _spread(infos, others)
            for slot, info in enumerate(others):
                if not dones[slot]:
                    results[slot].update(info)
                elif info:  # where there is none, every reset tells the same
                    self.reset_infos[slot] = info
        self._end_episodes(results, dones, last_seen)
        return observations, rewards.astype(np.float32), dones, results

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """Returns an attribute of the environment, for every slot."""
        return [_attribute(env, attr_name) for env in self._environments(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Sets an attribute on the layer that has it, else on the innermost environment."""
        for env in _different(self._environments(indices)):
            layers = [layer for layer in _layers(env) if attr_name in vars(layer)]
            setattr(layers[0] if layers else env.unwrapped, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: Indices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Calls a method; slots that share an environment share one call."""
        environments = self._environments(indices)
        answers = {
            id(env): _attribute(env, method_name)(*method_args, **method_kwargs)
            for env in _different(environments)
        }
        return [answers[id(env)] for env in environments]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: Indices = None
    ) -> list[bool]:
        """Tells whether a wrapper is there; what ``Monitor`` does is built in."""
        return [
            wrapper_class is Monitor
            or any(isinstance(layer, wrapper_class) for layer in _layers(self.env))
            or (isinstance(env, gym.Env) and is_wrapped(env, wrapper_class))
            for env in self._environments(indices)
        ]

    def get_images(self) -> Sequence[AnyArray | None]:
        """Returns the frames that the environment renders, one per Face."""
        frames: Any = self.env.render() or ()
        separate = isinstance(self.env.unwrapped, SyncVectorEnv)
        return list(frames if separate else frames[:1])

    def close(self) -> None:
        """Closes the environment."""
        self.env.close()

    def _start_episodes(self) -> None:
        self._returns = np.zeros(self.num_envs)
        self._lengths = np.zeros(self.num_envs, np.int64)

    def _end_episodes(
        self, infos: list[dict[str, Any]], dones: npt.NDArray[np.bool_], last_seen: Any
    ) -> None:
        """Reports the episodes that ended with this step."""
        seconds = round(time.time() - self._started, 6)
        returns, lengths = self._returns.tolist(), self._lengths.tolist()
        ended = dones.nonzero()[0]
        for slot in ended.tolist():
            info = infos[slot]
            info["terminal_observation"] = last_seen[slot]
            info["episode"] = {"r": returns[slot], "l": lengths[slot], "t": seconds}
        self._returns[ended] = 0.0
        self._lengths[ended] = 0

    def _environments(self, indices: Indices) -> list[Any]:
        """Returns the environment behind each slot: its own, or the one that all share."""
        base = self.env.unwrapped
        shared = [self.env] * self.num_envs
        environments = list(base.envs) if isinstance(base, SyncVectorEnv) else shared
        return [environments[slot] for slot in self._get_indices(indices)]


def _spread(infos: Info, results: list[dict[str, Any]]) -> None:
    """Adds the infos of a Gymnasium vector environment to one dict per slot."""
    for key, values in infos.items():
        if key[:1] == "_" and key[1:] in infos:
            continue  # the mask of another key
        if isinstance(values, dict):
            parts: list[dict[str, Any]] = [{} for _ in results]
            _spread(values, parts)
            values = parts
        elif isinstance(values, np.ndarray) and values.ndim == 1:
            values = values.tolist()
        mask = infos.get(f"_{key}")
        if mask is None or np.count_nonzero(mask) == len(results):
            # The common case: this is the inner loop of stepping.
            for info, value in zip(results, values, strict=True):
                info[key] = value
        else:
            for slot in np.flatnonzero(mask):
                results[slot][key] = values[slot]


def _layers(env: Any) -> Iterator[Any]:
    """Yields an environment's wrappers from the outside, then the environment itself."""
    while env is not env.unwrapped:
        yield env
        env = env.env
    yield env


def _attribute(env: Any, name: str) -> Any:
    """Returns an attribute of the outermost layer that has it.

    Raises:
        AttributeError: None has it.
    """
    for layer in _layers(env):
        if hasattr(layer, name):
            return getattr(layer, name)
    raise AttributeError(f"{env} has no attribute {name!r}")


def _different(environments: list[Any]) -> list[Any]:
    return list({id(env): env for env in environments}.values())
