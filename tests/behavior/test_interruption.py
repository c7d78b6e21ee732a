"""A signal during the fetch ends it at once."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.entrypoint import AS_PID_1, TRANSPORTS, Entrypoint, aws, end, permitted
from tests.harness.process import Surroundings

NAME = {"SECRETS_MANAGER_ARN": "name"}
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Silent:
    """A server that takes connections and says nothing until it is told to."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def wait(self) -> socket.socket:
        """The first connection, once a request has come over it."""
        self.listener.settimeout(60)
        connection, _ = self.listener.accept()
        connection.settimeout(60)
        assert connection.recv(1) == b"P"  # of POST
        return connection

    @staticmethod
    def answer(connection: socket.socket) -> None:
        body = b'{"SecretString": "{}"}'
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)


@pytest.fixture
def silent() -> Iterator[Silent]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Silent(listener)


def environ(silent: Silent, transport: str) -> dict[str, str]:
    return aws(silent.url, NAME, LAMBDA_ENV_TRANSPORT=transport, LAMBDA_ENV_TIMEOUT_SECONDS="600")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("number", EXIT_CODES)
def test_an_interrupted_fetch_ends_at_once_with_one_line(
    entrypoint: Entrypoint, silent: Silent, number: signal.Signals, transport: str
) -> None:
    with entrypoint.started("true", environ=environ(silent, transport)) as process, silent.wait():
        process.send_signal(number)
        ended = end(process, seconds=20)

    line = f"run-lambda-entrypoint: interrupted by {number.name} before the command was started\n"
    assert ended == (EXIT_CODES[number], b"", line)


@pytest.mark.parametrize("number", EXIT_CODES)
def test_as_pid_1_too(entrypoint: Entrypoint, silent: Silent, number: signal.Signals) -> None:
    if not permitted(AS_PID_1):
        pytest.skip("a process here may not open a namespace of process ids (unshare --pid)")
    given = environ(silent, "direct")
    with entrypoint.started("true", environ=given, before=AS_PID_1) as unshare, silent.wait():
        (inner,) = Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children").read_text().split()
        status = Path(f"/proc/{inner}/status").read_text().splitlines()
        assert [line.split()[-1] for line in status if line.startswith("NSpid")] == ["1"]
        os.kill(int(inner), number)
        ended = end(unshare, seconds=20)

    assert (ended.code, ended.err.count("\n")) == (EXIT_CODES[number], 1)


def test_signals_that_were_ignored_stay_ignored_during_the_fetch(entrypoint: Entrypoint, silent: Silent) -> None:
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    given = Surroundings(ignored=numbers)
    command = ("grep", "SigIgn", "/proc/self/status")
    with entrypoint.started(*command, environ=environ(silent, "direct"), surroundings=given) as process:
        with silent.wait() as connection:
            for number in numbers:
                process.send_signal(number)
            silent.answer(connection)
        ended = end(process, seconds=20)

    # Signals 32 and 33 are the C library's own, and make passes them on ignored.
    ignored = int(ended.out.split()[1], 16) & 0x7FFF_FFFF
    assert (ended.code, ignored, ended.err) == (0, sum(1 << number - 1 for number in numbers), "")
