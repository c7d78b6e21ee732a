"""What botocore's transport says that a call waits for: the host, whether anything was sent, what starting took.

By the archive's own modules in a process of their own, since they change botocore. What it does on the wire is noted in
two of its methods (`wire.py`): these tests fail where it changes them.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.harness.emulator import free_port
from tests.harness.entrypoint import Entrypoint, aws
from tests.harness.http_server import MUTE, Reply, Request, black_hole, by_length, http_server, listening, silent
from tests.harness.process import Surroundings, run
from tests.transports.runs import context

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.harness.http_server import Answer
    from tests.transports.conftest import Authority

    Stage = Callable[[Authority, Path], AbstractContextManager[dict[str, str]]]

SCRIPT = """
import json, os, sys, threading, time

archive, there, expected = sys.argv[1:]
sys.path.insert(0, f"{archive}/site-packages")

from run_lambda_entrypoint.aws import endpoints, services
from run_lambda_entrypoint.aws.botocore_sdk import BotocoreTransport
from run_lambda_entrypoint.aws.call import Call
from run_lambda_entrypoint.errors import EntrypointError

environ = dict(os.environ)
call = Call(services.SECRETS_MANAGER, "GetSecretValue", {"SecretId": "name"}, "eu-west-1")
transport = BotocoreTransport(environ, endpoints.resolve_all([call], environ))
said = [str(transport.waiting(call))]

def send():
    try:
        transport.send(call, 60)
    except EntrypointError as error:
        said.append(str(error))

threading.Thread(target=transport.prepare, daemon=True).start()
threading.Thread(target=send, daemon=True).start()
until = time.monotonic() + 60
while len(said) == 1 and not os.path.exists(there) and time.monotonic() < until:
    time.sleep(0.01)
while expected not in said[-1] and time.monotonic() < until:
    time.sleep(0.01)
    said.append(str(transport.waiting(call)))
print(json.dumps([said[0], said[-1]]), flush=True)
os._exit(0)
"""
COST = re.compile(r"\d+\.\d s went into starting botocore; use more memory or a longer timeout")


def waited(entrypoint: Entrypoint, environ: dict[str, str], there: Path, expected: str) -> tuple[str, str]:
    """What it says first; and what after `there` exists, once that is `expected`, or at the end of the patience."""
    command = [sys.executable, "-IS", "-c", SCRIPT, str(entrypoint.archive), str(there), expected]
    ended = run(command, Surroundings(environ), seconds=100)
    assert (ended.status, ended.stderr) == (0, b"")
    first, last = json.loads(ended.stdout)
    return COST.sub("COST", first), COST.sub("COST", last)


def silence(there: Path) -> Answer:
    """Answers nothing, and tells that it was asked."""

    def answer(_: Request) -> Reply:
        there.touch()
        return Reply(b"", MUTE)

    return answer


@contextmanager
def mute(_: Authority, there: Path) -> Iterator[dict[str, str]]:
    with http_server(silence(there)) as server:
        yield aws(server.url, {})


@contextmanager
def no_answer_to_syn(_: Authority, there: Path) -> Iterator[dict[str, str]]:
    there.touch()
    with black_hole() as port:
        yield aws(f"http://127.0.0.1:{port}", {})


@contextmanager
def no_handshake(_: Authority, there: Path) -> Iterator[dict[str, str]]:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        there.touch()
        silent(connection)

    with listening(serve) as port:
        yield aws(f"https://127.0.0.1:{port}", {})


@contextmanager
def mute_after_tls(authority: Authority, there: Path) -> Iterator[dict[str, str]]:
    tls = context(authority.ca.issue_cert("127.0.0.1"))
    with http_server(silence(there), tls=tls) as server:
        yield aws(server.url, {}, AWS_CA_BUNDLE=str(authority.file))


@contextmanager
def mute_behind_a_proxy(_: Authority, there: Path) -> Iterator[dict[str, str]]:
    """The tunnel is there, and nobody speaks TLS in it: CONNECT is not the request."""

    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        connection.recv(65_536)
        there.touch()
        silent(connection)

    with listening(serve) as port:
        yield aws(f"https://127.0.0.1:{free_port()}", {}, https_proxy=f"http://127.0.0.1:{port}")


@contextmanager
def mute_container(_: Authority, there: Path) -> Iterator[dict[str, str]]:
    with http_server(silence(there)) as server:
        keys = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
        yield aws("http://127.0.0.1:9", {}, AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{server.url}/secret", **keys)


@contextmanager
def mute_after_the_container(_: Authority, there: Path) -> Iterator[dict[str, str]]:
    keys = {"AccessKeyId": "AKID", "SecretAccessKey": "key", "Token": "token", "Expiration": "2999-01-01T00:00:00Z"}

    def answer(request: Request) -> Reply:
        return by_length(json.dumps(keys).encode()) if request.method == "GET" else silence(there)(request)

    with http_server(answer) as server:
        none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
        yield aws(server.url, {}, AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{server.url}/keys", **none)


STAGES: dict[str, tuple[Stage, str]] = {
    "no reply": (mute, "; the request was sent"),
    "no reply over TLS": (mute_after_tls, "; the request was sent"),
    "no connection": (no_answer_to_syn, "; nothing was sent"),
    "no handshake": (no_handshake, "; nothing was sent"),
    "no handshake behind a proxy": (
        mute_behind_a_proxy,
        " through HOST (the proxy that https_proxy names); nothing was sent",
    ),
    "no credentials": (mute_container, " (source of the credentials); the request was sent"),
    "no reply after credentials": (mute_after_the_container, "; the request was sent"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_it_says_for_what_it_waits(entrypoint: Entrypoint, authority: Authority, tmp_path: Path, name: str) -> None:
    stage, expected = STAGES[name]
    with stage(authority, tmp_path / "there") as environ:
        first, last = waited(entrypoint, environ, tmp_path / "there", expected.rpartition("HOST")[2])
    last = re.sub(r"127\.0\.0\.1:\d+", "HOST", last.removesuffix("; COST"))
    assert (first, last) == ("nothing was sent; COST", f"no answer from HOST{expected}")
