"""Every Python recipe of the page about other tools runs, where its tool is installed."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "tools.md"
RECIPES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def imported(recipe):
    """Returns the top-level packages that a recipe imports, in its order."""
    for node in ast.walk(ast.parse(recipe)):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


def tool_of(recipe):
    ours = {"gymnasium", "kilroy_gym", "numpy", "jax"}
    return next((name for name in imported(recipe) if name not in ours), "gymnasium")


def test_there_is_a_recipe_for_every_tool_that_python_calls():
    tools = ["gymnasium", "minari", "ray", "tianshou", "torchrl", "d3rlpy", "sbx"]
    assert [tool_of(recipe) for recipe in RECIPES] == tools


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES, ids=tool_of)
def test_a_recipe_runs(recipe, tmp_path, monkeypatch):
    for package in imported(recipe):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    run = subprocess.run(
        [sys.executable, "-c", recipe], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
