"""Runs an example's image as its user would, or as Lambda does."""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from tests.containers.base_images import BUSYBOX_PROGRAM
from tests.containers.engine import Docker, EngineError
from tests.containers.examples import Example
from tests.harness.emulator import free_port, invoke, listens
from tests.harness.process import wait_until

LOCAL, LAMBDA = "local", "lambda"
MODES = (LOCAL, LAMBDA)
"""Local: the image as it is, which starts the emulator behind us. Lambda: the emulator in front of all that."""

# The variables of a function in Lambda, whose values no test looks at.
LAMBDA_SETS = {
    "AWS_LAMBDA_FUNCTION_NAME": "function",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/function",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/01/[$LATEST]0123456789abcdef",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
    "LAMBDA_TASK_ROOT": "/var/task",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin",
}

# For images without a shell, as options of `docker run`.
BUSYBOX = (f"--volume={BUSYBOX_PROGRAM}:/busybox:ro", "--entrypoint=/busybox")


@dataclass(frozen=True)
class Function:
    """A running container."""

    docker: Docker
    example: Example
    container: str
    port: int

    def invoke(self, *names: str) -> tuple[int, Any]:
        """Invokes the function, which answers with these variables. The emulator starts it at the first invoke."""
        return invoke(self.port, {"names": names})

    @property
    def processes(self) -> list[str]:
        """The command lines of what runs in it, as `docker top` shows them, without what the function itself runs.

        The container's first process comes first, whatever its ID: the kernel's IDs wrap around.
        What the emulator starts has its command line until the exec.
        """
        _, *lines = self.docker("top", self.container, "-eo", "pid,ppid,args").splitlines()
        running = [line.split(None, 2) for line in lines]
        inside = {pid for pid, _, _ in running}
        running.sort(key=lambda process: process[1] in inside)
        functions = {pid for pid, _, line in running if line == self.example.runtime}
        return [line for _, parent, line in running if parent not in functions]

    @property
    def log(self) -> str:
        """What was written so far, to standard output and error."""
        ended = self.docker.attempt("logs", self.container)
        return ended.stdout + ended.stderr


@contextmanager
def container(docker: Docker, *words: str) -> Iterator[str]:
    """`docker run words…` in the background, on the host's network; its id. Removed on leaving."""
    made = docker("create", "--network=host", *words).strip()
    try:
        docker("start", made)
        yield made
    finally:
        docker.attempt("rm", "--force", "--volumes", made)


@contextmanager
def function(
    docker: Docker, example: Example, mode: str, environ: Mapping[str, str], *options: str, exactly: bool = False
) -> Iterator[Function]:
    """The example's function, listening; with `exactly` only the variables in `environ`. Raises EngineError."""
    with ExitStack() as stack:
        if example.fixed_ports and mode == LOCAL:
            port, flags = stack.enter_context(_default_port()), []
        else:
            port = free_port()
            flags = emulator_flags(port)
        image = docker.inspect(example.image)["Config"]
        words = [*(image["Entrypoint"] or []), *(image["Cmd"] or []), *flags]
        if mode == LAMBDA:
            words.insert(0, example.emulator)
        made = stack.enter_context(container(docker, *options, *_start(example, words, environ, exactly=exactly)))
        wait_until(
            lambda: listens(port) or not docker.inspect(made)["State"]["Running"], what="the emulator", seconds=60
        )
        running = Function(docker, example, made, port)
        if not docker.inspect(made)["State"]["Running"]:
            raise EngineError(f"{example.image} ended at once:\n{running.log}")
        try:
            yield running
        finally:
            print(running.log)  # pytest shows it where the test failed


def _start(example: Example, words: Sequence[str], environ: Mapping[str, str], *, exactly: bool) -> list[str]:
    """What follows the options of `docker run` so that `words` are started."""
    variables = [f"{name}={value}" for name, value in {**environ, **example.variables}.items()]
    if exactly:  # Docker and runc always add some
        return [*BUSYBOX, example.image, "env", "-i", *variables, *words]
    return [*(f"--env={variable}" for variable in variables), f"--entrypoint={words[0]}", example.image, *words[1:]]


def emulator_flags(port: int) -> list[str]:
    """Arguments for the emulator, which takes them out of a command line wherever they stand."""
    api_port = port
    while api_port == port:
        api_port = free_port()
    addresses = {"interface-emulator": port, "api": api_port}
    return [word for name, at in addresses.items() for word in (f"--runtime-{name}-address", f"127.0.0.1:{at}")]


@contextmanager
def _default_port() -> Iterator[int]:
    """The emulator's own port, for one test at a time on this machine."""
    with socket.socket(socket.AF_UNIX) as turn:

        def taken() -> bool:
            with suppress(OSError):
                turn.bind("\0run-lambda-entrypoint-tests")  # an abstract name: it is gone with its process
                return True
            return False

        wait_until(taken, what="the other tests on the emulator's own port", seconds=90)
        wait_until(lambda: not any(map(listens, (8080, 9001))), what="ports 8080 and 9001 to be free")
        yield 8080
