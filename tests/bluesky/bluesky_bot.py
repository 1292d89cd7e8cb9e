"""A bot that the tests kill: `python bluesky_bot.py FACE DIRECTORY SERVICE SOURCE POSTS`.

It goes on with the run until it has made so many posts. Handle and password are in the environment.
"""

import sys
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
    run.run(int(posts))
    run.close()


if __name__ == "__main__":
    go_on(*sys.argv[1:])
