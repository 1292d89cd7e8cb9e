"""What a comparison costs beside the bare runs, measured in one go.

``python benchmarks/compare.py`` plays the same runs three times: bare, in this process and
without any records; as a comparison in one worker process that has to start first; and again in
that worker. Then it measures the statistics, the files and the report by themselves.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import gymnasium as gym

from kilroy_gym import KilroyTrainer
from kilroy_gym.adapters import load_agent_file
from kilroy_gym.comparison.plan import Plan
from kilroy_gym.comparison.runner import play_all
from kilroy_gym.comparison.summary import summarize
from kilroy_gym.comparison.workers import Processes
from kilroy_gym.comparison.write import write_all


def seconds(work: Callable[[], object]) -> float:
    """Returns how long something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def play_bare(plan: Plan) -> None:
    """Plays the runs as a user would without the comparison."""
    for run in plan.runs:
        env = gym.make_vec(plan.env_id, num_envs=plan.update_rate)
        agent = load_agent_file(run.agent.path)(env, run.seed)
        trainer = KilroyTrainer(env, agent, seed=run.seed)
        if run.warm_start:
            trainer.fine_tune(progress_bar=False)
        trainer.run(posts=plan.posts, progress_bar=False)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--env", default="Kilroy-Bernoulli-v0")
    parser.add_argument("--agents", nargs="+", default=["module", "uniform"])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--posts", type=int, default=5000)
    given = parser.parse_args()
    plan = Plan.checked(given.env, given.agents, given.seeds, given.posts)
    play_bare(replace(plan, seeds=1))  # imports, before anything is measured
    bare = seconds(lambda: play_bare(plan))
    with tempfile.TemporaryDirectory() as folder:
        first, second = (plan.directory(Path(folder) / name) for name in ("first", "second"))
        starting = seconds(lambda: play_all(plan, first, Processes(1)))
        started = seconds(lambda: play_all(plan, second, Processes(1)))
        reporting = seconds(lambda: write_all(summarize(plan, second), second))
    count = len(plan.runs)
    print(f"{count} runs of {plan.posts:,} posts on {plan.env_id}, one after another")
    print(f"bare runs                        {bare:7.2f} s   1.00 x")
    for name, took in (
        ("comparison, worker starting", starting),
        ("comparison, worker running", started),
        ("statistics, files and report", reporting),
    ):
        print(f"{name:<30}   {took:7.2f} s   {took / bare:.2f} x")
    print(f"bookkeeping a run: {1000 * (started - bare) / count:.1f} ms")


if __name__ == "__main__":
    main()
