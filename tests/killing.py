"""Kills a script at a line that the test draws: `python killing.py SCRIPT ARGUMENT..`.

What is killed after some time, and not at some line, is killed elsewhere on a busier machine. For
each line of the input a process of its own runs the script. That line is a moment and further
arguments of the script; the moment is

- ``-``: never;
- ``120``: at the 120th line of the package and of the tests that the process runs;
- ``save+3``: at the third such line after a function of that name was first called;
- ``learn/save+3``: after a ``save`` that came after a ``learn``.

The script is run once before, under another name than ``__main__``: so it is imported by then.
"""

import os
import runpy
import signal
import sys
from pathlib import Path

from forks import fork_for_each_line

import kilroy_gym

COUNTED = (f"{Path(kilroy_gym.__file__).parent}/", f"{Path(__file__).parent}/")


def kill_at(moment):
    """Lets this process be killed at a moment."""
    functions, _, lines = moment.rpartition("+")
    to_come, left = functions.split("/") if functions else [], int(lines)

    def trace(frame, event, _):
        nonlocal left
        code = frame.f_code
        if not code.co_filename.startswith(COUNTED):
            return None
        if event == "call" and to_come and code.co_name == to_come[0]:
            del to_come[0]
        if event == "line" and not to_come:
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def run(line):
    """Runs the script until its end, or until it is killed."""
    moment, *more = line.split()
    sys.argv = [*sys.argv[1:], *more]
    if moment != "-":
        kill_at(moment)
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(sys.argv[1]).parent))
    runpy.run_path(sys.argv[1], run_name="imported")
    fork_for_each_line(run)
