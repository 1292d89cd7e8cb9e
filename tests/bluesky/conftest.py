"""A real Bluesky network, started once per test run; every test has accounts of its own.

All that needs it is slow: ``pytest tests/bluesky -m slow``. Where Node or PostgreSQL is missing the
tests are skipped; with ``CI`` set they fail.
"""

import os
import sys
from itertools import count
from pathlib import Path

import pytest

pytest.importorskip("atproto")
sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import bluesky_network
from bluesky_network import until, what_is_missing, write
from fans import VIEW, Fans, corpus
from faults import FaultyProxy
from shared import shared_network

from kilroy_gym.faces.bluesky import BlueskyFace


@pytest.hookimpl(tryfirst=True)  # before those that are not asked for are left out
def pytest_collection_modifyitems(items):
    for item in items:
        if "network" in item.fixturenames:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def network(run_folder):
    if (missing := what_is_missing()) is not None:
        # In CI nobody would see that it was skipped.
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(f"no Bluesky network can be started here: {missing}")
    with shared_network(run_folder / "bluesky") as network:
        yield network


@pytest.fixture(scope="session")
def new_account(network, worker_id):
    """Makes an account that nothing else uses."""
    names = count()
    return lambda: network.account(f"{worker_id}-account{next(names)}")


@pytest.fixture
def account(new_account):
    """The account that posts."""
    return new_account()


@pytest.fixture
def proxy(watcher, monkeypatch):
    """A proxy that breaks requests: of who is told of it, or logs in after ``put_between``."""
    proxy = FaultyProxy()

    def put_between():
        for name, value in proxy.environment().items():
            monkeypatch.setenv(name, value)

    proxy.put_between = put_between
    yield proxy
    proxy.stop()


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
        sessions.append(bluesky_network.session_of(network, account))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


@pytest.fixture(scope="session")
def watcher(network, new_account):
    """Somebody who only looks, logged in before any test puts something in between."""
    session = bluesky_network.session_of(network, new_account())
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


@pytest.fixture(scope="session")
def library(network, new_account):
    """An account whose posts are there to be mimicked."""
    account = new_account()
    session = bluesky_network.session_of(network, account)
    texts = list(corpus())
    for text in texts:
        write(session, "app.bsky.feed.post", text=text)
    where = {"actor": account.did, "limit": 100}
    feed = "app.bsky.feed.getAuthorFeed"
    until(lambda: session.query(feed, **where)["feed"], lambda found: len(found) == len(texts))
    session.close()
    return account


@pytest.fixture
def fans_of(network):
    """Makes fans of an account, logged in before a test puts something in between."""
    made = []

    def make(account):
        made.append(Fans(network, account.did))
        return made[-1]

    yield make
    for fans in made:
        fans.close()


@pytest.fixture
def counted(watcher, records_of):
    """Lists all that the server has of an account: text and likes of each post, by address."""

    def count(account):
        uris = [record["uri"] for record in records_of(account)]
        pages = [uris[first : first + 25] for first in range(0, len(uris), 25)]
        posts = [p for page in pages for p in watcher.query(VIEW, uris=page)["posts"]]
        return {post["uri"]: (post["record"]["text"], post["likeCount"]) for post in posts}

    return count
