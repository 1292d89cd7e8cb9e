"""Posts to a server through a journal; killed and started again by the tests.

`python poster.py KIND PORT PATH [POSTS]`: it is done after so many posts; without a number it posts
until it is killed.
"""

import sys
import warnings

from platform_server import HttpFace, PlainHttpFace

from kilroy_gym import PostData
from kilroy_gym.faces import JournaledFace, RetryingFace

ROUND = 5


def run(face_class, port, path, total):
    """Goes on where the journal says that the last process was."""
    with JournaledFace(RetryingFace(face_class(port)), path, author="poster") as face:
        face.settle()
        number = sum(1 for _ in face.journal.entries())
        while total is None or number < total:
            face.post(PostData(number))
            number += 1
            if number % ROUND == 0:
                score_pending(face)
        score_pending(face)


def score_pending(face):
    for _ in face.score_many([entry.post_id for entry in face.journal.pending()]):
        pass


def main(kind, port, path, total=None):
    warnings.simplefilter("ignore")
    face_class = {"once": HttpFace, "plain": PlainHttpFace}[kind]
    run(face_class, int(port), path, None if total is None else int(total))


if __name__ == "__main__":
    main(*sys.argv[1:])
