"""Existing posts on Bluesky."""

import logging
import re
from collections.abc import Iterator

from kilroy_gym.faces.bluesky.credentials import cleaned
from kilroy_gym.faces.bluesky.session import BlueskyError, BlueskySession, Json

ACCOUNT = re.compile(r"did:[a-z]+:[\w.:%-]+|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
"""A DID or a handle, as the protocol has them."""
log = logging.getLogger(__name__)

PAGE = 100
"""The most posts that the server returns per request."""


def checked_source(source: str | None) -> str | None:
    """Returns what to scrape, without what copying adds.

    Raises:
        ValueError: It is neither an account nor a Bluesky feed.
    """
    if source is None:
        return None
    name = cleaned(source)
    is_feed = name.startswith("at://") and "/app.bsky.feed.generator/" in name
    if is_feed or ACCOUNT.fullmatch(name):
        return name
    raise ValueError(
        "source must be a handle, a DID, or the at:// address of a feed generator, got "
        f"{source!r}; a handle is of the form somebody.bsky.social"
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
    cursors: set[str | None] = set()
    cursor: str | None = None
    while cursor not in cursors:
        cursors.add(cursor)
        page = _page(session, source, cursor)
        for post in _posts_of(page):
            if post["uri"] not in seen:
                seen.add(post["uri"])
                yield post
        cursor = page.get("cursor") or None
    if cursor is not None:
        log.warning("the server gives the same page again: the scrape ends after %d", len(seen))


def _posts_of(page: Json) -> list[Json]:
    """Returns the posts with text on a page; not the reposts, and not the replies.

    Raises:
        BlueskyError: It is no such page.
    """
    try:
        return [
            item["post"]
            for item in page["feed"]
            if not ("reason" in item or "reply" in item["post"]["record"])
            and item["post"]["record"].get("text")
            and item["post"]["uri"]
        ]
    except (TypeError, KeyError, AttributeError) as error:
        kind = type(error).__name__
        raise BlueskyError(f"Bluesky's page of posts makes no sense ({kind})") from None


def _page(session: BlueskySession, source: str | None, cursor: str | None) -> Json:
    if source is not None and source.startswith("at://"):
        method, where = "app.bsky.feed.getFeed", {"feed": source}
    else:
        method = "app.bsky.feed.getAuthorFeed"
        where = {"actor": source or session.did(), "filter": "posts_no_replies"}
    return session.query(method, **where, limit=PAGE, cursor=cursor)
