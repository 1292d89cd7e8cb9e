"""An account on Bluesky as a Face."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from kilroy_gym._checks import number
from kilroy_gym.clock import UnixClock
from kilroy_gym.faces.bluesky.credentials import credentials_from_environment, credentials_from_file
from kilroy_gym.faces.bluesky.existing import checked_source, existing_posts
from kilroy_gym.faces.bluesky.records import check_text, created_at, record_key
from kilroy_gym.faces.bluesky.session import BlueskyError, BlueskySession, Json
from kilroy_gym.interfaces import KilroyFace, ScorePending
from kilroy_gym.post import PostData
from kilroy_gym.storage.keys import Keys

POST = "app.bsky.feed.post"
PROFILE = "app.bsky.actor.profile"
POSTS_PER_REQUEST = 25
"""The most posts whose counts the server returns per request."""


class BlueskyFace(KilroyFace[str, str]):
    """An account on Bluesky, or on another server of its protocol.

    A post is a text of at most 300 characters (grapheme clusters) and 3,000 bytes; its id is its
    ``at://`` address. Its score is the weighted sum of likes, replies and reposts by others; those
    by the account itself do not count.

    Handle and password come from the environment variables ``BLUESKY_HANDLE`` and
    ``BLUESKY_PASSWORD``, or from a file. Use an app password, which can be revoked. They are read
    at each login and not kept, and no error or repr shows them or a token.

    A post that the AppView does not know has no score yet (:class:`ScorePending`). The account's
    own deleted posts score 0; otherwise a bot would wait for ever for their scores.

    Args:
        credentials_file: A JSON file ``{"handle": .., "password": ..}`` of mode 0600; ``None``
            uses the environment.
        source: What to scrap: an account's handle or DID, or the ``at://`` address of a feed
            generator; ``None`` is the account itself. Replies, reposts and posts without text are
            left out.
        like_weight: Score per like, at least 0.
        reply_weight: Score per reply, at least 0.
        repost_weight: Score per repost, at least 0.
        label_as_bot: Whether to label the account's profile as a bot before the first post.
        service: The server to log in at.
        timeout_s: How long to wait for the server's next bytes, in seconds, above 0.

    Raises:
        ImportError: ``atproto`` is missing; the message names the extra to install.
        OSError: The file cannot be read.
        ValueError: There are no credentials, others can read them, or an argument is out of its
            range.
    """

    idempotent = True

    def __init__(
        self,
        credentials_file: str | Path | None = None,
        source: str | None = None,
        like_weight: float = 1.0,
        reply_weight: float = 1.0,
        repost_weight: float = 1.0,
        label_as_bot: bool = True,
        service: str = "https://bsky.social",
        timeout_s: float = 30.0,
    ) -> None:
        """Checks all that can be checked without sending anything."""
        credentials = (
            partial(credentials_from_environment, "BLUESKY")
            if credentials_file is None
            else partial(credentials_from_file, credentials_file)
        )
        credentials()
        self.session = BlueskySession(credentials, service, timeout_s)
        self.source = checked_source(source)
        self.like_weight = number("like_weight", like_weight, 0)
        self.reply_weight = number("reply_weight", reply_weight, 0)
        self.repost_weight = number("repost_weight", repost_weight, 0)
        self._to_be_labelled = label_as_bot
        self._keys = Keys(UnixClock())

    def __repr__(self) -> str:
        """Shows only the source and the server."""
        return f"BlueskyFace(source={self.source!r}, service={self.session.service!r})"

    def scrap(self, limit: int | None = None) -> Iterator[tuple[str, PostData[str]]]:
        """Yields existing posts with their ids, the newest first, none twice.

        Args:
            limit: The most posts to yield, or ``None`` for all that the server returns.

        Raises:
            BlueskyError: A request fails.
        """
        posts = islice(existing_posts(self.session, self.source), limit)
        return ((post["uri"], PostData(post["record"]["text"])) for post in posts)

    def scrap_scored(
        self, limit: int | None = None
    ) -> Iterator[tuple[str, PostData[str], float | None]]:
        """Yields what :meth:`scrap` does, each with its current score."""
        for post in islice(existing_posts(self.session, self.source), limit):
            yield post["uri"], PostData(post["record"]["text"]), self._score(post)

    def post(self, data: PostData[str]) -> str:
        """Makes a post, unless one with its key was made before, and returns its id.

        Args:
            data: The post. Record key and time of creation come from its key, or from the current
                time if it has none.

        Raises:
            PostRefused: Bluesky does not allow the text: empty, too long, or with a NUL.
            ValueError: Another post has this key.
            BlueskyError: The post was not made; with :class:`BlueskyUnreachable` or a status of
                500 or above, it may have been made.
        """
        key = self._keys.fresh() if data.key is None else data.key
        record = {"$type": POST, "text": check_text(data.x), "createdAt": created_at(key)}
        name = record_key(key)
        if self._to_be_labelled:
            self._label_as_bot()
            self._to_be_labelled = False
        try:
            return str(self._put(POST, name, record, None)["uri"])
        except BlueskyError as error:
            if error.name != "InvalidSwap":
                raise
            raise ValueError(f"key {key} belongs to another post: choose a new one") from error

    def score(self, post_id: str) -> float:
        """Returns a post's current score, at least 0.

        Raises:
            ScorePending: The server does not know the post (yet).
            BlueskyError: A request fails.
        """
        for _, score in self.score_many([post_id]):
            return score
        raise ScorePending(post_id)

    def score_many(self, post_ids: Iterable[str]) -> Iterable[tuple[str, float]]:
        """Yields ``(post id, score)`` for the posts that the server knows, 25 per request."""
        waiting = iter(dict.fromkeys(post_ids))
        while some := list(islice(waiting, POSTS_PER_REQUEST)):
            posts = self.session.query("app.bsky.feed.getPosts", uris=some)["posts"]
            known = {post["uri"]: post for post in posts}
            for uri in some:
                if uri in known:
                    yield uri, self._score(known[uri])
                elif self._was_deleted(uri):
                    yield uri, 0.0

    def close(self) -> None:
        """Closes the connection; the next call opens a new one."""
        self.session.close()

    def _was_deleted(self, uri: str) -> bool:
        """Tells whether a post of this account was deleted; ``False`` for other accounts."""
        owner, _, name = uri.removeprefix("at://").partition(f"/{POST}/")
        return owner == self.session.did() and self._found(POST, name) is None

    def _score(self, post: Json) -> float:
        own = post.get("viewer", {})
        likes = post.get("likeCount", 0) - ("like" in own)
        reposts = post.get("repostCount", 0) - ("repost" in own)
        replies = post.get("replyCount", 0) if self.reply_weight else 0
        if replies:
            replies -= self._own_replies(post["uri"])
        weighted = zip(
            (self.like_weight, self.reply_weight, self.repost_weight),
            (likes, replies, reposts),
            strict=True,
        )
        return float(sum(weight * max(count, 0) for weight, count in weighted))

    def _own_replies(self, uri: str) -> int:
        method = "app.bsky.feed.getPostThread"
        thread = self.session.query(method, uri=uri, depth=1, parentHeight=0)["thread"]
        replies = (reply.get("post", {}) for reply in thread.get("replies", []))
        own = self.session.did()
        return sum(reply.get("author", {}).get("did") == own for reply in replies)

    def _label_as_bot(self) -> None:
        """Adds the bot label to the account's profile and keeps the rest of it."""
        found = self._found(PROFILE, "self") or {"value": {"$type": PROFILE}}
        profile = found["value"]
        labels = profile.get("labels", {}).get("values", [])
        if {"val": "bot"} not in labels:
            kind = "com.atproto.label.defs#selfLabels"
            profile["labels"] = {"$type": kind, "values": [*labels, {"val": "bot"}]}
            self._put(PROFILE, "self", profile, found.get("cid"))

    def _found(self, collection: str, name: str) -> Json | None:
        """Returns a record of the account, or ``None`` if there is none."""
        where = {"repo": self.session.did(), "collection": collection, "rkey": name}
        try:
            return self.session.query("com.atproto.repo.getRecord", **where)
        except BlueskyError as error:
            if error.name != "RecordNotFound":
                raise
        return None

    def _put(self, collection: str, name: str, record: Json, replaced: str | None) -> Json:
        """Writes a record; an existing one must be identical, or the one named by ``replaced``."""
        return self.session.procedure(
            "com.atproto.repo.putRecord",
            repo=self.session.did(),
            collection=collection,
            rkey=name,
            record=record,
            swapRecord=replaced,
        )
