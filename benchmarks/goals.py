"""What the modules reach where it matters: one line a goal, over 20 seeds.

``python benchmarks/goals.py`` plays every environment's own module (a few minutes on two cores);
it needs the extra ``compare``.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy.stats import trim_mean

from kilroy_gym import KilroyTrainer, module_for
from kilroy_gym.adapters import Round, load_agent_file
from kilroy_gym.comparison.measures import arrival

Floats = npt.NDArray[np.float64]
BeforeRound = Callable[[Any, Any], None]


@dataclass(frozen=True)
class Played:
    """What a run posted: float64 of shape ``(posts,)`` each, and the audience."""

    expected: Floats
    best: Floats
    contents: list[Any]
    audience: Any


def play(
    env_id: str,
    seed: int,
    posts: int,
    *,
    warm: bool = False,
    agent: str | None = None,
    after_round: BeforeRound | None = None,
    **kwargs: Any,
) -> Played:
    """Plays an environment's own module, or an agent of the roster."""
    env = gym.make_vec(env_id, num_envs=10, **kwargs)
    player = load_agent_file(agent)(env, seed) if agent else module_for(env, seed)
    trainer = KilroyTrainer(env, player, seed=seed)
    if warm:
        trainer.fine_tune(progress_bar=False)
    rounds: list[Round] = []

    def note(played: Round) -> None:
        rounds.append(played)
        if after_round is not None:
            after_round(env.unwrapped, trainer.module)

    trainer.run(posts=posts, callback=note, progress_bar=False)
    made = [played for played in rounds if played.post_ids]
    return Played(
        np.concatenate([played.expected_scores for played in made]),
        np.concatenate([played.best_scores for played in made]),
        [post.x for played in made for post in played.posts],
        env.unwrapped.face.audience,  # type: ignore[attr-defined]
    )


def topics_regret(seed: int, agent: str | None, warm: bool) -> float:
    """Returns the regret of 1,000 posts."""
    played = play("Kilroy-Topics-v0", seed, 1000, agent=agent, warm=warm)
    return float((played.best - played.expected).sum())


def zigzag_arrival(seed: int, warm: bool) -> float:
    """Returns the posts until the mean of 100 is 95% of the best, infinite if it never is."""
    played = play("Kilroy-Zigzag-v0", seed, 1500, warm=warm)
    nothing = np.zeros(len(played.best))
    return arrival(played.expected, nothing, played.best) or np.inf


def growth_shares(seed: int, warm: bool) -> tuple[float, float]:
    """Returns the mean value of the last 1,000 posts, and of 1,500 to 2,500, as shares of best."""
    played = play("Kilroy-Growth-v0", seed, 10_000, warm=warm)
    means = played.audience.means
    shares = means[np.array(played.contents)] / means.max()
    return float(shares[-1000:].mean()), float(shares[1500:2500].mean())


def drift_score(seed: int, told: bool) -> float:
    """Returns the mean score of 5,000 posts; one that is told starts anew at every jump."""
    jumps = 0

    def start_anew(env: Any, module: Any) -> None:
        nonlocal jumps
        audience = env.face.audience
        passed = sum(jump <= audience._posts for jump in audience.jumps)  # noqa: SLF001
        if passed != jumps:
            jumps = passed
            fresh = module_for(env, seed).state()
            module.set_state(fresh | {"next_id": module.state()["next_id"]})

    played = play("Kilroy-Drift-v0", seed, 5000, after_round=start_anew if told else None)
    return float(played.expected.mean())


def delayed_score(seed: int, longest: int) -> float:
    """Returns the mean score of posts 1,000 to 2,000 of a module that does not wait."""
    played = play("Kilroy-Delayed-v0", seed, 2000, wait=False, longest=longest)
    return float(played.expected[1000:].mean())


def timing_share(seed: int, warm: bool) -> float:
    """Returns the share of the contextual optimum that posts 1,500 to 2,000 earn."""
    played = play("Kilroy-Timing-v0", seed, 2000, warm=warm)
    return float(played.expected[1500:].sum() / played.best[1500:].sum())


def tone_score(seed: int, warm: bool) -> float:
    """Returns the mean expected score of posts 400 to 500; the best is 1."""
    return float(play("Kilroy-Tone-v0", seed, 500, warm=warm).expected[400:].mean())


def main() -> None:
    """Prints a line a goal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=-1)
    given = parser.parse_args()

    def over_seeds(figure: Callable[..., Any], *args: Any) -> Floats:
        runs = (delayed(figure)(seed, *args) for seed in range(given.seeds))
        return np.array(Parallel(given.jobs)(runs))

    def topics(agent: str | None, warm: bool) -> float:
        return float(trim_mean(over_seeds(topics_regret, agent, warm), 0.25))

    thompson = topics("thompson", False)
    for warm in (False, True):
        regret = topics(None, warm)
        start = "warm" if warm else "cold"
        print(
            f"Topics, {start}: regret {regret:,.0f} at 1,000 posts, {regret / thompson:.2f}x that "
            f"of Thompson sampling with a flat prior ({thompson:,.0f})"
        )
        arrived = over_seeds(zigzag_arrival, warm)
        print(
            f"Zigzag, {start}: 95% of the best after {np.median(arrived):,.0f} posts (median), "
            f"never in {np.isinf(arrived).sum()} of {len(arrived)}"
        )
        last, early = over_seeds(growth_shares, warm).mean(axis=0)
        print(f"Growth, {start}: {last:.1%} at the end of 10,000 posts, {early:.1%} around 2,000")
        timing = over_seeds(timing_share, warm).mean()
        print(f"Timing, {start}: {timing:.1%} of the optimum before 2,000 posts")
        print(f"Tone, {start}: {over_seeds(tone_score, warm).mean():.1%} of the best at 500 posts")
    drift, told = (over_seeds(drift_score, told).mean() for told in (False, True))
    print(f"Drift: {drift / told:.1%} of a learner that is told of the jumps")
    late, prompt = (over_seeds(delayed_score, longest).mean() for longest in (30, 0))
    print(f"Delayed, without waiting: {late / prompt:.1%} of the same without delay")


if __name__ == "__main__":
    main()
