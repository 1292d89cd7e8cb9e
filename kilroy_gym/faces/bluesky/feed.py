"""The posts that are on Bluesky already."""

from collections.abc import Iterator
from typing import Any

from kilroy_gym.faces.bluesky.session import BlueskySession

PAGE = 100
"""The most posts that the server gives for one request."""


def checked_source(source: str | None) -> str | None:
    """Returns what is to be scraped, as it is.

    Raises:
        ValueError: It is neither an account nor a feed.
    """
    if source is None or (source and not source.startswith("at://")):
        return source
    if source.startswith("at://") and "/app.bsky.feed.generator/" in source:
        return source
    raise ValueError(
        f"source must be a handle, a DID, or the at:// address of a feed generator, got {source!r}"
    )


def existing_posts(session: BlueskySession, source: str | None) -> Iterator[dict[str, Any]]:
    """Yields the server's views of posts with text, the newest first, none twice.

    Args:
        session: Who asks.
        source: A handle, a DID, the address of a feed generator, or ``None`` for the account that
            is logged in; replies and reposts are left out.

    Raises:
        BlueskyError: The server does not give them.
    """
    seen: set[str] = set()
    cursor: str | None = ""
    while cursor is not None:
        page = _page(session, source, cursor or None)
        for item in page["feed"]:
            post, record = item["post"], item["post"]["record"]
            others = "reason" in item or "reply" in record  # a repost, a reply
            if not others and post["uri"] not in seen and record.get("text"):
                seen.add(post["uri"])
                yield post
        following = page.get("cursor") or None
        cursor = None if following == cursor else following


def _page(session: BlueskySession, source: str | None, cursor: str | None) -> dict[str, Any]:
    if source is not None and source.startswith("at://"):
        method, where = "app.bsky.feed.getFeed", {"feed": source}
    else:
        method = "app.bsky.feed.getAuthorFeed"
        where = {"actor": source or session.did(), "filter": "posts_no_replies"}
    return session.query(method, **where, limit=PAGE, cursor=cursor)
