"""Fitting a clone: epochs, a validation split, early stopping."""

from copy import deepcopy

import numpy as np
import numpy.typing as npt
import torch as th

from kilroy_gym._progress import progress
from kilroy_gym.adapters.sb3.cloning import Cloner
from kilroy_gym.adapters.sb3.examples import Examples
from kilroy_gym.interfaces import AfterEpoch

VALIDATION_SHARE = 0.2
LEAST_VALIDATION_POSTS = 10
"""With fewer posts than this to validate on, none are held out."""
PATIENCE = 10
"""Window, in epochs, used to decide when to stop."""
LEAST_PROGRESS = 1e-4
"""Least fall of the mean loss from one window to the next; with less, it stops."""
LAST_EPOCHS = 20
"""Epochs at the end, on all posts, with steps that shrink to nothing."""

Numbers = npt.NDArray[np.int64]


def fit(
    cloner: Cloner,
    examples: Examples,
    epochs: int,
    batch_size: int,
    rng: np.random.Generator,
    shuffle: bool = True,
    after_epoch: AfterEpoch | None = None,
    progress_bar: bool | None = False,
    originals: Numbers | None = None,
) -> int:
    """Fits a policy to posts; returns the number of the best epoch.

    A fifth of the posts is held out at first. Fitting stops early when the loss no longer falls,
    or when the loss on the held-out posts has for some epochs been above its lowest by more than
    two standard errors of the difference (a few posts are too noisy a judge for less); it then
    goes back to the epoch with the lowest. From there it goes on for some epochs with all posts
    (as in Goodfellow, Bengio and Courville, "Deep Learning", 2016, algorithm 7.3) and with steps
    that shrink, so that the last batch does not weigh more than the others.

    Args:
        cloner: What is fitted.
        examples: What to.
        epochs: The most epochs.
        batch_size: The most posts per gradient step.
        rng: Draws the held-out posts and the order.
        shuffle: Whether every epoch has its own order.
        after_epoch: Called after every epoch; ``False`` stops.
        progress_bar: Whether to show one; ``None`` shows it on a terminal.
        originals: Which post each example is a copy of, where some are copies.
    """
    count = len(examples.actions)
    validation, rest = split(count, rng, originals)
    fitter = _Fitter(cloner, examples, batch_size, rng if shuffle else None)
    good, stopped = fitter.search(rest, validation, epochs, after_epoch, progress_bar)
    if not stopped:
        fitter.settle(np.arange(count), min(epochs, LAST_EPOCHS))
    cloner.finish()
    return good


def split(
    count: int, rng: np.random.Generator, originals: Numbers | None = None
) -> tuple[Numbers, Numbers]:
    """Holds out a fifth of the posts, or none if that would be too few to judge by.

    Args:
        count: How many examples there are.
        rng: Draws.
        originals: Which post each example is a copy of. Copies stay together: a policy that has
            learned one of them knows the others.

    Returns:
        The numbers of the examples that are held out, and of the others.
    """
    posts = np.arange(count) if originals is None else np.unique(originals)
    order = rng.permutation(len(posts))
    held_out = int(VALIDATION_SHARE * len(posts))
    if held_out < LEAST_VALIDATION_POSTS:
        held_out = 0
    if originals is None:
        return order[:held_out], np.sort(order[held_out:])
    held = np.isin(originals, posts[order[:held_out]])
    return np.flatnonzero(held), np.flatnonzero(~held)


class _Fitter:
    """The epochs of a fit."""

    def __init__(
        self,
        cloner: Cloner,
        examples: Examples,
        batch_size: int,
        rng: np.random.Generator | None,
    ) -> None:
        self.cloner, self.examples = cloner, examples
        self.batch_size, self.rng = batch_size, rng
        # Its own: the moments that the model's optimizer keeps are those of learning from scores.
        self.optimizer = cloner.new_optimizer()

    def search(
        self,
        numbers: Numbers,
        validation: Numbers,
        epochs: int,
        after_epoch: AfterEpoch | None,
        progress_bar: bool | None,
    ) -> tuple[int, bool]:
        """Trains on some posts; returns the best epoch, and whether the callback stopped it."""
        network, judge = self.cloner.network, _Judge()
        best = network.state_dict()
        number = 0
        for number in progress(range(1, epochs + 1), epochs, "Mimicking", progress_bar):
            self._epoch(numbers)
            loss = float(self._losses(numbers).mean())
            if after_epoch is not None and after_epoch(number, {"loss": loss}) is False:
                return number, True
            enough = judge.enough(number, loss, self._losses(validation))
            if judge.best == number:
                best = deepcopy(network.state_dict())
            if enough:
                break
        if judge.overfit:
            network.load_state_dict(best)
        return (judge.best if judge.overfit else number), False

    def settle(self, numbers: Numbers, epochs: int) -> None:
        """Trains on all posts, with steps that shrink."""
        decay = th.optim.lr_scheduler.LinearLR(self.optimizer, 1.0, 0.0, epochs)
        for _ in range(epochs):
            self._epoch(numbers)
            decay.step()

    def _epoch(self, numbers: Numbers) -> None:
        order = numbers if self.rng is None else self.rng.permutation(numbers)
        # Batches of nearly the same size: a small last one would weigh its posts more.
        for batch in np.array_split(order, -(-len(order) // self.batch_size)):
            step(self.cloner, self.optimizer, self.examples[batch])

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
        best: The epoch with the lowest loss on the held-out posts.
        overfit: Whether that loss has risen since, beyond doubt.
    """

    def __init__(self) -> None:
        self.best = 0
        self.overfit = False
        self._history: list[float] = []
        self._lowest: npt.NDArray[np.float64] | None = None
        self._bad = 0

    def enough(self, number: int, loss: float, held_out: npt.NDArray[np.float64]) -> bool:
        """Takes the figures of an epoch, and tells whether it was the last."""
        if len(held_out):
            if self._lowest is None or held_out.mean() < self._lowest.mean():
                self._lowest, self.best = held_out, number
            difference = held_out - self._lowest
            error = difference.std(ddof=1) / np.sqrt(len(difference))
            self._bad = self._bad + 1 if difference.mean() > 2 * error else 0
            self.overfit = self._bad >= PATIENCE
        self._history.append(loss)
        # Compared with the mean before: single epochs are noisy where batches are small.
        before, now = self._history[-2 * PATIENCE : -PATIENCE], self._history[-PATIENCE:]
        progress_made = sum(before) - sum(now)
        finished = len(before) == PATIENCE and progress_made < PATIENCE * LEAST_PROGRESS
        return self.overfit or finished


def step(cloner: Cloner, optimizer: th.optim.Optimizer, examples: Examples) -> float:
    """Takes one gradient step towards some posts; returns the loss before it."""
    loss = cloner.losses(examples).mean()
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    optimizer.zero_grad()
    return float(loss.detach())
