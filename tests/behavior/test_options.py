"""The command line of a real process; tests/unit/test_options.py has all options and their values."""

import fcntl
import json
import os
import platform
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.harness.entrypoint import PLAIN, Entrypoint, is_executable, shell
from tests.harness.process import Surroundings, started

LIST = ("printf", r"%s\0")
"""A command that writes its own arguments."""
TIMEOUT = "LAMBDA_ENV_TIMEOUT_SECONDS"
PINS = Path(__file__).parents[2] / "standalone/pins.json"


@pytest.mark.parametrize(
    ("argv", "environ", "code", "start"),
    [
        ([], {}, 2, "no command given"),
        (["--nonsense", "true"], {}, 2, "unrecognized arguments: --nonsense"),
        (["--time", "1", "true"], {}, 2, "unrecognized arguments: --time"),  # no abbreviations: an option may be added
        (["--timeout", "true", "true"], {}, 2, '--timeout is "true"'),
        (["--rie-path"], {}, 2, "argument --rie-path: expected one argument"),
        (["--rie-path=", "true"], {}, 2, "--rie-path is empty"),
        (["true"], {TIMEOUT: "901"}, 125, f'{TIMEOUT} is "901"'),
        (["true"], {TIMEOUT: "\x1b[31m\n"}, 125, f"{TIMEOUT} is "),
        (["true"], {"LAMBDA_ENV_TRANSPORT": "pigeon"}, 125, 'LAMBDA_ENV_TRANSPORT is "pigeon"'),
    ],
)
def test_what_is_invalid_ends_with_its_code_and_one_printable_line(
    entrypoint: Entrypoint, argv: list[str], environ: dict[str, str], code: int, start: str
) -> None:
    ended = entrypoint(*argv, environ={**PLAIN, **environ})

    assert (ended.code, ended.out, ended.err.count("\n"), ended.err[:-1].isprintable()) == (code, b"", 1, True)
    assert ended.err.startswith(f"run-lambda-entrypoint: {start}")


@pytest.mark.parametrize(
    ("argv", "passed_on"),
    [
        ([*LIST, "--version", "--timeout", "x"], [b"--version", b"--timeout", b"x"]),
        (["--", *LIST, "--", "-h"], [b"--", b"-h"]),
        (["--timeout", "5", *LIST, "--timeout", "6"], [b"--timeout", b"6"]),
        (["--timeout=5", "--", *LIST, "--rie-path=x"], [b"--rie-path=x"]),
        ([*LIST, "", " ", "a b", "$HOME"], [b"", b" ", b"a b", b"$HOME"]),
        ([*LIST, b"\xff\xfe", b"\xc3\xa9"], [b"\xff\xfe", b"\xc3\xa9"]),
    ],
)
def test_from_the_command_on_everything_is_passed_on_untouched(
    entrypoint: Entrypoint, argv: list[str | bytes], passed_on: list[bytes]
) -> None:
    assert entrypoint(*argv) == (0, b"".join(word + b"\0" for word in passed_on), "")


@pytest.mark.parametrize(("argv", "command"), [(["--", "--", "true"], '"--"'), (["-", "true"], '"-"')])
def test_a_dash_may_be_the_command(entrypoint: Entrypoint, argv: list[str], command: str) -> None:
    ended = entrypoint(*argv)
    assert (ended.code, ended.err.count(command)) == (127, 1)


@pytest.mark.parametrize(
    ("argv", "start"),
    [
        (["--help"], b"usage: run-lambda-entrypoint "),
        (["--timeout", "5", "-h", "true"], b"usage: run-lambda-entrypoint "),
        (["--version"], b"run-lambda-entrypoint 0."),
        (["--licenses"], b"=========="),
    ],
)
def test_help_version_and_licenses_go_to_standard_output(entrypoint: Entrypoint, argv: list[str], start: bytes) -> None:
    ended = entrypoint(*argv)
    assert (ended.code, ended.out[: len(start)], ended.err) == (0, start, "")


def test_the_version_names_interpreter_and_openssl_too(entrypoint: Entrypoint) -> None:
    ended = entrypoint("--version")
    if is_executable(entrypoint.archive):
        pins = json.loads(PINS.read_text())
        expected = f"CPython {pins['CPython']['version']}, OpenSSL {pins['OpenSSL']['version']} "
    else:
        expected = f"{platform.python_implementation()} {platform.python_version()}, {ssl.OPENSSL_VERSION}"
    [line] = ended.out.decode().splitlines()[1:]
    assert line[: len(expected)] == expected


@pytest.mark.parametrize("option", ["--help", "--version", "--licenses", "--dry-run"])
@pytest.mark.parametrize(
    ("redirection", "reason"),
    [(">/dev/full", "No space left on device"), (">&-", "it is closed"), ("1</dev/null", "Bad file descriptor")],
)
def test_standard_output_that_cannot_be_written_to_is_reported(
    entrypoint: Entrypoint, option: str, redirection: str, reason: str
) -> None:
    ended = entrypoint(option, before=shell(f"exec {redirection}"))

    report = f"run-lambda-entrypoint: cannot write to standard output: {reason}; redirect it to somewhere else\n"
    assert ended == (125, b"", report)


@pytest.mark.parametrize("option", ["--help", "--version", "--licenses", "--dry-run"])
def test_a_reader_that_has_seen_enough_is_no_failure(entrypoint: Entrypoint, option: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with started([*entrypoint.words, option], Surroundings(PLAIN), stdout=writing, stderr=subprocess.PIPE) as process:
        os.close(writing)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


@pytest.mark.parametrize("option", ["--help", "--licenses"])
def test_a_pipe_that_does_not_block_gets_all(entrypoint: Entrypoint, option: str) -> None:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, False)  # as a parent in node leaves it
    with (
        os.fdopen(reading, "rb") as reader,
        started([*entrypoint.words, option], Surroundings(PLAIN), stdout=writing, stderr=subprocess.PIPE) as process,
    ):
        os.close(writing)
        out = reader.read()
        _, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, entrypoint(option).out, b"")


@pytest.mark.parametrize("value", ["", "  ", "0.5", " 5 ", "900"])
def test_a_valid_or_empty_option_variable_is_accepted(entrypoint: Entrypoint, value: str) -> None:
    assert entrypoint("true", environ={**PLAIN, TIMEOUT: value}) == (0, b"", "")
