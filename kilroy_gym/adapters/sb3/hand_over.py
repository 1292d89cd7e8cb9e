"""From the clone to learning from scores, without forgetting the clone."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch as th
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy

from kilroy_gym.adapters.sb3.cloning import Cloner
from kilroy_gym.adapters.sb3.examples import Examples

CLONING_BATCH = 256


class HandOver(BaseCallback):
    """Lets a model learn from scores starting from its clone.

    - Off-policy: the model posts as the clone from the first post on, not at random. For
      ``learning_starts`` posts the acting network stays unchanged while the critics learn. How
      the model explores at first is part of the recipe
      (:mod:`~kilroy_gym.adapters.sb3.recipes`).
    - On-policy: before the first update the value function is shifted to the mean of the scores,
      so that the first advantages are not merely an offset.
    - With ``weight``: every gradient of the policy gets the gradient of the cloning loss added,
      times a weight that falls to 0 (Rajeswaran et al., "Learning Complex Dexterous Manipulation
      with Deep Reinforcement Learning and Demonstrations", 2018, eq. 6, with a linear decay).

    Args:
        cloner: What was cloned.
        examples: The posts.
        learning_starts: Posts before the acting network changes, for off-policy models.
        weight: Weight of the cloning loss at first.
        decay_posts: Posts after which the weight is 0.
        seed: Seed of the batches of the cloning loss.

    Attributes:
        posts: How many posts were made since the warm start.
    """

    def __init__(
        self,
        cloner: Cloner,
        examples: Examples,
        learning_starts: int,
        weight: float,
        decay_posts: int,
        seed: int | None,
    ) -> None:
        """Sets the model up."""
        super().__init__()
        self.cloner, self.examples = cloner, examples
        self.hold = learning_starts
        self.weight, self.decay_posts = weight, decay_posts
        self.posts = 0
        self._rng = np.random.default_rng(seed)
        self._shifted = self._started = False

    @property
    def hold_left(self) -> int:
        """Posts to make before the acting network changes."""
        return max(self.hold - self.posts, 0)

    def state(self) -> dict[str, Any]:
        """Returns the examples and how far it has come: JSON values and arrays."""
        return {
            "examples": self.examples.packed(),
            "posts": self.posts,
            "shifted": self._shifted,
            "started": self._started,
            "rng": self._rng.bit_generator.state,
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes on from what :meth:`state` returned; the examples are given when it is made."""
        self.posts = state["posts"]
        self._shifted, self._started = state["shifted"], state["started"]
        self._rng.bit_generator.state = state["rng"]

    @contextmanager
    def guiding(self) -> Iterator[None]:
        """Changes the gradients of the acting network within the block."""
        if not self._started:
            self._started = True
            if isinstance(self.cloner.model, OffPolicyAlgorithm):
                self.cloner.model.learning_starts = 0
            self.cloner.recipe.begin(self.cloner.model, self.examples)
        handle = self.cloner.optimizer.register_step_pre_hook(self._before_step)
        try:
            yield
        finally:
            handle.remove()

    def _on_step(self) -> bool:
        self.posts += self.model.n_envs
        return True

    def _on_rollout_end(self) -> None:
        if isinstance(self.model, OnPolicyAlgorithm) and not self._shifted:
            self._shifted = True
            _shift_values(self.model, self.locals["values"], self.locals["dones"])

    def _before_step(self, optimizer: th.optim.Optimizer, args: Any, kwargs: Any) -> None:
        parameters = self.cloner.parameters
        if isinstance(self.cloner.model, OffPolicyAlgorithm) and self.posts <= self.hold:
            for parameter in parameters:
                parameter.grad = None  # an optimizer skips these
            return
        weight = self.weight * max(0.0, 1.0 - self.posts / self.decay_posts)
        if weight:
            count = len(self.examples.actions)
            batch = self._rng.choice(count, min(CLONING_BATCH, count), replace=False)
            loss = weight * self.cloner.losses(self.examples[batch]).mean()
            gradients = th.autograd.grad(loss, parameters, allow_unused=True)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                if gradient is not None:
                    old = parameter.grad
                    parameter.grad = gradient if old is None else old + gradient


def _shift_values(model: OnPolicyAlgorithm, last_values: th.Tensor, dones: Any) -> None:
    """Shifts the value function to the mean of the first rollout, and its advantages with it."""
    buffer, policy = model.rollout_buffer, model.policy
    if not isinstance(policy, ActorCriticPolicy):
        return
    shift = float(np.mean(buffer.returns - buffer.values))
    with th.no_grad():
        policy.value_net.bias.add_(shift)
    buffer.values += shift
    buffer.compute_returns_and_advantage(last_values + shift, dones)
