"""AWS's Runtime Interface Emulator: where it comes from, and how to run something in it or in front of it."""

import http.client
import json
import os
import platform
import random
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.harness.process import Output, Surroundings, started, wait_until

# A function to put into the emulator, and the working directory in which it is found.
REFLECTOR = (sys.executable, "-m", "awslambdaric", "reflector.handler")
REFLECTOR_DIRECTORY = Path(__file__).parent

INVOCATIONS = "/2015-03-31/functions/function/invocations"

_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class EmulatorError(Exception):
    """The emulator is not there, or did not start."""


def emulator_path() -> Path:
    """The emulator's binary for this machine, from the aws-sam-cli wheel. Raises EmulatorError."""
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in _MACHINES:
        raise EmulatorError(
            "the Runtime Interface Emulator exists for Linux on x86_64 and arm64, and this is "
            f"{platform.system()} on {machine}"
        )
    path = Path(sys.prefix, "rie/samcli/local/rapid", f"aws-lambda-rie-{_MACHINES[machine]}")
    if not path.is_file():
        raise EmulatorError(
            f"the Runtime Interface Emulator is missing: {path} does not exist; `make demo` and `make test` install it"
        )
    if not os.access(path, os.X_OK):
        path.chmod(0o755)  # not every installer keeps a wheel's modes
    return path


def free_port() -> int:
    """A free port on 127.0.0.1 that nobody's outgoing connection can take before it is used."""
    first_outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = range(10_000, first_outgoing) if first_outgoing > 11_000 else range(49_152, 65_536)
    while True:
        port = random.choice(ports)  # noqa: S311 - no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Emulator:
    """A running emulator. `process` is its own process."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, stdout: Output, stderr: Output) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}{INVOCATIONS}"
        self._port = port
        self._stdout = stdout
        self._stderr = stderr

    def invoke(self, event: object, *, seconds: float = 60) -> tuple[int, Any]:
        """Invokes the function; the HTTP status and the JSON of the answer, None where the body is empty.

        The emulator starts the function at the first invoke. A function that ended without an answer is 502 and
        empty, one that reported a failed init is 502 and what it reported.
        """
        return invoke(self._port, event, seconds=seconds)

    @property
    def stdout(self) -> str:
        """So far: what the function wrote, to its standard output or error (the emulator gives it one pipe for both,
        and so to an entrypoint inside the emulator), and the emulator's START, END and REPORT lines."""
        return self._stdout.text()

    @property
    def stderr(self) -> str:
        """So far: the emulator's own log, and before that what an entrypoint in front of it wrote."""
        return self._stderr.text()


def invoke(port: int, event: object, *, seconds: float = 60) -> tuple[int, Any]:
    """`Emulator.invoke`, for one that listens on `port` and was started in another way."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)) as connection:
        connection.request("POST", INVOCATIONS, json.dumps(event))
        reply = connection.getresponse()
        body = reply.read()
    return reply.status, json.loads(body) if body else None


def listens(port: int) -> bool:
    """Whether somebody listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(arguments: Sequence[str | Path], surroundings: Surroundings, *, seconds: float = 30) -> Iterator[Emulator]:
    """Starts `arguments` on free ports, waits until the emulator in it listens, and ends all of it on leaving.

    Either the emulator comes first ("in Lambda": `[emulator_path(), *entrypoint]`) or the entrypoint puts it in
    front of its command ("local mode"). `stdout` and `stderr` can be read afterwards too. Raises EmulatorError with
    all output if it ends or is silent for `seconds`.
    """
    port = api_port = free_port()
    while api_port == port:
        api_port = free_port()
    flags = [
        "--runtime-interface-emulator-address",
        f"127.0.0.1:{port}",
        "--runtime-api-address",
        f"127.0.0.1:{api_port}",
    ]
    with (
        Output() as stdout,
        Output() as stderr,
        # The emulator takes its flags out of its arguments wherever they stand: at the end serves both modes.
        started([*arguments, *flags], surroundings, stdout=stdout.descriptor, stderr=stderr.descriptor) as process,
    ):
        emulator = Emulator(process, port, stdout, stderr)
        try:
            wait_until(lambda: listens(port) or process.poll() is not None, what="the emulator", seconds=seconds)
        except TimeoutError as error:
            raise EmulatorError(f"{error}:\n{emulator.stdout}{emulator.stderr}") from None
        if process.returncode is not None:
            output = emulator.stdout + emulator.stderr
            raise EmulatorError(f"ended with {process.returncode} before the emulator listened:\n{output}")
        try:
            yield emulator
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Lets the emulator end its function; what does not end by itself is killed with the session."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
