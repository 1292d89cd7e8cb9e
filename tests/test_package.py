import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[1]
EXTRAS = (
    "atproto",
    "httpx",
    "joblib",
    "matplotlib",
    "pandas",
    "regex",
    "scipy",
    "stable_baselines3",
    "tenacity",
    "torch",
)
HEAVY = (*EXTRAS, "typer", "rich")


def python(code, *options):
    command = [sys.executable, *options, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_package_imports_nothing_heavier_than_gymnasium():
    show = f"import sys, kilroy_gym; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert python(show) == "[]"


def test_importing_twice_and_reloading_registers_once():
    code = (
        "import importlib, kilroy_gym, gymnasium as gym; importlib.reload(kilroy_gym);"
        "gym.make('Kilroy-Bernoulli-v0')"
    )
    python(code, "-W", "error")


def test_gymnasium_imports_the_package_by_the_id():
    code = "import gymnasium as gym; print(gym.make('kilroy_gym:Kilroy-Bernoulli-v0').spec.id)"
    assert python(code) == "Kilroy-Bernoulli-v0"


def test_only_its_own_files_mention_a_library_of_an_extra():
    # a module that imports one at its top can be imported only where the extra is installed
    allowed = {"comparison", "sb3"}
    for path in (ROOT / "kilroy_gym").rglob("*.py"):
        if not allowed & set(path.relative_to(ROOT).parts):
            lines = path.read_text(encoding="utf-8").splitlines()
            tops = [
                line.split()[1].split(".")[0]
                for line in lines
                if line.startswith(("import ", "from "))
            ]
            assert not set(tops) & set(EXTRAS), path


@pytest.fixture(scope="session")
def installed(run_folder):
    """The scripts' folder of a fresh environment with nothing but the wheel, built once a run."""
    folder = run_folder / "wheel"
    done = folder / "done"
    with FileLock(run_folder / "wheel.lock"):
        if not done.exists():
            build_and_install(folder)
            done.touch()
    return folder / "venv" / "bin"


def build_and_install(folder):
    def call(*command):
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr

    folder.mkdir(exist_ok=True)
    call(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT)
    (wheel,) = folder.glob("kilroy_gym-*.whl")
    call(sys.executable, "-m", "venv", "--clear", folder / "venv")
    call(folder / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", wheel)


def test_the_wheel_alone_trains_and_lists_the_roster(installed, tmp_path):
    def call(*args):
        command = [installed / "kilroy-gym", *args]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
        return " ".join(done.stdout.split())

    assert "uniform" in call("agents")
    printed = call("train", "Kilroy-Bernoulli-v0", "--posts", "500", "--agent", "module")
    assert "agent.json, scores.csv, summary.json" in printed
    assert "pip install 'kilroy-gym[compare]'" in printed  # why there is no picture


def test_the_wheel_installs_no_top_level_package_but_its_own(installed, tmp_path):
    code = "import importlib.util as u; print(u.find_spec('agents'), u.find_spec('tests'))"
    command = [installed / "python", "-I", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "None None"
