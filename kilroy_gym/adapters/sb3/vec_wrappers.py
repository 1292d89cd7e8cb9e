"""The wrappers of Stable-Baselines3 around an environment."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import (
    VecCheckNan,
    VecEnv,
    VecEnvWrapper,
    VecMonitor,
    VecNormalize,
    VecVideoRecorder,
)

from kilroy_gym.adapters.wrappers import not_copied

LEFT_OFF = (VecCheckNan, VecMonitor, VecVideoRecorder)
"""They watch and record, and change nothing."""


def rewrapped(vec_env: VecEnv, inside: VecEnv, learning: bool = False) -> VecEnv:
    """Puts copies of the wrappers of Stable-Baselines3 around another environment.

    Those that watch and record are left off. What ``VecNormalize`` normalizes with stays as it is
    now.

    Args:
        vec_env: The environment whose wrappers are copied.
        inside: What goes in the place of the innermost one.
        learning: Whether the statistics are those of the original, and go on learning.

    Raises:
        TypeError: A wrapper cannot be copied; the message names it.
    """
    for layer in reversed([*vec_layers(vec_env)]):
        if isinstance(layer, LEFT_OFF):
            continue
        inside = _copied(layer, inside, learning)
    return inside


def _copied(layer: Any, inside: VecEnv, learning: bool) -> VecEnv:
    """Returns a copy of a wrapper around something else.

    Raises:
        TypeError: It cannot be copied.
    """
    # Part by part: while it is being made, such a wrapper looks its attributes up for ever.
    parts = {name: part for name, part in vars(layer).items() if name != "venv"}
    shared = [layer.class_attributes]
    if learning and isinstance(layer, VecNormalize) and layer.norm_obs:
        shared.append(layer.obs_rms)
    memo: dict[int, Any] = {id(each): each for each in shared}
    memo |= {id(layer.venv): inside, id(layer.unwrapped): inside.unwrapped}
    try:
        parts = copy.deepcopy(parts, memo)
    except Exception as error:  # whatever a foreign object raises where it cannot be copied
        raise not_copied(layer, f"{type(error).__name__}: {error}") from error
    twin: VecEnv = object.__new__(type(layer))
    vars(twin).update(parts, venv=inside)
    if isinstance(twin, VecNormalize):
        twin.training = twin.training and learning
    return twin


def vec_layers(vec_env: VecEnv) -> Iterator[Any]:
    """Yields the wrappers of Stable-Baselines3 from the outside in."""
    while isinstance(vec_env, VecEnvWrapper):
        yield vec_env
        vec_env = vec_env.venv


def statistics(vec_env: VecEnv) -> list[list[Any]]:
    """Returns mean, variance and count of all that ``VecNormalize`` keeps, from the outside in."""
    return [[kept.mean, kept.var, float(kept.count)] for kept in _kept(vec_env)]


def set_statistics(vec_env: VecEnv, statistics: Sequence[Sequence[Any]]) -> None:
    """Sets what :func:`statistics` returned.

    Raises:
        ValueError: There are other wrappers around the environment.
    """
    kept = _kept(vec_env)
    if len(kept) != len(statistics):
        raise ValueError(
            f"the model was saved with {len(statistics)} statistics of VecNormalize, and its "
            f"environment keeps {len(kept)}: put the same wrappers around it"
        )
    for each, (mean, var, count) in zip(kept, statistics, strict=True):
        each.mean, each.var, each.count = np.array(mean), np.array(var), count


def _kept(vec_env: VecEnv) -> list[RunningMeanStd]:
    kept: list[RunningMeanStd] = []
    for layer in vec_layers(vec_env):
        if isinstance(layer, VecNormalize):
            seen = layer.obs_rms if layer.norm_obs else {}
            kept += [*seen.values()] if isinstance(seen, dict) else [seen]
            kept.append(layer.ret_rms)
    return kept
