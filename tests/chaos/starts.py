"""One start as it was chosen, and its outcome."""

from __future__ import annotations

from typing import NamedTuple

from tests.chaos.choices import CLOSED, COMMANDS, ENVIRONMENTS, EXECUTABLE, PYTHON, REFERENCES, SHEBANG, Choice
from tests.chaos.places import Place, listing, somebody
from tests.chaos.servers import NOWHERE, runtime_api, secrets_server
from tests.chaos.watching import outliving, output, watch
from tests.harness.entrypoint import AS_PID_1, aws, flags
from tests.harness.process import Surroundings, run, started

PROBES = 5
"""How often an interpreter has to do nothing before more is expected of it."""


class Outcome(NamedTuple):
    """What was seen of one start."""

    code: int | None
    """The exit code, negative for a signal; None where the start hung, or the command was left running."""
    command: list[bytes] | None
    """The command's environment, as the kernel has it; None if it was not started."""
    own: list[bytes]
    """The environment of the start."""
    caught: bool | None
    """Whether it had come to its first statement, and caught signals, when it was sent one; None if it was not."""
    out: bytes
    err: bytes
    posted: bytes
    """What the Runtime API got."""
    cmdlines: set[bytes]
    answered: int
    """How many requests got a reply that may be the right one."""
    written: list[str]
    """Files in its folders that were not there before, or are not what they were."""
    left: list[str]
    """Command lines of processes that outlived it."""
    seconds: float
    waited: float
    """How long of that its main thread, which keeps the deadline, waited for a CPU."""


def start(choice: Choice, place: Place, name: str) -> Outcome:
    """Starts as chosen, looks on until it ends or becomes the command, and ends it. `name` is in the environment of
    all of its processes."""
    before = listing(place.folder)
    with (
        runtime_api(choice) as posts,
        secrets_server(choice, place.tls) as (url, answered),
        output(choice.stdout) as stdout,
        output(choice.stderr) as stderr,
    ):
        environ = environment(choice, place, url, posts.address if posts else NOWHERE, name)
        closed = [number for number, kind in enumerate((choice.stdin, choice.stdout, choice.stderr)) if kind == CLOSED]
        surroundings = Surroundings(environ, directory=place.home, closed=closed)
        with started(words(choice, place), surroundings, stdout=stdout.writing, stderr=stderr.writing) as process:
            seen = watch(choice, process, [stdout, stderr])
            left = outliving(name, process.pid)
        stdout.read()
        stderr.read()
        return Outcome(
            seen.code,
            seen.command,
            environ,
            seen.caught,
            bytes(stdout.content),
            bytes(stderr.content),
            b"\n".join(repr(post.headers).encode() + post.body for post in (posts.requests if posts else [])),
            seen.cmdlines,
            len(answered),
            sorted(path for path, state in listing(place.folder).items() if before.get(path) != state),
            left,
            seen.ended,
            seen.waited,
        )


def words(choice: Choice, place: Place) -> list[str]:
    """The whole command line, from the program that makes it PID 1 to the command."""
    file = place.files[choice.form]
    interpreter = {
        SHEBANG: [place.python, flags(file) if choice.form == SHEBANG else ""],  # what the kernel makes of that line
        PYTHON: [place.python],
        EXECUTABLE: [],
    }[choice.form]
    command = [word.replace("{folder}", str(place.folder)) for word in COMMANDS[choice.command]]
    as_pid_1 = [*map(str, AS_PID_1)] if choice.pid_1 else []
    return [*as_pid_1, *limited(choice, place), *interpreter, str(file), *command]


def limited(choice: Choice, place: Place) -> list[str]:
    return [*somebody(place.uid), "/usr/bin/prlimit", *choice.limits]


def does_nothing(choice: Choice, place: Place, environ: list[bytes]) -> bool:
    """Whether the same interpreter can start under the same limits with the same environment, and do nothing: each
    time, since what a small stack has room for depends on where the kernel puts it."""
    nothing = {
        SHEBANG: [place.python, "-IS", "-c", "pass"],
        PYTHON: [place.python, "-c", "pass"],  # which imports site before it reads the file
        EXECUTABLE: [str(place.files[choice.form]), "--version"],
    }[choice.form]
    return all(run([*limited(choice, place), *nothing], Surroundings(environ)).status == 0 for _ in range(PROBES))


def environment(choice: Choice, place: Place, url: str, runtime_api: str, name: str) -> list[bytes]:
    """The entries of the start's environment."""
    entries = aws(
        url,
        REFERENCES[choice.references],
        AWS_SECRET_ACCESS_KEY="hunter2ZXQJ",
        AWS_ENDPOINT_URL_SSM=url,
        AWS_LAMBDA_LOG_FORMAT=choice.log_format,
        HOME=str(place.home),
        TMPDIR=str(place.home),
        CHAOS=name,
        LAMBDA_ENV_LOG_LEVEL=choice.log_level,
        LAMBDA_ENV_TRANSPORT=choice.transport,
        LAMBDA_ENV_TIMEOUT_SECONDS=str(choice.deadline),
    )
    if choice.scheme == "https":
        entries["AWS_CA_BUNDLE"] = f"{place.folder}/authority.pem"
    if choice.runtime_api:
        entries["AWS_LAMBDA_RUNTIME_API"] = runtime_api
    if choice.environment == "no PATH":
        del entries["PATH"]
    more = []
    for entry in ENVIRONMENTS[choice.environment]:
        for what, path in (("folder", str(place.folder)), ("home", str(place.home)), ("url", url)):
            entry = entry.replace(f"{{{what}}}".encode(), path.encode())
        key, _, value = entry.partition(b"=")
        if key.decode("latin-1") in entries:
            entries[key.decode()] = value.decode()
        else:
            more.append(entry)
    return [*(f"{key}={value}".encode() for key, value in entries.items()), *more]
