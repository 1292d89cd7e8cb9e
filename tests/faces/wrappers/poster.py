"""Posts to a server through a journal until it is done; started again and again by the tests.

Reads lines from its input: for each one it forks (what takes long, importing, is done by then),
prints the id of the new process, and waits until that ends. A line holds the number of posts after
which the process is done; one without posts until somebody kills it.
"""

import os
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


def main(kind, port, path):
    warnings.simplefilter("ignore")
    face_class = {"once": HttpFace, "plain": PlainHttpFace}[kind]
    for line in sys.stdin:
        process = os.fork()
        if not process:
            code = 1
            try:
                run(face_class, int(port), path, int(line) if line.strip() else None)
                code = 0
            finally:
                os._exit(code)
        print(process, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
