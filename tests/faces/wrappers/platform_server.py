"""A platform over HTTP on loopback that fails on request, and the Face that speaks to it."""

import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from kilroy_gym import KilroyFace, PostData
from kilroy_gym.interfaces import PostRefused

TOKEN = "token-that-nobody-may-see"


class PlatformServer(ThreadingHTTPServer):
    """Keeps posts in memory; a key makes a post once.

    Attributes:
        posts: What was posted, in order; the id of each is ``post/`` and its number.
        keys: The key of each post, or ``None``.
        repeats: How often a key came again.
        faults: What becomes of the next requests, one each; then all is well. A status as
            ``"500"`` or ``"429"``; ``"reset"`` in the middle of the response, ``"slow"``: no
            response until ``patience`` is set, both after the request was carried out.
        taken: What has become of each request, as soon as that is known.
    """

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        self.posts: list[Any] = []
        self.keys: list[int | None] = []
        self.repeats = 0
        self.faults: deque[str] = deque()
        self.taken: SimpleQueue[str] = SimpleQueue()
        self.patience = threading.Event()
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def __exit__(self, *args: Any) -> None:
        self.patience.set()
        self.shutdown()
        self.thread.join()
        super().__exit__(*args)

    def handle_error(self, *args: Any) -> None:
        pass  # a client that went away is what this is for

    def accept(self, key: int | None, x: Any) -> str:
        with self.lock:
            if key is not None and key in self.keys:
                self.repeats += 1
                return f"post/{self.keys.index(key)}"
            self.posts.append(x)
            self.keys.append(key)
            return f"post/{len(self.posts) - 1}"

    def score(self, post_id: str) -> float:
        return score_of(self.posts[int(post_id.removeprefix("post/"))])


def score_of(x: Any) -> float:
    """What the platform's readers think."""
    return len(str(x)) / 2


class _Handler(BaseHTTPRequestHandler):
    server: PlatformServer

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(lambda: {"id": self.server.accept(sent["key"], sent["x"])})

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/score":
            self._answer(lambda: {"score": self.server.score(query["id"])})
        else:
            first = int(query["after"])
            page = list(enumerate(self.server.posts))[first : first + 3]
            self._answer(lambda: {"posts": [[f"post/{number}", x] for number, x in page]})

    def _answer(self, carry_out: Any) -> None:
        fault = self.server.faults.popleft() if self.server.faults else "200"
        if fault.isdigit() and fault != "200":
            self.server.taken.put(fault)
            self.send_response(int(fault))
            if fault == "429":
                self.send_header("Retry-After", "120")
            self.end_headers()
            return
        body = json.dumps(carry_out()).encode()
        self.server.taken.put(fault)
        if fault == "slow":
            self.server.patience.wait()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "reset":
            self.wfile.write(body[: len(body) // 2])
            # Without lingering, closing sends a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        else:
            self.wfile.write(body)

    def finish(self) -> None:
        if self.connection.fileno() != -1:
            super().finish()

    def log_message(self, *args: Any) -> None:
        pass


class HttpError(Exception):
    """A status that is no success."""

    def __init__(self, status: int, headers: Any) -> None:
        super().__init__(f"status {status}")
        self.status, self.headers = status, headers


class PlainHttpFace(KilroyFace[Any, str]):
    """Speaks to the server; cannot post with a key."""

    def __init__(self, port: int, timeout_s: float = 600.0) -> None:
        self.port, self.timeout_s, self.token = port, timeout_s, TOKEN

    def scrap(self, limit: int | None = None) -> Iterator[tuple[str, PostData[Any]]]:
        after = 0
        while (limit is None or after < limit) and (
            page := self._ask("GET", f"/posts?after={after}")["posts"]
        ):
            for post_id, x in page[: None if limit is None else limit - after]:
                yield post_id, PostData(x)
            after += len(page)

    def post(self, data: PostData[Any]) -> str:
        return self._send(data, None)

    def score(self, post_id: str) -> float:
        return float(self._ask("GET", f"/score?id={quote(post_id)}")["score"])

    def _send(self, data: PostData[Any], key: int | None) -> str:
        return str(self._ask("POST", "/posts", {"key": key, "x": data.x})["id"])

    def _sent(self, connection: HTTPConnection) -> None:
        """Called when a request is sent and its answer has not come."""

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=self.timeout_s)
        try:
            headers = {"Authorization": f"Bearer {self.token}"}
            connection.request(method, path, json.dumps(body), headers)
            self._sent(connection)
            with connection.getresponse() as response:
                if response.status == 400:
                    raise PostRefused("the platform says no")
                if response.status != 200:
                    raise HttpError(response.status, response.headers)
                return json.loads(response.read())
        finally:
            connection.close()


class HttpFace(PlainHttpFace):
    """Makes a post with a key once."""

    idempotent = True

    def post(self, data: PostData[Any]) -> str:
        return super().post(data) if data.key is None else self._send(data, data.key)
