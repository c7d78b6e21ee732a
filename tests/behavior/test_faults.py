"""Several secrets, and the credentials: one report for all; tests/transports/ has each fault by itself."""

import json
from pathlib import Path

import pytest

from tests.harness.entrypoint import Entrypoint, aws
from tests.harness.http_server import Reply, Request, Server, error, http_server, secret, secrets

pytestmark = pytest.mark.slow

NAME = {"SECRETS_MANAGER_ARN": "name"}
PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"


@pytest.fixture
def short(transport: str) -> str:
    """A deadline in seconds that will pass, but leaves time for an attempt: botocore's import alone may take two."""
    return {"direct": "2", "botocore": "6"}[transport]


def test_one_secret_that_comes_late_does_not_hide_why_another_failed(
    entrypoint: Entrypoint, transport: str, short: str
) -> None:
    def answer(request: Request) -> Reply:
        return error(400, "AccessDeniedException") if request.json["SecretId"] == "b" else error(500, "Late")

    with http_server(answer) as server:
        environ = aws(server.url, {f"{PREFIX}A": "a", f"{PREFIX}B": "b"}, LAMBDA_ENV_TRANSPORT=transport)
        ended = entrypoint("--timeout", short, "true", environ=environ)

    assert ended.code == 125
    assert [(line.split(": ")[2], line.partition("Denied")[1]) for line in ended.err.splitlines()] == [
        ("secret a", ""),
        ("secret b", "Denied"),
    ]


def test_three_bad_secrets_make_one_report_of_three_lines(entrypoint: Entrypoint, transport: str) -> None:
    denied, absent = error(400, "AccessDeniedException"), error(400, "ResourceNotFoundException")
    replies = {"A": absent, "B": secret("no JSON", "B"), "C": denied, "GOOD": secret('{"A": "1"}', "GOOD")}
    with http_server(lambda request: replies[request.json["SecretId"]]) as server:
        references = {PREFIX + name: name for name in replies}
        ended = entrypoint("true", environ=aws(server.url, references, LAMBDA_ENV_TRANSPORT=transport))

    assert (ended.code, ended.out) == (125, b"")
    assert [line.split(": ")[:3] for line in ended.err.splitlines()] == [
        ["run-lambda-entrypoint", f"{PREFIX}{name}", f"secret {name}"] for name in "ABC"
    ]


EMPTY = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        (EMPTY, "no AWS credentials"),
        ({**EMPTY, "AWS_SESSION_TOKEN": ""}, "no AWS credentials"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY"),
    ],
    ids=["none", "all empty", "no secret key"],
)
def test_missing_credentials_are_reported_without_a_request(
    entrypoint: Entrypoint, server: Server, variables: dict[str, str], reason: str
) -> None:
    ended = entrypoint("true", environ=aws(server.url, NAME, **variables))

    assert (ended.code, reason in ended.err, server.requests) == (125, True, [])


def test_empty_credentials_as_the_emulator_makes_them_count_as_absent(
    entrypoint: Entrypoint, server: Server, tmp_path: Path
) -> None:
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = x\n")
    empty = {**EMPTY, "AWS_SESSION_TOKEN": "", "AWS_SHARED_CREDENTIALS_FILE": str(file)}

    assert entrypoint("true", environ=aws(server.url, NAME, **empty)) == (0, b"", "")
    assert ["=AKIDFILE/" in request.headers["authorization"] for request in server.requests] == [True]


@pytest.mark.parametrize(("token", "sent"), [("", None), ("the/token", "the/token")])
def test_a_session_token_is_sent_unless_it_is_empty(
    entrypoint: Entrypoint, server: Server, transport: str, token: str, sent: str | None
) -> None:
    ended = entrypoint("true", environ=aws(server.url, NAME, AWS_SESSION_TOKEN=token, LAMBDA_ENV_TRANSPORT=transport))

    assert ended == (0, b"", "")
    assert [request.headers.get("x-amz-security-token") for request in server.requests] == [sent]


def test_as_many_secrets_as_a_function_may_name_are_fetched(entrypoint: Entrypoint, transport: str) -> None:
    references = {f"{PREFIX}{index:02}": f"name-{index}" for index in range(40)}
    with http_server(secrets({name: json.dumps({name: "x"}) for name in references.values()})) as server:
        ended = entrypoint(
            "cat", "/proc/self/environ", environ=aws(server.url, references, LAMBDA_ENV_TRANSPORT=transport)
        )

    assert {name for name, value in ended.environ.items() if value == "x"} == set(references.values())
