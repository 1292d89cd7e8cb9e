"""The `kilroy-gym` command for the tests: `python bluesky_command.py SERVICE SOURCE TIMEOUT`.

For each line of JSON in its input, of a folder and variables, a process makes a small run in that
folder, and writes all there that a program can tell: its output, a log of everything, and where it
fails a traceback with the values of all variables.
"""

import faulthandler
import json
import logging
import os
import resource
import sys
import traceback
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
sys.path.insert(0, str(Path(__file__).parents[1]))
from fans import new_module
from forks import fork_for_each_line

from kilroy_gym.cli import main
from kilroy_gym.faces.bluesky import BlueskyFace

POSTS, ROUND = 4, 2


def face():
    return BlueskyFace(service=sys.argv[1], source=sys.argv[2], timeout_s=float(sys.argv[3]))


def module():
    return new_module(seed=0)


def run(line):
    """Makes a run; returns the exit code of the command."""
    folder, variables = json.loads(line)
    os.environ.update(variables)
    return told(Path(folder))


def told(folder):
    """Calls the command, with all ears open; no variable of this function holds a secret."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT), number)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # an image of the memory would hold it all
    faulthandler.enable()
    logging.basicConfig(filename=folder / "log", level=logging.DEBUG)
    logging.captureWarnings(True)
    warnings.simplefilter("always")
    here = Path(__file__).stem
    names = ["--face", f"{here}:face", "--module", f"{here}:module"]
    numbers = ["--posts", POSTS, "--round", ROUND, "--post-rate", 0]
    try:
        main(["run", *names, *map(str, numbers), "--dir", str(folder / "run")])
    except SystemExit as end:
        if end.code:
            error = traceback.TracebackException.from_exception(end, capture_locals=True)
            print("".join(error.format()), file=sys.stderr)
        return end.code


if __name__ == "__main__":
    fork_for_each_line(run)
