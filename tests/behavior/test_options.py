"""The command line, the variables that set options, and what is a command."""

import pytest

from tests.harness.entrypoint import PLAIN, Entrypoint

LIST = ("printf", r"%s\0")
"""A command that writes its own arguments."""


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "no command"),
        (["--"], "no command"),
        (["--timeout", "1"], "no command"),
        (["--nonsense", "true"], "--nonsense"),
        (["-x", "true"], "-x"),
        (["--time", "1", "true"], "--time"),  # no abbreviations: they end with the next option of that beginning
        (["--timeout", "true", "true"], "--timeout"),
        (["--timeout", "0", "true"], "--timeout"),
        (["--timeout", "-1", "true"], "--timeout"),
        (["--timeout", "nan", "true"], "--timeout"),
        (["--timeout=inf", "true"], "--timeout"),
        (["--timeout=901", "true"], "--timeout"),
        (["--timeout"], "--timeout"),
        (["--rie-path"], "--rie-path"),
        (["--rie-path", "", "true"], "--rie-path"),
        (["--rie-path=", "true"], "--rie-path"),
    ],
)
def test_wrong_arguments_end_with_2_and_one_line_that_says_which(
    entrypoint: Entrypoint, words: list[str], reason: str
) -> None:
    ended = entrypoint(*words)

    assert (ended.code, ended.out) == (2, b"")
    assert ended.err.startswith("run-lambda-entrypoint: ")
    assert ended.err.count("\n") == 1
    assert reason in ended.err


@pytest.mark.parametrize(
    ("words", "passed_on"),
    [
        ([*LIST, "--version", "--timeout", "x"], [b"--version", b"--timeout", b"x"]),
        ([*LIST, "a", "--", "--help", "--"], [b"a", b"--", b"--help", b"--"]),
        (["--", *LIST, "--", "-h"], [b"--", b"-h"]),
        (["--timeout", "5", *LIST, "--timeout", "6"], [b"--timeout", b"6"]),
        (["--timeout=5", "--", *LIST, "--rie-path=x"], [b"--rie-path=x"]),
        ([*LIST, "", " ", "a b", "$HOME"], [b"", b" ", b"a b", b"$HOME"]),
        ([*LIST, b"\xff\xfe", b"\xc3\xa9"], [b"\xff\xfe", b"\xc3\xa9"]),
    ],
)
def test_from_the_command_on_everything_is_passed_on_untouched(
    entrypoint: Entrypoint, words: list[str | bytes], passed_on: list[bytes]
) -> None:
    ended = entrypoint(*words)

    assert ended == (0, b"".join(word + b"\0" for word in passed_on), "")


def test_a_second_double_dash_is_the_command(entrypoint: Entrypoint) -> None:
    ended = entrypoint("--", "--", "true")

    assert (ended.code, ended.err.count('"--"')) == (127, 1)


def test_a_single_dash_is_the_command(entrypoint: Entrypoint) -> None:
    ended = entrypoint("-", "true")

    assert (ended.code, ended.err.count('"-"')) == (127, 1)


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["--timeout", "5", "--help", "true"]])
def test_help_goes_to_standard_output(entrypoint: Entrypoint, words: list[str]) -> None:
    ended = entrypoint(*words)

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(b"usage: run-lambda-entrypoint ")


def test_version_goes_to_standard_output(entrypoint: Entrypoint) -> None:
    ended = entrypoint("--version")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(b"run-lambda-entrypoint 0.")


@pytest.mark.parametrize("value", ["x", "0", "-1", "nan", "inf", "901", "1s", "\x1b[31m\n"])
def test_a_wrong_value_in_an_option_variable_ends_with_125(entrypoint: Entrypoint, value: str) -> None:
    ended = entrypoint("true", environ={**PLAIN, "LAMBDA_ENV_TIMEOUT_SECONDS": value})

    assert (ended.code, ended.out) == (125, b"")
    assert ended.err.startswith("run-lambda-entrypoint: LAMBDA_ENV_TIMEOUT_SECONDS ")
    assert ended.err.count("\n") == 1
    assert ended.err.rstrip("\n").isprintable()


def test_a_transport_that_there_is_not_ends_with_125(entrypoint: Entrypoint) -> None:
    ended = entrypoint("true", environ={**PLAIN, "LAMBDA_ENV_TRANSPORT": "pigeon"})

    assert (ended.code, ended.out, ended.err.count("\n")) == (125, b"", 1)
    assert ended.err.startswith("run-lambda-entrypoint: LAMBDA_ENV_TRANSPORT ")


@pytest.mark.parametrize("value", ["", "  ", "0.5", " 5 ", "900"])
def test_a_right_or_empty_value_in_an_option_variable_is_taken(entrypoint: Entrypoint, value: str) -> None:
    assert entrypoint("true", environ={**PLAIN, "LAMBDA_ENV_TIMEOUT_SECONDS": value}) == (0, b"", "")


def test_a_flag_beats_its_variable(entrypoint: Entrypoint) -> None:
    environ = {**PLAIN, "LAMBDA_ENV_TIMEOUT_SECONDS": "wrong"}

    assert entrypoint("--timeout", "5", "true", environ=environ) == (0, b"", "")
