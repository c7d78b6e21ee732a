"""A function's response stream, as the Runtime API gets it: the emulator would answer with the whole."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPMessage, parse_headers
from queue import Queue
from socket import socket
from typing import Any

import pytest

from tests.containers.engine import Docker
from tests.containers.examples import NODE
from tests.containers.functions import LAMBDA_SETS, container
from tests.harness.http_server import listening, silent
from tests.harness.secrets_api import SecretsApi

SECONDS = 60  # for what is waited for; no test fails because the machine is slow
END = b""


@dataclass(frozen=True)
class Response:
    """What a function has sent so far: its headers, then its chunks and END, each as it arrives."""

    headers: "Queue[HTTPMessage]" = field(default_factory=Queue)
    chunks: "Queue[bytes]" = field(default_factory=Queue)


@contextmanager
def invoked(docker: Docker, environ: Mapping[str, str], event: Mapping[str, Any]) -> Iterator[Response]:
    """The response of the example's streaming handler to one event. No other event follows."""
    events: Queue[bytes] = Queue()
    events.put(json.dumps(event).encode())
    response = Response()

    def runtime_api(connection: socket) -> None:
        with connection.makefile("rb") as reader:
            while request := reader.readline():
                headers = parse_headers(reader)
                if request.startswith(b"POST "):
                    response.headers.put(headers)
                    while size := int(reader.readline() or b"0", 16):  # nothing: the function was ended
                        response.chunks.put(reader.read(size))
                        reader.readline()
                    parse_headers(reader)  # the trailer
                    response.chunks.put(END)
                    connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
                elif events.empty():
                    silent(connection)
                else:
                    body = events.get()
                    connection.sendall(_NEXT % (len(body), body))

    with listening(runtime_api) as port:
        # Lambda gives an image no handler.
        variables = {**LAMBDA_SETS, **environ, "_HANDLER": "", "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}"}
        options = [f"--env={name}={value}" for name, value in variables.items()]
        with container(docker, *options, NODE.image, "app.stream"):
            yield response


_NEXT = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: request\r\n"
    b"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:123456789012:function:function\r\n"
    b"Lambda-Runtime-Deadline-Ms: 32503680000000\r\nContent-Length: %d\r\n\r\n%b"
)


@pytest.fixture(scope="module")
def configuration(secrets_api: SecretsApi) -> dict[str, str]:
    """A function's variables, with a reference to a secret of two keys."""
    arn = secrets_api.create_secret("streaming/secret", '{"FIRST": "a", "SECOND": "ü=b"}')
    return secrets_api.environ(SECRETS_MANAGER_ARN=arn)


def test_a_response_stream_is_announced_as_one(docker: Docker, configuration: dict[str, str]) -> None:
    with invoked(docker, configuration, {"names": ["FIRST"], "pause": 0}) as response:
        assert response.headers.get(timeout=SECONDS)["Lambda-Runtime-Function-Response-Mode"] == "streaming"


def test_what_a_function_writes_arrives_before_it_writes_more(docker: Docker, configuration: dict[str, str]) -> None:
    hour = 3_600_000  # milliseconds
    with invoked(docker, configuration, {"names": ["FIRST", "SECOND"], "pause": hour}) as response:
        assert response.chunks.get(timeout=SECONDS) == b'{"FIRST":"a"}\n'


def test_a_response_stream_arrives_to_its_end(docker: Docker, configuration: dict[str, str]) -> None:
    with invoked(docker, configuration, {"names": ["FIRST", "SECOND"], "pause": 0}) as response:
        chunks = iter(lambda: response.chunks.get(timeout=SECONDS), END)

        assert b"".join(chunks).decode() == '{"FIRST":"a"}\n{"SECOND":"ü=b"}\n'
