import runpy
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_the_benchmark_prints_ratios_of_stepping_and_training(monkeypatch, capsys):
    arguments = ["sb3.py", "--slots", "8", "--steps", "5", "--updates", "1"]
    monkeypatch.setattr(sys, "argv", arguments)
    runpy.run_path(str(BENCHMARKS / "sb3.py"), run_name="__main__")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert [line[:-3] for line in lines] == [["stepping"], ["A2C", "training"], ["PPO", "training"]]
    for *_, ours, theirs, ratio in lines:
        ours, theirs = float(ours.replace(",", "")), float(theirs.replace(",", ""))
        assert abs(ours / theirs - float(ratio)) < 0.1


def test_the_search_prints_the_best_settings_first(monkeypatch, capsys):
    arguments = ["--trials", "3", "--seeds", "1", "--final-seeds", "1", "--posts", "200"]
    monkeypatch.setattr(sys, "argv", ["tune.py", "a2c", *arguments])
    runpy.run_path(str(BENCHMARKS / "tune.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()[1:]
    figures = [float(line.split()[1]) for line in lines]
    assert len(figures) == 3
    assert figures == sorted(figures)
    assert all("'learning_rate':" in line for line in lines)
