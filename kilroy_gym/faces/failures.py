"""What a platform's error says: whether it is transient, and when to ask again."""

import math
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""HTTP statuses after which the same request may succeed (RFC 9110, RFC 6585, RFC 8470)."""


def is_passing(error: BaseException) -> bool:
    """Tells whether the same request may succeed later.

    That is so for the HTTP statuses 408, 425, 429, 500, 502, 503 and 504. An error without a
    status counts if it is a failed connection, an answer that broke off or a timeout, as Python's
    own libraries raise them, or is derived from one. The status is read from ``status``,
    ``status_code`` or ``code`` of the error or of its ``response``.
    """
    status = _status(error)
    if status is not None:
        return status in PASSING_STATUSES
    if isinstance(error, URLError) and isinstance(error.reason, BaseException):
        return is_passing(error.reason)
    return isinstance(error, (ConnectionError, TimeoutError, HTTPException))


def retry_after_s(error: BaseException, now: float) -> float:
    """Returns how long a platform asks to wait before the next request, in seconds, at least 0.

    That is ``retry_after`` of the error, in seconds, or else the header Retry-After (RFC 9110,
    10.2.3), in seconds or as a date, from the mapping ``headers`` of the error or of its
    ``response``. Anything else counts as 0.

    Args:
        error: What was raised.
        now: The time to compare a date with, in seconds since 1970-01-01 00:00 UTC.
    """
    asked = getattr(error, "retry_after", None)
    if asked is None:
        asked = _header(error)
    try:
        seconds = float(asked)
    except (TypeError, ValueError):
        try:
            seconds = parsedate_to_datetime(asked).timestamp() - now
        except (TypeError, ValueError, AttributeError, IndexError, OverflowError):
            return 0.0
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0


def _status(error: BaseException) -> int | None:
    for source in (error, getattr(error, "response", None)):
        for name in ("status", "status_code", "code"):
            status = getattr(source, name, None)
            if isinstance(status, int):
                return int(status)
    return None


def _header(error: BaseException) -> Any:
    for source in (error, getattr(error, "response", None)):
        headers = getattr(source, "headers", None)
        if headers is not None and hasattr(headers, "items"):
            found = {str(name).lower(): value for name, value in headers.items()}
            return found.get("retry-after")
    return None
