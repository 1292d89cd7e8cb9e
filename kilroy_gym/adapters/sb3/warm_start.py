"""The warm start of a model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch as th
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from kilroy_gym.adapters.sb3.cloning import Cloner
from kilroy_gym.adapters.sb3.examples import Examples, concatenated
from kilroy_gym.adapters.sb3.fitting import fit, step
from kilroy_gym.adapters.sb3.hand_over import HandOver
from kilroy_gym.adapters.sb3.played import Played
from kilroy_gym.data.weights import Resampled
from kilroy_gym.interfaces import AfterEpoch
from kilroy_gym.post import AnyPost

BATCH_SIZE = 32
CHUNK = 1024
"""Posts that are encoded at a time, since a dataset need not fit into memory."""
KEPT_EXAMPLES = 1000
"""How many of the cloned posts are kept for the cloning loss afterwards."""


class WarmStart:
    """Clones posts into a model, and prepares how it learns from there.

    Args:
        model: The model.
        clone_weight: Weight of the cloning loss afterwards, at least 0.
        clone_decay_posts: Posts until that weight is 0, at least 1.

    Attributes:
        hand_over: What to learn with, or ``None`` where nothing was cloned.

    Raises:
        ValueError: A number is out of range.
    """

    def __init__(self, model: BaseAlgorithm, clone_weight: float, clone_decay_posts: int) -> None:
        """Remembers after how many posts the model was going to begin to learn."""
        if not clone_weight >= 0:
            raise ValueError(f"clone_weight must be at least 0, got {clone_weight!r}")
        if not clone_decay_posts >= 1:
            raise ValueError(f"clone_decay_posts must be at least 1, got {clone_decay_posts!r}")
        self.model = model
        self.clone_weight, self.clone_decay_posts = clone_weight, clone_decay_posts
        self.hand_over: HandOver | None = None
        self._learning_starts = 0
        if isinstance(model, OffPolicyAlgorithm):
            self._learning_starts = model.learning_starts
        self._steps: tuple[Cloner, th.optim.Optimizer] | None = None

    def mimic(self, posts: Sequence[AnyPost], played: Played) -> None:
        """Takes one gradient step towards writing posts like these."""
        if self._steps is None:
            cloner = self._cloner(played)
            self._steps = cloner, cloner.new_optimizer()
        cloner, optimizer = self._steps
        cloner.look(posts)
        examples = cloner.examples(posts)
        step(cloner, optimizer, examples)
        cloner.finish()
        earlier = [self.hand_over.examples] if self.hand_over else []
        self._prepare(cloner, concatenated([examples, *earlier]))

    def fine_tune(
        self,
        posts: Sequence[AnyPost],
        played: Played,
        epochs: int,
        batch_size: int | None,
        rng: np.random.Generator | None,
        shuffle: bool,
        after_epoch: AfterEpoch | None,
        progress_bar: bool | None,
    ) -> int:
        """Clones posts; returns the best epoch."""
        rng = rng or np.random.default_rng(self.model.seed)
        cloner = self._cloner(played)
        chunks = [slice(start, start + CHUNK) for start in range(0, len(posts), CHUNK)]
        for chunk in chunks if played.normalizes else []:
            cloner.look(posts[chunk])
        examples = concatenated([cloner.examples(posts[chunk]) for chunk in chunks])
        size = batch_size or BATCH_SIZE
        originals = posts.numbers if isinstance(posts, Resampled) else None
        if len(posts) != len(examples.actions):  # composed: every token is an example
            originals = None
        good = fit(
            cloner, examples, epochs, size, rng, shuffle, after_epoch, progress_bar, originals
        )
        self._prepare(cloner, examples)
        return good

    def state(self) -> dict[str, Any] | None:
        """Returns what a warm start has left to do, beside the model's own state; or ``None``."""
        return None if self.hand_over is None else self.hand_over.state()

    def moved(
        self, model: BaseAlgorithm, played: Played, state: Mapping[str, Any] | None
    ) -> "WarmStart":
        """Returns the same for a model that was loaded, with what :meth:`state` returned."""
        moved = WarmStart(model, self.clone_weight, self.clone_decay_posts)
        moved._learning_starts = self._learning_starts  # the model's own may be 0 now
        if state is not None:
            cloner = moved._cloner(played)
            examples = Examples.unpacked(state["examples"], model.device)
            moved._prepare(cloner, examples).set_state(state)
        return moved

    def _cloner(self, played: Played) -> Cloner:
        cloner = Cloner(self.model, played, self.model.seed)
        if self.clone_weight and not cloner.recipe.guided:
            raise ValueError(
                f"clone_weight must be 0 for {type(self.model).__name__}, whose policy is not "
                f"trained by an optimizer that could keep it near, got {self.clone_weight!r}"
            )
        return cloner

    def _prepare(self, cloner: Cloner, examples: Examples) -> HandOver:
        self.hand_over = HandOver(
            cloner,
            examples[slice(KEPT_EXAMPLES)],
            self._learning_starts,
            self.clone_weight,
            self.clone_decay_posts,
            self.model.seed,
        )
        return self.hand_over
