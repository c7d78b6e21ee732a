"""A signal during the fetch ends it at once."""

import os
import signal
from pathlib import Path
from threading import Event

import pytest

from tests.harness.entrypoint import AS_PID_1, Entrypoint, aws, end, permitted
from tests.harness.http_server import Reply, Request, Server, http_server, secret
from tests.harness.process import Surroundings, wait_until

EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def environ(url: str, transport: str = "direct") -> dict[str, str]:
    references = {"SECRETS_MANAGER_ARN": "name"}
    return aws(url, references, LAMBDA_ENV_TRANSPORT=transport, LAMBDA_ENV_TIMEOUT_SECONDS="600")


def wait_for_request(server: Server) -> None:
    wait_until(lambda: server.requests, what="a request", seconds=60)


@pytest.mark.parametrize("number", EXIT_CODES)
def test_an_interrupted_fetch_ends_at_once_with_one_line(
    entrypoint: Entrypoint, silent: Server, number: signal.Signals, transport: str
) -> None:
    with entrypoint.started("true", environ=environ(silent.url, transport)) as process:
        wait_for_request(silent)
        process.send_signal(number)
        ended = end(process, seconds=20)

    line = f"run-lambda-entrypoint: interrupted by {number.name} before the command was started\n"
    assert ended == (EXIT_CODES[number], b"", line)


@pytest.mark.skipif(not permitted(AS_PID_1), reason="a namespace of process ids is not permitted here (unshare --pid)")
@pytest.mark.parametrize("number", EXIT_CODES)
def test_as_pid_1_too(entrypoint: Entrypoint, silent: Server, number: signal.Signals) -> None:
    with entrypoint.started("true", environ=environ(silent.url), before=AS_PID_1) as unshare:
        wait_for_request(silent)
        (inner,) = Path(f"/proc/{unshare.pid}/task/{unshare.pid}/children").read_text().split()
        status = Path(f"/proc/{inner}/status").read_text().splitlines()
        assert [line.split()[-1] for line in status if line.startswith("NSpid")] == ["1"]
        os.kill(int(inner), number)
        ended = end(unshare, seconds=20)

    assert (ended.code, ended.err.count("\n")) == (EXIT_CODES[number], 1)


def test_signals_that_were_ignored_stay_ignored_during_the_fetch(entrypoint: Entrypoint) -> None:
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    signaled = Event()

    def answer(_: Request) -> Reply:
        assert signaled.wait(60)
        return secret('{"A": "1"}')

    with http_server(answer) as server:
        command, given = ("grep", "SigIgn", "/proc/self/status"), Surroundings(ignored=numbers)
        with entrypoint.started(*command, environ=environ(server.url), surroundings=given) as process:
            wait_for_request(server)
            for number in numbers:
                process.send_signal(number)
            signaled.set()
            ended = end(process, seconds=20)

    # Signals 32 and 33 are the C library's own, and make passes them on ignored.
    ignored = int(ended.out.split()[1], 16) & 0x7FFF_FFFF
    assert (ended.code, ignored, ended.err) == (0, sum(1 << number - 1 for number in numbers), "")
