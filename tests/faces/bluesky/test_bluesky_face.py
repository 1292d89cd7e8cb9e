"""What BlueskyFace does without a network: arguments, errors, and no secret that gets out."""

import base64
import json
import logging
import pickle
import socket
import subprocess
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import pytest

from kilroy_gym import PostData

pytest.importorskip("atproto")
from kilroy_gym.faces.bluesky import BlueskyError, BlueskyFace, BlueskyUnreachable
from kilroy_gym.faces.failures import is_passing
from kilroy_gym.interfaces import PostRefused

PASSWORD = "planted-password"
DID = "did:plc:abcdefghijklmnopqrstuvwx"
POST = f"at://{DID}/app.bsky.feed.post/3ke6kg3wk2222"
CLOSED = "http://127.0.0.1:9"  # the port of `discard`, which nobody serves


def token(name):
    parts = [{"alg": "HS256"}, {"exp": 2**33, "jti": name, "sub": DID}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    return b".".join([*encoded, b"planted-signatures"]).decode().replace("=", "")


ACCESS, REFRESH = token("planted-access"), token("planted-refresh")
SECRETS = [PASSWORD, ACCESS, REFRESH, ACCESS[:40], "planted"]


class Echo(BaseHTTPRequestHandler):
    """The worst server there is: its errors quote all that it was sent, and its own tokens."""

    good = ()
    status = 400
    quoted_as_json = True
    headers_to_send = ()
    did_document = None
    answers = {}  # noqa: RUF012 (read only)

    def do_GET(self):
        method = self.path.partition("?")[0].rpartition("/")[2]
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        self.server.asked.append(method)
        if method in self.good:
            tokens = {"accessJwt": ACCESS, "refreshJwt": REFRESH}
            account = {"handle": "kilroy.test", "did": DID, "didDoc": self.did_document}
            self.answer(200, {**tokens, **account})
        elif method in self.answers:
            found = self.answers[method]
            self.answer(200, found() if callable(found) else found)
        else:
            said = f"{self.headers['authorization']} {body} {ACCESS[:40]} {REFRESH}"
            error = {"error": "InvalidRequest", "message": said}
            self.answer(self.status, error, self.quoted_as_json)

    do_POST = do_GET  # noqa: N815 (the server's name)

    def answer(self, status, content, as_json=True):
        text = json.dumps(content) if as_json else repr(content)
        self.send_response(status)
        for name, value in self.headers_to_send:
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture(autouse=True)
def _planted(monkeypatch):
    monkeypatch.setenv("BLUESKY_HANDLE", "kilroy.test")
    monkeypatch.setenv("BLUESKY_PASSWORD", PASSWORD)


@pytest.fixture
def serve():
    """Starts a server that echoes, and gives its URL and what it was asked for."""
    servers = []

    def start(**settings):
        handler = type("Handler", (Echo,), settings)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.asked = []
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}", server.asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def face_at():
    faces = []

    def make(service=CLOSED, **arguments):
        faces.append(BlueskyFace(service=service, **arguments))
        return faces[-1]

    yield make
    for face in faces:
        face.close()


CALLS = {
    "scrap": lambda face: list(face.scrap()),
    "scrap_scored": lambda face: list(face.scrap_scored()),
    "post": lambda face: face.post(PostData("hello")),
    "post with a key": lambda face: face.post(PostData("hello", key=1)),
    "score": lambda face: face.score(POST),
    "score_many": lambda face: list(face.score_many([POST])),
}
SERVERS = {
    "refuses the login": {},
    "refuses all but the login": {"good": ["com.atproto.server.createSession"]},
    "says that the login expired": {"good": ["com.atproto.server.createSession"], "status": 401},
    "breaks": {"status": 500},
    "wants a break": {"status": 429, "headers_to_send": [("retry-after", "7")]},
    "answers the login with nonsense": {"status": 200},
    "answers with what is no JSON": {"status": 200, "quoted_as_json": False},
    "refuses with what is no JSON": {"status": 502, "quoted_as_json": False},
}


def told_by(error):
    """All that can be printed of an error, the values of our own code's variables included."""
    whole = [traceback.TracebackException.from_exception(error)]
    linked = [error]
    while linked[-1].__cause__ or linked[-1].__context__:
        linked.append(linked[-1].__cause__ or linked[-1].__context__)
    for one in linked:
        whole.append(traceback.TracebackException.from_exception(one, capture_locals=True))
    # Of a test's own frames only the source is shown here: what they hold is no leak.
    return "".join("".join(part.format()) for part in whole) + "".join(
        f"{one!r} {one} {vars(one)} {pickle.dumps(one)!r}" for one in linked
    )


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("server", SERVERS)
def test_no_error_log_or_repr_shows_a_secret(serve, face_at, server, call, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    url, asked = serve(**SERVERS[server])
    face = face_at(url)
    with pytest.raises(BlueskyError) as caught:
        CALLS[call](face)
    assert (len(asked) > 1) == ("good" in SERVERS[server])
    output = "".join(capfd.readouterr())
    told = told_by(caught.value) + caplog.text + output + repr(face) + repr(vars(face))
    told += repr(face.session) + repr(vars(face.session))
    assert [secret for secret in SECRETS if secret in told] == []


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_cannot_be_reached_is_a_connection_error(face_at, call):
    with pytest.raises(ConnectionError, match="did not answer to the login") as caught:
        CALLS[call](face_at())
    assert isinstance(caught.value, BlueskyUnreachable)
    assert caught.value.status is None
    assert PASSWORD not in told_by(caught.value)


@pytest.mark.parametrize("good", [[], ["com.atproto.server.createSession"]])
def test_an_answer_that_is_no_json_may_be_asked_for_again(serve, face_at, good):
    url, _ = serve(good=good, status=200, quoted_as_json=False)
    with pytest.raises(BlueskyUnreachable, match="is not in JSON") as caught:
        face_at(url).score(POST)
    assert is_passing(caught.value)


def test_an_error_says_what_the_server_said(serve, face_at):
    url, _ = serve(status=429, headers_to_send=[("retry-after", "7")])
    with pytest.raises(BlueskyError, match="refused the login: 429 InvalidRequest") as caught:
        face_at(url).score(POST)
    error = pickle.loads(pickle.dumps(caught.value))
    assert (error.status, error.name, error.retry_after) == (429, "InvalidRequest", 7.0)


@pytest.mark.parametrize("reset", ["soon", "9" * 30, "-1"])
def test_limits_without_retry_after_that_make_no_sense_ask_for_no_break(serve, face_at, reset):
    url, _ = serve(status=429, headers_to_send=[("ratelimit-reset", reset)])
    with pytest.raises(BlueskyError) as caught:
        face_at(url).score(POST)
    assert not caught.value.retry_after


def test_the_time_at_which_the_limits_end_is_when_to_ask_again(serve, face_at):
    url, _ = serve(status=429, headers_to_send=[("ratelimit-reset", str(2**33))])
    with pytest.raises(BlueskyError) as caught:
        face_at(url).score(POST)
    assert caught.value.retry_after > 1e9


def test_a_refused_login_is_not_tried_again(serve, face_at):
    url, asked = serve(status=401)
    with pytest.raises(BlueskyError):
        face_at(url).score(POST)
    assert asked == ["com.atproto.server.createSession"]


def test_an_expired_login_is_renewed_once_a_call(serve, face_at):
    login = "com.atproto.server.createSession"
    url, asked = serve(good=[login], status=401)
    face = face_at(url)
    for _ in range(2):
        with pytest.raises(BlueskyError):
            face.score(POST)
    posts = "app.bsky.feed.getPosts"
    assert asked == [login, posts, posts, login, posts]


def feed_item(number, likes, **more):
    post = {
        "uri": f"{POST[:-1]}{number}",
        "record": {"text": f"post {number}"},
        "likeCount": likes,
        "repostCount": 1,
        "viewer": {},
    }
    return {"post": {**post, **more}}


def test_scraped_posts_come_with_their_scores_from_the_feed_itself(serve, face_at):
    items = [
        feed_item(2, 5),
        feed_item(3, 4, viewer={"like": "at://mine", "repost": "at://mine"}),
        feed_item(4, 3, replyCount=2),
        {**feed_item(5, 9), "reason": {}},  # a repost of another's post
    ]
    thread = {"replies": [{"post": {"author": {"did": did}}} for did in (DID, "did:plc:other")]}
    answers = {
        "app.bsky.feed.getAuthorFeed": {"feed": items},
        "app.bsky.feed.getPostThread": {"thread": thread},
    }
    url, asked = serve(good=["com.atproto.server.createSession"], answers=answers)
    face = face_at(url, like_weight=1, repost_weight=10, reply_weight=100)
    scored = list(face.scrap_scored())
    assert [(post.x, score) for _, post, score in scored] == [
        ("post 2", 15.0),
        ("post 3", 3.0),
        ("post 4", 113.0),
    ]
    assert asked.count("app.bsky.feed.getPostThread") == 1
    assert [(uri, post) for uri, post, _ in scored] == list(face.scrap())
    assert list(face.scrap_scored(1)) == scored[:1]


def test_nothing_is_sent_before_the_first_call(serve, face_at):
    url, asked = serve()
    face = face_at(url)
    face.scrap(), face.scrap_scored()
    with pytest.raises(PostRefused, match="at most 3000 bytes"):
        face.post(PostData("a" * 3001))
    assert asked == []


@pytest.mark.parametrize(
    "service",
    [
        "http://bsky.social",
        "http://example.com/127.0.0.1",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "bsky.social",
        "https://",
        "",
    ],
)
def test_a_password_is_not_sent_where_others_can_read_along(service):
    with pytest.raises(ValueError, match="must be an https:// URL"):
        BlueskyFace(service=service)


def test_a_url_with_a_password_is_refused_and_not_quoted():
    with pytest.raises(ValueError, match="leave them out") as caught:
        BlueskyFace(service=f"https://kilroy:{PASSWORD}@example.com")
    assert PASSWORD not in str(caught.value)


def test_a_pds_where_others_can_read_along_is_refused(serve, face_at):
    endpoint = {
        "id": "#atproto_pds",
        "type": "AtprotoPersonalDataServer",
        "serviceEndpoint": "http://pds.example.com",
    }
    document = {"id": DID, "service": [endpoint]}
    login = "com.atproto.server.createSession"
    url, asked = serve(good=[login], did_document=document)
    with pytest.raises(BlueskyError, match="makes no sense"):
        face_at(url).score(POST)
    assert asked == [login]


def test_a_server_that_does_not_answer_in_time_is_unreachable(face_at):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        face = face_at(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.05)
        with pytest.raises(BlueskyUnreachable, match="did not answer to the login"):
            face.score(POST)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), "1", None])
def test_a_timeout_that_is_no_time_is_refused(value):
    with pytest.raises(ValueError, match="timeout_s"):
        BlueskyFace(timeout_s=value)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "at://did:plc:x/app.bsky.feed.post/3ke6kg3wk2222",
        "https://bsky.app/profile/x",
        "x",
        "a b.c",
    ],
)
def test_a_source_that_is_neither_account_nor_feed_is_refused(source):
    with pytest.raises(ValueError, match="source must be a handle, a DID"):
        BlueskyFace(source=source)


@pytest.mark.parametrize("name", ["like_weight", "reply_weight", "repost_weight"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "1", None])
def test_a_weight_that_is_no_number_of_at_least_0_is_refused(name, value):
    with pytest.raises(ValueError, match=name):
        BlueskyFace(**{name: value})


def test_credentials_are_looked_for_at_once(monkeypatch, tmp_path):
    with pytest.raises(FileNotFoundError):
        BlueskyFace(tmp_path / "nothing.json")
    monkeypatch.delenv("BLUESKY_HANDLE")
    with pytest.raises(ValueError, match="BLUESKY_HANDLE not set"):
        BlueskyFace()


def test_a_face_cannot_be_pickled_with_its_login(serve, face_at):
    url, _ = serve(good=["com.atproto.server.createSession"])
    face = face_at(url)
    assert face.session.did() == DID
    with pytest.raises(TypeError):
        pickle.dumps(face)


def test_without_atproto_the_error_names_the_extra():
    code = "import sys; sys.modules['atproto'] = None; import kilroy_gym.faces.bluesky"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "ImportError: Bluesky Faces need atproto: pip install 'kilroy-gym[bluesky]'" in (
        done.stderr
    )


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_password_never_follows_a_redirect(serve, face_at, status):
    elsewhere, asked = serve()
    url, _ = serve(status=status, headers_to_send=[("location", f"{elsewhere}/xrpc/x")])
    with pytest.raises(BlueskyError, match="with a redirect, which is not followed") as caught:
        face_at(url).score(POST)
    assert asked == []
    assert not is_passing(caught.value)
    assert PASSWORD not in told_by(caught.value)


LOGIN = "com.atproto.server.createSession"
FEED = "app.bsky.feed.getAuthorFeed"


def item(number):
    uri = f"at://{DID}/app.bsky.feed.post/{number}"
    return {"post": {"uri": uri, "record": {"text": f"post {number}"}}}


@pytest.mark.parametrize(
    "page",
    [
        {"feed": None},
        {},
        {"feed": [None]},
        {"feed": [{}]},
        {"feed": [{"post": {"uri": POST}}]},
        {"feed": [{"post": {"record": {"text": "x"}}}]},
        {"feed": [{"post": {"uri": POST, "record": None}}]},
    ],
    ids=str,
)
def test_a_page_that_makes_no_sense_is_an_error_of_bluesky(serve, face_at, page):
    url, _ = serve(good=[LOGIN], answers={FEED: page})
    with pytest.raises(BlueskyError, match="page of posts makes no sense"):
        list(face_at(url).scrap())


@pytest.mark.parametrize("cursors", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_a_scrape_ends_where_the_server_begins_anew(serve, face_at, caplog, cursors):
    numbers = count()

    def page():
        number = next(numbers)
        return {"feed": [item(number)], "cursor": cursors[number % len(cursors)]}

    url, asked = serve(good=[LOGIN], answers={FEED: page})
    found = list(face_at(url).scrap())
    assert len(found) == len(cursors) + 1 == asked.count(FEED)
    assert "gives the same page again" in caplog.text


@pytest.mark.parametrize("around", [("@", ""), (" ", "\n"), ("\u202a", "\u202c"), ("\ufeff", "")])
def test_what_copying_adds_to_a_source_is_left_out(face_at, around):
    assert face_at(source="somebody.bsky.social".join(around)).source == "somebody.bsky.social"
