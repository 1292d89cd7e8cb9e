"""How fast posts of text are mimicked and written, against a bare trigram model of words.

``python benchmarks/text.py`` takes posts of the text audience's community, and
``python benchmarks/text.py FILE --text COLUMN`` an export (see ``LoggedFace``), whose posts are
varied until there are enough.
"""

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import accumulate, islice

from timing import best_times, report

from kilroy_gym import KilroyFace, KilroyTrainer, PostData
from kilroy_gym.audiences import TextAudience
from kilroy_gym.codecs import TextCodec
from kilroy_gym.faces import LoggedFace, SimulatedFace
from kilroy_gym.modules import NgramModule

LONGEST = 300
REPEATS = 5
WRITTEN = 1000


class ListFace(KilroyFace[str, int]):
    """Has posts to scrap, and nothing else."""

    def __init__(self, texts: list[str]) -> None:
        """Keeps the posts."""
        self.texts = texts

    def scrap(self, limit: int | None = None) -> Iterator[tuple[int, PostData[str]]]:
        """Yields the posts."""
        return enumerate(map(PostData, self.texts))

    def post(self, data: PostData[str]) -> int:
        """Is not needed."""
        raise NotImplementedError

    def score(self, post_id: int) -> float:
        """Is not needed."""
        raise NotImplementedError


def bare_counts(texts: list[str]) -> dict[tuple[str, str], Counter[str]]:
    """Counts which word follows which two."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for text in texts:
        words = ["", "", *text.split(), ""]
        for one, two, three in zip(words, words[1:], words[2:], strict=False):
            counts[one, two][three] += 1
    return counts


def bare_writer(counts: dict[tuple[str, str], Counter[str]], count: int) -> Callable[[], object]:
    """Returns a job that draws posts word by word, each given the two before."""
    following = {two: (list(c), list(accumulate(c.values()))) for two, c in counts.items()}
    rng = random.Random(0)

    def write() -> None:
        for _ in range(count):
            words = ["", ""]
            while len(words) == 2 or words[-1]:
                choices, ends = following[words[-2], words[-1]]
                words += rng.choices(choices, cum_weights=ends)
            " ".join(words[2:-1])

    return write


def existing_posts(path: str | None, column: str, count: int) -> list[str]:
    """Returns so many posts, all of which the codec allows."""
    face: KilroyFace[str, int] | LoggedFace
    face = SimulatedFace(TextAudience(), 0) if path is None else LoggedFace(path, column, None)
    allowed = TextCodec(LONGEST).space.contains
    found = [post.x for _, post in face.scrap(count) if allowed(post.x)]
    varied = (longer for n in range(count) for x in found if allowed(longer := f"{x} {n}"))
    return [*found, *islice(varied, max(count - len(found), 0))]


def main() -> None:
    """Prints both ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", nargs="?", help="an export; by default posts of the text audience")
    parser.add_argument("--text", default="text", help="its column with the text")
    parser.add_argument("--posts", type=int, default=50_000, help="how many posts to mimic")
    given = parser.parse_args()
    texts = existing_posts(given.file, given.text, given.posts)

    def trained() -> NgramModule:
        module = NgramModule(TextCodec(LONGEST), seed=0)
        trainer = KilroyTrainer(ListFace(texts), module, codec=module.codec)
        trainer.fine_tune(epochs=1, progress_bar=False)
        module.generate()  # makes its table
        return module

    ours, reference = best_times(trained, lambda: bare_counts(texts), repeats=REPEATS)
    print(f"{len(texts):,} posts of {sum(map(len, texts)) / len(texts):.0f} characters on average")
    report("mimicking by the trainer / counting trigrams", ours, reference, len(texts), "post")
    print(f"  {ours:.2f} s in all")
    module, write = trained(), bare_writer(bare_counts(texts), WRITTEN)
    ours, reference = best_times(lambda: module.generate_many(WRITTEN), write, repeats=REPEATS)
    report("writing / drawing from trigrams", ours, reference, WRITTEN, "post")
    print(f"  {WRITTEN / ours:,.0f} posts a second")


if __name__ == "__main__":
    main()
