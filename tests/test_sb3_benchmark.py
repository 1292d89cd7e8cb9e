import runpy
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def test_the_benchmark_prints_ratios_of_stepping_and_training(monkeypatch, capsys):
    arguments = ["sb3.py", "--slots", "8", "--steps", "5", "--updates", "1"]
    monkeypatch.setattr(sys, "argv", arguments)
    runpy.run_path(str(BENCHMARKS / "sb3.py"), run_name="__main__")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert [line[:-3] for line in lines] == [["stepping"], ["A2C", "training"], ["PPO", "training"]]
    for *_, ours, theirs, ratio in lines:
        ours, theirs = float(ours.replace(",", "")), float(theirs.replace(",", ""))
        assert abs(ours / theirs - float(ratio)) < 0.1
