"""Processes that are killed and started again at once, as what takes long is done before."""

import os
import signal
import subprocess
import sys
import traceback
from contextlib import contextmanager, suppress


def fork_for_each_line(function):
    """Calls a function of each line of the input in a process of its own, one after another.

    Prints the id of each process when it starts, and its exit code when it has ended.
    """
    for line in sys.stdin:
        process = os.fork()
        if not process:
            code = 1
            try:
                code = function(line.strip()) or 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


class Bot:
    """The processes of a script that forks for each line; the latest one counts.

    Attributes:
        pid: Its id.
    """

    def __init__(self, script):
        self._script = script

    def start(self, line):
        """Starts a process, which is given a line."""
        self._script.stdin.write(f"{line}\n")
        self._script.stdin.flush()
        self.pid = int(self._script.stdout.readline())

    def ended(self):
        """Waits until it has ended, by itself or otherwise; returns its exit code."""
        return int(self._script.stdout.readline())

    def is_there(self):
        """Tells whether it has not ended yet."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self, number=signal.SIGKILL):
        """Kills it, and waits for its end; returns whether it was still there."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)
        return self.ended() == -number


@contextmanager
def forked(script, *arguments, **options):
    """Starts a script that forks for each line, and gives its :class:`Bot`."""
    command = [sys.executable, *map(str, (script, *arguments))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes, **options) as process:
        try:
            yield Bot(process)
        finally:
            process.stdin.close()
            code = process.wait()
        assert code == 0
