"""Simulated readers: accounts that like, repost and answer by a stated taste."""

import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kilroy_gym.faces.bluesky.credentials import Credentials
from kilroy_gym.faces.bluesky.session import BlueskySession

from .network import Account, LocalBluesky

Taste = Callable[[str], tuple[float, float, float]]
"""Maps a text to the probabilities that a reader likes, answers and reposts it."""


class Readers:
    """Accounts that read each post of one account once, and react by the same taste.

    Args:
        network: Their network.
        author: The DID of the account that they read.
        count: How many readers there are.
        taste: What they like.
        seed: Seed of their reactions.

    Attributes:
        sessions: Their logins.
    """

    def __init__(
        self, network: LocalBluesky, author: str, count: int, taste: Taste, seed: int = 0
    ) -> None:
        """Creates the accounts."""
        self.author = author
        self.taste = taste
        self.sessions = [
            session_of(network, network.account(f"reader{number}-{author[-6:]}"))
            for number in range(count)
        ]
        self._rng = random.Random(seed)
        self._read: set[str] = set()

    def read(self) -> int:
        """Lets everybody read new posts, oldest first; returns how many there were."""
        method, where = "app.bsky.feed.getAuthorFeed", {"filter": "posts_no_replies"}
        feed = self.sessions[0].query(method, actor=self.author, limit=100, **where)["feed"]
        new = [item["post"] for item in feed if item["post"]["uri"] not in self._read]
        for post in reversed(new):
            self.react(post)
        return len(new)

    def react(self, post: dict[str, Any]) -> None:
        """Lets everybody react to one post, by the server's view of it."""
        self._read.add(post["uri"])
        subject = {"uri": post["uri"], "cid": post["cid"]}
        likes, answers, reposts = self.taste(post["record"]["text"])
        for session in self.sessions:
            if self._rng.random() < likes:
                write(session, "app.bsky.feed.like", subject=subject)
            if self._rng.random() < answers:
                thread = {"root": subject, "parent": subject}
                write(session, "app.bsky.feed.post", text="I see!", reply=thread)
            if self._rng.random() < reposts:
                write(session, "app.bsky.feed.repost", subject=subject)

    def close(self) -> None:
        """Closes their connections."""
        for session in self.sessions:
            session.close()


class Reading(threading.Thread):
    """Lets readers read repeatedly, as long as this context lives."""

    def __init__(self, readers: Readers, pause_s: float = 0.1) -> None:
        """Starts nothing yet."""
        super().__init__(daemon=True)
        self._readers, self._pause_s = readers, pause_s
        self._end = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        """Reads until the end, or until something fails."""
        try:
            while not self._end.wait(self._pause_s):
                self._readers.read()
        except Exception as error:
            self._error = error

    def __enter__(self) -> "Reading":
        """Starts reading."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops reading, and raises the error if it failed."""
        self._end.set()
        self.join()
        if self._error is not None:
            raise self._error


def write(session: BlueskySession, collection: str, **record: Any) -> dict[str, Any]:
    """Writes a new record in the name of an account; returns its address and hash."""
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return session.procedure(
        "com.atproto.repo.createRecord",
        repo=session.did(),
        collection=collection,
        record={"$type": collection, "createdAt": time, **record},
    )


def session_of(network: LocalBluesky, account: Account) -> BlueskySession:
    """Returns a login to an account, separate from the Face's."""
    credentials = Credentials(account.handle, account.password)
    return BlueskySession(lambda: credentials, network.service)
