"""The command line: where the command begins, what the options accept, option and variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint import __version__
from run_lambda_entrypoint.errors import INVALID_ARGUMENTS, INVALID_SETTING, EntrypointError
from run_lambda_entrypoint.options import SETTINGS, Options, parse, tells_callers

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT, LOG_LEVEL = "LAMBDA_ENV_TIMEOUT_SECONDS", "LAMBDA_ENV_LOG_LEVEL"
ON_OVERRIDE, TRANSPORT = "LAMBDA_ENV_ON_OVERRIDE", "LAMBDA_ENV_TRANSPORT"
INIT_ERROR = "LAMBDA_ENV_INIT_ERROR"


def parsed(*argv: str, environ: Mapping[str, str] | None = None, in_lambda: bool = False) -> Options:
    return parse(argv, environ or {}, in_lambda=in_lambda)


def refusal(*argv: str, environ: Mapping[str, str]) -> tuple[object, str]:
    with pytest.raises(EntrypointError) as caught:
        parsed(*argv, environ=environ)
    return caught.value.kind, str(caught.value)


@pytest.mark.parametrize(
    ("argv", "rie_path", "timeout", "command"),
    [
        (["cmd"], "", 8.0, ["cmd"]),
        (["--", "cmd"], "", 8.0, ["cmd"]),
        (["-", "a"], "", 8.0, ["-", "a"]),
        (["", "a"], "", 8.0, ["", "a"]),
        (["--rie-path", "/rie", "cmd", "a"], "/rie", 8.0, ["cmd", "a"]),
        (["--rie-path=/rie", "cmd"], "/rie", 8.0, ["cmd"]),
        (["--rie-path", "/rie", "--", "cmd"], "/rie", 8.0, ["cmd"]),
        (["--rie-path", "/a", "--rie-path", "/b", "cmd"], "/b", 8.0, ["cmd"]),
        (["--timeout", "2.5", "cmd"], "", 2.5, ["cmd"]),
        (["--timeout=900", "--rie-path", "/rie", "--", "cmd"], "/rie", 900.0, ["cmd"]),
    ],
)
def test_options_end_where_the_command_begins(
    argv: list[str], rie_path: str, timeout: float, command: list[str]
) -> None:
    options = parsed(*argv)
    assert (options.rie_path, options.timeout, options.command) == (rie_path, timeout, command)


@given(
    st.sampled_from([[], ["--rie-path", "/rie"], ["--timeout=1"]]),
    st.sampled_from([["--"], ["cmd"], ["--", "cmd"]]),
    st.lists(st.text() | st.sampled_from(["--", "-h", "--rie-path", "--timeout=x"]), min_size=1),
)
def test_what_follows_two_hyphens_or_the_command_is_passed_on_untouched(
    options: list[str], start: list[str], rest: list[str]
) -> None:
    assert parsed(*options, *start, *rest).command == [word for word in start if word == "cmd"] + rest


@pytest.mark.parametrize("path", ["/rie", ""])
def test_in_lambda_the_emulator_is_ignored(path: str) -> None:
    assert parsed("--rie-path", path, "cmd", in_lambda=True).rie_path == ""


NO_COMMAND = "no command given; usage: run-lambda-entrypoint [OPTION...] -- COMMAND; see --help"
NO_PATH = "--rie-path is empty; must be the path of the Runtime Interface Emulator"
NO_VALUE = "argument --rie-path: expected one argument; see --help"
SECONDS = "a number of seconds greater than 0 and at most 900"
LEVELS = "must be one of debug, info, warning, error"


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        *(([], NO_COMMAND), (["--"], NO_COMMAND), (["--timeout", "5"], NO_COMMAND)),
        (["--rie-path", "/rie", "--"], NO_COMMAND),
        (["--unknown", "cmd"], "unrecognized arguments: --unknown; see --help"),
        (["-x", "--", "cmd"], "unrecognized arguments: -x; see --help"),
        (["--time", "5", "cmd"], "unrecognized arguments: --time; see --help"),
        (["--new\nline", "cmd"], r"unrecognized arguments: --new\nline; see --help"),
        *((["--rie-path"], NO_VALUE), (["--rie-path", "--", "cmd"], NO_VALUE)),
        (["--rie-path", "--timeout", "5", "cmd"], NO_VALUE),
        *((["--rie-path", "", "cmd"], NO_PATH), (["--rie-path=", "cmd"], NO_PATH)),
        (["--log-level", "loud", "cmd"], f'--log-level is "loud"; {LEVELS}'),
        (["--log-level", "", "cmd"], f"--log-level is empty; {LEVELS}"),
        (["--dry-run", "--format", "yaml"], '--format is "yaml"; must be one of text, json'),
        (["--dry-run", "--format="], "--format is empty; must be one of text, json"),
        (["--dry-run", "--format"], "argument --format: expected one argument; see --help"),
        (["--dry-run=yes", "cmd"], "argument --dry-run: ignored explicit argument 'yes'; see --help"),
        (["--format", "json", "cmd"], "--format requires --dry-run"),
        *(
            (["--timeout", text, "cmd"], f'--timeout is "{text}"; must be {SECONDS}')
            for text in ("soon", "0", "-1", "nan", "inf", "900.1")
        ),
    ],
)
def test_invalid_arguments_are_refused(argv: list[str], expected: str) -> None:
    assert refusal(*argv, environ={LOG_LEVEL: "debug"}) == (INVALID_ARGUMENTS, expected)


@pytest.mark.parametrize(
    ("variable", "text", "shown"),
    [
        *((TIMEOUT, text, f'"{text}"; must be {SECONDS}') for text in ("soon", "0", "nan", "901")),
        (TIMEOUT, "\n1\n1", rf'"1\n1"; must be {SECONDS}'),
        (TIMEOUT, "\udc80", rf'"\udc80"; must be {SECONDS}'),
        (TRANSPORT, "Pigeon\n2", r'"Pigeon\n2"; must be one of auto, direct, botocore'),
        (LOG_LEVEL, "loud\n", f'"loud"; {LEVELS}'),
        (ON_OVERRIDE, "refuse", '"refuse"; must be one of allow, warn, deny, keep'),
        (INIT_ERROR, "none", '"none"; must be one of full, type'),
    ],
)
def test_an_invalid_variable_is_refused(variable: str, text: str, shown: str) -> None:
    assert refusal("cmd", environ={variable: text}) == (INVALID_SETTING, f"{variable} is {shown}")


@pytest.mark.parametrize(
    ("field", "argv", "variable", "text", "expected"),
    [
        *(("timeout", [], TIMEOUT, *pair) for pair in (("3", 3.0), (" 0.5\n", 0.5), ("", 8.0), (" ", 8.0))),
        *(("timeout", ["--timeout", "5"], TIMEOUT, text, 5.0) for text in ("3", "wrong")),
        *(("transport", [], TRANSPORT, *pair) for pair in ((" ", "auto"), ("direct", "direct"))),
        ("transport", [], TRANSPORT, " botocore\n", "botocore"),
        *(
            ("on_override", [], ON_OVERRIDE, *pair)
            for pair in (("", "allow"), ("warn", "warn"), (" DENY\n", "deny"), ("keep", "keep"))
        ),
        *(("init_error", [], INIT_ERROR, *pair) for pair in (("", "full"), ("full", "full"), (" Type\n", "type"))),
        *(("log_level", [], LOG_LEVEL, *pair) for pair in (("", "warning"), ("debug", "debug"), (" INFO\n", "info"))),
        ("log_level", ["--log-level=Debug"], LOG_LEVEL, "error", "debug"),
        ("log_level", ["--log-level", "info"], LOG_LEVEL, "wrong", "info"),
    ],
)
def test_an_option_takes_precedence_over_its_variable_over_the_default(
    field: str, argv: list[str], variable: str, text: str, expected: object
) -> None:
    assert getattr(parsed(*argv, "cmd", environ={variable: text}), field) == expected


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["cmd", "--dry-run"], (False, "text", ["cmd", "--dry-run"])),
        (["--dry-run"], (True, "text", [])),
        (["--dry-run", "--"], (True, "text", [])),
        (["--dry-run", "cmd", "--format", "json"], (True, "text", ["cmd", "--format", "json"])),
        (["--dry-run", "--format", "text", "--", "cmd"], (True, "text", ["cmd"])),
        (["--format", "json", "--dry-run"], (True, "json", [])),
        (["--format=JSON", "--dry-run", "cmd"], (True, "json", ["cmd"])),
    ],
)
def test_a_dry_run_has_a_format_and_needs_no_command(argv: list[str], expected: tuple[bool, str, list[str]]) -> None:
    options = parsed(*argv)
    assert (options.dry_run, options.format, options.command) == expected


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_needs_no_valid_setting_and_names_each_of_them(option: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(option, environ={TIMEOUT: "wrong"})
    shown = capfd.readouterr().out
    names = [
        "SECRETS_MANAGER_ARN",
        "LAMBDA_ENV_SECRETS_MANAGER_ARN_*",
        "LAMBDA_ENV_SSM_PATH_*",
        "--version",
        "--licenses",
    ]
    names += [name for setting in SETTINGS for name in (setting.option, setting.variable)]
    names += ["LAMBDA_ENV_VALUE_FROM_NAME", "KEY:STAGE:VERSION", "--help", "--version", "--licenses"]
    assert [name for name in names if name not in shown] == []


@pytest.mark.parametrize(
    ("option", "start"),
    [("--version", f"run-lambda-entrypoint {__version__} ("), ("--licenses", f"{80 * '='}\nrun-lambda-entrypoint")],
)
def test_version_and_licenses_need_no_valid_setting_or_command(
    option: str, start: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed(option, environ={TIMEOUT: "wrong"})
    assert capfd.readouterr().out.startswith(start)


@pytest.mark.parametrize(
    ("text", "expected"),
    [*((text, True) for text in ("", " ", "full", " FULL\n")), *((text, False) for text in ("type", "TYPE ", "typo"))],
)
def test_callers_are_told_all_unless_the_variable_says_anything_else(text: str, expected: bool) -> None:
    assert tells_callers({INIT_ERROR: text}) is expected
    assert tells_callers({}) is True
