"""One process of a simulated run: `python simulated_script.py DIRECTORY AUDIENCE POSTS`."""

import sys

from kilroy_gym.audiences import DelayedAudience, TextAudience
from kilroy_gym.faces import SimulatedFace
from kilroy_gym.live import LiveRun
from kilroy_gym.modules import NgramModule, ThompsonModule

MAKE = {
    "delayed": lambda: (DelayedAudience(), ThompsonModule(range(5), seed=3)),
    "text": lambda: (TextAudience(), NgramModule(TextAudience().codec, seed=3)),
}

if __name__ == "__main__":
    audience, module = MAKE[sys.argv[2]]()
    run = LiveRun(SimulatedFace(audience, seed=7), module, sys.argv[1], post_rate=0.0)
    run.warm_start(epochs=1)
    run.run(int(sys.argv[3]))
