import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kilroy_gym.cli import main

ENV = "Kilroy-Bernoulli-v0"
ROOT = Path(__file__).parents[2]
# Whoever started the tests may ignore Ctrl-C, and that is inherited.
COMMAND = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from kilroy_gym.cli import main; main()"
)


def compare(*args):
    """Runs the command here; returns its exit code."""
    with pytest.raises(SystemExit) as stopped:
        main(["compare", *map(str, args)])
    return stopped.value.code


def started(*args, **kwargs):
    """Starts the command as a process of its own, with a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "compare", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **kwargs,
    )


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The results of a comparison that the command made."""
    directory = tmp_path_factory.mktemp("compare") / "out"
    assert compare(ENV, "module", "uniform", "--seeds", 3, "--posts", 200, "--out", directory) == 0
    return directory


def test_it_leaves_a_summary_of_every_agent_and_warm_start(out):
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["env"], summary["posts"], summary["round"]) == (ENV, 200, 10)
    assert summary["versions"].keys() >= {"python", "kilroy_gym", "gymnasium", "numpy"}
    rows = {(row["agent"], row["warm_start"]): row for row in summary["agents"]}
    assert list(rows) == [
        ("module", False), ("module", True), ("uniform", False), ("uniform", True)
    ]  # fmt: skip
    for row in rows.values():
        assert (row["seeds"], row["posts"]) == (3, 200)
        for name in ("mean_score", "regret", "posts_to_95", "final_score", "wall_s"):
            assert row[name]["low"] <= row[name]["iqm"] <= row[name]["high"]
    assert rows["uniform", False]["reached"] == 0
    assert rows["uniform", False]["posts_to_95"] == {"iqm": 200, "low": 200, "high": 200}
    assert rows["module", False]["regret"]["high"] < rows["uniform", False]["regret"]["low"]


def test_it_leaves_a_row_for_every_post(out):
    with (out / "results.csv").open(newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    assert reader.fieldnames == [
        "agent", "warm_start", "seed", "post", "score", "expected_score", "best_score"
    ]  # fmt: skip
    assert len(rows) == 2 * 2 * 3 * 200
    assert {row["warm_start"] for row in rows} == {"true", "false"}
    assert [int(row["post"]) for row in rows[:200]] == list(range(1, 201))
    assert all(float(row["score"]) in (-1.0, 1.0) for row in rows)
    summary = json.loads((out / "summary.json").read_text())
    regrets = [
        sum(float(r["best_score"]) - float(r["expected_score"]) for r in rows[start : start + 200])
        for start in range(0, 600, 200)
    ]
    assert summary["agents"][0]["regret"]["iqm"] == pytest.approx(sum(regrets) / 3)


def test_it_leaves_a_picture_and_a_report_that_needs_nothing_else(out):
    assert (out / "learning_curves.png").read_bytes().startswith(b"\x89PNG")
    page = (out / "report.html").read_text()
    assert page.count("data:image/svg+xml;base64,") == 1
    assert "http://" not in page
    assert "https://" not in page
    for text in ("module", "uniform", ENV, "kilroy-gym compare", "posts to 95%", "beyond noise"):
        assert text in page


@pytest.mark.parametrize(("width", "tables"), [("80", 2), ("125", 1), ("200", 1)])
def test_the_table_shows_everything_however_narrow_the_terminal(
    out, width, tables, monkeypatch, capsys
):
    monkeypatch.setenv("COLUMNS", width)
    assert compare(ENV, "module", "uniform", "--seeds", 3, "--posts", 200, "--out", out) == 0
    shown = capsys.readouterr().out
    table = shown[: shown.index("Written to")]
    assert max(map(len, table.splitlines())) <= int(width)
    titles = ("agent", "start", "mean score", "regret", "posts to 95%", "reached", "final score")
    for text in (*titles, "seconds", "round", "uniform", "warm", "cold", "0/3", "beyond noise"):
        assert text in table
    assert table.count(" agent ") == tables
    assert "…" not in table


def test_without_an_out_it_goes_on_in_its_own_directory(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = ("--seeds", 1, "--posts", 20, "--warm-start", "no", "--jobs", 1)
    assert compare(ENV, "uniform", *options) == 0
    (directory,) = (tmp_path / "runs").iterdir()
    made = (directory / "runs" / "uniform-cold-0.npz").stat().st_mtime_ns
    assert compare(ENV, "uniform", *options) == 0
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [directory.name]
    assert (directory / "runs" / "uniform-cold-0.npz").stat().st_mtime_ns == made
    assert f"runs/{directory.name}/" in capsys.readouterr().out


def test_a_failed_run_is_named_with_its_error_and_the_exit_code_says_so(
    tmp_path, agent_file, capsys
):
    own = agent_file("own", "if seed == 1: raise RuntimeError('<b>no [red]luck</b>')")
    out = tmp_path / "out"
    options = ("--seeds", 2, "--posts", 20, "--warm-start", "no", "--out", out)
    assert compare(ENV, own, "uniform", *options) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "Failed: own-cold-1: RuntimeError: <b>no [red]luck</b>" in shown
    assert "own, cold has 1 of 2 runs" in shown
    page = (out / "report.html").read_text()
    assert "&lt;b&gt;no [red]luck&lt;/b&gt;" in page
    assert "<b>" not in page


def test_where_every_run_fails_there_is_still_a_report(tmp_path, agent_file, capsys):
    own = agent_file("own", "raise RuntimeError('no luck')")
    out = tmp_path / "out"
    assert compare(ENV, own, "--seeds", 1, "--posts", 20, "--out", out) == 1
    assert "nothing to compare" in capsys.readouterr().out
    assert json.loads((out / "summary.json").read_text())["agents"] == []
    assert "no luck" in (out / "report.html").read_text()


@pytest.mark.parametrize("name", ["_hidden", "a$b$c", "b<i>", "[red]"])
def test_names_of_agents_are_shown_as_they_are(tmp_path, agent_file, name, capsys):
    out = tmp_path / "out"
    options = ("--seeds", 1, "--posts", 20, "--warm-start", "no", "--out", out)
    assert compare(ENV, agent_file(name), *options) == 0
    assert f"{name}, cold has the least regret" in capsys.readouterr().out
    assert "<i>, cold" not in (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((ENV, "modul"), "Did you mean 'module'?"),
        (("Kilroy-Bernouli-v0", "module"), "Did you mean: `Kilroy-Bernoulli`?"),
        ((ENV, "module", "--seeds", "0"), "seeds must be at least 1, got 0"),
        ((ENV, "module", "--posts", "5"), "raise posts or lower round"),
        ((ENV, "module", "module"), "is given twice"),
        ((ENV, "./missing.py"), "there is no agent file missing.py"),
        ((ENV, "module", "--jobs", "0"), "jobs must not be 0"),
    ],
)
def test_bad_input_is_told_in_a_line_before_any_run(tmp_path, monkeypatch, args, message, capfd):
    monkeypatch.chdir(tmp_path)
    assert compare(*args) == 2
    error = capfd.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not list(tmp_path.glob("runs/*/runs/*"))


@pytest.mark.parametrize("package", ["joblib", "scipy", "matplotlib"])
def test_a_missing_package_is_named_with_the_extra_and_needed_by_no_other_command(
    tmp_path, package
):
    def without(*args):
        hidden = f"import sys; sys.modules[{package!r}] = None\n"
        command = [sys.executable, "-c", hidden + COMMAND, *args]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env)

    refused = without("compare", ENV, "module")
    assert refused.returncode == 2
    assert f"need {package}: pip install 'kilroy-gym[compare]'" in refused.stderr
    assert without("train", ENV, "--posts", "20", "--out", "trained").returncode == 0


def test_importing_kilroy_gym_loads_nothing_of_the_extra():
    code = (
        "import sys, kilroy_gym, kilroy_gym.cli\n"
        "print({'joblib', 'scipy', 'matplotlib', 'torch'} & set(sys.modules))"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.stdout.strip() == "set()"


STUCK = """
import os
while seed == 2 and os.path.exists({marker!r}):
    with open({fifo!r}, "w") as told:
        told.write("started\\n")
        told.flush()
        import threading
        threading.Event().wait(600)
        told.write("survived\\n")
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_comparison_leaves_no_worker_and_goes_on_to_the_same_results(
    tmp_path, agent_file, how
):
    marker, fifo = tmp_path / "stuck", tmp_path / "fifo"
    os.mkfifo(fifo)
    own = agent_file("own", STUCK.format(marker=str(marker), fifo=str(fifo)))
    args = (ENV, "module", own, "--seeds", 3, "--posts", 100, "--warm-start", "no", "--jobs", 2)
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert compare(*args, "--out", whole) == 0

    marker.touch()
    process = started(*args, "--out", out)
    with fifo.open() as worker:
        assert worker.readline() == "started\n"
        if how == signal.SIGINT:  # as a terminal sends it: to the whole group
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
        shown, errors = process.communicate()
        assert worker.read() == ""  # the end of the file: nobody is left to write to it
    assert process.returncode == {signal.SIGINT: 130}.get(how, -how)
    if how == signal.SIGINT:
        assert "The same command goes on" in " ".join(shown.split())
    assert "Traceback" not in errors
    finished = {path: path.stat().st_mtime_ns for path in (out / "runs").glob("*.npz")}
    assert 0 < len(finished) < 6

    marker.unlink()
    assert compare(*args, "--out", out) == 0
    assert (out / "results.csv").read_bytes() == (whole / "results.csv").read_bytes()
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert {p.name for p in (out / "runs").iterdir()} == {
        p.name for p in (whole / "runs").iterdir()
    }
