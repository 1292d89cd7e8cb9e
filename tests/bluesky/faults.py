"""What goes wrong between a client and a server: a proxy that breaks one request."""

import json
import socket
import struct
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAULTS = ("cut off", "answer lost", "answer cut", "no JSON", "429", "500", "401")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        proxy = self.server
        number = len(proxy.requests)
        proxy.requests.append(f"{self.command} {urlsplit(self.path).path}")
        fault = proxy.fault if number == proxy.broken else None
        if fault == "cut off":
            self.reset()
        elif fault in {"401", "429", "500"}:
            content = json.dumps({"error": "Broken", "message": str(self.headers)}).encode()
            self.answer(int(fault), [("retry-after", "0")], content)
        else:
            self.pass_on(body, fault)

    do_POST = do_GET  # noqa: N815 (the server's name)

    def pass_on(self, body, fault):
        where = urlsplit(self.path)
        server = HTTPConnection(where.hostname, where.port, timeout=30)
        headers = {name.lower(): value for name, value in self.headers.items()}
        headers |= {"connection": "close", "accept-encoding": "identity"}
        server.request(self.command, f"{where.path}?{where.query}", body, headers)
        answer = server.getresponse()
        content = answer.read()
        server.close()
        if answer.headers.get_content_type() == "application/json":
            self.server.remember(json.loads(content))
        if fault == "answer lost":
            self.reset()
        elif fault == "no JSON":
            self.answer(answer.status, [], b"<html>" + content)
        elif fault == "answer cut":
            self.answer(answer.status, [], content, len(content) // 2)
            self.reset()
        else:
            self.answer(answer.status, [], content)

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


class FaultyProxy(ThreadingHTTPServer):
    """An HTTP proxy that breaks the request of one number by one fault.

    Attributes:
        broken: The number of that request, from 0, or ``None``.
        fault: One of ``FAULTS``.
        requests: What was asked for since ``break_request``.
        tokens: Every token that a server gave.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.tokens = set()
        self.break_request(None, None)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def break_request(self, number, fault):
        self.requests, self.broken, self.fault = [], number, fault

    def remember(self, content):
        self.tokens |= {content[name] for name in ("accessJwt", "refreshJwt") if name in content}

    def stop(self):
        self.shutdown()
        self.server_close()
