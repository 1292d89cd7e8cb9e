"""A bot that the tests kill and start again: `python bluesky_bot.py FACE DIRECTORY SERVICE SOURCE`.

Reads numbers of posts from its input: for each one it forks (what takes long, importing, is done by
then), prints the id of the new process, which goes on with the run until it has made so many posts,
and prints that one's exit code. Handle and password are in the environment.
"""

import os
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
from fans import AllHaveRead, Patient, new_module

from kilroy_gym.faces import RetryingFace
from kilroy_gym.faces.bluesky import BlueskyFace
from kilroy_gym.live import LiveRun

ROUND = 5
FACES = {"in their round": Patient, "later": AllHaveRead}


def go_on(kind, directory, service, source, posts):
    """Goes on where the last process was."""
    face = FACES[kind](BlueskyFace(service=service, source=source))
    face = RetryingFace(face, first_wait_s=0.05)
    run = LiveRun(face, new_module(seed=0), directory, ROUND, post_rate=0)
    run.warm_start(epochs=1)
    run.run(posts)
    run.close()


def main(*args):
    for line in sys.stdin:
        process = os.fork()
        if not process:
            code = 1
            try:
                go_on(*args, int(line))
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
