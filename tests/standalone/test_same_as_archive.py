"""The executable is the archive: the command gets the same process from either, and the user the same messages."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.entrypoint import PLAIN, Entrypoint, aws, block, shell
from tests.harness.http_server import http_server, secret
from tests.harness.process import Surroundings
from tests.harness.witness import witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harness.entrypoint import Environ, Words
    from tests.harness.http_server import Server
    from tests.harness.witness import Witness

ARCHIVE = Path(__file__).parents[2] / "dist/run-lambda-entrypoint.pyz"
ODD = [
    *block(PLAIN),
    b"A=\xff\xfe",
    b"O\xffDD=\xc3\xa9",
    b"EMPTY=",
    b"LINES=a\nb",
    b"PYTHONPATH=/nowhere",
    b"LD_PRELOAD=",
]
ARGUMENTS = [b"", b"--", b"--help", b"\xff\xfe", b"\xc3\xa9", b"\xed\xb3\xa9", b"a\nb"]
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGPIPE, signal.SIGCHLD]
OF_ONE_RUN = re.compile(
    r"State|Pid|PPid|Tgid|NS|Vm|Rss|HugetlbPages|.*ctxt_switches|Cpus_allowed|Mems_allowed|SigQ|Seccomp_f"
)


@pytest.fixture(scope="module")
def archive() -> Entrypoint:
    """The archive under this test's own interpreter."""
    assert ARCHIVE.is_file(), f"{ARCHIVE} is missing; make it with `make dist`"
    return Entrypoint(ARCHIVE)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with http_server(lambda _: secret('{"KEY": "value"}')) as server:
        yield server


def state(seen: Witness) -> dict[str, Any]:
    """What a command got, without what differs from one run of the same to the next."""
    return {
        "arguments": seen.arguments,
        "environ": seen.environ,
        "status": {name: value for name, value in seen.status.items() if not OF_ONE_RUN.match(name)},
        "directory": seen.directory,
        "descriptors": {number: target.partition("[")[0] for number, target in seen.descriptors.items()},
        "stderr": seen.stderr,
    }


LOCALES = ["C", "POSIX", "C.UTF-8", "en_US.UTF-8", "en_US.ISO-8859-1", "unknown"]
PROCESSES = {
    "as usual": Surroundings(PLAIN),
    "no environment": Surroundings(),
    **{f"LC_ALL={locale}": Surroundings([*ODD, b"LC_ALL=" + locale.encode()]) for locale in LOCALES},
    "LANG and LC_CTYPE": Surroundings([*ODD, b"LANG=C", b"LC_CTYPE=POSIX"]),
    "a name twice": Surroundings([*ODD, b"B=first", b"B=second", b"C=1"]),
    "signals ignored": Surroundings(PLAIN, ignored=SIGNALS),
    "signals blocked": Surroundings(PLAIN, blocked=SIGNALS),
    "some of both": Surroundings(PLAIN, ignored=SIGNALS[::2], blocked=SIGNALS[::3]),
    "directory and umask": Surroundings(PLAIN, directory="/usr", umask=0o077),
}


@pytest.mark.parametrize("name", PROCESSES)
def test_the_command_gets_the_same_process(entrypoint: Entrypoint, archive: Entrypoint, name: str) -> None:
    given = PROCESSES[name]
    by_executable, by_archive = (
        state(witness(each.words, given, arguments=ARGUMENTS)) for each in (entrypoint, archive)
    )
    assert by_executable == by_archive


@pytest.mark.parametrize("name", PROCESSES)
def test_the_command_gets_the_same_process_with_a_secret(
    entrypoint: Entrypoint, archive: Entrypoint, server: Server, transport: str, name: str
) -> None:
    given = PROCESSES[name]
    function = block(aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_TRANSPORT=transport))
    own = block(given.environ) if isinstance(given.environ, dict) else [*given.environ]
    entries = [*function, *(entry for entry in own if not entry.startswith(b"PATH="))]
    by_executable, by_archive = (
        state(
            witness(
                each.words,
                Surroundings(entries, given.directory, given.umask, given.ignored, given.blocked, closed=given.closed),
                arguments=ARGUMENTS,
            )
        )
        for each in (entrypoint, archive)
    )
    assert by_executable == by_archive
    assert b"KEY=value" in by_executable["environ"]


def test_the_command_gets_the_same_descriptors(entrypoint: Entrypoint, archive: Entrypoint, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open("rb") as one, (tmp_path / "file").open("ab") as two:
        given = Surroundings(PLAIN, descriptors=[one.fileno(), two.fileno()])
        by_executable, by_archive = (state(witness(each.words, given)) for each in (entrypoint, archive))
    assert by_executable == by_archive
    assert len(by_executable["descriptors"]) == 5


LIMITS = "ulimit -a; ulimit -Ha; nice; umask; cat /proc/self/limits /proc/self/oom_score_adj /proc/self/personality"
LIMITED = {
    "as usual": (),
    "lower": shell("ulimit -n 200; ulimit -c 0; ulimit -f 1000; ulimit -s 4000; ulimit -v 4000000; ulimit -l 50"),
    "small stack": shell("ulimit -s 256"),
    "nicer": ("nice", "-n", "7"),
}


@pytest.mark.parametrize("name", LIMITED)
def test_the_command_gets_the_same_limits(entrypoint: Entrypoint, archive: Entrypoint, name: str) -> None:
    before: Words = LIMITED[name]
    by_executable, by_archive = (
        each("sh", "-c", LIMITS, before=["/usr/bin/env", *before]) for each in (entrypoint, archive)
    )
    assert by_executable == by_archive
    assert (by_executable.code, by_executable.err) == (0, "")


NO_CREDENTIALS = {
    "SECRETS_MANAGER_ARN": "name",
    "AWS_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "HOME": "/nonexistent",
}
ENDS: dict[str, tuple[list[str | bytes], Environ]] = {
    "nothing": ([], {}),
    "help": (["--help"], {}),
    "an unknown option": (["--bogus", "true"], {}),
    "an unknown option that is not UTF-8": ([b"--\xff\xc3\xa9\x1b", "true"], {}),
    "an option without its value": (["--timeout"], {}),
    "no command of that name": (["nosuch"], {}),
    "no command of that path": (["/nosuch"], {}),
    "a command whose name is not UTF-8": ([b"no\xff\xc3\xa9\x1bsuch"], {}),
    "a file that is not executable": (["/etc/passwd"], {}),
    "a folder": (["/etc"], {}),
    "no PATH": (["nosuch"], []),
    "an emulator that is missing": (["--rie-path", "/nosuch", "true"], {}),
    "a bad reference": (["true"], {"SECRETS_MANAGER_ARN": "a b"}),
    "a bad reference that is not UTF-8": (["true"], [*block(PLAIN), b"SECRETS_MANAGER_ARN=\xff\xc3\xa9"]),
    "a bad setting": (["true"], {"LAMBDA_ENV_TIMEOUT_SECONDS": "\t\x1b"}),
    "a name that resembles ours": (["true"], {"LAMBDA_ENV_TIMEOUT": "1"}),
    "no credentials": (["true"], NO_CREDENTIALS),
    "no credentials, in JSON": (["true"], {**NO_CREDENTIALS, "AWS_LAMBDA_LOG_FORMAT": "JSON"}),
    "no credentials with botocore": (["true"], {**NO_CREDENTIALS, "LAMBDA_ENV_TRANSPORT": "botocore"}),
    "a dry run": (["--dry-run", "true", b"\xff"], {"A": "1"}),
    "a dry run without a command": (["--dry-run"], {"A": "1"}),
    "the command's own code": (["sh", "-c", "exit 7"], {}),
    "the command's own signal": (["sh", "-c", "kill -9 $$"], {}),
}
CHANGING = re.compile(r'"timestamp": ?"[^"]*"')


@pytest.mark.parametrize("name", ENDS)
def test_it_ends_with_the_same_code_and_the_same_words(entrypoint: Entrypoint, archive: Entrypoint, name: str) -> None:
    argv, environ = ENDS[name]
    given: Environ = {**PLAIN, **environ} if isinstance(environ, dict) else environ
    by_executable, by_archive = (each(*argv, environ=given) for each in (entrypoint, archive))
    assert _timeless(by_executable.err) == _timeless(by_archive.err)
    assert by_executable[:2] == by_archive[:2]


def _timeless(text: str) -> str:
    return CHANGING.sub("TIME", text)


STREAMS = {
    "standard input closed": shell("exec <&-"),
    "standard output closed": shell("exec >&-"),
    "standard error closed": shell("exec 2>&-"),
    "all closed": shell("exec <&- >&- 2>&-"),
    "standard output full": shell("exec >/dev/full"),
    "standard error full": shell("exec 2>/dev/full"),
    "both full": shell("exec >/dev/full 2>&1"),
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("argv", [["--help"], ["--dry-run"], ["nosuch"], ["printenv", "PATH"]], ids=" ".join)
def test_it_ends_alike_where_its_streams_are_closed_or_full(
    entrypoint: Entrypoint, archive: Entrypoint, argv: list[str], name: str
) -> None:
    by_executable, by_archive = (each(*argv, before=STREAMS[name]) for each in (entrypoint, archive))
    assert by_executable == by_archive
