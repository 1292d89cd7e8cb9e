import csv
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from kilroy_gym import cli

ENV = "Kilroy-Bernoulli-v0"
EXAMPLES = Path(__file__).parents[1] / "examples"


def run(*args):
    """Runs the command in this process; returns its exit code."""
    with pytest.raises(SystemExit) as ended:
        cli.main([str(arg) for arg in args])
    return ended.value.code or 0


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def own_face(tmp_path):
    """A file in the current folder with a Face and a module, to be named on the command line."""
    source = (EXAMPLES / "own_face.py").read_text(encoding="utf-8")
    (tmp_path / "mine.py").write_text(source, encoding="utf-8")
    yield "mine"
    sys.modules.pop("mine", None)


def test_environments_are_listed_with_a_line_each(capsys):
    assert run("envs") == 0
    printed = capsys.readouterr().out
    assert ENV in printed
    assert "The Face of the original Kilroy notebook" in printed


def test_the_roster_is_listed(capsys):
    assert run("agents") == 0
    printed = capsys.readouterr().out
    assert "module" in printed
    assert "uniform" in printed
    assert "the floor" in printed.lower()


def test_training_shows_and_writes_what_happened(capsys):
    assert run("train", ENV, "--posts", 500, "--seed", 3, "--out", "results") == 0
    printed = capsys.readouterr().out
    assert "after the warm start" in printed
    assert "after 500 posts" in printed
    out = Path("results")
    names = {path.name for path in out.iterdir()}
    assert names == {"agent.json", "scores.csv", "scores.png", "summary.json"}
    with (out / "scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["post"]) for row in rows] == list(range(1, 501))
    assert set(rows[0]) == {
        "post", "round", "post_id", "x", "score", "expected_score", "best_score"
    }  # fmt: skip
    summary = json.loads((out / "summary.json").read_text())
    assert summary["posts"] == 500
    assert summary["mean_score"] == sum(float(row["score"]) for row in rows) / 500
    assert summary["figures"]["after the warm start"]["p"] == 0.34001284216836875
    assert summary["figures"]["after 500 posts"]["p"] > 0.99
    assert (out / "scores.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_seed_writes_the_same_scores():
    for name in ("a", "b"):
        run("train", ENV, "--posts", 100, "--seed", 3, "--out", name)
    run("train", ENV, "--posts", 100, "--seed", 4, "--out", "c")
    a, b, c = (Path(name, "scores.csv").read_text() for name in "abc")
    assert a == b != c


def test_a_cold_start_mimics_nothing():
    run("train", ENV, "--posts", 10, "--no-warm-start", "--out", "cold")
    figures = json.loads(Path("cold/summary.json").read_text())["figures"]
    assert list(figures) == ["untrained", "after 10 posts"]
    assert figures["untrained"]["p"] == 0.5


def test_results_go_to_a_new_folder_each_time(capsys):
    for _ in range(2):
        assert run("train", ENV, "--posts", 10) == 0
    assert {path.name for path in Path("runs").iterdir()} == {
        f"{ENV}-module-0",
        f"{ENV}-module-0-2",
    }


def test_an_agent_of_the_roster_trains():
    assert run("train", ENV, "--agent", "uniform", "--posts", 200, "--out", "u") == 0
    assert abs(json.loads(Path("u/summary.json").read_text())["mean_score"]) < 0.3


SCORED = """
from kilroy_gym import PostData
from mine import AnimalFace


class ScoredFace(AnimalFace):
    def scrap_scored(self, limit=None):
        yield from ((n, PostData(x), n) for n, x in enumerate(["cat", "duck", "duck"]))
"""


def test_what_scored_better_is_mimicked_more_often_on_request(own_face, tmp_path):
    (tmp_path / "scored.py").write_text(SCORED)
    (tmp_path / "notes.py").write_text(
        "import mine\nclass Notes(mine.AnimalModule):\n"
        "    def metrics(self):\n        return dict(self.weights)\n"
    )
    args = ["--face", "scored:ScoredFace", "--module", "notes:Notes", "--posts", 10]
    assert run("train", *args, "--weight-by-score", "--post-rate", 0, "--out", "o") == 0
    figures = json.loads(Path("o/summary.json").read_text())["figures"]["after the warm start"]
    assert sum(figures.values()) == 300  # three posts, a hundred times
    assert figures["cat"] == pytest.approx(50, abs=10)  # the lowest of the ranks 1, 2 and 3


def test_an_own_face_and_module_train(own_face, capsys):
    args = ["--face", f"{own_face}:AnimalFace", "--module", f"{own_face}:AnimalModule"]
    assert run("train", *args, "--posts", 200, "--post-rate", 0, "--out", "o") == 0
    assert "The agent itself was not kept" in " ".join(capsys.readouterr().out.split())
    assert json.loads(Path("o/summary.json").read_text())["last_tenth_mean_score"] == 5.0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["Kilroy-Bernouli-v0"], "Did you mean: `Kilroy-Bernoulli`?"),
        (["CartPole-v1"], "is not a Kilroy environment; make one with"),
        ([], "give either ENV (`kilroy-gym envs` lists them) or --face"),
        ([ENV, "--agent", "uniforn"], "Did you mean 'uniform'?"),
        ([ENV, "--agent", "missing.py"], "there is no agent file missing.py"),
        ([ENV, "--agent", "uniform", "--module", "a:b"], "either --agent or --module"),
        ([ENV, "--post-rate", "1"], "--post-rate is for a --face of your own"),
        ([ENV, "--posts", "5"], "--posts 5 is less than one --round of 10"),
        (["--face", "mine:AnimalFace"], "--face needs --module"),
        (["--face", "mine", "--module", "mine:AnimalModule"], "'mine' must be of the form"),
        (["--face", "mine:Nope", "--module", "mine:AnimalModule"], "no attribute 'Nope'"),
        (["--face", "nowhere:F", "--module", "mine:AnimalModule"], "No module named 'nowhere'"),
        (["--face", "mine:AnimalModule", "--module", "mine:AnimalModule"], "give a KilroyFace"),
        ([ENV, "--weight-by-score"], "SimulatedFace has no scrap_scored(limit)"),
        ([ENV, "--weight-by-score", "--no-warm-start"], "leave --no-warm-start out"),
        ([ENV, "--out", "taken"], "taken is not empty"),
    ],
)
def test_a_mistake_is_told_in_a_line(args, message, own_face, capsys):
    Path("taken").mkdir()
    Path("taken/kept.txt").write_text("kept")
    assert run("train", *args) == 2
    error = capsys.readouterr().err
    assert message in " ".join(error.split())
    assert "Traceback" not in error
    assert not Path("runs").exists() or not any(Path("runs").iterdir())
    assert Path("taken/kept.txt").read_text() == "kept"


def test_a_mistake_in_the_users_own_code_keeps_its_traceback(tmp_path):
    (tmp_path / "broken.py").write_text("def make_agent(env, seed):\n    return None.agent\n")
    with pytest.raises(AttributeError, match="agent"):
        cli.main(["train", ENV, "--agent", "broken.py"])


@pytest.mark.parametrize("option", [["--posts", "0"], ["--round", "0"], ["--seed", "-1"]])
def test_numbers_out_of_range_are_refused(option, capsys):
    assert run("train", ENV, *option) == 2
    error = capsys.readouterr().err
    assert f"Invalid value for '{option[0]}'" in error
    assert "Usage: kilroy-gym train" in error


def test_ctrl_c_stops_and_keeps_what_was_learned(own_face):
    command = [
        sys.executable, "-c", "from kilroy_gym.cli import main; main()", "train",
        "--face", "mine:AnimalFace", "--module", "mine:AnimalModule",
        "--round", "2", "--post-rate", "0.05", "--posts", "1000000", "--out", "stopped",
    ]  # fmt: skip
    # Where the tests run in the background of a shell, Ctrl-C would be ignored.
    listen = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ, preexec_fn=listen
    )
    scores = Path("stopped/scores.csv")
    while process.poll() is None and not (scores.exists() and scores.stat().st_size > 200):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate()
    assert process.returncode == 130
    assert "What was learned until then is kept" in printed
    summary = json.loads(Path("stopped/summary.json").read_text())
    with scores.open() as file:
        assert summary["posts"] == len(list(csv.DictReader(file))) > 0
    assert summary["interrupted"] is True
