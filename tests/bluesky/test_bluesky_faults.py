"""A real network that fails: what was asked for is done once, and no secret gets out."""

import logging
import traceback
from itertools import count

import pytest
from bluesky_network import until
from faults import FAULTS, signed

from kilroy_gym import PostData
from kilroy_gym.faces.bluesky import BlueskyError

KEY = 1_700_000_000_000_000


@pytest.fixture(autouse=True)
def _put_between(proxy):
    proxy.put_between()


def patiently(call, errors):
    """Calls again after an error, as nothing but one request is broken."""
    while True:
        try:
            return call()
        except BlueskyError as error:
            errors.append(error)
            assert len(errors) <= 2, errors


def play(face, key, errors):
    """Scraps, posts, and asks for the score until it is there; returns the post's id."""
    patiently(lambda: list(face.scrap(3)), errors)
    uri = patiently(lambda: face.post(PostData("once", key=key)), errors)
    until(lambda: patiently(lambda: list(face.score_many([uri])), errors))
    return uri


def told_by(face, errors):
    told = [repr(face), repr(vars(face)), repr(face.session), repr(vars(face.session))]
    for error in errors:
        told += traceback.format_exception(error)
        told += [repr(error), repr(vars(error)), repr(error.__context__)]
    return "".join(told)


@pytest.mark.parametrize("fault", FAULTS)
def test_whichever_request_fails_the_post_is_made_once_and_no_secret_gets_out(
    proxy, face_of, account, records_of, fault, caplog, capfd
):
    caplog.set_level(logging.DEBUG)
    told, uris, methods, failures = "", [], set(), 0
    for number in count():
        face, errors = face_of(account), []
        proxy.break_requests({number: fault})
        uris.append(play(face, KEY + number, errors))
        told += told_by(face, errors)
        failures += len(errors)
        methods |= set(proxy.requests)
        if number >= len(proxy.requests):
            break  # none was broken any more
    assert failures >= (1 if fault == "401" else 5)  # a login is renewed after a 401
    assert {method.rpartition(".")[2] for method in methods} == {
        "createSession",
        "getAuthorFeed",
        "getRecord",
        "putRecord",
        "getPosts",
    }
    assert sorted(record["uri"] for record in records_of(account)) == sorted(uris)
    told += caplog.text + "".join(capfd.readouterr())
    assert proxy.tokens
    assert [secret for secret in (account.password, *proxy.tokens) if secret in told] == []


def inside(face):
    """The session of the library inside, to make it old."""
    return face.session._client._session


def logins(proxy):
    return [request.rpartition(".")[2] for request in proxy.requests if "Session" in request]


@pytest.fixture
def logged_in(proxy, face_of, account):
    face = face_of(account)
    face.session.did()
    proxy.break_requests({})
    return face


def test_a_login_is_kept(proxy, logged_in):
    for _ in range(3):
        logged_in.post(PostData("hello"))
    assert logins(proxy) == []


def test_a_login_that_is_about_to_expire_is_refreshed(proxy, logged_in, account, records_of):
    inside(logged_in).access_jwt = signed(inside(logged_in).access_jwt, exp=1_700_000_000)
    logged_in.post(PostData("hello"))
    logged_in.post(PostData("hello again"))
    assert logins(proxy) == ["refreshSession"]
    assert len(records_of(account)) == 2


def test_a_login_that_cannot_be_refreshed_is_made_again(proxy, logged_in, account, records_of):
    inside(logged_in).access_jwt = signed(inside(logged_in).access_jwt, exp=1_700_000_000)
    inside(logged_in).refresh_jwt = signed(inside(logged_in).refresh_jwt, exp=1_700_000_000)
    logged_in.post(PostData("hello"))
    assert logins(proxy) == ["refreshSession", "createSession"]
    assert len(records_of(account)) == 1


@pytest.mark.parametrize("call", ["post", "scrap", "score"])
def test_a_login_that_the_server_does_not_know_any_more_is_made_again(
    proxy, logged_in, account, records_of, call
):
    uri = logged_in.post(PostData("before"))
    until(lambda: list(logged_in.score_many([uri])))
    inside(logged_in).access_jwt = inside(logged_in).access_jwt[:-4] + "AAAA"
    calls = {
        "post": lambda: logged_in.post(PostData("hello")),
        "scrap": lambda: list(logged_in.scrap()),
        "score": lambda: logged_in.score(uri),
    }
    calls[call]()
    assert logins(proxy) == ["createSession"]
    assert len(records_of(account)) == 1 + (call == "post")


def test_a_wrong_password_is_an_error_at_once(face_of, account, monkeypatch, proxy):
    face = face_of(account)
    monkeypatch.setenv("BLUESKY_PASSWORD", "planted-wrong-password")
    with pytest.raises(BlueskyError, match="refused the login: 401") as caught:
        face.post(PostData("hello"))
    assert caught.value.status == 401
    assert logins(proxy) == ["createSession"]
