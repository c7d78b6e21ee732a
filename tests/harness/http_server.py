"""A small real HTTP server on loopback: a test decides what it answers and reads what it was asked."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, NamedTuple


class Request(NamedTuple):
    """What was asked; names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def region(self) -> str:
        """The region in the credential scope of an AWS signature (version 4)."""
        scope = self.headers["authorization"].partition("Credential=")[2].partition(",")[0]
        return scope.split("/")[2]


class Reply(NamedTuple):
    status: int
    body: bytes
    cut: bool = False
    """Close the connection after half of the body."""


Answer = Callable[[Request], Reply]


class Server(NamedTuple):
    address: str
    """host:port"""
    requests: list[Request]
    """What was asked so far."""

    @property
    def url(self) -> str:
        return f"http://{self.address}"


@contextmanager
def http_server(answer: Answer, port: int = 0) -> Iterator[Server]:
    """Serves on 127.0.0.1, on a free port unless one is given, until the context ends."""
    requests: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, body)
            requests.append(request)
            reply = answer(request)
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if reply.cut:
                self.wfile.write(reply.body[: len(reply.body) // 2])
                self.close_connection = True
            else:
                self.wfile.write(reply.body)

        do_GET = do_PUT = do_CONNECT = do_POST  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Nothing: `requests` is the log."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Server(f"127.0.0.1:{server.server_port}", requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def secret(text: str) -> Reply:
    """Secrets Manager's reply that holds `text`."""
    return Reply(200, json.dumps({"Name": "name", "SecretString": text}).encode())


def fault(status: int, code: str, message: str = "") -> Reply:
    """A service's error in AWS's JSON 1.1 protocol."""
    return Reply(status, json.dumps({"__type": code, "message": message}).encode())


def secrets(texts: dict[str, str]) -> Answer:
    """Answers like Secrets Manager with the text of the secret that is asked for."""
    return lambda request: secret(texts[request.json["SecretId"]])


def in_turn(*replies: Reply) -> Answer:
    """The first reply to the first request and so on; the last again and again."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def forwarded(address: str) -> Answer:
    """Asks the server at `address` (host:port), so that what it is asked can be seen."""

    def ask(request: Request) -> Reply:
        connection = HTTPConnection(address, timeout=30)
        connection.request(request.method, request.path, request.body, request.headers)
        with connection.getresponse() as response:
            return Reply(response.status, response.read())

    return ask
