"""The command line: where the command begins, what the options take, flag against variable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint import __version__
from run_lambda_entrypoint.errors import OptionVariableError, UsageError
from run_lambda_entrypoint.options import (
    LOG_LEVEL_VARIABLE,
    ON_OVERRIDE_VARIABLE,
    TIMEOUT_VARIABLE,
    TRANSPORT_VARIABLE,
    parse,
)


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
    [("3", 3.0), (" 0.5\n", 0.5), ("900", 900.0), ("", 8.0), (" ", 8.0)],
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
    ("words", "value", "expected"),
    [
        ([], "", "info"),
        ([], " ", "info"),
        ([], "debug", "debug"),
        ([], " WARNING\n", "warning"),
        (["--log-level", "error"], "", "error"),
        (["--log-level=Debug"], "error", "debug"),
        (["--log-level", "info"], "wrong", "info"),
    ],
)
def test_flag_or_variable_sets_the_log_level_in_any_case(words: list[str], value: str, expected: str) -> None:
    actual = parse([*words, "cmd"], {LOG_LEVEL_VARIABLE: value}).log_level
    assert actual == expected


def test_an_unknown_log_level_of_the_variable_is_told() -> None:
    with pytest.raises(OptionVariableError) as caught:
        parse(["cmd"], {LOG_LEVEL_VARIABLE: "loud\n"})
    assert str(caught.value) == 'LAMBDA_ENV_LOG_LEVEL is "loud"; it takes one of debug, info, warning, error'


@pytest.mark.parametrize("value", ["loud", ""])
def test_an_unknown_log_level_of_the_flag_is_told(value: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(["--log-level", value, "cmd"], {LOG_LEVEL_VARIABLE: "debug"})
    assert str(caught.value) == f'--log-level is "{value}"; it takes one of debug, info, warning, error'


@pytest.mark.parametrize(
    ("words", "beginning"),
    [
        (["--version"], f"run-lambda-entrypoint {__version__} ("),
        (["--version", "cmd"], f"run-lambda-entrypoint {__version__} ("),
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


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["cmd"], ("", ["cmd"])),
        (["cmd", "--dry-run"], ("", ["cmd", "--dry-run"])),
        (["--dry-run"], ("text", [])),
        (["--dry-run", "--"], ("text", [])),
        (["--dry-run", "cmd", "--format", "json"], ("text", ["cmd", "--format", "json"])),
        (["--dry-run", "--format", "text", "--", "cmd"], ("text", ["cmd"])),
        (["--format", "json", "--dry-run"], ("json", [])),
        (["--format=JSON", "--dry-run", "cmd"], ("json", ["cmd"])),
    ],
)
def test_a_dry_run_has_a_format_and_needs_no_command(
    words: list[str], expected: tuple[str, list[str]]
) -> None:
    options = parse(words, {})
    actual = (options.dry_run, options.command)
    assert actual == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--dry-run", "--format", "yaml"], '--format is "yaml"; it takes one of text, json'),
        (["--dry-run", "--format="], '--format is ""; it takes one of text, json'),
        (["--dry-run", "--format"], "argument --format: expected one argument; see --help"),
        (["--dry-run=yes", "cmd"], "argument --dry-run: ignored explicit argument 'yes'; see --help"),
        (["--format", "json", "cmd"], "--format goes with --dry-run only"),
        (["--format", "", "cmd"], "--format goes with --dry-run only"),
    ],
)
def test_wrong_arguments_of_a_dry_run_are_told(words: list[str], expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(words, {})
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("", "allow"), (" ", "allow"), ("allow", "allow"), ("warn", "warn"), (" DENY\n", "deny")],
)
def test_a_variable_says_what_to_do_on_an_override(value: str, expected: str) -> None:
    actual = parse(["cmd"], {ON_OVERRIDE_VARIABLE: value}).on_override
    assert actual == expected


def test_an_unknown_word_on_overrides_is_told() -> None:
    with pytest.raises(OptionVariableError) as caught:
        parse(["cmd"], {ON_OVERRIDE_VARIABLE: "refuse"})
    assert str(caught.value) == 'LAMBDA_ENV_ON_OVERRIDE is "refuse"; it takes one of allow, warn, deny'


@pytest.mark.parametrize(
    "name",
    [
        *("SECRETS_MANAGER_ARN", "LAMBDA_ENV_SECRETS_MANAGER_ARN_*", "LAMBDA_ENV_SSM_PATH_*"),
        *("LAMBDA_ENV_VALUE_FROM_NAME", ON_OVERRIDE_VARIABLE, LOG_LEVEL_VARIABLE, TIMEOUT_VARIABLE),
        *(TRANSPORT_VARIABLE, "--dry-run", "--format", "--log-level", "--rie-path", "--timeout", "--version"),
        *("KEY:STAGE:VERSION", "--help"),
    ],
)
def test_help_names_each_option_and_variable(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"], {})
    assert name in capsys.readouterr().out
