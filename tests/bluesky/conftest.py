"""A real Bluesky network, started once a test run; every test has accounts of its own.

``pytest tests/bluesky`` runs what is part of every test run, ``pytest tests/bluesky -m slow`` what
is exhaustive. Where Node or PostgreSQL is missing the tests are skipped; with ``CI`` set they fail.
"""

import os
import sys
from itertools import count
from pathlib import Path

import pytest

pytest.importorskip("atproto")
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
from bluesky_network import LocalBluesky, what_is_missing
from bluesky_network.readers import BlueskySession, Credentials

from kilroy_gym.faces.bluesky import BlueskyFace


def pytest_configure(config):
    config.addinivalue_line("markers", "network: needs a Bluesky network on this machine")


@pytest.fixture(scope="session")
def network():
    if (missing := what_is_missing()) is not None:
        # In CI nobody would see that it was skipped.
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(f"no Bluesky network can be started here: {missing}")
    with LocalBluesky() as network:
        yield network


@pytest.fixture(scope="session")
def new_account(network):
    """Makes an account that nothing else uses."""
    names = count()
    return lambda: network.account(f"account{next(names)}")


@pytest.fixture
def account(new_account):
    """The account that posts."""
    return new_account()


@pytest.fixture
def face_of(network, monkeypatch):
    """Makes Faces; the last account's credentials are in the environment."""
    faces = []

    def make(account, **arguments):
        for name, value in account.environment().items():
            monkeypatch.setenv(name, value)
        faces.append(BlueskyFace(service=network.service, **arguments))
        return faces[-1]

    yield make
    for face in faces:
        face.close()


@pytest.fixture
def face(face_of, account):
    return face_of(account)


@pytest.fixture
def session_of(network):
    """Logs in without a Face: somebody else, who looks at the server or reacts."""
    sessions = []

    def make(account):
        credentials = Credentials(account.handle, account.password)
        sessions.append(BlueskySession(lambda: credentials, network.service))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


@pytest.fixture(scope="session")
def watcher(network, new_account):
    """Somebody who only looks, logged in before any test puts something in between."""
    account = new_account()
    session = BlueskySession(lambda: Credentials(account.handle, account.password), network.service)
    session.did()
    yield session
    session.close()


@pytest.fixture
def records_of(watcher):
    """Lists what an account's server has of it, which the AppView has no part in."""

    def records(account, collection="app.bsky.feed.post"):
        found, cursor = [], None
        while True:
            page = watcher.query(
                "com.atproto.repo.listRecords",
                repo=account.did,
                collection=collection,
                limit=100,
                cursor=cursor,
            )
            found += page["records"]
            if not (cursor := page.get("cursor")):
                return found

    return records
