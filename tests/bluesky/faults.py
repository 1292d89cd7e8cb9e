"""What goes wrong between a client and a server: a proxy that breaks requests."""

import base64
import hashlib
import hmac
import json
import socket
import struct
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAULTS = ("cut off", "answer lost", "answer cut", "no JSON", "429", "500", "401")
RARER_FAULTS = ("refused", "slow", "expired")
"""The next connection is refused; no answer until the client gives up; the login is too old."""

RETRY_AFTER_S = 90
"""What a 429 asks for where a proxy is ``strict``; else 0."""

PDS_SECRET = b"jwt-secret"  # @atproto/dev-env's


def signed(token, **changes):
    """A token with other claims, signed as the server would."""
    header, payload, _ = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "==="))
    body = base64.urlsafe_b64encode(json.dumps(claims | changes).encode()).decode().rstrip("=")
    signature = hmac.digest(PDS_SECRET, f"{header}.{body}".encode(), hashlib.sha256)
    return f"{header}.{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def expired(authorization):
    """The header of a login that was good a long time ago."""
    kind, _, token = authorization.partition(" ")
    return f"{kind} {signed(token, exp=1_700_000_000)}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        proxy, where = self.server.proxy, urlsplit(self.path)
        method = where.path.rpartition(".")[2]
        fault = proxy.plan.get(len(proxy.requests))
        proxy.requests.append(f"{self.command} {where.path}")
        fault = proxy.watch(method, "came") or fault
        if fault is not None:
            proxy.broken.append(fault)
        if fault == "cut off":
            self.reset()
        elif fault in {"401", "429", "500"}:
            quoted = f"{self.headers}{body.decode()}"  # with password or token
            content = json.dumps({"error": "Broken", "message": quoted}).encode()
            after = RETRY_AFTER_S if proxy.strict and fault == "429" else 0
            self.answer(int(fault), [("retry-after", str(after))], content)
        else:
            self.pass_on(body, fault)
            proxy.watch(method, "answered")

    do_POST = do_GET  # noqa: N815 (the server's name)

    def pass_on(self, body, fault):
        where = urlsplit(self.path)
        server = HTTPConnection(where.hostname, where.port)
        headers = {name.lower(): value for name, value in self.headers.items()}
        headers |= {"connection": "close", "accept-encoding": "identity"}
        login = headers.get("authorization")
        if fault == "expired" and login in self.server.proxy.used:  # no login is old at once
            headers["authorization"] = expired(login)
        self.server.proxy.used.add(login)
        server.request(self.command, f"{where.path}?{where.query}", body, headers)
        answer = server.getresponse()
        content = answer.read()
        server.close()
        if answer.headers.get_content_type() == "application/json":
            self.server.proxy.remember(json.loads(content))
        self.server.proxy.watch(where.path.rpartition(".")[2], "carried out")
        self.deliver(answer.status, content, fault)

    def deliver(self, status, content, fault):
        """Gives the client what the server had answered, or not."""
        if fault == "answer lost":
            self.reset()
        elif fault == "no JSON":
            self.answer(status, [], b"<html>" + content)
        elif fault == "answer cut":
            self.answer(status, [], content, len(content) // 2)
            self.reset()
        elif fault == "slow":
            self.connection.recv(1)  # nothing, when the client hangs up
            self.reset()
        elif fault == "refused":
            self.server.proxy.refuse()
            self.answer(status, [("connection", "close")], content)
        else:
            self.answer(status, [], content)

    def answer(self, status, headers, content, sent=None):
        self.send_response(status)
        for name, value in [*headers, ("content-type", "application/json")]:
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:sent])

    def reset(self):
        """Ends the connection with RST, as a server that dies does."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

    def finish(self):
        if self.connection.fileno() != -1:
            super().finish()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_port = True  # with the socket that keeps the port while nobody listens

    def __init__(self, address, proxy):
        self.proxy = proxy
        super().__init__(address, Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def handle_error(self, *_):
        pass  # a client that went away is what this is for


class FaultyProxy:
    """An HTTP proxy that breaks requests, and tells what passes.

    Attributes:
        plan: Which requests to break, by number from 0: one of ``FAULTS`` or ``RARER_FAULTS``.
        requests: What was asked for since ``break_requests``.
        broken: The faults that happened since then.
        strict: Whether a 429 asks for a long wait.
        tokens: Every token that a server gave.
        used: The logins that were used already.
        watch: Called with the method of a request and what has become of it: it ``"came"``, was
            ``"carried out"``, and ``"answered"``. Until it returns the request stays where it is;
            of one that came it may return a fault.
    """

    def __init__(self):
        self._keeper = socket.socket()
        self._keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._keeper.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._keeper.getsockname()[1]}"
        self._server = None
        self.listen()
        self.tokens, self.used, self.strict = set(), set(), False
        self.watch = lambda method, what: None
        self.break_requests({})

    def environment(self):
        """The variables by which a process, and what it starts, goes through here."""
        return dict.fromkeys(("NO_PROXY", "no_proxy"), "") | dict.fromkeys(
            ("HTTP_PROXY", "http_proxy"), self.url
        )

    def break_requests(self, plan):
        self.plan, self.requests, self.broken = plan, [], []

    def remember(self, content):
        self.tokens |= {content[name] for name in ("accessJwt", "refreshJwt") if name in content}

    def listen(self):
        """Accepts connections; returns whether it did not before."""
        refusing = self._server is None
        if refusing:
            self._server = Server(self._keeper.getsockname(), self)
        return refusing

    def refuse(self):
        """Refuses new connections from now on."""
        server, self._server = self._server, None
        server.shutdown()
        server.server_close()

    def stop(self):
        if self._server is not None:
            self.refuse()
        self._keeper.close()
