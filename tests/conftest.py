import os
import textwrap

import pytest
from hypothesis import HealthCheck, settings

# There is a worker for each core: more threads would only wait for each other. Torch reads it once.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Nothing here is about time, and a busy machine is no failure.
settings.register_profile(
    "kilroy", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("kilroy")

LONGEST = ("test_tooling.py", "test_package.py", "test_bluesky_example.py", "test_bluesky_kills.py")

ALWAYS = """
from itertools import count

from kilroy_gym import KilroyModule, PostData


class Always(KilroyModule):
    def __init__(self):
        self.ids = count()

    def generate(self):
        return next(self.ids), PostData(True)

    def mimic(self, posts):
        return self

    def reinforce(self, scores):
        return self


def make_agent(env, seed):
    {first}
    return Always()
"""


def pytest_collection_modifyitems(items):
    """Begins with what takes longest: else in the end all workers but one have nothing to do."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session")
def run_folder(worker_id, tmp_path_factory):
    """A folder that all workers of this test run share, and nobody else."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture
def agent_file(tmp_path):
    """Writes an agent file that always posts True, after doing something first."""

    def write(name, first="pass", source=ALWAYS):
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source.format(first=textwrap.indent(first, "    ").strip()))
        return str(path)

    return write
