"""Posts as a model sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch as th

from kilroy_gym.adapters.through import each_part
from kilroy_gym.interfaces import Observation


@dataclass(frozen=True)
class Examples:
    """Posts as a model sees them.

    Attributes:
        observations: What was observed, a batch for the policy.
        actions: What was posted, of shape ``(n, *space.shape)``, as the policy gives it.
    """

    observations: Observation
    actions: th.Tensor

    def __getitem__(self, index: Any) -> "Examples":
        """Returns some of the posts."""
        return Examples(each_part(self.observations, lambda part: part[index]), self.actions[index])

    def packed(self) -> tuple[Any, Any]:
        """Returns the observations and the actions as arrays."""
        observations = each_part(self.observations, lambda part: part.cpu().numpy())
        return observations, self.actions.cpu().numpy()

    @classmethod
    def unpacked(cls, arrays: tuple[Any, Any], device: th.device) -> "Examples":
        """Returns what :meth:`packed` turned into arrays."""
        observations, actions = (
            each_part(array, lambda part: th.as_tensor(part, device=device)) for array in arrays
        )
        return cls(observations, actions)


def concatenated(parts: Sequence[Examples]) -> Examples:
    """Returns several batches as one."""
    actions = th.cat([part.actions for part in parts])
    first = parts[0].observations
    if isinstance(first, dict):
        return Examples(
            {key: th.cat([part.observations[key] for part in parts]) for key in first}, actions
        )
    return Examples(th.cat([part.observations for part in parts]), actions)


def spread(examples: Examples) -> npt.NDArray[np.float64]:
    """Returns the standard deviation of the actions, of shape ``space.shape``."""
    deviation: npt.NDArray[np.float64]
    deviation = examples.actions.double().std(dim=0, correction=0).cpu().numpy()
    return deviation
