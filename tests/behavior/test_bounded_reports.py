"""However much is wrong, a report stays one that a person reads: 20 problems, 1,500 bytes each, 32 kB to Lambda."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.entrypoint import PLAIN, Entrypoint, aws
from tests.harness.http_server import by_length, error, http_server, secret
from tests.harness.process import Surroundings, started

if TYPE_CHECKING:
    from tests.harness.entrypoint import Ended

PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
NAME = {"SECRETS_MANAGER_ARN": "name"}
MANY = {f"{PREFIX}{number:03}": f"secret-{number:03}" for number in range(300)}
DENIED = error(400, "AccessDeniedException", "User is not authorized; " + 400 * "é and so on ")


def in_lambda(entrypoint: Entrypoint, environ: dict[str, str], *options: str) -> tuple[Ended, bytes]:
    """How it ended, and what was posted to the Runtime API."""
    with http_server(lambda _: by_length(b"", 202)) as runtime_api:
        environ = {**environ, "AWS_LAMBDA_RUNTIME_API": runtime_api.address}
        ended = entrypoint(*options, "true", environ=environ)
    [posted] = runtime_api.requests
    return ended, posted.body


@pytest.fixture(scope="module")
def denied(entrypoint: Entrypoint, transport: str) -> tuple[Ended, bytes]:
    """A function whose 300 secrets are all denied, with a long message of AWS's for each."""
    with http_server(lambda _: DENIED) as server:
        environ = aws(server.url, MANY, LAMBDA_ENV_TRANSPORT=transport)
        return in_lambda(entrypoint, environ, "--dry-run", "--format", "json")


def test_the_first_20_problems_are_shown_and_the_number_of_the_others(denied: tuple[Ended, bytes]) -> None:
    lines = denied[0].err.splitlines()

    assert [line.split()[1].strip(":") for line in lines[:-1]] == [f"{PREFIX}{number:03}" for number in range(20)]
    assert lines[-1] == "run-lambda-entrypoint: and 280 more; --dry-run --format json lists all"


def test_a_problem_has_at_most_1500_bytes(denied: tuple[Ended, bytes]) -> None:
    assert [line for line in denied[0].err.splitlines() if len(line.encode()) > 1500 + 23] == []


def test_of_a_long_problem_the_statement_is_whole_and_awss_text_is_not(denied: tuple[Ended, bytes]) -> None:
    line = denied[0].err.splitlines()[0]
    told, _, statement = line.partition("; allow it in the role's policy: ")

    resource = "arn:aws:secretsmanager:eu-west-1:ACCOUNT:secret:secret-000-??????"
    assert (told[-1], json.loads(statement)["Resource"]) == ("…", resource)


def test_at_most_32_kb_are_posted_in_whole_problems(denied: tuple[Ended, bytes]) -> None:
    ended, body = denied
    shown = [line.removeprefix("run-lambda-entrypoint: ") for line in ended.err.splitlines()]
    *posted, last = json.loads(body)["errorMessage"].split("\n")

    assert (len(body) <= 32_000, posted) == (True, shown[: len(posted)])
    assert last == f"and {300 - len(posted)} more; --dry-run --format json lists all"


def test_the_dry_run_as_json_lists_all(denied: tuple[Ended, bytes]) -> None:
    problems: list[dict[str, Any]] = json.loads(denied[0].out)["problems"]

    assert [(problem["reference"], problem["source"]) for problem in problems] == list(MANY.items())
    assert {problem["errorType"] for problem in problems} == {"Function.SecretAccessDenied"}


def test_a_statement_for_which_there_is_no_room_is_left_out(entrypoint: Entrypoint) -> None:
    denied_parameter = error(400, "AccessDeniedException", 1000 * "x")
    path = f"/{'p' * 700}/"
    with http_server(lambda _: denied_parameter) as server:
        environ = aws("", {"LAMBDA_ENV_SSM_PATH_P": path}, AWS_ENDPOINT_URL_SSM=server.url)
        ended = entrypoint("true", environ=environ)

    assert (ended.code, "Effect" in ended.err, len(ended.err.encode()) <= 1500 + 24) == (125, False, True)


@pytest.mark.parametrize("count", [20, 21, 7_000])
def test_of_many_bad_keys_20_are_named(entrypoint: Entrypoint, count: int) -> None:
    keys = [f"K{number}=" for number in range(count)]
    with http_server(lambda _: secret(json.dumps(dict.fromkeys(keys, "value")))) as server:
        ended = entrypoint("true", environ=aws(server.url, NAME))

    named = ", ".join(f'"{key}"' for key in keys[:20]) + (f", and {count - 20:,} more" if count > 20 else "")
    problem = f"keys {named}: a variable name must not contain '=' or NUL"
    assert ended == (125, b"", f"run-lambda-entrypoint: SECRETS_MANAGER_ARN: secret name: {problem}\n")


def test_of_many_keys_beside_a_missing_one_20_are_named(entrypoint: Entrypoint) -> None:
    keys = [f"K{number}" for number in range(1_000)]
    with http_server(lambda _: secret(json.dumps(dict.fromkeys(keys, "value")))) as server:
        ended = entrypoint("true", environ=aws(server.url, {"SECRETS_MANAGER_ARN": "name:missing"}))

    named = ", ".join(f'"{key}"' for key in keys[:20])
    assert ended.err.endswith(f"the secret's keys are: {named}, and 980 more\n")


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_each_line_is_one_write_of_at_most_4096_bytes(entrypoint: Entrypoint, log_format: str) -> None:
    """On a pipe that several processes write to, the kernel keeps such writes apart (pipe(7), PIPE_BUF)."""
    variables = {f"{PREFIX}{letter}{300 * '🔑'}": "name" for letter in "ab"}
    reading, writing = os.pipe2(os.O_DIRECT)  # each read returns what one write wrote
    with http_server(lambda _: secret(json.dumps({300 * "🔒": "value"}))) as server:
        environ = aws(server.url, variables, LAMBDA_ENV_LOG_LEVEL="debug", AWS_LAMBDA_LOG_FORMAT=log_format)
        with started([*entrypoint.words, "true"], Surroundings(environ), stderr=writing) as process:
            os.close(writing)
            writes = list(iter(lambda: os.read(reading, 65_536), b""))
            code = process.wait(60)
    os.close(reading)

    assert (code, [len(write) for write in writes if len(write) > 4096]) == (0, [])
    assert [write for write in writes if not is_whole(write, log_format)] == []
    assert "overriding" in b"".join(writes).decode()


def is_whole(write: bytes, log_format: str) -> bool:
    """Whether it is one line of ours."""
    line = write.decode().removesuffix("\n")
    if log_format == "JSON":
        return bool(json.loads(line)["message"])
    return line.startswith(("run-lambda-entrypoint: debug: ", "run-lambda-entrypoint: info: ")) and "\n" not in line


def test_a_variable_with_a_long_name_leaves_room_for_the_reason(entrypoint: Entrypoint) -> None:
    ended = entrypoint("true", environ={**PLAIN, f"{PREFIX}{1000 * 'é'}": "no reference"})

    assert "is not a valid secret reference: " in ended.err


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
@pytest.mark.parametrize("length", [1_600, 5_000])
def test_a_path_that_is_too_long_to_show_leaves_room_for_the_reason(
    entrypoint: Entrypoint, length: int, log_format: str
) -> None:
    with http_server(lambda _: error(400, "ValidationException", "too long")) as server:
        references = {"LAMBDA_ENV_SSM_PATH_P": f"/{length * 'p'}"}
        environ = aws("", references, AWS_ENDPOINT_URL_SSM=server.url, AWS_LAMBDA_LOG_FORMAT=log_format)
        ended = entrypoint("true", environ=environ)

    assert (ended.code, ended.err.count("ValidationException: too long"), ended.err.count("\n")) == (125, 1, 1)


def test_a_throttled_secrets_hint_survives_awss_text(entrypoint: Entrypoint) -> None:
    throttled = error(400, "ThrottlingException", 1_000 * "x")
    with http_server(lambda _: throttled) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": 512 * "n"}, LAMBDA_ENV_TIMEOUT_SECONDS="1")
        ended = entrypoint("true", environ=environ)

    hint = "AWS limits the rate of requests; start fewer functions at once, or raise the timeout\n"
    assert (ended.code, ended.err.endswith(f"x…; {hint}")) == (125, True)


def test_after_20_warnings_their_number_is_all(entrypoint: Entrypoint) -> None:
    own = {f"K{number:02}": "own" for number in range(30)}
    with http_server(lambda _: secret(json.dumps(own))) as server:
        ended = entrypoint("true", environ=aws(server.url, NAME, LAMBDA_ENV_ON_OVERRIDE="warn", **own))

    lines = ended.err.splitlines()
    assert (ended.code, len(lines), lines[-1]) == (0, 21, "run-lambda-entrypoint: warning: and 10 more")
