"""What is measured of a run."""

import math
from dataclasses import dataclass

import gymnasium as gym
import numpy as np

from kilroy_gym._records import Floats, mean_of_share
from kilroy_gym.adapters.environments import kilroy_env, whole_posts
from kilroy_gym.comparison.results import RunResult
from kilroy_gym.envs.feed import running_mean

WINDOW = 100
"""Posts that the moving average of ``posts_to_95`` goes over."""

SHARE = 0.95
"""Share of the way from uniform to best that counts as having arrived."""

UNIFORM_RUNS = 10
"""How often the uniform policy is played in each world."""

MEASURES = ("mean_score", "regret", "posts_to_95", "final_score", "wall_s")

HIGHER_IS_BETTER = {"mean_score": True, "regret": False}
"""The measures that agents are ranked by."""


@dataclass(frozen=True)
class Measured:
    """The measures of one run.

    Attributes:
        mean_score: Per post, over the run.
        regret: Summed over posts: the best expected score then, minus the expected score of the
            post that was made; ``None`` where no truth is known.
        posts_to_95: See :func:`arrival`; a run that never arrives counts as the budget.
            ``None`` where posts cannot be made at random, so that there is no uniform level.
        reached: Whether it arrived; likewise.
        final_score: Mean score of the last tenth.
        wall_s: Seconds that the warm start and the posting took.
    """

    mean_score: float
    regret: float | None
    posts_to_95: float | None
    reached: bool | None
    final_score: float
    wall_s: float


def measure(result: RunResult, uniform: Floats | None, best: float | None, budget: int) -> Measured:
    """Measures a run.

    Args:
        result: The run.
        uniform: What :func:`uniform_levels` gives for its world.
        best: The best level where no truth is known.
        budget: The posts that the run was given.
    """
    regret = None
    bests = None if best is None else np.full(len(result.scores), best)
    if result.expected_scores is not None and result.best_scores is not None:
        bests = result.best_scores
        regret = float(np.sum(bests - result.expected_scores))
    posts_to_95, reached = None, None
    if uniform is not None and bests is not None:
        arrived = arrival(result.levels, uniform[: len(bests)], bests)
        posts_to_95, reached = float(arrived or budget), arrived is not None
    return Measured(
        mean_score=float(np.mean(result.scores)),
        regret=regret,
        posts_to_95=posts_to_95,
        reached=reached,
        final_score=mean_of_share(result.scores, 0.9, 1.0),
        wall_s=result.wall_s,
    )


def arrival(levels: Floats, uniform: Floats, best: Floats) -> int | None:
    """Returns the first post at which an agent has come 95% of the way from uniform to best.

    At each post the means of the last 100 levels, of uniform and of best are compared, so a best
    that drifts is followed. Only whole windows count: no agent arrives before its 100th post.

    Args:
        levels: Expected scores of the posts that were made (scores, where no truth is known);
            float64 of shape ``(posts,)``.
        uniform: The level of the uniform policy at the time of each post; likewise.
        best: The best level at the time of each post; likewise.

    Returns:
        The number of the post, from 1, or ``None`` if the agent never arrives.
    """
    level, start, goal = (running_mean(values, WINDOW) for values in (levels, uniform, best))
    rounding = 1e-9 * np.maximum(1.0, np.maximum(np.abs(start), np.abs(goal)))
    arrived = level >= start + SHARE * (goal - start) - rounding
    posts = np.flatnonzero(arrived[WINDOW - 1 :])
    return int(posts[0]) + WINDOW if posts.size else None


def uniform_levels(env_id: str, seed: int, posts: int) -> Floats | None:
    """Returns how good uniformly random actions are at the time of each post.

    They are played ten times from the start of the world that the seed stands for, without any
    agent; the level of a post is the mean of its ten expected scores (scores, where no truth is
    known). ``arrival`` averages that over 100 posts more.

    Args:
        env_id: The environment.
        seed: Seed of the world.
        posts: How many posts to make.

    Returns:
        float64 of shape ``(posts,)``, or ``None`` where the environment has no codec, since then
        posts cannot be made at random.
    """
    slots = min(posts, 100)
    env = whole_posts(gym.make_vec(env_id, num_envs=slots))
    if kilroy_env(env).codec is None:
        return None
    env.action_space.seed(seed)
    total = np.zeros(posts)
    for _ in range(UNIFORM_RUNS):
        env.reset(seed=seed)
        levels: list[Floats] = []
        for _ in range(math.ceil(posts / slots)):
            _, rewards, _, _, infos = env.step(env.action_space.sample())
            levels.append(infos["final_info"].get("expected_score", rewards))
        total += np.concatenate(levels)[:posts]
    env.close()
    return total / UNIFORM_RUNS
