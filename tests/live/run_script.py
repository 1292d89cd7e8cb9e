"""One process of a run: `python run_script.py PLATFORM DIRECTORY POSTS`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from platform_file import FilePlatform

from kilroy_gym.live import LiveRun
from kilroy_gym.modules import CategoricalModule

if __name__ == "__main__":
    path, directory, posts = sys.argv[1], sys.argv[2], int(sys.argv[3])
    module = CategoricalModule(["cat", "dog", "duck"], memory=20, seed=3)
    run = LiveRun(FilePlatform(path, length=posts), module, directory, post_rate=0.0)
    run.warm_start(epochs=2)
    run.run(posts)
