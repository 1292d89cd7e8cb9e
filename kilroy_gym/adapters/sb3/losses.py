"""How badly a policy fits posts: the losses of cloning.

Each takes the acting network, a batch of observations and the actions taken there, and returns a
loss per post, of shape ``(n,)``.
"""

from typing import Any

import torch as th
from gymnasium.spaces import Discrete
from torch.nn import functional

from kilroy_gym.interfaces import Observation


def likelihood(policy: Any, observations: Observation, actions: th.Tensor) -> th.Tensor:
    """The negative log-likelihood of the posts."""
    _, log_likelihood, _ = policy.evaluate_actions(observations, _whole(policy, actions))
    return -log_likelihood  # type: ignore[no-any-return]


def likelihood_at_the_start(
    policy: Any, observations: Observation, actions: th.Tensor
) -> th.Tensor:
    """The same of a recurrent policy that remembers nothing, as at the start of each post."""
    from sb3_contrib.common.recurrent.type_aliases import RNNStates

    layers, _, size = policy.lstm_hidden_state_shape
    zeros = th.zeros(layers, len(actions), size, device=actions.device)
    memory = RNNStates((zeros, zeros), (zeros, zeros))
    starts = th.ones(len(actions), device=actions.device)
    _, log_likelihood, _ = policy.evaluate_actions(
        observations, _whole(policy, actions), memory, starts
    )
    return -log_likelihood  # type: ignore[no-any-return]


def shares(q_net: Any, observations: Observation, actions: th.Tensor) -> th.Tensor:
    """The squared distance of the Q values to 1 for what was posted and 0 for the rest.

    Its minimum is the share of each post among all: so the order of the Q values is that of how
    often a post is seen, the greedy action is the commonest post, and no value is out of the
    scale of a score around [-1, 1]. Of quantiles, each one is fitted.
    """
    values = q_net(observations)
    seen = functional.one_hot(actions.long().flatten(), values.shape[-1]).to(values.dtype)
    if values.ndim == 3:
        return ((values - seen[:, None]) ** 2).sum(dim=2).mean(dim=1)  # type: ignore[no-any-return]
    return ((values - seen) ** 2).sum(dim=1)  # type: ignore[no-any-return]


def mode_and_spread(actor: Any, observations: Observation, actions: th.Tensor) -> th.Tensor:
    """The squared distance of the mode to the posts, and the likelihood of the spread around it.

    So the mode becomes the mean of the posts.
    """
    mean, log_std, _ = actor.get_action_dist_params(observations)
    distance = ((th.tanh(mean) - actions) ** 2).sum(dim=1)
    if actor.use_sde:
        return distance  # its spread depends on the state, and is learned from scores
    # The spread is fitted around the mode, and must not move it.
    fit = actor.action_dist.proba_distribution(mean.detach(), log_std).log_prob(actions)
    return distance - fit  # type: ignore[no-any-return]


def distance(actor: Any, observations: Observation, actions: th.Tensor) -> th.Tensor:
    """The squared distance to the posts."""
    return ((actor(observations) - actions) ** 2).sum(dim=1)  # type: ignore[no-any-return]


def _whole(policy: Any, actions: th.Tensor) -> th.Tensor:
    return actions.long().flatten() if isinstance(policy.action_space, Discrete) else actions
