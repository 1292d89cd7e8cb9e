"""Fitting a clone: epochs, a validation split, early stopping."""

from collections.abc import Callable
from copy import deepcopy

import numpy as np
import numpy.typing as npt
import torch as th

from kilroy_gym.adapters.sb3.cloning import Cloner, Examples
from kilroy_gym.progress import progress

LEARNING_RATE = 3e-3
VALIDATION_SHARE = 0.2
LEAST_VALIDATION_POSTS = 10
"""With fewer posts than this to validate on, none are held out."""
PATIENCE = 10
"""Epochs in a row without which nothing is decided."""
LEAST_PROGRESS = 1e-5
"""What the mean loss of the patience must be below that of the one before, to go on."""

Numbers = npt.NDArray[np.int64]
AfterEpoch = Callable[[int, dict[str, float]], bool | None]
"""Called with the number of the epoch and its figures; ``False`` stops."""


def fit(
    cloner: Cloner,
    examples: Examples,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    shuffle: bool = True,
    after_epoch: AfterEpoch | None = None,
    progress_bar: bool | None = False,
) -> int:
    """Fits a policy to posts; returns after how many epochs it was good.

    A fifth of the posts is held out at first. It ends early where the loss no longer falls, or
    where the loss on the held-out posts has for some epochs been above its lowest by more than
    the standard error of the difference: a few posts are too noisy a judge for less. Then it
    starts again with all posts, for the number of epochs found (Goodfellow, Bengio and
    Courville, "Deep Learning", 2016, algorithm 7.2).

    Args:
        cloner: What is fitted.
        examples: What to.
        epochs: The most epochs.
        batch_size: Posts in a step.
        rng: Draws the held-out posts and the order.
        shuffle: Whether every epoch has an order of its own.
        after_epoch: Called after every epoch; once it returns ``False`` nothing more is done.
        progress_bar: Whether to show one; ``None`` shows it on a terminal.
    """
    count = len(examples.actions)
    held_out = int(VALIDATION_SHARE * count)
    if held_out < LEAST_VALIDATION_POSTS:
        held_out = 0
    order = rng.permutation(count)
    validation, rest = order[:held_out], np.sort(order[held_out:])
    start = deepcopy(cloner.network.state_dict())
    steps = _Fit(cloner, examples, batch_size, rng if shuffle else None)
    good, stopped = steps.run(rest, validation, epochs, after_epoch, progress_bar)
    if held_out and not stopped:
        cloner.network.load_state_dict(start)
        steps.run(np.arange(count), validation[:0], good, None, progress_bar)
    cloner.finish()
    return good


class _Fit:
    """One setting, for the run with posts held out and the one with all."""

    def __init__(
        self,
        cloner: Cloner,
        examples: Examples,
        batch_size: int,
        rng: np.random.Generator | None,
    ) -> None:
        self.cloner, self.examples = cloner, examples
        self.batch_size, self.rng = batch_size, rng

    def run(
        self,
        numbers: Numbers,
        validation: Numbers,
        epochs: int,
        after_epoch: AfterEpoch | None,
        progress_bar: bool | None,
    ) -> tuple[int, bool]:
        """Trains on some posts; returns the number of good epochs, and whether it was stopped."""
        # An optimizer of its own: what the model's remembers of its steps is for rewards.
        optimizer = th.optim.Adam(self.cloner.parameters, LEARNING_RATE)
        # The steps shrink, so that the last batch does not weigh more than the others.
        decay = th.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, epochs)
        judge = _Judge()
        number = 0
        for number in progress(range(1, epochs + 1), epochs, "Mimicking", progress_bar):
            order = numbers if self.rng is None else self.rng.permutation(numbers)
            for first in range(0, len(order), self.batch_size):
                step(self.cloner, optimizer, self.examples[order[first : first + self.batch_size]])
            decay.step()
            loss = float(self._losses(numbers).mean())
            if after_epoch is not None and after_epoch(number, {"loss": loss}) is False:
                return number, True
            if judge.enough(number, loss, self._losses(validation)):
                break
        return judge.best or number, False

    def _losses(self, numbers: Numbers) -> npt.NDArray[np.float64]:
        if not len(numbers):
            return np.empty(0)
        with th.no_grad():
            losses: npt.NDArray[np.float64]
            losses = self.cloner.losses(self.examples[numbers]).double().cpu().numpy()
        return losses


class _Judge:
    """Decides when to stop.

    Attributes:
        best: The epoch to go back to, or 0 where the last one is good.
    """

    def __init__(self) -> None:
        self.best = 0
        self._history: list[float] = []
        self._lowest: npt.NDArray[np.float64] | None = None
        self._lowest_at = self._bad = 0

    def enough(self, number: int, loss: float, held_out: npt.NDArray[np.float64]) -> bool:
        """Takes the figures of an epoch, and tells whether it was the last."""
        if len(held_out):
            if self._lowest is None or held_out.mean() < self._lowest.mean():
                self._lowest, self._lowest_at = held_out, number
            difference = held_out - self._lowest
            error = difference.std(ddof=1) / np.sqrt(len(difference))
            self._bad = self._bad + 1 if difference.mean() > error > 0 else 0
            if self._bad >= PATIENCE:
                self.best = self._lowest_at
                return True
        self._history.append(loss)
        # Compared with the mean before: single epochs are noisy where batches are small.
        before, now = self._history[-2 * PATIENCE : -PATIENCE], self._history[-PATIENCE:]
        return len(before) == PATIENCE and sum(before) - sum(now) < PATIENCE * LEAST_PROGRESS


def step(cloner: Cloner, optimizer: th.optim.Optimizer, examples: Examples) -> float:
    """Takes one gradient step towards some posts; returns the loss before it."""
    loss = cloner.losses(examples).mean()
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    optimizer.zero_grad()
    return float(loss.detach())
