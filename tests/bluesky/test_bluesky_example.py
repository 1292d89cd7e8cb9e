"""The example that trains live on a network of its own."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import bluesky_local
import pytest

SCRIPT = Path(bluesky_local.__file__)
RESULT = re.compile(
    r"Likes per post rose from ([\d.]+) in the first 50 posts to ([\d.]+) in the last"
)


def started(folder, *args, **options):
    return subprocess.Popen(
        [sys.executable, SCRIPT, *args],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


@pytest.fixture
def hurried(monkeypatch):
    """Little time for readers, as nobody looks at what they liked."""
    monkeypatch.setattr(bluesky_local, "PACE_S", 0.0)
    monkeypatch.setattr(bluesky_local, "SETTLING_S", 0.1)
    for name in ("BLUESKY_HANDLE", "BLUESKY_PASSWORD"):
        monkeypatch.setenv(name, "")  # what the example sets is gone afterwards


@pytest.mark.usefixtures("hurried")
def test_the_example_shows_each_round_and_draws_the_likes(network, tmp_path, monkeypatch, capsys):
    bluesky_local.train(network, tmp_path, rounds=3)
    bluesky_local.conclude(tmp_path)
    header, *rounds, result = capsys.readouterr().out.splitlines()
    assert header.split()[0] == "round"
    assert [line.split()[0] for line in rounds] == ["1", "2", "3"]
    assert result.endswith(f"the picture is {tmp_path / 'likes.png'}.")
    assert (tmp_path / "likes.png").read_bytes().startswith(b"\x89PNG")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    bluesky_local.conclude(tmp_path)
    assert "pip install 'kilroy-gym[compare]'" in capsys.readouterr().out


def test_where_node_is_missing_the_example_says_so_in_a_line(tmp_path):
    example = started(tmp_path, env={"PATH": str(tmp_path), "PYTHONPATH": ":".join(sys.path)})
    printed, errors = example.communicate()
    assert example.returncode == 2
    assert printed == ""
    (line,) = errors.splitlines()
    assert "node is missing: install nodejs" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("network")
def test_the_example_can_be_stopped(tmp_path):
    example = started(tmp_path)
    lines = iter(example.stdout.readline, "")
    assert any(line.split()[:1] == ["round"] for line in lines)
    example.send_signal(signal.SIGINT)
    printed, errors = example.communicate()
    assert example.returncode == 130
    assert "Stopped; `kilroy-gym feed runs/bluesky-local` shows the posts." in printed
    assert errors == ""


@pytest.mark.usefixtures("network")
def test_likes_per_post_rise_in_the_example(tmp_path):
    printed, errors = started(tmp_path).communicate()
    assert errors == ""
    before, after = map(float, RESULT.search(printed).groups())
    assert after > 2 * before
    command = "from kilroy_gym.cli import main; main()"
    feed = ["feed", "runs/bluesky-local", "--html", "feed.html"]
    subprocess.run([sys.executable, "-c", command, *feed], cwd=tmp_path, check=True)
    assert (tmp_path / "feed.html").read_text().count("<tr><td>") == 300
