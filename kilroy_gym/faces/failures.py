"""What a platform's error says: whether it is transient, and when to ask again."""

import errno
import math
import socket
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses after which the same request may succeed (RFC 9110, RFC 6585, RFC 8470)."""


WAITING_HEADERS = ("retry-after", "ratelimit-reset", "x-ratelimit-reset")
LONGEST_WAIT_S = 10**8
"""A larger number is not a wait but a time: 1e8 s are three years, or the year 1973."""

PASSING_ERRORS: set[type[BaseException] | str] = {
    ConnectionError,
    TimeoutError,
    HTTPException,
    socket.gaierror,
    "aiohttp.client_exceptions.ClientConnectionError",
    "aiohttp.client_exceptions.ClientPayloadError",
    "httpx.NetworkError",
    "httpx.RemoteProtocolError",
    "httpx.TimeoutException",
    "requests.exceptions.ChunkedEncodingError",
    "requests.exceptions.ConnectionError",
    "requests.exceptions.Timeout",
    "urllib3.exceptions.HTTPError",
}
"""Errors without an HTTP status that may pass: classes, or the full names of classes of libraries
that need not be installed. Add those of your platform's library."""

PASSING_ERRNOS = frozenset(
    {
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETRESET,
        errno.ENETUNREACH,
        errno.EPIPE,
    }
)
"""What an ``OSError`` says of a network that is down for now."""


def is_passing(error: BaseException) -> bool:
    """Tells whether the same request may succeed later.

    If the error has an HTTP status, that decides: 408, 425, 429, 500, 502, 503 and 504 may pass.
    The status is read from ``status``, ``status_code`` or ``code`` of the error or of its
    ``response``. Otherwise an error may pass if its class, or one that it is derived from, is among
    :data:`PASSING_ERRORS`: a failed connection or name look-up, an answer that broke off, a
    timeout.
    """
    status = _status(error)
    if status is not None:
        return status in PASSING_STATUSES
    if isinstance(error, URLError) and isinstance(error.reason, BaseException):
        return is_passing(error.reason)
    if isinstance(error, OSError) and error.errno in PASSING_ERRNOS:
        return True
    kinds = type(error).__mro__
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in kinds}
    return not PASSING_ERRORS.isdisjoint({*kinds, *names})


def retry_after_s(error: BaseException, now: float) -> float:
    """Returns how long a platform asks to wait before the next request, in seconds, at least 0.

    That is ``retry_after`` of the error, in seconds, or else the first of the headers Retry-After
    (RFC 9110, 10.2.3: seconds or a date), RateLimit-Reset (seconds) and X-RateLimit-Reset (seconds,
    unix seconds or a date) in the mapping ``headers`` of the error or of its ``response``. Values
    that cannot be understood count as 0.

    Args:
        error: What was raised.
        now: The time to compare a date with, in seconds since 1970-01-01 00:00 UTC.
    """
    asked = getattr(error, "retry_after", None)  # foreign errors: no contract of ours says it
    for wish in [asked, *_headers(error)]:
        if wish is not None:
            return _seconds(wish, now)
    return 0.0


def _seconds(wish: object, now: float) -> float:
    try:
        seconds = float(wish)  # type: ignore[arg-type]
        if seconds > LONGEST_WAIT_S:  # too large for a wait: a time in unix seconds
            seconds -= now
    except (TypeError, ValueError, OverflowError):
        seconds = _moment(wish) - now
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0


def _moment(wish: object) -> float:
    """Returns an HTTP or ISO 8601 date as unix seconds, NaN if it is neither."""
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return parse(wish).timestamp()  # type: ignore[arg-type]
        except (TypeError, ValueError, AttributeError, IndexError, OverflowError):
            continue
    return math.nan


def _status(error: BaseException) -> int | None:
    for source in (error, getattr(error, "response", None)):
        for name in ("status", "status_code", "code"):
            status = getattr(source, name, None)
            if isinstance(status, int):
                return int(status)
    return None


def _headers(error: BaseException) -> list[Any]:
    """Returns the headers that ask to wait, the one that counts most first."""
    for source in (error, getattr(error, "response", None)):
        headers = getattr(source, "headers", None)
        if headers is not None and hasattr(headers, "items"):
            found = {str(name).lower(): value for name, value in headers.items()}
            return [found.get(name) for name in WAITING_HEADERS]
    return []
