"""What is observed, as a Face gives it and as agents get it."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import Space
from gymnasium.spaces import (
    Box,
    Dict,
    Discrete,
    MultiBinary,
    MultiDiscrete,
    Tuple,
    flatten,
    flatten_space,
    unflatten,
)
from gymnasium.vector.utils import batch_space, concatenate, create_empty_array

from kilroy_gym.interfaces import AnyArray

FORMS = ("vector", "discrete")
NOTHING = Discrete(1)
"""What a Face shows where there is nothing to observe."""


class Observations:
    """Turns what a Face shows into what agents get, and back.

    In the form ``"vector"`` an observation is a float32 vector of shape ``(k,)``: of a number
    from 0 to n - 1 the one-hot vector, of several numbers their one-hot vectors one after
    another, of an array its elements, of a dict or tuple all of its parts. Where there is nothing
    to observe it is the constant ``[1.0]``. Texts and sequences have no such form and stay as
    they are. In the form ``"discrete"`` everything stays as the Face gives it.

    A batch is an array whose first axis counts the observations; of dicts, tuples, texts and
    sequences it is a list. Whatever is returned is fresh: no later observation shares its memory.

    Args:
        space: What the Face shows before one post.
        form: ``"vector"`` or ``"discrete"``.

    Attributes:
        structured: What the Face shows before one post.
        space: What agents get before one post.

    Raises:
        ValueError: The form is another one.

    Example:
        >>> times = Observations(MultiDiscrete([2, 3]))
        >>> times.flattened(np.array([[0, 2], [1, 0]]))
        array([[1., 0., 0., 0., 1.],
               [0., 1., 1., 0., 0.]], dtype=float32)
        >>> times.unflattened([[0.0, 1.0, 1.0, 0.0, 0.0]])
        array([[1, 0]])
    """

    def __init__(self, space: Space[Any], form: str = "vector") -> None:
        """Derives the space that agents see."""
        if form not in FORMS:
            raise ValueError(f"observation must be one of {list(FORMS)}, got {form!r}")
        # Copied: their random streams must not be shared between environments.
        self.structured = copy.deepcopy(space)
        self.space: Space[Any] = copy.deepcopy(space)
        self._flat = form == "vector" and _has_vector(space)
        if self._flat:
            flat = flatten_space(space)
            assert isinstance(flat, Box)
            with np.errstate(over="ignore"):  # a bound beyond float32 is none
                low, high = flat.low.astype(np.float32), flat.high.astype(np.float32)
            self.space = Box(low, high, dtype=np.float32)
        self._arrays = isinstance(space, (Discrete, MultiDiscrete, MultiBinary, Box))
        # Each number's one-hot vector begins here, and has that many elements.
        self._sizes, self._starts = np.zeros(0, np.int64), np.zeros(0, np.int64)
        if isinstance(space, (Discrete, MultiDiscrete)):
            sizes = space.n if isinstance(space, Discrete) else space.nvec
            self._sizes = np.array(sizes, np.int64).reshape(-1)
            self._starts = np.array(np.broadcast_to(space.start, np.shape(sizes))).reshape(-1)
        self._offsets = np.cumsum(self._sizes) - self._sizes
        self._width, self._shift = int(self._sizes.sum()), self._offsets - self._starts
        self._constant = self._flat and space == NOTHING

    @property
    def constant(self) -> bool:
        """Whether every observation is the vector ``[1.0]``."""
        return self._constant

    def flattened(self, batch: Any) -> Any:
        """Returns a batch of what the Face showed as agents get it.

        Returns:
            Float32 of shape ``(n, k)`` in the form of vectors, else a copy of the batch.
        """
        if not self._flat:
            return np.array(batch) if self._arrays else list(batch)
        if not self._arrays:
            parts = [np.asarray(flatten(self.structured, each), np.float32) for each in batch]
            return np.array(parts, np.float32).reshape(-1, *(self.space.shape or ()))
        values = np.asarray(batch)
        count = len(values)
        if not self._width:
            with np.errstate(over="ignore"):
                return np.array(values, np.float32).reshape(count, -1)
        vectors = np.zeros((count, self._width), np.float32)
        places = values.reshape(count, self._sizes.size) + self._shift
        if count == 1:  # of an environment of one post per step, faster
            vectors[0, places[0]] = 1.0
        else:
            vectors[np.arange(count)[:, None], places] = 1.0
        return vectors

    def unflattened(self, batch: Any) -> Any:
        """Returns a batch of what agents got as the Face showed it.

        A number is that of the greatest element of its vector, so a wrapper that scales the
        elements by a positive number changes nothing.

        Raises:
            ValueError: The batch has another shape, as where a wrapper has changed it.
        """
        if not self._flat:
            return batch
        vectors = np.asarray(batch)
        if vectors.shape[1:] != self.space.shape:
            raise ValueError(
                f"observations must be a batch of {self.space}, got shape {vectors.shape}: a "
                "wrapper that changes their form cannot be looked through"
            )
        shape, dtype = self.structured.shape, self.structured.dtype
        if not self._arrays:
            return [unflatten(self.structured, vector) for vector in vectors]
        if not self._width:
            return vectors.reshape(len(vectors), *(shape or ())).astype(dtype)
        return self._numbers(vectors).astype(dtype).reshape(len(vectors), *(shape or ()))

    def batched(self, batch: Any) -> Any:
        """Returns a batch as the vector environment gives it out: in its ``observation_space``."""
        if isinstance(batch, np.ndarray) or not len(batch):
            return batch
        space: Any = self.space
        empty: Any = create_empty_array(space, len(batch))
        return concatenate(space, batch, empty)

    def batch_space(self, count: int) -> Space[Any]:
        """Returns the space of what :meth:`batched` gives for ``count`` observations."""
        return batch_space(self.space, count)

    def _numbers(self, vectors: AnyArray) -> AnyArray:
        """Returns the numbers whose one-hot vectors these are, of shape ``(n, numbers)``."""
        sizes: Sequence[int] = self._sizes.tolist()
        if len(set(sizes)) == 1:  # at once
            split = vectors.reshape(len(vectors), len(sizes), sizes[0])
            numbers = split.argmax(axis=2)
        else:
            parts = np.split(vectors, self._offsets[1:], axis=1)
            numbers = np.stack([part.argmax(axis=1) for part in parts], axis=1)
        found: AnyArray = numbers + self._starts
        return found


def _has_vector(space: Space[Any]) -> bool:
    """Tells whether a space has the form of a vector; Gymnasium would flatten texts as well."""
    if isinstance(space, (Dict, Tuple)):
        parts = space.spaces.values() if isinstance(space, Dict) else space.spaces
        return all(map(_has_vector, parts))
    return isinstance(space, (Discrete, MultiDiscrete, MultiBinary, Box))
