"""The command line: where the command begins, what the options take, flag against variable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint import __version__
from run_lambda_entrypoint.errors import OptionVariableError, UsageError
from run_lambda_entrypoint.options import DEFAULT_TIMEOUT, TIMEOUT_VARIABLE, TRANSPORT_VARIABLE, parse


@pytest.mark.parametrize(
    ("words", "rie_path", "timeout", "command"),
    [
        (["cmd"], None, 8.0, ["cmd"]),
        (["--", "cmd"], None, 8.0, ["cmd"]),
        (["cmd", "a", ""], None, 8.0, ["cmd", "a", ""]),
        (["cmd", "--rie-path", "x"], None, 8.0, ["cmd", "--rie-path", "x"]),
        (["cmd", "--", "--help"], None, 8.0, ["cmd", "--", "--help"]),
        (["cmd", "--timeout=1", "-h"], None, 8.0, ["cmd", "--timeout=1", "-h"]),
        (["--", "cmd", "--", "a", "--"], None, 8.0, ["cmd", "--", "a", "--"]),
        (["--", "--", "a"], None, 8.0, ["--", "a"]),
        (["--", "--help"], None, 8.0, ["--help"]),
        (["-", "a"], None, 8.0, ["-", "a"]),
        (["", "a"], None, 8.0, ["", "a"]),
        (["--rie-path", "/rie", "cmd", "a"], "/rie", 8.0, ["cmd", "a"]),
        (["--rie-path=/rie", "cmd"], "/rie", 8.0, ["cmd"]),
        (["--rie-path", "/rie", "--", "cmd"], "/rie", 8.0, ["cmd"]),
        (["--rie-path", "/a", "--rie-path", "/b", "cmd"], "/b", 8.0, ["cmd"]),
        (["--timeout", "2.5", "cmd"], None, 2.5, ["cmd"]),
        (["--timeout=900", "--rie-path", "/rie", "--", "cmd"], "/rie", 900.0, ["cmd"]),
    ],
)
def test_options_end_where_the_command_begins(
    words: list[str], rie_path: str | None, timeout: float, command: list[str]
) -> None:
    options = parse(words, {})
    actual = (options.rie_path, options.timeout, options.command)
    assert actual == (rie_path, timeout, command)


@given(st.lists(st.text() | st.sampled_from(["--", "-h", "--rie-path", "--timeout=x"]), min_size=1))
def test_what_follows_two_hyphens_is_passed_on_untouched(command: list[str]) -> None:
    actual = parse(["--rie-path", "/rie", "--", *command], {}).command
    assert actual == command


@given(st.lists(st.text() | st.sampled_from(["--", "-h", "--rie-path", "--timeout=x"])))
def test_what_follows_the_command_is_passed_on_untouched(arguments: list[str]) -> None:
    actual = parse(["--timeout", "1", "cmd", *arguments], {}).command
    assert actual == ["cmd", *arguments]


NO_COMMAND = "no command to start; write it behind the options, after --, and see --help"
NO_PATH = "--rie-path is empty; it takes the path of the Runtime Interface Emulator"


def bad_timeout(text: str) -> str:
    return f'--timeout is "{text}"; it takes a number of seconds above 0 and at most 900'


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], NO_COMMAND),
        (["--"], NO_COMMAND),
        (["--timeout", "5"], NO_COMMAND),
        (["--rie-path", "/rie", "--"], NO_COMMAND),
        (["--unknown", "cmd"], "unrecognized arguments: --unknown; see --help"),
        (["-x", "--", "cmd"], "unrecognized arguments: -x; see --help"),
        (["--time", "5", "cmd"], "unrecognized arguments: --time; see --help"),
        (["--new\nline", "cmd"], r"unrecognized arguments: --new\nline; see --help"),
        (["--rie-path"], "argument --rie-path: expected one argument; see --help"),
        (["--rie-path", "--", "cmd"], "argument --rie-path: expected one argument; see --help"),
        (["--rie-path", "--timeout", "5", "cmd"], "argument --rie-path: expected one argument; see --help"),
        (["--rie-path", "", "cmd"], NO_PATH),
        (["--rie-path=", "cmd"], NO_PATH),
        (["--timeout", "soon", "cmd"], bad_timeout("soon")),
        (["--timeout", "0", "cmd"], bad_timeout("0")),
        (["--timeout", "-1", "cmd"], bad_timeout("-1")),
        (["--timeout", "nan", "cmd"], bad_timeout("nan")),
        (["--timeout", "inf", "cmd"], bad_timeout("inf")),
        (["--timeout", "900.1", "cmd"], bad_timeout("900.1")),
    ],
)
def test_wrong_arguments_are_told(words: list[str], expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(words, {})
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("3", 3.0), (" 0.5\n", 0.5), ("900", 900.0), ("", DEFAULT_TIMEOUT), (" ", DEFAULT_TIMEOUT)],
)
def test_the_variable_sets_the_timeout(value: str, expected: float) -> None:
    actual = parse(["cmd"], {TIMEOUT_VARIABLE: value}).timeout
    assert actual == expected


@pytest.mark.parametrize("value", ["3", "wrong"])
def test_the_flag_beats_its_variable(value: str) -> None:
    actual = parse(["--timeout", "5", "cmd"], {TIMEOUT_VARIABLE: value}).timeout
    assert actual == 5.0


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("soon", "soon"),
        ("0", "0"),
        ("nan", "nan"),
        ("901", "901"),
        ("\n1\n1", r"1\n1"),
        ("\udc80", r"\udc80"),
    ],
)
def test_a_wrong_value_of_the_variable_is_told(value: str, shown: str) -> None:
    with pytest.raises(OptionVariableError) as caught:
        parse(["cmd"], {TIMEOUT_VARIABLE: value})
    assert str(caught.value) == (
        f'LAMBDA_ENV_TIMEOUT_SECONDS is "{shown}"; it takes a number of seconds above 0 and at most 900'
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", "auto"), (" ", "auto"), ("auto", "auto"), ("direct", "direct"), (" botocore\n", "botocore")],
)
def test_the_variable_sets_the_transport(value: str, expected: str) -> None:
    actual = parse(["cmd"], {TRANSPORT_VARIABLE: value}).transport
    assert actual == expected


def test_an_unknown_transport_is_told() -> None:
    with pytest.raises(OptionVariableError) as caught:
        parse(["cmd"], {TRANSPORT_VARIABLE: "Pigeon\n2"})
    assert str(caught.value) == r'LAMBDA_ENV_TRANSPORT is "Pigeon\n2"; it takes one of auto, direct, botocore'


@pytest.mark.parametrize(
    ("words", "beginning"),
    [
        (["--version"], f"run-lambda-entrypoint {__version__}\n"),
        (["--version", "cmd"], f"run-lambda-entrypoint {__version__}\n"),
        (["--help"], "usage: run-lambda-entrypoint [OPTION...] [--] COMMAND [ARGUMENT...]\n"),
        (["-h", "--", "cmd"], "usage: run-lambda-entrypoint [OPTION...] [--] COMMAND [ARGUMENT...]\n"),
    ],
)
def test_help_and_version_need_no_command(
    words: list[str], beginning: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(words, {TIMEOUT_VARIABLE: "wrong"})
    output = capsys.readouterr()
    assert (caught.value.code, output.out[: len(beginning)], output.err) == (0, beginning, "")
