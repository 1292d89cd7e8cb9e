"""Trains live on a Bluesky network of its own, with readers: likes per post rise.

Needs Node 20 with npm, PostgreSQL, and ``pip install 'kilroy-gym[bluesky]'``. Nothing leaves this
machine, but for the servers' packages, which come from the npm registry the first time.
"""

import os
import sys
from statistics import fmean

from bluesky_network import LocalBluesky, Readers, Reading, until, write

from kilroy_gym import KilroyTrainer
from kilroy_gym.adapters.agent import Round
from kilroy_gym.faces.bluesky import BlueskyFace
from kilroy_gym.modules import CategoricalModule

TEXTS = [
    "The train is late again.",
    "I had soup for lunch.",
    "My printer is out of ink.",
    "Look what my cat did!",
    "It will rain tomorrow.",
    "Meetings, all day long.",
]
READERS = 5
SETTLING_S = 2.0  # how old a post must be before its likes are counted


def taste(text: str) -> tuple[float, float, float]:
    """How probable it is that a reader likes, answers, reposts a text: they all love cats."""
    return (0.8, 0.1, 0.1) if "cat" in text else (0.15, 0.02, 0.0)


def train(network: LocalBluesky, rounds: int) -> list[float]:
    """Learns from what was posted before, then posts; returns the likes per post of each round."""
    account = network.account("kilroy")
    os.environ.update(account.environment())
    face = BlueskyFace(service=network.service, reply_weight=0, repost_weight=0)
    for text in TEXTS:  # what a bot would find on a network that people use
        write(face.session, "app.bsky.feed.post", text=text)
    until(lambda: list(face.scrap()), lambda posts: len(posts) == len(TEXTS))
    readers = Readers(network, account.did, READERS, taste)
    curve: list[float] = []

    def show(made: Round) -> None:
        curve.append(fmean(made.scores))
        print(f"round {made.number:2}: {curve[-1]:4.1f} likes per post", flush=True)

    trainer = KilroyTrainer(face, CategoricalModule(TEXTS, rate=0.5, seed=0))
    with Reading(readers):
        trainer.fine_tune(epochs=1)
        trainer.run(steps=rounds, post_rate=0, score_delay_s=SETTLING_S, callback=show)
    readers.close()
    face.close()
    return curve


if __name__ == "__main__":
    print(
        "Starting a Bluesky network; the first time it is installed, in a minute or two ...",
        flush=True,
    )
    with LocalBluesky() as network:
        train(network, rounds=int(sys.argv[1]) if len(sys.argv) > 1 else 15)
