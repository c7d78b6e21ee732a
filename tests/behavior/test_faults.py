"""Several secrets, and the credentials: one report for all; tests/transports/ has each fault by itself."""

import json

import pytest

from tests.harness.entrypoint import KEY_ID, TRANSPORTS, Entrypoint, aws
from tests.harness.http_server import Reply, Request, Server, error, http_server, secret

NAME = {"SECRETS_MANAGER_ARN": "name"}
PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> dict[str, str]:
    """The variable that requests either transport."""
    return {"LAMBDA_ENV_TRANSPORT": request.param}


@pytest.fixture
def short(transport: dict[str, str]) -> str:
    """A deadline in seconds that will pass, but leaves time for an attempt: botocore's import alone may take two."""
    return {"direct": "2", "botocore": "6"}[transport["LAMBDA_ENV_TRANSPORT"]]


def test_one_secret_that_comes_late_does_not_hide_why_another_failed(
    entrypoint: Entrypoint, transport: dict[str, str], short: str
) -> None:
    def answer(request: Request) -> Reply:
        return error(400, "AccessDeniedException") if request.json["SecretId"] == "b" else error(500, "Late")

    with http_server(answer) as server:
        environ = aws(server.url, {f"{PREFIX}A": "a", f"{PREFIX}B": "b"}, **transport)
        ended = entrypoint("--timeout", short, "true", environ=environ)

    assert ended.code == 125
    assert [(line.split(": ")[2], line.partition("Denied")[1]) for line in ended.err.splitlines()] == [
        ("secret a", ""),
        ("secret b", "Denied"),
    ]


def test_three_bad_secrets_make_one_report_of_three_lines(entrypoint: Entrypoint, transport: dict[str, str]) -> None:
    replies = {
        "a": error(400, "ResourceNotFoundException"),
        "b": secret("no JSON"),
        "c": error(400, "AccessDeniedException"),
        "good": secret("{}"),
    }
    references = {PREFIX + name.upper(): name for name in replies}
    with http_server(lambda request: replies[request.json["SecretId"]]) as server:
        ended = entrypoint("true", environ=aws(server.url, references, **transport))

    assert (ended.code, ended.out) == (125, b"")
    assert [line.split(": ")[:3] for line in ended.err.splitlines()] == [
        ["run-lambda-entrypoint", f"{PREFIX}A", "secret a"],
        ["run-lambda-entrypoint", f"{PREFIX}B", "secret b"],
        ["run-lambda-entrypoint", f"{PREFIX}C", "secret c"],
    ]


CREDENTIALS = {
    # What is set in addition to a Region, and what the report says.
    "none": ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "credentials"),
    "all empty": (
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""},
        "no AWS credentials",
    ),
    "no secret": ({"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY"),
}


@pytest.mark.parametrize("case", CREDENTIALS)
def test_missing_credentials_are_reported_without_a_request(entrypoint: Entrypoint, case: str) -> None:
    variables, reason = CREDENTIALS[case]
    with http_server(lambda _: secret("{}")) as server:
        environ = aws(server.url, NAME, **variables)
        ended = entrypoint("true", environ=environ)

    assert (ended.code, reason in ended.err, server.requests) == (125, True, [])


@pytest.fixture(scope="module")
def from_profile(entrypoint: Entrypoint, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """What was requested by a function with empty variables, as the emulator makes them, and a credentials file."""
    file = tmp_path_factory.mktemp("aws") / "credentials"
    file.write_text("[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = x\n")
    empty = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), "")
    with http_server(lambda _: secret("{}")) as server:
        ended = entrypoint("true", environ=aws(server.url, NAME, AWS_SHARED_CREDENTIALS_FILE=str(file), **empty))
    assert ended == (0, b"", "")
    return server


def test_empty_credentials_count_as_absent(from_profile: Server) -> None:
    assert ["=AKIDFILE/" in request.headers["authorization"] for request in from_profile.requests] == [True]


@pytest.mark.parametrize(("token", "sent"), [("", None), ("the/token", "the/token")])
def test_a_session_token_is_sent_unless_it_is_empty(
    entrypoint: Entrypoint, transport: dict[str, str], token: str, sent: str | None
) -> None:
    with http_server(lambda _: secret("{}")) as server:
        ended = entrypoint("true", environ=aws(server.url, NAME, AWS_SESSION_TOKEN=token, **transport))

    assert ended == (0, b"", "")
    assert [request.headers.get("x-amz-security-token") for request in server.requests] == [sent]


def test_as_many_secrets_as_a_function_may_name_are_fetched(entrypoint: Entrypoint, transport: dict[str, str]) -> None:
    references = {f"{PREFIX}{index:02}": f"name-{index}" for index in range(40)}
    with http_server(lambda request: secret(json.dumps({request.json["SecretId"]: "x"}))) as server:
        ended = entrypoint("cat", "/proc/self/environ", environ=aws(server.url, references, **transport))

    assert {name for name, value in ended.environ.items() if value == "x"} == set(references.values())
