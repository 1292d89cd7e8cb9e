"""Processes that are killed and started again at once, as what takes long is done before."""

import os
import signal
import subprocess
import sys
import threading
import traceback
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue


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
        code: Its exit code, or ``None``.
    """

    def __init__(self, script):
        self._script, self._told = script, Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self, line):
        self._script.stdin.write(f"{line}\n")
        self._script.stdin.flush()
        self.pid, self.code = self._told.get(timeout=60), None

    def has_ended(self, timeout_s=0.0):
        """Tells whether it has ended, by itself or otherwise; its exit code is known then."""
        if self.code is None:
            try:
                self.code = self._told.get(timeout=timeout_s)
            except Empty:
                return False
        return True

    def kill(self, number=signal.SIGKILL):
        """Kills it; returns whether it was still there."""
        if not self.has_ended():
            os.kill(self.pid, number)
        assert self.has_ended(60)
        return self.code == -number

    def _listen(self):
        for line in self._script.stdout:
            self._told.put(int(line))


@contextmanager
def forked(name, arguments, environment):
    """Starts a script of this folder that forks for each line, and gives its :class:`Bot`."""
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name(name), *arguments],
        env=os.environ | environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as script:
        try:
            yield Bot(script)
        finally:
            script.stdin.close()
            code = script.wait(60)
        assert code == 0
