"""Policy gradient on tables of logits."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from kilroy_gym._checks import integer, number
from kilroy_gym.modules.drafting import DraftingModule
from kilroy_gym.post import AnyPost

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Path = tuple[list[int], list[int], float]
"""How a post was written: the rows of its choices, the choices, and its log-probability."""


class SoftmaxModule(DraftingModule[Any, Path]):
    """A policy that makes one or more choices per post, each from a row of a table of logits.

    ``mimic`` steps along the gradient of the posts' log-likelihood. ``reinforce`` steps along the
    policy gradient (Williams, "Simple statistical gradient-following algorithms", 1992, eq. 5)
    with a leave-one-out baseline (Kool et al., "Buy 4 REINFORCE samples, get a baseline for
    free!", 2019, eq. 5) and scores in units of their running standard deviation. Posts are the
    expensive resource, so past posts are reused, with importance weights truncated at 1 (the
    weights of V-trace: Espeholt et al., "IMPALA", 2018, section 4.1). The same weights correct
    late scores.

    Two options keep the policy from converging too early: an entropy bonus, and a penalty for
    its Kullback-Leibler divergence from the policy after the warm start. Both are computed per
    row and averaged over the rows that the posts in memory used.

    Args:
        shape: Rows of the table and choices per row.
        mimic_rate: Step size of ``mimic``, above 0.
        rate: Step size of ``reinforce``, above 0.
        memory: How many past posts to reuse, at least 0.
        passes: Gradient steps per call of ``reinforce``, at least 1.
        entropy_weight: Weight of the entropy bonus, at least 0.
        entropy_posts: Posts after which the bonus has decayed to 1/e; ``None`` for no decay.
        kl_weight: Weight of the divergence penalty, at least 0.
        seed: Seed, or a generator to draw from.

    Attributes:
        logits: float64 of shape ``shape``.
        reference: The logits after the warm start, float64 of shape ``shape``.

    Raises:
        ValueError: An argument is out of its range.
    """

    _first_row = 0
    """The table's row for the first choice of every post."""
    _learned = ("logits", "reference", "_memory", "_totals")

    def __init__(
        self,
        shape: tuple[int, int],
        mimic_rate: float,
        rate: float,
        memory: int,
        passes: int,
        entropy_weight: float,
        entropy_posts: float | None,
        kl_weight: float,
        seed: int | np.random.Generator | None,
    ) -> None:
        """Starts with a uniform policy."""
        super().__init__(seed)
        self.mimic_rate = number("mimic_rate", mimic_rate, 0, above=True)
        self.rate = number("rate", rate, 0, above=True)
        self.memory = integer("memory", memory, 0)
        self.passes = integer("passes", passes, 1)
        self.entropy_weight = number("entropy_weight", entropy_weight, 0)
        self.entropy_posts = (
            None if entropy_posts is None else number("entropy_posts", entropy_posts, 0, above=True)
        )
        self.kl_weight = number("kl_weight", kl_weight, 0)
        self.logits = np.zeros(shape)
        self.reference = np.zeros(shape)
        # One row per post to reuse, of shape (n, 2 k + 2) for posts of k choices: the rows of its
        # choices, the choices, its log-probability when it was written, and its score.
        self._memory = np.empty((0, 4))
        self._totals = np.zeros(3)  # of all scores: count, sum, sum of squares

    @abstractmethod
    def _path(self, x: Any) -> tuple[list[int], list[int]]:
        """Returns the rows of the choices that make up a post, and the choices.

        Both have the same length for all posts; a shorter post is padded, with -1 as its rows.
        """

    def mimic(self, posts: Sequence[AnyPost]) -> Self:
        """Steps along the gradient of the log-likelihood and takes the result as the reference."""
        paths = np.array([self._path(post.x) for post in posts])
        gradient = weighted_score_function(
            log_softmax(self.logits), paths[:, 0], paths[:, 1], np.full(len(posts), 1 / len(posts))
        )
        self.logits = self.logits + self.mimic_rate * gradient
        self.reference = self.logits
        return self

    def reinforce(self, scores: Mapping[int, float]) -> Self:
        """Steps along the policy gradient."""
        taken = self._take(scores)
        if not taken:
            return self
        rows = np.array([[*places, *chosen, log, score] for (places, chosen, log), score in taken])
        self._totals += (len(rows), rows[:, -1].sum(), (rows[:, -1] ** 2).sum())
        used = max(self.memory, len(rows))
        self._memory = np.vstack([self._memory.reshape(-1, rows.shape[1]), rows])[-used:]
        for _ in range(self.passes):
            self.logits = self.logits + self.rate * self.gradient(self.logits)
        self._memory = self._memory[len(self._memory) - min(self.memory, len(self._memory)) :]
        return self

    def gradient(self, logits: Floats) -> Floats:
        """Returns the gradient of the objective on the posts in memory.

        Importance weights and baselines are treated as constants.

        Args:
            logits: float64 of the table's shape.

        Returns:
            float64 of the table's shape.
        """
        places, chosen = np.split(self._memory[:, :-2].astype(np.int64), 2, axis=1)
        logs = log_softmax(logits)
        now = path_log_chances(logs, places, chosen)
        weights = np.exp(np.minimum(now - self._memory[:, -2], 0))
        gradient = weighted_score_function(logs, places, chosen, self._advantages(weights))
        if self.entropy_weight or self.kl_weight:
            used = np.bincount(places[places >= 0], minlength=len(logits)) / len(places)
            gradient += used[:, None] * (
                self._entropy_weight() * entropy_gradient(logs)
                - self.kl_weight * divergence_gradient(logs, log_softmax(self.reference))
            )
        return gradient

    def metrics(self) -> dict[str, float]:
        """Returns the entropy of the first choice, in nats."""
        logs = log_softmax(self.logits[self._first_row])
        return {"entropy": float(-(np.exp(logs) * logs).sum())}

    def _entropy_weight(self) -> float:
        if self.entropy_posts is None:
            return self.entropy_weight
        return float(self.entropy_weight * np.exp(-self._totals[0] / self.entropy_posts))

    def _advantages(self, weights: Floats) -> Floats:
        """Returns each post's weighted advantage over the others in memory, of shape ``(n,)``."""
        scores = self._memory[:, -1]
        count, total, squares = self._totals
        mean = total / count
        spread = np.sqrt(max(squares / count - mean**2, 0.0)) or 1.0
        others = weights.sum() - weights
        # A lone post can only be compared with the mean of all scores so far.
        alone = others <= 1e-12
        baselines = np.where(
            alone,
            mean,
            ((weights * scores).sum() - weights * scores) / np.where(alone, 1.0, others),
        )
        advantages: Floats = weights * (scores - baselines) / spread / max(weights.sum(), 1e-12)
        return advantages


def log_softmax(logits: Floats) -> Floats:
    """Returns the log-probabilities of each row of logits; same shape."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    logs: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return logs


def path_log_chances(logs: Floats, places: Places, chosen: Places) -> Floats:
    """Returns the log-probability of each post, of shape ``(n,)``.

    Args:
        logs: Log-probabilities, of the table's shape.
        places: Rows of the choices, of shape ``(n, k)``; -1 for padding.
        chosen: The choices, of shape ``(n, k)``.
    """
    chances: Floats = np.where(places >= 0, logs[places, chosen], 0.0).sum(axis=1)
    return chances


def weighted_score_function(
    logs: Floats, places: Places, chosen: Places, weights: Floats
) -> Floats:
    """Returns the gradient of the posts' weighted log-likelihood with respect to the logits.

    Args:
        logs: Log-probabilities, of the table's shape.
        places: Rows of the choices, of shape ``(n, k)``; -1 for padding.
        chosen: The choices, of shape ``(n, k)``.
        weights: Weights of the posts, of shape ``(n,)``.

    Returns:
        float64 of the table's shape.
    """
    real = places >= 0
    amounts = np.broadcast_to(weights[:, None], places.shape)[real]
    gradient = np.zeros_like(logs)
    np.add.at(gradient, (places[real], chosen[real]), amounts)
    gradient -= np.bincount(places[real], amounts, len(logs))[:, None] * np.exp(logs)
    return gradient


def entropy_gradient(logs: Floats) -> Floats:
    """Returns the gradient of each row's entropy with respect to its logits."""
    chances = np.exp(logs)
    entropy = -(chances * logs).sum(axis=-1, keepdims=True)
    gradient: Floats = -chances * (logs + entropy)
    return gradient


def divergence_gradient(logs: Floats, reference: Floats) -> Floats:
    """Returns the gradient of each row's KL(policy || reference) with respect to its logits."""
    chances = np.exp(logs)
    ratio = logs - reference
    divergence = (chances * ratio).sum(axis=-1, keepdims=True)
    gradient: Floats = chances * (ratio - divergence)
    return gradient
