import socket

import pytest
from face_parts import START, unix_clock
from platform_server import TOKEN, HttpError, HttpFace, PlainHttpFace, PlatformServer, score_of

from kilroy_gym import PostData
from kilroy_gym.faces import JournaledFace, RetryingFace, ReviewedFace, read_journal

FAULTS = ["429", "500", "503", "reset", "slow"]


@pytest.fixture
def server():
    with PlatformServer() as server:
        yield server


class GivingUp(HttpFace):
    """Waits for an answer, however late, unless the server holds it back."""

    def __init__(self, server):
        super().__init__(server.port)
        self.server = server

    def _sent(self, connection):
        if self.server.taken.get() == "slow":
            connection.sock.settimeout(0.001)


@pytest.fixture
def face(server, tmp_path):
    """A Face with a journal and attempts, whose platform is a real server on loopback."""
    clock = unix_clock()
    retrying = RetryingFace(GivingUp(server), attempts=4, clock=clock)
    with JournaledFace(retrying, tmp_path / "journal", clock=clock) as face:
        yield face


@pytest.mark.parametrize("fault", FAULTS)
def test_a_post_is_made_once_whatever_fails(server, face, fault):
    server.faults.extend([fault, fault, "200", fault])
    ids = [face.post(PostData(x)) for x in ("one", "two")]
    assert server.posts == ["one", "two"]
    assert ids == ["post/0", "post/1"]
    assert (server.repeats >= 3) == (fault in ("reset", "slow"))  # it had accepted those
    assert [e.state for e in face.journal.entries()] == ["made", "made"]


@pytest.mark.parametrize("fault", FAULTS)
def test_scores_and_scrapes_arrive_whatever_fails(server, face, fault):
    xs = ["a", "bb", "ccc", "dddd", "eeeee"]
    ids = list(face.post_many(map(PostData, xs)))
    server.faults.extend([fault, "200", fault])
    assert dict(face.score_many(ids)) == {i: score_of(x) for i, x in zip(ids, xs, strict=True)}
    assert [e.score for e in face.journal.entries()] == [score_of(x) for x in xs]
    server.faults.extend([fault, "200", fault])
    assert list(face.scrap(4)) == list(zip(ids, map(PostData, xs), strict=True))[:4]


def test_too_many_requests_wait_for_as_long_as_the_server_says(server, face):
    server.faults.extend(["429", "500"])
    face.post(PostData("hello"))
    assert face.face.clock.now == START + 120 + 2


def test_a_server_that_is_down_is_waited_for():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = []

    class Waiting(type(unix_clock())):
        def sleep(self, seconds):
            super().sleep(seconds)
            if self.now > START + 60 and not started:
                started.append(PlatformServer(port))

    clock = Waiting()
    clock.now = START
    assert RetryingFace(HttpFace(port), clock=clock).post(PostData("hello")) == "post/0"
    with started[0] as server:
        assert server.posts == ["hello"]
    assert clock.now == START + 1 + 2 + 4 + 8 + 16 + 32


@pytest.mark.parametrize("fault", FAULTS)
def test_after_giving_up_the_post_is_made_by_the_next_process(server, face, tmp_path, fault):
    server.faults.extend([fault] * 4)
    with pytest.raises((HttpError, OSError)):
        face.post(PostData("one"))
    face.close()
    with JournaledFace(HttpFace(server.port), tmp_path / "journal") as face:
        assert [entry.post_id for entry in face.settle()] == ["post/0"]
        face.post(PostData("two"))
    assert server.posts == ["one", "two"]


@pytest.mark.parametrize("fault", ["reset", "500"])
def test_where_the_platform_is_not_idempotent_no_post_is_made_twice_and_each_one_is_accounted_for(
    server, tmp_path, fault
):
    retrying = RetryingFace(PlainHttpFace(server.port), clock=unix_clock())
    with pytest.warns(UserWarning, match="RetryingFace is not idempotent"):
        face = JournaledFace(retrying, tmp_path / "journal")
    with face:
        for number in range(6):
            server.faults.append(fault if number % 2 else "200")
            try:
                face.post(PostData(number))
            except (HttpError, ConnectionError):
                assert number % 2
        assert [e.state for e in face.journal.entries()] == ["made", "in doubt"] * 3
    assert server.posts == ([0, 1, 2, 3, 4, 5] if fault == "reset" else [0, 2, 4])


def test_a_post_that_the_server_refuses_is_learned_from_and_not_sent_again(server, face):
    server.faults.append("400")
    reviewed = ReviewedFace(face, penalty=-9)
    assert reviewed.score(reviewed.post(PostData("rude"))) == -9
    assert reviewed.post(PostData("kind")) == "post/0"
    assert server.posts == ["kind"]


@pytest.mark.parametrize("fault", [*FAULTS, "404"])
def test_no_secret_gets_into_an_error_a_log_or_a_file(server, face, tmp_path, caplog, fault):
    server.faults.extend([fault] * 4)
    with caplog.at_level(0), pytest.raises((HttpError, OSError)) as caught:
        face.post(PostData("one"))
    shown = [repr(face), str(caught.getrepr(style="short")), caplog.text]
    shown += [file.read_bytes().decode("latin-1") for file in tmp_path.iterdir()]
    assert len(read_journal(tmp_path / "journal")) == 1
    assert not [text for text in shown if TOKEN in text]
