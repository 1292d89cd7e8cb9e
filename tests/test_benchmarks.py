"""The committed measuring scripts run."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- measured by benchmarks/roster.py -->", "<!-- end of what was measured -->"


def run(script, *args, cwd):
    command = [sys.executable, str(ROOT / "benchmarks" / script), *map(str, args)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_roster_is_measured_into_its_readme_and_nothing_else_there_changes(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n\n{BEGIN}\n\nstale figures\n\n{END}\n\nafter\n")
    settings = ("--agents", "module", "uniform", "--module-seeds", 2, "--posts", 20)
    for _ in range(2):  # the second time goes on from what is finished
        run(
            "roster.py",
            *settings,
            "--envs",
            "Kilroy-Bernoulli-v0",
            "--readme",
            readme,
            cwd=tmp_path,
        )
        text = readme.read_text()
        assert text.startswith(f"before\n\n{BEGIN}\n\n20 posts a run")
        assert text.endswith(f"\n\n{END}\n\nafter\n")
        assert "stale figures" not in text
        assert text.count("| `module` |") == text.count("| `uniform` |") == 2


def test_the_roster_has_the_comments_that_its_measures_go_between():
    text = (ROOT / "agents" / "README.md").read_text()
    assert 0 < text.index(BEGIN) < text.index(END)


def test_the_cost_of_a_comparison_is_measured_against_bare_runs(tmp_path):
    shown = run("compare.py", "--seeds", 1, "--posts", 20, cwd=tmp_path)
    assert "bare runs" in shown
    assert "bookkeeping a run" in shown


def test_the_speed_of_text_is_measured_on_a_file_and_without_one(tmp_path):
    (tmp_path / "mine.csv").write_text("body\none two\nthree four\n")
    for given in ([], ["mine.csv", "--text", "body"]):
        shown = run("text.py", *given, "--posts", 20, cwd=tmp_path)
        assert "20 posts of" in shown
        assert "mimicking by the trainer / counting trigrams" in shown
        assert "posts a second" in shown
