"""One network for all processes of a test run: `python shared.py FOLDER` keeps it.

The first process that wants the network starts this keeper, under a file lock. Whoever uses the
network holds a named pipe open; the system closes it also for one that is killed. When nobody
holds it any more the keeper stops the network.
"""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from filelock import FileLock

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
from bluesky_network import LocalBluesky

LOCK, PIPE, WHERE = "lock", "in-use", "where.json"


def keep(folder):
    """Starts a network, says so in a line, and stops it when nobody uses it any more."""
    pipe, where = folder / PIPE, folder / WHERE
    os.mkfifo(pipe)
    in_use = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with LocalBluesky() as network:
        said = {name: getattr(network, name) for name in ("service", "appview", "feed_did")}
        where.write_text(json.dumps(said | {"pid": network.servers.pid}))
        print("ready", flush=True)
        sys.stdin.read()  # until who started this holds the pipe, or is dead
        os.set_blocking(in_use, True)
        while True:
            while os.read(in_use, 1):
                pass
            with FileLock(folder / LOCK):  # nobody comes in meanwhile
                os.set_blocking(in_use, False)
                if not is_held(in_use):
                    where.unlink()
                    pipe.unlink()
                    return
                os.set_blocking(in_use, True)


def is_held(pipe):
    """Tells whether anybody has a pipe open to write, of one that is read without blocking."""
    try:
        return bool(os.read(pipe, 1))
    except BlockingIOError:
        return True


@contextmanager
def shared_network(folder):
    """The network of all that give the same folder, which is started where it is not there."""
    folder.mkdir(exist_ok=True)
    with FileLock(folder / LOCK):
        in_use = hold(folder)
    try:
        said = json.loads((folder / WHERE).read_text())
        network = LocalBluesky()
        network.service, network.appview = said["service"], said["appview"]
        network.feed_did, network.servers = said["feed_did"], SimpleNamespace(pid=said["pid"])
        yield network
    finally:
        os.close(in_use)


def hold(folder):
    """Opens the pipe of a network that is there or is started now."""
    try:
        return os.open(folder / PIPE, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:  # no keeper, or one that was killed
        for name in (PIPE, WHERE):
            (folder / name).unlink(missing_ok=True)
    with (folder / "log").open("w+", encoding="utf-8") as log:
        keeper = subprocess.Popen(
            [sys.executable, __file__, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the tests, which then let go of it
        )
        if not keeper.stdout.readline():
            log.seek(0)
            raise RuntimeError(log.read()[-3000:])
    in_use = os.open(folder / PIPE, os.O_WRONLY)
    keeper.stdin.close()
    keeper.stdout.close()
    keeper.returncode = 0  # it outlives this process, perhaps
    return in_use


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
