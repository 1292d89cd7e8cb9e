"""Behaviour cloning: how far a model is from writing the posts that it is shown."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import torch as th
from gymnasium.spaces import Box
from stable_baselines3.common.base_class import BaseAlgorithm

from kilroy_gym.adapters.sb3.examples import Examples
from kilroy_gym.adapters.sb3.played import Played
from kilroy_gym.adapters.sb3.recipes import recipe_for
from kilroy_gym.adapters.wrappers import short_name
from kilroy_gym.envs.compose import tokens_of
from kilroy_gym.interfaces import AnyArray
from kilroy_gym.post import AnyPost

LEARNING_RATE = 3e-3
LONE_LEARNING_RATE = 3e-2
"""For the standard deviation of a Gaussian: no layers before it that add to its steps."""


class Cloner:
    """Knows what a model is to learn from posts, through the wrappers that are around it.

    Only the acting network is trained. Critics of their own are left alone, since nobody knows
    what the posts scored.

    Args:
        model: The model.
        played: What it plays.
        seed: Seed of the observations that stand in for those that are not known.

    Attributes:
        recipe: How posts are cloned into this kind of policy.
        network: The acting network.
        optimizer: The model's own optimizer of the acting network.

    Raises:
        TypeError: It is not known how to clone into this kind of policy, or through a wrapper.
    """

    def __init__(self, model: BaseAlgorithm, played: Played, seed: int | None = None) -> None:
        """Finds out the kind of policy."""
        self.model = model
        self.played = played
        self.recipe = recipe_for(model)
        if played.composed and not self.recipe.composes:
            raise TypeError(
                f"{short_name(type(model))} cannot clone posts token by token, since it remembers "
                "the tokens before: warm-start a PPO, A2C or DQN on this environment"
            )
        self.network, self.optimizer, self._target = self.recipe.parts(model.policy)
        self._unknown = deepcopy(played.observations.structured)
        self._unknown.seed(seed)

    @property
    def parameters(self) -> list[th.nn.Parameter]:
        """The parameters of the acting network."""
        return list(self.network.parameters())

    def new_optimizer(self) -> th.optim.Optimizer:
        """Returns an optimizer for cloning."""
        groups: list[dict[str, Any]]
        lone = [p for name, p in self.network.named_parameters() if name == "log_std"]
        others = [p for name, p in self.network.named_parameters() if name != "log_std"]
        groups = [{"params": others}, {"params": lone, "lr": LONE_LEARNING_RATE}]
        return th.optim.Adam(groups, LEARNING_RATE)

    def look(self, posts: Iterable[AnyPost]) -> None:
        """Lets wrappers that normalize learn from what the posts were written under.

        They learn from what the model observes too. Had they seen nothing yet, the clone would
        learn on another scale than it plays on.
        """
        if self.played.normalizes:
            self.played.observed(self._encoded(list(posts))[0], learning=True)

    def examples(self, posts: Iterable[AnyPost]) -> Examples:
        """Turns posts into what the policy is trained on.

        A post without a context may have been written under any observation: one is drawn from
        the space (where nothing is observed there is only one). Where posts are composed, every
        token is an example.
        """
        contexts, actions = self._encoded(list(posts))
        policy = self.model.policy
        actions = self.played.reverted(actions)
        if self.recipe.squashed and isinstance(self.model.action_space, Box):
            actions = policy.scale_action(actions)
        observations, _ = policy.obs_to_tensor(self.played.observed(contexts))
        return Examples(observations, th.as_tensor(actions, device=self.model.device))

    def losses(self, examples: Examples) -> th.Tensor:
        """Returns how badly the policy fits each post, of shape ``(n,)``."""
        return self.recipe.loss(self.network, examples.observations, examples.actions)

    def finish(self) -> None:
        """Lets the target network follow."""
        if self._target is not None:
            self._target.load_state_dict(self.network.state_dict())

    def _encoded(self, posts: list[AnyPost]) -> tuple[Any, AnyArray]:
        """Returns what was observed and what was posted, inside all wrappers."""
        actions: AnyArray = self.played.codec.encode_many(post.x for post in posts)
        observations = self.played.observations
        if (whole := self.played.composed) is not None:
            drafts, tokens = tokens_of(actions, whole)
            return observations.flattened(drafts), tokens
        seen = [self._unknown.sample() if p.context is None else p.context for p in posts]
        return observations.batched(observations.flattened(seen)), actions
