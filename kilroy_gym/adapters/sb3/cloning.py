"""Behaviour cloning: how far a model is from writing the posts that it is shown."""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch as th
from gymnasium.spaces import Box, Discrete
from gymnasium.vector.utils import concatenate, create_empty_array
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.type_aliases import PyTorchObs
from stable_baselines3.dqn.policies import DQNPolicy
from stable_baselines3.sac.policies import SACPolicy
from stable_baselines3.td3.policies import TD3Policy
from torch.nn import functional

from kilroy_gym.adapters.sb3.checks import composed
from kilroy_gym.codecs import Codec
from kilroy_gym.envs.compose import tokens_of
from kilroy_gym.post import PostData

LEARNING_RATE = 3e-3
LONE_LEARNING_RATE = 3e-2
"""For the standard deviation of a Gaussian: no layers before it that add to its steps."""
Losses = Callable[[Any, PyTorchObs, th.Tensor], th.Tensor]


@dataclass(frozen=True)
class Examples:
    """Posts as a model sees them.

    Attributes:
        observations: What was observed, a batch for the policy.
        actions: What was posted, of shape ``(n, *space.shape)``; continuous ones in [-1, 1].
    """

    observations: Any
    actions: th.Tensor

    def __getitem__(self, index: Any) -> "Examples":
        """Returns some of the posts."""
        return Examples(_each(self.observations, lambda part: part[index]), self.actions[index])

    def packed(self) -> tuple[Any, Any]:
        """Returns the observations and the actions as arrays."""
        return _each(self.observations, lambda part: part.cpu().numpy()), self.actions.cpu().numpy()

    @classmethod
    def unpacked(cls, arrays: tuple[Any, Any], device: th.device) -> "Examples":
        """Returns what :meth:`packed` turned into arrays."""
        observations, actions = (
            _each(array, lambda part: th.as_tensor(part, device=device)) for array in arrays
        )
        return cls(observations, actions)


class Cloner:
    """Knows what is to be learned from posts, for every kind of policy.

    - PPO, A2C: the negative log-likelihood of the posts.
    - DQN: the squared distance of the Q values to 1 for what was posted and 0 for the rest. Its
      minimum is the share of each post among all: so the order of the Q values is that of how
      often a post is seen, the greedy action is the commonest post, and no value is out of the
      scale of a score around [-1, 1].
    - SAC: the squared distance of the mode to the posts, so that it becomes their mean, and the
      negative log-likelihood of the spread around it.
    - TD3, DDPG: the squared distance to the posts.

    The last three leave the critics alone: nobody knows what the posts scored.

    Args:
        model: The model.
        codec: Between posts and actions.
        seed: Seed of the observations that stand in for those that are not known.

    Attributes:
        optimizer: The model's own optimizer of what acts.

    Raises:
        TypeError: It is not known how to clone into this kind of policy.
    """

    optimizer: th.optim.Optimizer

    def __init__(self, model: BaseAlgorithm, codec: Codec[Any], seed: int | None = None) -> None:
        """Finds out the kind of policy."""
        self.model = model
        self.codec = codec
        self._unknown = deepcopy(model.observation_space)
        self._unknown.seed(seed)
        policy: Any = model.policy
        self.network: th.nn.Module
        self._targets: list[tuple[th.nn.Module, th.nn.Module]] = []
        self._losses: Losses
        if isinstance(policy, ActorCriticPolicy):
            self.network, self._losses = policy, _likelihood
            self.optimizer = policy.optimizer
        elif isinstance(policy, DQNPolicy):
            self.network, self._losses = policy.q_net, _shares
            self.optimizer = policy.optimizer
            self._targets = [(policy.q_net, policy.q_net_target)]
        elif isinstance(policy, SACPolicy):
            self.network, self._losses = policy.actor, _mode_and_spread
            self.optimizer = policy.actor.optimizer
        elif isinstance(policy, TD3Policy):
            self.network, self._losses = policy.actor, _distance
            self.optimizer = policy.actor.optimizer
            self._targets = [(policy.actor, policy.actor_target)]
        else:
            raise TypeError(
                f"{type(model).__name__} with {type(policy).__name__} cannot be warm-started; "
                "PPO, A2C, DQN, SAC, TD3 and DDPG can"
            )

    @property
    def parameters(self) -> list[th.nn.Parameter]:
        """What acts, and is to be trained."""
        return list(self.network.parameters())

    def new_optimizer(self) -> th.optim.Optimizer:
        """Returns an optimizer for cloning."""
        groups: list[dict[str, Any]]
        lone = [p for name, p in self.network.named_parameters() if name == "log_std"]
        others = [p for name, p in self.network.named_parameters() if name != "log_std"]
        groups = [{"params": others}, {"params": lone, "lr": LONE_LEARNING_RATE}]
        return th.optim.Adam(groups, LEARNING_RATE)

    def examples(self, posts: Iterable[PostData[Any]]) -> Examples:
        """Turns posts into what the policy is trained on.

        A post without a context may have been written under any observation: one is drawn from
        the space (where nothing is observed there is only one). Where posts are composed, every
        token is an example.
        """
        batch: Any
        posts = list(posts)
        space, policy = self.model.observation_space, self.model.policy
        actions: npt.NDArray[Any] = self.codec.encode_many(post.x for post in posts)
        if (whole := composed(self.model, self.codec)) is not None:
            batch, actions = tokens_of(actions, whole)
        else:
            seen = [self._unknown.sample() if p.context is None else p.context for p in posts]
            batch = concatenate(space, seen, create_empty_array(space, len(posts)))  # type: ignore[arg-type]
        if isinstance(self.model.action_space, Box) and self._losses is not _likelihood:
            actions = policy.scale_action(actions)
        observations, _ = policy.obs_to_tensor(batch)
        return Examples(observations, th.as_tensor(actions, device=self.model.device))

    def losses(self, examples: Examples) -> th.Tensor:
        """Returns how badly the policy fits each post, of shape ``(n,)``."""
        return self._losses(self.network, examples.observations, examples.actions)

    def finish(self) -> None:
        """Lets the target networks follow."""
        for network, target in self._targets:
            target.load_state_dict(network.state_dict())


def _each(observations: Any, function: Callable[[Any], Any]) -> Any:
    """Applies a function to a batch, or to each part of one that has several."""
    if isinstance(observations, dict):
        return {key: function(part) for key, part in observations.items()}
    return function(observations)


def concatenated(parts: Sequence[Examples]) -> Examples:
    """Returns several batches as one."""
    actions = th.cat([part.actions for part in parts])
    first = parts[0].observations
    if isinstance(first, dict):
        return Examples(
            {key: th.cat([part.observations[key] for part in parts]) for key in first}, actions
        )
    return Examples(th.cat([part.observations for part in parts]), actions)


def spread(examples: Examples) -> npt.NDArray[np.float64]:
    """Returns the standard deviation of the actions, of shape ``space.shape``."""
    deviation: npt.NDArray[np.float64]
    deviation = examples.actions.double().std(dim=0, correction=0).cpu().numpy()
    return deviation


def _likelihood(policy: ActorCriticPolicy, observations: Any, actions: th.Tensor) -> th.Tensor:
    if isinstance(policy.action_space, Discrete):
        actions = actions.long().flatten()
    _, log_likelihood, _ = policy.evaluate_actions(observations, actions)
    return -log_likelihood


def _shares(q_net: Any, observations: Any, actions: th.Tensor) -> th.Tensor:
    values = q_net(observations)
    seen = functional.one_hot(actions.long().flatten(), values.shape[1]).to(values.dtype)
    loss: th.Tensor = ((values - seen) ** 2).sum(dim=1)
    return loss


def _mode_and_spread(actor: Any, observations: Any, actions: th.Tensor) -> th.Tensor:
    mean, log_std, _ = actor.get_action_dist_params(observations)
    distance = ((th.tanh(mean) - actions) ** 2).sum(dim=1)
    if actor.use_sde:
        return distance  # its spread depends on the state, and is learned from scores
    # The spread is fitted around the mode, and must not move it.
    likelihood = actor.action_dist.proba_distribution(mean.detach(), log_std).log_prob(actions)
    loss: th.Tensor = distance - likelihood
    return loss


def _distance(actor: Any, observations: Any, actions: th.Tensor) -> th.Tensor:
    loss: th.Tensor = ((actor(observations) - actions) ** 2).sum(dim=1)
    return loss
