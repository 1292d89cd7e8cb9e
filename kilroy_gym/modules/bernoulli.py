"""The simplest module: one probability."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from kilroy_gym.interfaces import State
from kilroy_gym.modules.base import KilroyModule
from kilroy_gym.post import PostData


class BernoulliModule(KilroyModule[bool, int]):
    """Posts ``True`` with probability ``p``.

    ``mimic`` steps towards the share of True posts. ``reinforce`` steps along the mean of
    ``(x - p) * score``, which is the natural policy gradient: the score function of a Bernoulli
    is ``(x - p) / (p (1 - p))`` and its Fisher information ``1 / (p (1 - p))`` (Kakade, "A Natural
    Policy Gradient", 2001, eq. 2). Every post counts, including repeats of the same content; a
    late score is applied to the value that ``p`` has when it arrives.

    Args:
        p: Initial probability of True, in [0, 1].
        mimic_rate: Step size of ``mimic``, in (0, 1].
        reinforce_rate: Step size of ``reinforce``, positive; suits scores of about [-1, 1].
        seed: Seed, or a generator to draw from.

    Raises:
        ValueError: An argument is out of its range.
    """

    def __init__(
        self,
        p: float = 0.5,
        mimic_rate: float = 0.001,
        reinforce_rate: float = 0.1,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        """Starts with no drafts."""
        if not 0 <= p <= 1:
            raise ValueError(f"p must be in [0, 1], got {p!r}")
        if not 0 < mimic_rate <= 1:
            raise ValueError(f"mimic_rate must be in (0, 1], got {mimic_rate!r}")
        if not 0 < reinforce_rate < float("inf"):
            raise ValueError(f"reinforce_rate must be positive, got {reinforce_rate!r}")
        self.p = p
        self.mimic_rate = mimic_rate
        self.reinforce_rate = reinforce_rate
        self._rng = np.random.default_rng(seed)
        self._drafts: dict[int, bool] = {}
        self._next_id = 0

    def generate(self) -> tuple[int, PostData[bool]]:
        """Draws True with probability ``p``."""
        draft_id, x = self._next_id, bool(self._rng.random() < self.p)
        self._next_id += 1
        self._drafts[draft_id] = x
        return draft_id, PostData(x)

    def mimic(self, posts: Sequence[PostData[bool]]) -> "BernoulliModule":
        """Steps towards the share of True among ``posts``."""
        share = sum(bool(post.x) for post in posts) / len(posts)
        self.p += self.mimic_rate * (share - self.p)
        return self

    def reinforce(self, scores: Mapping[int, float]) -> "BernoulliModule":
        """Steps along the natural policy gradient and forgets the drafts."""
        if scores:
            drafts = ((self._drafts.pop(draft_id), score) for draft_id, score in scores.items())
            gradient = sum((x - self.p) * score for x, score in drafts) / len(scores)
            self.p = min(max(self.p + self.reinforce_rate * gradient, 0.0), 1.0)
        return self

    def forget(self, draft_ids: Iterable[int]) -> None:
        """Drops drafts that will not be reinforced."""
        for draft_id in draft_ids:
            self._drafts.pop(draft_id, None)

    def metrics(self) -> dict[str, float]:
        """Returns ``p``."""
        return {"p": self.p}

    def state(self) -> State:
        """Returns the probability, the open drafts and the generator's state."""
        return {
            "p": self.p,
            "next_id": self._next_id,
            "drafts": list(self._drafts.items()),
            "rng": self._rng.bit_generator.state,
        }

    def set_state(self, state: State) -> None:
        """Continues from what :meth:`state` returned."""
        self.p = state["p"]
        self._next_id = state["next_id"]
        self._drafts = dict(state["drafts"])
        self._rng.bit_generator.state = state["rng"]
