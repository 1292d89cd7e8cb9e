"""How posts are cloned into each kind of policy: one table.

Kinds are known by the dotted names of their classes, so that no library is imported for them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch as th
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.utils import LinearSchedule

from kilroy_gym.adapters.sb3.examples import Examples, spread
from kilroy_gym.adapters.sb3.losses import (
    distance,
    likelihood,
    likelihood_at_the_start,
    mode_and_spread,
    shares,
)
from kilroy_gym.adapters.wrappers import short_name

ENTROPY_COEFFICIENT = 0.05
"""Where SAC's automatic one starts: at its usual 1.0 it outweighs scores around [-1, 1]."""
LEAST_NOISE, MOST_NOISE = 0.02, 0.1
"""Bounds of the noise that a deterministic policy explores with, in actions of [-1, 1]."""

Loss = Callable[[Any, Any, th.Tensor], th.Tensor]
"""Takes the acting network, a batch of observations and the actions; returns losses, ``(n,)``."""


class Parts(NamedTuple):
    """The parts of a policy that cloning needs.

    Attributes:
        acts: The acting network, which is trained.
        optimizer: The model's own optimizer of the acting network.
        target: The slow copy of the acting network, where there is one.
    """

    acts: Any
    optimizer: th.optim.Optimizer
    target: Any = None


def _nothing(model: Any, examples: Examples) -> None:
    """Leaves a model as it is."""


@dataclass(frozen=True)
class Recipe:
    """How posts are cloned into a kind of policy.

    Attributes:
        algorithms: Who has such a policy, to be named when another cannot be cloned, such as
            ``("sbx.PPO",)``.
        parts: Finds the parts of a policy.
        loss: How badly the acting network fits each post.
        squashed: Whether ``loss`` takes continuous actions in [-1, 1], not as the space has them.
        begin: Sets a model up so that its clone acts from the first post on.
        guided: Whether the optimizer trains the acting network, so a cloning loss can be added.
        composes: Whether it clones posts token by token as well.
    """

    algorithms: tuple[str, ...]
    parts: Callable[[Any], Parts]
    loss: Loss
    squashed: bool = False
    begin: Callable[[Any, Examples], None] = _nothing
    guided: bool = True
    composes: bool = True


_RECIPES: dict[str, Recipe] = {}


def register_cloning(name: str, recipe: Recipe) -> None:
    """Registers how posts are cloned into a kind of policy, or into one algorithm's.

    Args:
        name: The dotted name of the policy's class, or of the algorithm's. It covers subclasses;
            the nearest class wins, and an algorithm wins over its policy.
        recipe: How to clone.

    Example:
        >>> from kilroy_gym.adapters.sb3.losses import mode_and_spread
        >>> from kilroy_gym.adapters.sb3.recipes import Parts, Recipe
        >>> tqc = Recipe(
        ...     ("sb3_contrib.TQC",),
        ...     lambda policy: Parts(policy.actor, policy.actor.optimizer),
        ...     mode_and_spread,
        ...     squashed=True,
        ... )
        >>> register_cloning("sb3_contrib.tqc.policies.TQCPolicy", tqc)  # doctest: +SKIP
    """
    _RECIPES[name] = recipe


def recipe_for(model: BaseAlgorithm) -> Recipe:
    """Returns how posts are cloned into a model.

    Raises:
        TypeError: It is not known how; the message names who can be cloned.
    """
    for kind in (*type(model).__mro__, *type(model.policy).__mro__):
        recipe = _RECIPES.get(f"{kind.__module__}.{kind.__qualname__}")
        if recipe is not None:
            return recipe
    able: dict[str, list[str]] = {}
    for name in (name for recipe in _RECIPES.values() for name in recipe.algorithms):
        library, _, algorithm = name.rpartition(".")
        able.setdefault(library, []).append(algorithm)
    known = " and ".join(f"{library}'s {', '.join(names)}" for library, names in able.items())
    raise TypeError(
        f"{short_name(type(model))} with its {type(model.policy).__name__} cannot be warm-started, "
        f"since it is not known how to clone posts into it. Known are {known}; "
        "kilroy_gym.adapters.sb3.register_cloning adds another"
    )


# --- How a model begins with its clone --------------------------------------------------------


def explore_as_in_the_end(model: Any, examples: Examples) -> None:
    """Begins with the last exploration rate."""
    last = model.exploration_final_eps
    model.exploration_initial_eps = model.exploration_rate = last
    model.exploration_schedule = LinearSchedule(last, last, model.exploration_fraction)


def begin_with_little_entropy(model: Any, examples: Examples) -> None:
    """Begins an automatic entropy coefficient small."""
    if model.ent_coef == "auto" and model.log_ent_coef is not None:
        model.log_ent_coef.data.fill_(float(np.log(ENTROPY_COEFFICIENT)))


def explore_a_little(model: Any, examples: Examples) -> None:
    """Gives a policy without noise some, of the spread of the cloned posts but small."""
    if model.action_noise is None:
        sigma = np.clip(spread(examples), LEAST_NOISE, MOST_NOISE)
        model.action_noise = NormalActionNoise(np.zeros_like(sigma), sigma)


# --- The table --------------------------------------------------------------------------------

register_cloning(
    "stable_baselines3.common.policies.ActorCriticPolicy",
    Recipe(
        ("stable_baselines3.PPO", "stable_baselines3.A2C"),
        lambda policy: Parts(policy, policy.optimizer),
        likelihood,
    ),
)
register_cloning(
    "stable_baselines3.dqn.policies.DQNPolicy",
    Recipe(
        ("stable_baselines3.DQN",),
        lambda policy: Parts(policy.q_net, policy.optimizer, policy.q_net_target),
        shares,
        begin=explore_as_in_the_end,
    ),
)
register_cloning(
    "stable_baselines3.sac.policies.SACPolicy",
    Recipe(
        ("stable_baselines3.SAC",),
        lambda policy: Parts(policy.actor, policy.actor.optimizer),
        mode_and_spread,
        squashed=True,
        begin=begin_with_little_entropy,
    ),
)
register_cloning(
    "stable_baselines3.td3.policies.TD3Policy",
    Recipe(
        ("stable_baselines3.TD3", "stable_baselines3.DDPG"),
        lambda policy: Parts(policy.actor, policy.actor.optimizer, policy.actor_target),
        distance,
        squashed=True,
        begin=explore_a_little,
    ),
)
register_cloning(
    "sb3_contrib.trpo.trpo.TRPO",  # whose optimizer trains the critic alone
    Recipe(
        ("sb3_contrib.TRPO",),
        lambda policy: Parts(policy, policy.optimizer),
        likelihood,
        guided=False,
    ),
)
register_cloning(
    "sb3_contrib.common.recurrent.policies.RecurrentActorCriticPolicy",
    Recipe(
        ("sb3_contrib.RecurrentPPO",),
        lambda policy: Parts(policy, policy.optimizer),
        likelihood_at_the_start,
        composes=False,
    ),
)
register_cloning(
    "sb3_contrib.qrdqn.policies.QRDQNPolicy",
    Recipe(
        ("sb3_contrib.QRDQN",),
        lambda policy: Parts(policy.quantile_net, policy.optimizer, policy.quantile_net_target),
        shares,
        begin=explore_as_in_the_end,
    ),
)
