"""Posterior sampling where the best content depends on what is observed."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from kilroy_gym._checks import number
from kilroy_gym.codecs import CategoricalCodec
from kilroy_gym.interfaces import Observation
from kilroy_gym.modules.drafting import DraftingModule
from kilroy_gym.post import AnyPost

Floats = npt.NDArray[np.float64]
Features = Callable[[Observation], Floats]


class ContextualModule(DraftingModule[Any, tuple[int, Floats]]):
    """Thompson sampling with a linear model of each content's score.

    The score of a content is linear in features of the observation, with normal noise; the
    posterior of the coefficients is that of Bayesian ridge regression (Agrawal and Goyal,
    "Thompson Sampling for Contextual Bandits with Linear Payoffs", 2013, algorithm 1). The prior
    is centred on the mean of all scores and scaled by their standard deviation, so the scale of
    scores need not be known.

    Scraped posts, with their ``context``, set the prior: a content that is posted more often than
    others in a context is expected to score higher there, by at most ``trust`` standard
    deviations of the scores.

    Args:
        choices: The contents, hashable and all different.
        features: Maps an observation to a float64 vector of shape ``(k,)`` whose first entry is
            a constant 1.
        prior: Weight of the prior, in scores, above 0.
        noise: Standard deviation of the noise, as a share of that of the scores, above 0.
        trust: How strongly the shares of scraped posts shape the prior, at least 0.
        seed: Seed, or a generator to draw from.

    Raises:
        ValueError: An argument is out of its range.
    """

    uses_observation = True
    _learned = ("_precisions", "_sums", "_seen", "_seen_precision", "_totals")

    def __init__(
        self,
        choices: Sequence[Hashable],
        features: Features,
        prior: float = 1.0,
        noise: float = 0.3,
        trust: float = 0.5,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        """Starts with a flat prior; the first observation shows the number of features."""
        super().__init__(seed)
        self._codec = CategoricalCodec(choices)
        self._features = features
        self.prior = number("prior", prior, 0, above=True)
        self.noise = number("noise", noise, 0, above=True)
        self.trust = number("trust", trust, 0)
        # Of n contents and k features: float64 of shape (n, k, k), (n, k), (n, k) and (k, k).
        self._precisions = self._sums = self._seen = self._seen_precision = np.empty(0)
        self._totals = np.zeros(3)  # of all scores: count, sum, sum of squares

    def mimic(self, posts: Sequence[AnyPost]) -> "ContextualModule":
        """Learns in which contexts each content is posted."""
        for post in posts:
            features = self._look(post.context)
            self._seen[self._codec.encode(post.x)] += features
            self._seen_precision += np.outer(features, features)
        return self

    def reinforce(self, scores: Mapping[int, float]) -> "ContextualModule":
        """Adds each score to the regression of its content."""
        for (choice, features), score in self._take(scores):
            self._precisions[choice] += np.outer(features, features)
            self._sums[choice] += features * score
            self._totals += (1, score, score * score)
        return self

    def metrics(self) -> dict[str, float]:
        """Returns how many contents have been tried."""
        tried = (self._precisions[:, 0, 0] > 0).sum() if self._precisions.size else 0
        return {"tried": float(tried)}

    def _write(self, observation: Observation) -> tuple[tuple[int, Floats], Any]:
        features = self._look(observation)
        count, total, squares = self._totals
        centre = total / count if count else 0.0
        spread = float(np.sqrt(max(squares / count - centre**2, 0.0))) if count > 1 else 0.0
        spread = spread or 1.0
        ridge = self.prior * np.eye(len(features))
        precisions = ridge + self._precisions
        prior_means = self._prior_means(centre, spread)
        sums = (prior_means @ ridge) + self._sums
        draws = np.empty(len(precisions))
        for choice, (precision, total) in enumerate(zip(precisions, sums, strict=True)):
            solved = np.linalg.solve(precision, np.stack([total, features], axis=1))
            variance = features @ solved[:, 1]
            draws[choice] = features @ solved[:, 0] + (
                self.noise * spread * np.sqrt(variance) * self._rng.standard_normal()
            )
        choice = int(draws.argmax())
        return (choice, features), self._codec.choices[choice]

    def _look(self, observation: Observation) -> Floats:
        """Returns the features of an observation."""
        features = np.asarray(self._features(observation), np.float64)
        if not self._precisions.size:
            choices, size = len(self._codec.choices), len(features)
            self._precisions = np.zeros((choices, size, size))
            self._sums, self._seen = np.zeros((2, choices, size))
            self._seen_precision = np.zeros((size, size))
        return features

    def _prior_means(self, centre: float, spread: float) -> Floats:
        """Returns the prior mean of each content's coefficients, of shape ``(n, k)``."""
        means = np.zeros_like(self._sums)
        means[:, 0] = centre
        count = self._seen_precision[0, 0]
        if count and self.trust:
            # The share of each content as a linear function of the features, by least squares.
            ridge = np.eye(len(self._seen_precision)) * count / 100
            shares = np.linalg.solve(self._seen_precision + ridge, self._seen.T).T
            shares[:, 0] -= 1 / len(shares)
            means += self.trust * spread * len(shares) / 2 * shares
        return means
