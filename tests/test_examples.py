"""The examples and the README's Python run as they stand."""

import random
import re
import runpy
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

from kilroy_gym import KilroyTrainer

ROOT = Path(__file__).parents[1]
AFTER_MIMICKING = 0.34001284216836875


@pytest.fixture(scope="module")
def notebook():
    """The names that the script of the notebook defines."""
    return runpy.run_path(str(ROOT / "examples" / "notebook.py"))


def executed_notebook():
    cells = nbformat.read(ROOT / "examples" / "notebook.ipynb", as_version=4)
    # A kernel in a process of its own: what it warns about is not this project's.
    nbclient.NotebookClient(cells, startup_timeout=600, kernel_name="python3").execute()
    return cells


def results(cells):
    return [
        float(output.data["text/plain"])
        for cell in cells.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "execute_result"
    ]


@pytest.mark.filterwarnings("default")
def test_the_notebook_runs_word_for_word_and_shows_what_the_original_showed():
    start, mimicked, reinforced = results(executed_notebook())
    assert start == 0.5
    assert mimicked == AFTER_MIMICKING
    assert reinforced > 0.99


def test_the_committed_notebook_shows_its_results():
    committed = nbformat.read(ROOT / "examples" / "notebook.ipynb", as_version=4)
    assert results(committed)[:2] == [0.5, AFTER_MIMICKING]


def test_every_one_of_100_seeds_ends_above_0_99(notebook):
    ends = []
    for seed in range(100):
        random.seed(seed)
        module = notebook["MyModule"]()
        trainer = KilroyTrainer(notebook["MyFace"](), module).fine_tune()
        assert module.p == AFTER_MIMICKING
        trainer.run(steps=100, post_rate=0)
        ends.append(module.p)
    assert min(ends) > 0.99


def test_the_example_of_an_own_face_and_module_learns():
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "own_face.py"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1].count("duck") >= 9


def readme_blocks():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_the_python_of_the_readme_runs_in_its_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "readme"}
    blocks = readme_blocks()
    for block in blocks:
        exec(compile(block, "README.md", "exec"), namespace)
    assert len(blocks) >= 3
    assert namespace["trainer"].module.p > 0.99


def test_the_readme_shows_the_example_of_an_own_face_as_it_is():
    source = (ROOT / "examples" / "own_face.py").read_text(encoding="utf-8")
    classes = source[source.index("class AnimalFace") : source.index("\n\nif __name__")]
    assert any(classes.strip() in block for block in readme_blocks())
