"""Trains live on a Bluesky network of its own, with readers: likes per post rise.

Needs Node 20 with npm, PostgreSQL, and ``pip install 'kilroy-gym[bluesky,live,compare]'``. Nothing
leaves this machine; only the servers' packages come from the npm registry, the first time.
"""

import argparse
import os
import random
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import fmean

from kilroy_gym._extras import needs_extra
from kilroy_gym._records import fresh_directory
from kilroy_gym.audiences.text import OPTIONAL, SLOTS
from kilroy_gym.faces import RetryingFace, read_journal
from kilroy_gym.live import LiveRun
from kilroy_gym.live.base import JOURNAL
from kilroy_gym.modules import NgramModule
from kilroy_gym.storage.entries import Entry

try:
    from bluesky_network import (
        Account,
        LocalBluesky,
        Readers,
        Reading,
        session_of,
        until,
        what_is_missing,
        write,
    )

    from kilroy_gym.faces.bluesky import BlueskyFace
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(2)

LOVED = {"cats", "dream", "tiny", "pickles"}
LONGEST = 8
READERS = 6
TASTE = (
    f"{READERS} readers like a post with a probability of 24% for each of the words "
    f"{', '.join(sorted(LOVED))}; they skip posts of more than {LONGEST} words."
)
EXISTING = 80  # posts of others, to learn the language from
ROUND = 10
PACE_S = 0.25  # from one post to the next
SETTLING_S = 2.0  # how old a post must be before its likes are counted
ENDS = 5  # rounds at the start and at the end that are compared


def taste(text: str) -> tuple[float, float, float]:
    """Returns the probabilities that a reader likes, answers and reposts a text."""
    words = text.split()
    return (0.24 * len(LOVED & {*words}) if len(words) <= LONGEST else 0.0), 0.0, 0.0


def sentence(rng: random.Random) -> str:
    """Returns a post by others, from a small grammar: "robots secretly collect tiny maps"."""
    kept = (slot for i, slot in enumerate(SLOTS) if i not in OPTIONAL or rng.random() < 0.5)
    return " ".join(rng.choice(slot) for slot in kept)


def train(network: LocalBluesky, directory: Path, rounds: int, seed: int = 0) -> None:
    """Mimics posts by others, then posts and learns; prints each round."""
    others, account = network.account("others"), network.account("kilroy")
    publish(network, others)
    os.environ.update(account.environment())
    face = BlueskyFace(source=others.handle, service=network.service)
    until(lambda: list(face.scrap()), lambda posts: len(posts) == EXISTING)
    module = NgramModule(rate=0.15, backoff=2.0, seed=seed)
    shown: list[Sequence[Entry]] = []

    def show(_: object = None) -> None:
        for entries in scored_rounds(directory)[len(shown) :]:
            shown.append(entries)
            best = max(entries, key=lambda entry: entry.score or 0.0)
            print(f"{len(shown):5}   {likes_of([entries]):14.1f}   {best.post.x}", flush=True)

    with (
        closing(LiveRun(RetryingFace(face), module, directory, ROUND, PACE_S, SETTLING_S)) as run,
        closing(Readers(network, account.did, READERS, taste, seed)) as readers,
        Reading(readers),
    ):
        run.warm_start(epochs=1)
        print(f"{'round':>5}   {'likes per post':>14}   the post that was liked most", flush=True)
        run.run(rounds * ROUND, show)
        show()


def publish(network: LocalBluesky, account: Account) -> None:
    """Writes the posts that exist before the bot starts."""
    rng = random.Random(0)
    with closing(session_of(network, account)) as session:
        for _ in range(EXISTING):
            write(session, "app.bsky.feed.post", text=sentence(rng))


def scored_rounds(directory: Path) -> list[Sequence[Entry]]:
    """Returns the leading rounds whose scores are all known."""
    entries = read_journal(directory / JOURNAL)
    rounds = [entries[first : first + ROUND] for first in range(0, len(entries), ROUND)]
    known = [len(r) == ROUND and all(entry.score is not None for entry in r) for r in rounds]
    return rounds[: [*known, False].index(False)]


def likes_of(rounds: Sequence[Sequence[Entry]]) -> float:
    """Returns the likes per post of some rounds."""
    return fmean(entry.score or 0.0 for entries in rounds for entry in entries)


def draw(rounds: Sequence[Sequence[Entry]], path: Path) -> None:
    """Draws the likes of each post, and the mean of each round."""
    with needs_extra("compare", "pictures"):
        from matplotlib.figure import Figure
    rng = random.Random(0)
    likes = [entry.score + rng.uniform(-0.15, 0.15) for entries in rounds for entry in entries]
    middles = [ROUND * number + (ROUND + 1) / 2 for number in range(len(rounds))]
    figure = Figure(figsize=(8, 4.8), layout="constrained")
    axes = figure.subplots()
    posts = range(1, len(likes) + 1)
    axes.plot(posts, likes, ".", color="#56b4e9", alpha=0.45, markeredgewidth=0, label="a post")
    means = [likes_of([entries]) for entries in rounds]
    axes.plot(middles, means, "o-", color="#0072b2", markersize=4, label=f"mean of {ROUND} posts")
    axes.set_title("A bot learns live, on a Bluesky network of its own", loc="left", weight="bold")
    axes.set(xlabel="posts", ylabel="likes per post", ylim=(-0.4, READERS + 0.4))
    axes.set_xlim(0, len(likes) + 1)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", frameon=False)
    figure.supxlabel(TASTE, fontsize="small", color="0.35")
    figure.savefig(path, dpi=150)


def conclude(directory: Path) -> None:
    """Prints how the likes changed, and draws them if possible."""
    rounds = scored_rounds(directory)
    ends = min(ENDS, max(len(rounds) // 2, 1))
    before, after = likes_of(rounds[:ends]), likes_of(rounds[-ends:])
    how = "rose" if after > before else "did not rise: they went"
    sentence = (
        f"Likes per post {how} from {before:.1f} in the first {ends * ROUND} posts to {after:.1f} "
        f"in the last {ends * ROUND}"
    )
    picture = directory / "likes.png"
    try:
        draw(rounds, picture)
    except ImportError as error:
        print(f"{sentence}. No picture was drawn: {error}.")
    else:
        print(f"{sentence}; the picture is {picture}.")


def main(args: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0, 2 if something is missing, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rounds", type=int, nargs="?", default=30, help="of ten posts each (30)")
    parser.add_argument("--seed", type=int, default=0, help="of the bot and its readers (0)")
    options = parser.parse_args(args)
    if options.rounds < 1:
        parser.error(f"rounds must be at least 1, got {options.rounds}")
    if (missing := what_is_missing()) is not None:
        print(f"No Bluesky network can be started here: {missing}.", file=sys.stderr)
        return 2
    directory = fresh_directory(None, "bluesky-local")
    try:
        print("Starting a Bluesky network, which takes a minute or two the first time ...")
        print(TASTE, flush=True)
        with LocalBluesky() as network:
            train(network, directory, options.rounds, options.seed)
    except ImportError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        posted = (directory / JOURNAL).exists()
        print(f"\nStopped{f'; `kilroy-gym feed {directory}` shows the posts' * posted}.")
        return 130
    conclude(directory)
    print(f"`kilroy-gym feed {directory} --html feed.html` shows every post.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
