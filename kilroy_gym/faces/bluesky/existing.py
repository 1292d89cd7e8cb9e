"""Existing posts on Bluesky."""

from collections.abc import Iterator

from kilroy_gym.faces.bluesky.session import BlueskySession, Json

PAGE = 100
"""The most posts that the server returns per request."""


def checked_source(source: str | None) -> str | None:
    """Returns what to scrape, unchanged.

    Raises:
        ValueError: It is neither an account nor a Bluesky feed.
    """
    if source is None or (source and not source.startswith("at://")):
        return source
    if source.startswith("at://") and "/app.bsky.feed.generator/" in source:
        return source
    raise ValueError(
        f"source must be a handle, a DID, or the at:// address of a feed generator, got {source!r}"
    )


def existing_posts(session: BlueskySession, source: str | None) -> Iterator[Json]:
    """Yields the server's views of posts with text, the newest first, none twice.

    Args:
        session: The login to use.
        source: A handle, a DID, the address of a feed generator, or ``None`` for the account that
            is logged in. Replies and reposts are left out.

    Raises:
        BlueskyError: The request fails.
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


def _page(session: BlueskySession, source: str | None, cursor: str | None) -> Json:
    if source is not None and source.startswith("at://"):
        method, where = "app.bsky.feed.getFeed", {"feed": source}
    else:
        method = "app.bsky.feed.getAuthorFeed"
        where = {"actor": source or session.did(), "filter": "posts_no_replies"}
    return session.query(method, **where, limit=PAGE, cursor=cursor)
