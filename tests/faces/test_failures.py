import errno
import math
import socket
from datetime import UTC, datetime
from email.message import Message
from email.utils import formatdate
from http.client import IncompleteRead, RemoteDisconnected
from types import SimpleNamespace
from urllib.error import HTTPError, URLError

import httpx
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from kilroy_gym.faces import failures
from kilroy_gym.faces.failures import PASSING_STATUSES, is_passing, retry_after_s

NOW = 1_700_000_000.0


def error_with(**attributes):
    error = Exception("failed")
    vars(error).update(attributes)
    return error


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        ConnectionResetError(),
        BrokenPipeError(),
        TimeoutError(),
        RemoteDisconnected(),
        IncompleteRead(b""),
        URLError(ConnectionRefusedError()),
        socket.gaierror(socket.EAI_AGAIN, "temporary failure in name resolution"),
        URLError(socket.gaierror(socket.EAI_NONAME, "name or service not known")),
        OSError(errno.ENETUNREACH, "network is unreachable"),
        OSError(errno.EHOSTUNREACH, "no route to host"),
        httpx.ConnectError("no network"),
        httpx.ReadTimeout("too slow"),
        httpx.RemoteProtocolError("broke off"),
        requests.exceptions.ConnectionError("no network"),
        requests.exceptions.ReadTimeout("too slow"),
    ],
    ids=repr,
)
def test_a_connection_that_failed_may_work_later(error):
    assert is_passing(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError(),
        PermissionError(),
        FileNotFoundError(),
        OSError(28, "disk full"),
        KeyboardInterrupt(),
        URLError("no host given"),
        error_with(code="E42"),
        httpx.UnsupportedProtocol("ftp"),
        requests.exceptions.InvalidURL("no host"),
    ],
    ids=repr,
)
def test_an_error_of_our_own_stays(error):
    assert not is_passing(error)


@given(st.integers(100, 599), st.sampled_from(["status", "status_code", "code"]), st.booleans())
def test_a_status_decides_wherever_a_library_keeps_it(status, name, in_response):
    holder = {name: status}
    error = error_with(response=SimpleNamespace(**holder)) if in_response else error_with(**holder)
    assert is_passing(error) == (status in PASSING_STATUSES)


def test_a_status_goes_before_the_kind_of_the_error():
    assert not is_passing(HTTPError("http://localhost", 404, "not found", Message(), None))
    assert is_passing(HTTPError("http://localhost", 503, "busy", Message(), None))


@given(st.integers(0, 10**6))
def test_the_wait_that_a_server_asks_for_is_found(seconds):
    header = {"retry-AFTER": str(seconds), "date": "x"}
    message = Message()
    message["Retry-After"] = str(seconds)
    date = {"Retry-After": formatdate(NOW + seconds, usegmt=True)}
    for error in (
        error_with(retry_after=seconds),
        error_with(headers=header),
        error_with(headers=message),
        error_with(response=SimpleNamespace(headers=header)),
        error_with(headers=date),
    ):
        assert retry_after_s(error, NOW) == seconds


@given(
    st.none() | st.text() | st.floats() | st.integers() | st.binary()
    | st.lists(st.integers()) | st.dictionaries(st.text(), st.text())
)  # fmt: skip
def test_whatever_a_server_asks_for_is_a_finite_wait(wish):
    for error in (error_with(retry_after=wish), error_with(headers={"Retry-After": wish})):
        wait_s = retry_after_s(error, NOW)
        assert wait_s >= 0
        assert math.isfinite(wait_s)


@pytest.mark.parametrize("wish", [-5, "soon", "nan", "inf", "", formatdate(NOW - 9), None])
def test_a_wish_that_makes_no_sense_is_no_wait(wish):
    assert retry_after_s(error_with(headers={"retry-after": wish}), NOW) == 0
    assert retry_after_s(Exception(), NOW) == 0


class OwnError(Exception):
    """As a library of its own raises them, derived from nothing that is known."""


@pytest.mark.parametrize("entry", [OwnError, f"{OwnError.__module__}.OwnError"])
def test_a_library_of_ones_own_is_named_in_the_table(monkeypatch, entry):
    class Later(OwnError):
        pass

    assert not is_passing(Later())
    monkeypatch.setattr(failures, "PASSING_ERRORS", {*failures.PASSING_ERRORS, entry})
    assert is_passing(Later())


@pytest.mark.parametrize(
    "headers",
    [
        {"ratelimit-reset": "90"},
        {"X-RateLimit-Reset": str(NOW + 90)},
        {"x-ratelimit-reset": datetime.fromtimestamp(NOW + 90, UTC).isoformat()},
        {"x-ratelimit-reset": "5", "Retry-After": "90"},
        {"x-ratelimit-reset": "5", "ratelimit-reset": "90"},
    ],
)
def test_the_end_of_a_rate_limit_is_found_in_the_headers_that_platforms_use(headers):
    assert retry_after_s(error_with(headers=headers), NOW) == pytest.approx(90)
