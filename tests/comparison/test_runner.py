import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kilroy_gym.adapters import load_agent_file
from kilroy_gym.comparison.plan import Plan
from kilroy_gym.comparison.play import play
from kilroy_gym.comparison.results import Recorder, RunResult
from kilroy_gym.comparison.runner import DIED, UNPLAYED, play_all, result_file
from kilroy_gym.comparison.summary import summarize
from kilroy_gym.comparison.table import sentences
from kilroy_gym.comparison.workers import Processes
from kilroy_gym.comparison.write import write_all
from kilroy_gym.training import KilroyTrainer

ENV = "Kilroy-Bernoulli-v0"
SMALL = {"seeds": 2, "posts": 120}
SPAWN = multiprocessing.get_context("spawn")
ROOT = Path(__file__).parents[2]


def figures(plan, directory, runner=None):
    """All that a comparison says, but for the time that it took."""
    failures = play_all(plan, directory, runner or Processes(2))
    write_all(summarize(plan, directory, failures), directory)
    summary = json.loads((directory / "summary.json").read_text())
    for row in summary["agents"]:
        assert row.pop("wall_s")["iqm"] > 0
    return summary, (directory / "results.csv").read_bytes()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small comparison that went through, with its figures."""
    plan = Plan.checked(ENV, ["module", "uniform"], **SMALL)
    directory = plan.directory(tmp_path_factory.mktemp("finished"))
    return plan, directory, figures(plan, directory)


def test_the_same_seeds_give_the_same_figures_twice(finished, tmp_path):
    plan, _, expected = finished
    assert figures(plan, plan.directory(tmp_path)) == expected


def test_a_run_is_what_the_trainer_does_with_its_seed(finished):
    plan, directory, _ = finished
    run = next(run for run in plan.runs if run.name == "module-warm-1")
    env = gym.make_vec(ENV, num_envs=10)
    trainer = KilroyTrainer(env, load_agent_file("module")(env, 1), seed=1).fine_tune()
    recorder = Recorder(120)
    trainer.run(posts=120, callback=recorder)
    expected = recorder.result(0.0, "")
    found = RunResult.load(result_file(directory, run.name))
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert found.rollout == "10"


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_any_finished_runs_are_kept_and_the_rest_gives_the_same(finished, tmp_path_factory, data):
    plan, directory, expected = finished
    lost = data.draw(st.sets(st.sampled_from([run.name for run in plan.runs])))
    copy = tmp_path_factory.mktemp("interrupted") / "out"
    shutil.copytree(directory, copy)
    for name in lost:
        result_file(copy, name).unlink()
    kept = {path: path.stat().st_mtime_ns for path in (copy / "runs").glob("*.npz")}
    assert figures(plan, copy) == expected
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_a_run_that_raises_is_told_and_the_others_go_on(tmp_path, agent_file):
    own = agent_file("own", "if seed == 1: raise RuntimeError('first line\\nno luck')")
    plan = Plan.checked(ENV, [own, "uniform"], warm_start="no", **SMALL)
    directory = plan.directory(tmp_path / "out")
    (failure,) = play_all(plan, directory)
    assert (failure.run.name, failure.error) == ("own-cold-1", "no luck")
    assert "raise RuntimeError" in failure.file.read_text()
    summary = summarize(plan, directory, [failure]).as_json()
    assert {row["agent"]: row["seeds"] for row in summary["agents"]} == {"own": 1, "uniform": 2}
    assert summary["failed"] == [
        {"agent": "own", "warm_start": False, "seed": 1, "error": "no luck"}
    ]


def test_a_failed_run_is_repeated_and_its_error_forgotten(tmp_path, agent_file):
    mended = tmp_path / "mended"
    own = agent_file("own", f"import os\nassert os.path.exists({str(mended)!r}), 'broken'")
    plan = Plan.checked(ENV, [own], seeds=1, warm_start="no", posts=20)
    directory = plan.directory(tmp_path / "out")
    (failure,) = play_all(plan, directory)
    assert failure.error == "AssertionError: broken"
    mended.touch()
    assert play_all(plan, directory) == []
    assert [path.name for path in (directory / "runs").iterdir()] == ["own-cold-0.npz"]


@pytest.mark.parametrize("end", ["sys.exit('enough')", "os._exit(3)"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_ends_its_process_is_told_and_the_others_go_on(tmp_path, agent_file, end, jobs):
    own = agent_file("own", f"import os, sys\nif seed == 0: {end}")
    plan = Plan.checked(ENV, [own, "module"], warm_start="no", seeds=3, posts=20)
    directory = plan.directory(tmp_path / "out")
    (failure,) = play_all(plan, directory, Processes(jobs))
    assert failure.run.name == "own-cold-0"
    assert failure.error == (DIED if "_exit" in end else "SystemExit: enough")
    assert failure.file.exists()
    finished = {path.stem for path in (directory / "runs").glob("*.npz")}
    assert finished == {run.name for run in plan.runs} - {"own-cold-0"}


GLOBAL_STREAMS = """
import random
import numpy as np
{first}

class Agent:
    def __init__(self, env):
        import torch
        self.env = env
        self.draws = [random.random(), np.random.random(), torch.rand(1).item()]

    def predict(self, *args, **kwargs): ...
    def mimic(self, posts): ...
    def save(self, path): ...

    def learn(self, total_timesteps, callback=None, progress_bar=False):
        from kilroy_gym.adapters import Round
        scores = self.draws * (total_timesteps // 3)
        callback(Round(1, range(len(scores)), [None] * len(scores), scores))


def make_agent(env, seed):
    return Agent(env)
"""


def test_every_global_stream_is_seeded_also_in_the_run_that_first_imports_torch(
    tmp_path, agent_file
):
    own = agent_file("own", source=GLOBAL_STREAMS)
    plan = Plan.checked(ENV, [own], seeds=2, posts=30, warm_start="no")
    draws = []
    for out in ("first", "second"):
        directory = plan.directory(tmp_path / out)
        assert play_all(plan, directory, Processes(1)) == []
        files = [result_file(directory, run.name) for run in plan.runs]
        draws.append([RunResult.load(file).scores[:3].tolist() for file in files])
    assert draws[0] == draws[1]
    assert not set(draws[0][0]) & set(draws[0][1])


def greedy(posts):
    return f"""
def make_agent(env, seed):
    from kilroy_gym import ModuleAgent, module_for
    class Greedy(ModuleAgent):
        def learn(self, total_timesteps, callback=None, progress_bar=False):
            return super().learn({posts}, callback, progress_bar)
    return Greedy(module_for(env, seed), env)
"""


def test_an_agent_that_passes_its_budget_fails(tmp_path, agent_file):
    own = agent_file("own", source=greedy("total_timesteps + 10"))
    plan = Plan.checked(ENV, [own], seeds=1, posts=20, warm_start="no")
    (failure,) = play_all(plan, plan.directory(tmp_path / "out"))
    assert "the agent made 30 posts, its budget is 20" in failure.error


def test_an_agent_that_makes_fewer_posts_is_ranked_by_mean_score(tmp_path, agent_file):
    own = agent_file("own", source=greedy("20"))
    plan = Plan.checked(ENV, [own, "uniform"], seeds=2, posts=120, warm_start="no")
    directory = plan.directory(tmp_path / "out")
    assert play_all(plan, directory) == []
    summary = summarize(plan, directory)
    assert summary.ranked_by == "mean_score"
    assert {row.agent: row.posts for row in summary.rows} == {"own": 20, "uniform": 120}


def test_what_a_run_warns_about_is_noted(tmp_path, agent_file):
    warn = "import warnings\nfor _ in range(2): warnings.warn(f'never updated')"
    plan = Plan.checked(ENV, [agent_file("own", warn)], seeds=2, posts=20, warm_start="no")
    directory = plan.directory(tmp_path / "out")
    assert play_all(plan, directory) == []
    summary = summarize(plan, directory)
    assert summary.as_json()["agents"][0]["notes"] == ["never updated"]
    assert "own, cold: never updated." in sentences(summary)


def test_no_jobs_are_refused():
    with pytest.raises(ValueError, match="jobs must not be 0"):
        Processes(0)


@pytest.mark.parametrize("executor", [lambda: ProcessPoolExecutor(2, SPAWN), ThreadPoolExecutor])
def test_an_executor_gives_the_same_as_the_workers(finished, tmp_path, executor):
    plan, _, expected = finished
    with executor() as pool:
        assert figures(plan, plan.directory(tmp_path), pool.map) == expected


def test_runs_played_one_after_another_in_this_process_give_the_same(finished, tmp_path):
    plan, _, expected = finished
    assert figures(plan, plan.directory(tmp_path), map) == expected


def test_a_pool_that_breaks_says_of_each_run_whether_it_died_or_was_never_played(
    tmp_path, agent_file
):
    own = agent_file("own", "import os\nif seed == 1: os._exit(3)")
    plan = Plan.checked(ENV, [own], warm_start="no", seeds=4, posts=20)
    directory = plan.directory(tmp_path / "out")
    with ProcessPoolExecutor(1, SPAWN) as pool:
        failures = play_all(plan, directory, pool.map)
    assert {failure.run.seed: failure.error for failure in failures} == {
        1: DIED, 2: UNPLAYED, 3: UNPLAYED
    }  # fmt: skip
    assert {path.name for path in (directory / "runs").iterdir()} == {
        "own-cold-0.npz", *(f"own-cold-{seed}.error.txt" for seed in (1, 2, 3))
    }  # fmt: skip


WITHOUT_JOBLIB = f"""
import sys
sys.modules["joblib"] = None
from pathlib import Path
from kilroy_gym.comparison.plan import Plan
from kilroy_gym.comparison.runner import play_all
plan = Plan.checked({ENV!r}, ["uniform"], seeds=1, posts=20, warm_start="no")
print(play_all(plan, plan.directory(Path("out")), map), *Path("out/runs").iterdir())
"""


def test_a_runner_of_ones_own_needs_no_joblib(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_JOBLIB],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.strip() == f"[] {Path('out/runs/uniform-cold-0.npz')}", done.stderr


@pytest.mark.parametrize("damage", [lambda _: b"", lambda _: b"not an archive", lambda b: b[:-9]])
def test_what_is_not_the_result_of_a_run_is_refused_by_name(tmp_path, damage):
    path = tmp_path / "x.npz"
    RunResult(np.ones(3), None, None, 1.0, "10").save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"x\.npz does not hold the result of a run"):
        RunResult.load(path)


def test_a_run_is_played_without_workers_just_the_same(finished):
    plan, directory, _ = finished
    run = plan.runs[-1]
    found, here = RunResult.load(result_file(directory, run.name)), play(plan, run)
    np.testing.assert_array_equal(found.scores, here.scores)
    np.testing.assert_array_equal(found.best_scores, here.best_scores)
