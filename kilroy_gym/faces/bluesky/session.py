"""Requests to Bluesky, logged in, without leaking a secret."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from time import time
from typing import Any
from urllib.parse import urlsplit

from kilroy_gym._checks import number
from kilroy_gym._extras import needs_extra
from kilroy_gym.faces.bluesky.credentials import Credentials

with needs_extra("bluesky", "Bluesky Faces"):
    import atproto
    import httpx
    from atproto.exceptions import NetworkError, RateLimitExceededError, RequestErrorBase
    from atproto_client.models.dot_dict import DotDict

Json = dict[str, Any]
"""A record or an answer, as the protocol's JSON."""

_JSON_WEB_TOKEN = re.compile(r"eyJ[\w.-]+")


class BlueskyError(RuntimeError):
    """A request to Bluesky failed. The message holds no secret.

    Attributes:
        status: The HTTP status, or ``None`` if there was no answer.
        name: The protocol's name of the error, such as ``"InvalidRequest"``, or empty.
        retry_after: Seconds after which the server asks to retry, or ``None``.
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        name: str = "",
        retry_after: float | None = None,
    ) -> None:
        """Carries the message and what the server said."""
        super().__init__(message)
        self.status = status
        self.name = name
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[object, ...]:
        """Lets the error cross between processes with all its attributes."""
        return type(self), (str(self), self.status, self.name, self.retry_after)


class BlueskyUnreachable(BlueskyError, ConnectionError):
    """There was no answer, or it broke off: the request may have succeeded."""


class _UnsafePds(ValueError):
    """The connection to the account's own server would not be private."""


class _Redirected(ValueError):
    """The server sends whoever asks to another address, which must not get a password."""


def _refuse_redirect(response: httpx.Response) -> None:
    if response.has_redirect_location:
        raise _Redirected


class BlueskySession:
    """A login, renewed when it expires, and requests in plain JSON.

    The password is read for each login and not kept. Errors of the underlying libraries may quote
    requests and answers, so they never leave this class, not even as a cause: a
    :class:`BlueskyError` repeats their message without tokens and passwords.

    Args:
        credentials: Reads the handle and the password.
        service: The URL of the server to log in at; HTTPS, except on this machine.
        timeout_s: How long to wait for the server's next bytes, in seconds, above 0.

    Attributes:
        service: That URL.
        timeout_s: That time.

    Raises:
        ValueError: The URL is not allowed, or ``timeout_s`` is out of its range.
    """

    def __init__(
        self,
        credentials: Callable[[], Credentials],
        service: str = "https://bsky.social",
        timeout_s: float = 30.0,
    ) -> None:
        """Sends nothing yet."""
        self.service = _checked_service(service)
        self.timeout_s = number("timeout_s", timeout_s, 0, above=True)
        self._credentials = credentials
        self._client: Any = None
        self._session: Any = None

    def __repr__(self) -> str:
        """Shows only the server."""
        return f"BlueskySession({self.service!r})"

    def did(self) -> str:
        """Returns the account's permanent id, logging in if need be."""
        if self._client is None and (failure := self._log_in()) is not None:
            raise failure
        return str(self._session.did)

    def query(self, method: str, **parameters: object) -> Json:
        """Calls a query method, which changes nothing.

        Args:
            method: The name of the method in the lexicon.
            **parameters: Its parameters; those that are ``None`` are left out.

        Raises:
            BlueskyError: The request fails.
        """
        given = {name: value for name, value in parameters.items() if value is not None}
        return self._call(method, lambda client: client.invoke_query(method, params=DotDict(given)))

    def procedure(self, method: str, **body: object) -> Json:
        """Calls a procedure method, which changes something.

        Args:
            method: The name of the method in the lexicon.
            **body: Its input; ``None`` is sent as null.

        Raises:
            BlueskyError: The request fails.
        """
        json = "application/json"
        return self._call(
            method,
            lambda client: client.invoke_procedure(
                method, data=DotDict(body), input_encoding=json, output_encoding=json
            ),
        )

    def close(self) -> None:
        """Forgets the login; the next request logs in again."""
        if self._client is not None:
            self._client.request.close()
        self._client = self._session = None

    def _call(self, method: str, send: Callable[[Any], Any]) -> Json:
        was_logged_in = self._client is not None
        answer = self._attempt(method, send)
        if was_logged_in and isinstance(answer, BlueskyError) and _is_expired(answer):
            self.close()
            answer = self._attempt(method, send)
        if isinstance(answer, BlueskyError):
            raise answer  # outside any `except`, so that the caught error is not attached
        return answer

    def _attempt(self, method: str, send: Callable[[Any], Any]) -> Json | BlueskyError:
        if self._client is None and (failure := self._log_in()) is not None:
            return failure
        try:
            content = send(self._client).content
        except Exception as error:
            return self._described(method, error)
        if not isinstance(content, dict):
            return BlueskyUnreachable(f"Bluesky's answer to {method} is not in JSON")
        return content

    def _log_in(self) -> BlueskyError | None:
        credentials = self._credentials()
        hooks = {"response": [_refuse_redirect]}  # called before a redirect is followed
        request = atproto.Request(timeout=self.timeout_s, event_hooks=hooks)
        client = atproto.Client(self.service, request)
        client.on_session_change(self._remember)
        try:
            client.login(credentials.handle, credentials.password, fetch_bsky_profile=False)
        except Exception as error:
            client.request.close()
            return self._described("the login", error, credentials.password)
        self._client = client
        return None

    def _remember(self, _event: object, session: Any) -> None:
        self._session = session
        try:
            _checked_service(session.pds_endpoint)  # where the tokens will be sent
        except ValueError as error:
            raise _UnsafePds(str(error)) from None

    def _described(self, method: str, error: Exception, *secrets: str) -> BlueskyError:
        """Returns an error of the libraries as one of ours, without secrets."""
        response = error.response if isinstance(error, RequestErrorBase) else None
        if isinstance(error.__cause__ or error, _Redirected):
            return BlueskyError(
                f"Bluesky answers {method} with a redirect, which is not followed since it would "
                "get the password or a token: give the right address as `service`"
            )
        if response is None:
            kind = type(error.__cause__ or error).__name__
            if isinstance(error, (NetworkError, httpx.TransportError)):
                return BlueskyUnreachable(f"Bluesky did not answer to {method} ({kind})")
            if type(error) is ValueError:  # from the library's JSON parser; cut off, perhaps
                return BlueskyUnreachable(f"Bluesky's answer to {method} is not in JSON")
            return BlueskyError(f"Bluesky's answer to {method} makes no sense ({kind})")
        name = str(getattr(response.content, "error", None) or "")
        text = str(getattr(response.content, "message", None) or "")
        if self._session is not None:
            secrets += (self._session.access_jwt, self._session.refresh_jwt)
        said = _without(": ".join(part for part in (name, text) if part), secrets)
        return BlueskyError(
            f"Bluesky refused {method}: {response.status_code} {said[:300]}".rstrip(),
            response.status_code,
            _without(name, secrets),
            _retry_after(response),
        )


def _checked_service(url: str) -> str:
    """Refuses a URL that others could eavesdrop on; does not quote one with a password."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("the service's URL must not hold a name or password: leave them out")
    host = parts.hostname or ""
    if parts.scheme == "https" and host:
        return url
    if parts.scheme == "http" and (host == "localhost" or _is_loopback(host)):
        return url
    raise ValueError(f"the service must be an https:// URL, or be on this machine, got {url!r}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_expired(failure: BlueskyError) -> bool:
    return failure.status == 401 or failure.name in {"ExpiredToken", "InvalidToken"}


def _without(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, "[removed]")
    return _JSON_WEB_TOKEN.sub("[removed]", text)


def _retry_after(response: Any) -> float | None:
    limits = RateLimitExceededError(response)
    if response.status_code == 429 and limits.retry_after is None:
        try:
            return max(limits.reset_at.timestamp() - time(), 0.0) if limits.reset_at else None
        except (ValueError, OverflowError, OSError):
            return None
    return float(limits.retry_after) if limits.retry_after is not None else None
