"""Prefixes, names for a shell, templates and required variables, as the command gets them."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from tests.harness.entrypoint import PLAIN, Entrypoint, aws
from tests.harness.http_server import Reply, Request, by_length, http_server, secret, secret_body, secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.harness.entrypoint import Ended

ENVIRON = ("cat", "/proc/self/environ")
SECRET, PATH = "LAMBDA_ENV_SECRETS_MANAGER_ARN_", "LAMBDA_ENV_SSM_PATH_"
PREFIX, TEMPLATE, BASE64 = "LAMBDA_ENV_PREFIX_", "LAMBDA_ENV_TEMPLATE_", "LAMBDA_ENV_BASE64_FROM_"
RDS = {"one": '{"user-name": "o", "1": "first"}', "two": '{"user-name": "t", "n": null}'}
MARKER = "hunter2ZXQJ"
KEYSTORE = bytes(range(256)) + b"\xef\xbb\xbf"


def changed(entrypoint: Entrypoint, transport: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What a start with the secrets of RDS, and with these variables, sets."""
    with http_server(secrets(RDS)) as server:
        own = aws(server.url, {}, LAMBDA_ENV_TRANSPORT=transport, **environ)
        ended = entrypoint(*ENVIRON, environ=own)
    assert (ended.code, ended.err) == (0, "")
    return {name: value for name, value in ended.environ.items() if own.get(name) != value}


def refused(entrypoint: Entrypoint, environ: Mapping[str, str]) -> tuple[Ended, int]:
    """How a start ends that fails, without a value in any report, and the number of calls."""
    with http_server(secrets(RDS)) as server, http_server(lambda _: by_length(b"", 202)) as runtime_api:
        own = aws(server.url, {}, **environ, AWS_LAMBDA_RUNTIME_API=runtime_api.address)
        ended = entrypoint("true", environ={**own, "LAMBDA_ENV_LOG_LEVEL": "info"})
    [report] = runtime_api.requests
    assert (ended.code, ended.out, MARKER in ended.err + report.body.decode()) == (125, b"", False)
    return ended, len(server.requests)


def errors(ended: Ended) -> list[str]:
    return [line.removeprefix("run-lambda-entrypoint: ") for line in ended.err.splitlines()]


def test_two_secrets_with_the_same_keys_have_prefixes(entrypoint: Entrypoint, transport: str) -> None:
    environ = {f"{SECRET}A": "one", f"{PREFIX}A": "A_", f"{SECRET}B": "two:user-name", f"{PREFIX}B": "B_"}
    assert changed(entrypoint, transport, environ) == {"A_user-name": "o", "A_1": "first", "B_user-name": "t"}


def test_names_for_a_shell_are_in_capitals_behind_the_prefix(entrypoint: Entrypoint, transport: str) -> None:
    environ = {"SECRETS_MANAGER_ARN": "one", f"{SECRET}B": "two", f"{PREFIX}B": "b_", "LAMBDA_ENV_NAMES": "shell"}
    assert changed(entrypoint, transport, environ) == {"USER_NAME": "o", "_1": "first", "b_USER_NAME": "t"}


def test_a_reserved_name_is_judged_with_its_prefix(entrypoint: Entrypoint) -> None:
    environ = {f"{SECRET}A": "one:user-name", f"{PREFIX}A": "AWS_LAMBDA_FUNCTION_"}
    ended, _ = refused(entrypoint, environ)
    assert 'variable "AWS_LAMBDA_FUNCTION_user-name": Lambda reserves this name' in ended.err


def test_a_prefix_is_in_front_of_parameters_too(entrypoint: Entrypoint, transport: str) -> None:
    arn = "arn:aws:ssm:eu-west-3:123456789012:parameter/app/a-b"
    found = by_length(json.dumps({"Parameters": [{"Name": "/app/a-b", "Value": "x", "ARN": arn}]}).encode())
    with http_server(lambda _: found) as server:
        own = aws("", {f"{PATH}A": "arn:aws:ssm:eu-west-3:123456789012:parameter/app"}, AWS_ENDPOINT_URL_SSM=server.url)
        own |= {f"{PREFIX}A": "P_", "LAMBDA_ENV_TRANSPORT": transport}
        ended = entrypoint("printenv", "P_A_B", environ=own)
    assert (ended, [request.region for request in server.requests]) == ((0, b"x\n", ""), ["eu-west-3"])


@pytest.mark.parametrize(
    ("arn", "account"), [("arn:aws:ssm:eu-west-3:210987654321:parameter/app/a", "210987654321"), (None, "none")]
)
def test_a_path_of_another_account_is_refused(entrypoint: Entrypoint, arn: str | None, account: str) -> None:
    own_arn = "arn:aws:ssm:eu-west-3:123456789012:parameter/app/"
    listed = [
        {"Name": "/app/a", "Value": MARKER, "ARN": arn},
        {"Name": "/app/b", "Value": MARKER, "ARN": own_arn + "b"},
    ]
    found = by_length(json.dumps({"Parameters": listed}).encode())
    with http_server(lambda _: found) as server:
        ended = entrypoint("true", environ=aws("", {f"{PATH}A": own_arn}, AWS_ENDPOINT_URL_SSM=server.url))
    words = (
        f"the reference's account is 123456789012, that of the parameters in the reply is {account}: a path cannot be "
        "read across accounts; name each parameter in LAMBDA_ENV_VALUE_FROM_NAME"
    )
    assert (ended.code, words in ended.err, MARKER in ended.err) == (125, True, False)


# -- Binary


def keystore(request: Request) -> Reply:
    binary = b64encode(KEYSTORE).decode()
    return by_length(secret_body(request.json["SecretId"], request.region, SecretBinary=binary))


def test_binary_data_is_set_as_the_base64_of_the_stored_bytes(entrypoint: Entrypoint, transport: str) -> None:
    with http_server(keystore) as server:
        own = aws(server.url, {f"{BASE64}STORE": "name"}, LAMBDA_ENV_TRANSPORT=transport)
        ended = entrypoint("printenv", "STORE", environ=own)
    assert ended == (0, b64encode(KEYSTORE) + b"\n", "")


@pytest.mark.parametrize(
    ("reference", "stored", "expected"),
    [
        ("name", '\ufeff{"A": 1} \n', '\ufeff{"A": 1} \n'),
        ("name:A", '{"A": "é\\u0000"}', "é\0"),
        ("name:A.B", '{"A": {"B": 1.50}}', "1.50"),
    ],
)
def test_text_is_set_as_the_base64_of_its_utf_8(
    entrypoint: Entrypoint, transport: str, reference: str, stored: str, expected: str
) -> None:
    with http_server(lambda _: secret(stored)) as server:
        own = aws(server.url, {f"{BASE64}A": reference}, LAMBDA_ENV_TRANSPORT=transport)
        ended = entrypoint("printenv", "A", environ=own)
    assert ended == (0, b64encode(expected.encode()) + b"\n", "")


def test_a_parameter_is_set_as_base64(entrypoint: Entrypoint, transport: str) -> None:
    arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/a"
    found = by_length(json.dumps({"Parameters": [{"Name": "/a", "Value": "é", "ARN": arn}]}).encode())
    with http_server(lambda _: found) as server:
        own = aws("", {f"{BASE64}A": arn}, AWS_ENDPOINT_URL_SSM=server.url, LAMBDA_ENV_TRANSPORT=transport)
        ended = entrypoint("printenv", "A", environ=own)
    assert ended == (0, b64encode("é".encode()) + b"\n", "")


def test_a_value_and_its_base64_for_one_name_are_refused(entrypoint: Entrypoint) -> None:
    ended, calls = refused(entrypoint, {f"{BASE64}A": "one", "LAMBDA_ENV_VALUE_FROM_A": "one"})
    words = f"{BASE64}A and LAMBDA_ENV_VALUE_FROM_A set the same variable; remove one of them"
    assert (errors(ended), calls) == ([words], 0)


# -- Templates


def test_a_template_composes_secrets_and_the_functions_own_variables(entrypoint: Entrypoint, transport: str) -> None:
    environ = {
        "SECRETS_MANAGER_ARN": "one",
        "HOST": "db/1",
        "EMPTY": "",
        f"{TEMPLATE}SKIPPED": "",
        f"{TEMPLATE}URL": " pg://{user-name}:{HOST:url}@{EMPTY}{{x}} ",
        f"{TEMPLATE}HOST": "{HOST}-b",
        f"{TEMPLATE}LATER": "{HOST}",
    }
    assert changed(entrypoint, transport, environ) == {
        "user-name": "o",
        "1": "first",
        "URL": " pg://o:db%2F1@{x} ",
        "HOST": "db/1-b",
        "LATER": "db/1",
    }


def test_a_template_works_without_a_reference(entrypoint: Entrypoint) -> None:
    ended = entrypoint("printenv", "A", environ={**PLAIN, f"{TEMPLATE}A": "{PATH}"})
    assert ended == (0, PLAIN["PATH"].encode() + b"\n", "")


def test_a_template_passes_on_bytes_that_are_not_utf_8(entrypoint: Entrypoint) -> None:
    own = [f"PATH={PLAIN['PATH']}".encode(), b"B=\xff", f"{TEMPLATE}A=<{{B}}{{B:url}}>".encode()]
    assert entrypoint("printenv", "A", environ=own) == (0, b"<\xff%FF>\n", "")


def test_a_template_that_is_not_valid_is_refused_before_any_call(entrypoint: Entrypoint) -> None:
    ended, calls = refused(entrypoint, {"SECRETS_MANAGER_ARN": "one", f"{TEMPLATE}A": f"{MARKER}{{"})
    form = "expected {NAME}, {NAME:url}, {{ or }}"
    assert (errors(ended), calls) == ([f'{TEMPLATE}A is not a valid template: unclosed "{{" at byte 12; {form}'], 0)


def test_a_variable_that_is_not_set_does_not_start_the_command(entrypoint: Entrypoint) -> None:
    ended, _ = refused(entrypoint, {"SECRETS_MANAGER_ARN": "one", f"{TEMPLATE}A": f"{MARKER}{{user_name}}"})
    hint = "check its name and case; --dry-run without this template lists the names"
    assert errors(ended) == [f"{TEMPLATE}A: user_name (at byte 12) is not set; {hint}"]


def test_if_a_reference_failed_neither_templates_nor_required_variables_are_judged(entrypoint: Entrypoint) -> None:
    environ = {f"{SECRET}A": "one:nosuch", f"{TEMPLATE}A": "{nosuch}", "LAMBDA_ENV_REQUIRED": "nosuch"}
    ended, _ = refused(entrypoint, environ)
    assert [line.partition(":")[0] for line in errors(ended)] == [f"{SECRET}A"]


@pytest.mark.parametrize(("choice", "code"), [("allow", 0), ("warn", 0), ("deny", 125)])
def test_a_template_that_sets_what_exists_is_an_override(entrypoint: Entrypoint, choice: str, code: int) -> None:
    own = {**PLAIN, "A": "own", f"{TEMPLATE}A": "new", "LAMBDA_ENV_ON_OVERRIDE": choice}
    ended = entrypoint("printenv", "A", environ=own)
    line = f"template ({TEMPLATE}A) overrides A, which the function's configuration sets"
    assert (ended.code, ended.out, line in ended.err) == (code, b"" if code else b"new\n", choice != "allow")


# -- Required variables


@pytest.mark.parametrize(
    "own", [{"A": "1"}, {f"{TEMPLATE}A": "1"}, {"SECRETS_MANAGER_ARN": "one", f"{TEMPLATE}A": "{1}"}]
)
def test_a_required_variable_may_be_set_by_anyone(entrypoint: Entrypoint, own: dict[str, str]) -> None:
    with http_server(secrets(RDS)) as server:
        ended = entrypoint("true", environ=aws(server.url, {**own, "LAMBDA_ENV_REQUIRED": "A, PATH"}))
    assert ended == (0, b"", "")


def test_each_required_variable_that_is_missing_is_reported(entrypoint: Entrypoint) -> None:
    environ = {"SECRETS_MANAGER_ARN": "one", "EMPTY": "", "LAMBDA_ENV_REQUIRED": "user_name\nEMPTY DB_HOST,user-name"}
    ended, calls = refused(entrypoint, environ)
    required, hint = "LAMBDA_ENV_REQUIRED: ", "--dry-run without LAMBDA_ENV_REQUIRED lists them"
    assert (errors(ended), calls) == (
        [
            f'{required}user_name is not set; did you mean "user-name"?',
            f"{required}EMPTY is empty",
            f"{required}DB_HOST is not set; check the keys of the secrets; {hint}",
        ],
        1,
    )


@pytest.mark.parametrize("words", [("true",), ("--dry-run",)])
def test_a_required_variable_is_missed_without_a_reference_too(entrypoint: Entrypoint, words: tuple[str, ...]) -> None:
    ended = entrypoint(*words, environ={**PLAIN, "LAMBDA_ENV_REQUIRED": "DB_HOST", "AWS_LAMBDA_LOG_FORMAT": "JSON"})
    assert (ended.code, json.loads(ended.err)["errorType"]) == (125, "Function.RequiredVariableMissing")


def test_a_required_name_that_is_not_valid_is_refused_before_any_call_by_its_position(entrypoint: Entrypoint) -> None:
    ended, calls = refused(entrypoint, {"SECRETS_MANAGER_ARN": "one", "LAMBDA_ENV_REQUIRED": f"A, {MARKER}="})
    assert (len(errors(ended)), "entry 2 of 2 is not a valid name" in ended.err, calls) == (1, True, 0)


# -- The function's own wins


def test_keep_keeps_what_the_function_itself_sets_and_not_to_the_empty_string(
    entrypoint: Entrypoint, transport: str
) -> None:
    environ = {
        f"{SECRET}A": "one",
        f"{SECRET}B": "two",
        "LAMBDA_ENV_ON_OVERRIDE": "keep",
        "1": "own",
        "user-name": "",
        "X": "own",
        f"{TEMPLATE}X": "{not there}",
    }
    assert changed(entrypoint, transport, environ) == {"user-name": "t"}


def test_what_is_kept_is_listed_in_the_dry_run_and_at_debug(entrypoint: Entrypoint) -> None:
    environ = {f"{SECRET}A": "one", "LAMBDA_ENV_ON_OVERRIDE": "keep", "1": "own", "LAMBDA_ENV_LOG_LEVEL": "debug"}
    with http_server(secrets(RDS)) as server:
        ended = entrypoint("--dry-run", environ=aws(server.url, {}, **environ))
    words = 'variables that stay as the function\'s configuration sets them (LAMBDA_ENV_ON_OVERRIDE=keep): "1"'
    assert (ended.code, words in ended.out.decode(), words in ended.err) == (0, True, True)


# -- The dry run, and the line on success


def test_the_dry_run_shows_what_a_template_sets(entrypoint: Entrypoint) -> None:
    ended = entrypoint("--dry-run", "--format", "json", environ={**PLAIN, f"{TEMPLATE}A": "{PATH}é"})
    [row] = json.loads(ended.out)["variables"]
    assert row == {
        "variable": "A",
        "bytes": len(PLAIN["PATH"]) + 2,
        "reference": f"{TEMPLATE}A",
        "source": "template",
        "version": "",
        "region": "",
        "overrides": "",
    }


def test_a_good_start_is_silent_and_at_level_info_one_line(entrypoint: Entrypoint, transport: str) -> None:
    versioned = by_length(secret_body("one", "eu-west-1", SecretString='{"A": "1", "B": "2"}', VersionId="v1"))
    shown = []
    with http_server(lambda _: versioned) as server:
        for level in ("warning", "info"):
            more = {"LAMBDA_ENV_LOG_LEVEL": level, "AWS_LAMBDA_LOG_FORMAT": "JSON", "LAMBDA_ENV_TRANSPORT": transport}
            ended = entrypoint("true", environ=aws(server.url, {"SECRETS_MANAGER_ARN": "one"}, **more))
            shown.append([json.loads(line) for line in ended.err.splitlines()])
    [silent, [line]] = shown
    source = {"source": "one", "version": "v1", "region": "eu-west-1"}
    assert (silent, line["level"], line["variables"], line["sources"]) == ([], "INFO", 2, [source])
