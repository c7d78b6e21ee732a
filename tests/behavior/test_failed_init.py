"""In Lambda a failure is posted to the Runtime API too, so that the caller sees the reason."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from time import monotonic

import pytest

from tests.harness.emulator import emulator_path, free_port, running
from tests.harness.entrypoint import PLAIN, Entrypoint, aws
from tests.harness.http_server import (
    Reply,
    Request,
    Server,
    black_hole,
    by_length,
    dripping,
    error,
    http_server,
    listening,
    secret,
    secrets,
    silent,
)
from tests.harness.process import Surroundings

PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"

REGION = {"AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}
KEYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
NAME = {"SECRETS_MANAGER_ARN": "name"}
TWO_INVALID = {"SECRETS_MANAGER_ARN": "no reference", f"{PREFIX}A": "no reference"}
FAILURES: dict[str, tuple[list[str], dict[str, str], int, str]] = {
    # Arguments, environment, exit code, error type.
    "arguments": (["--nonsense"], {}, 2, "Function.InvalidArguments"),
    "no command": ([], {}, 2, "Function.InvalidArguments"),
    "option variable": (["true"], {"LAMBDA_ENV_TIMEOUT_SECONDS": "x"}, 125, "Function.InvalidConfiguration"),
    "references": (["true"], TWO_INVALID, 125, "Function.InvalidReference"),
    "credentials": (["true"], NAME | REGION, 125, "Function.CredentialsMissing"),
    "region": (["true"], NAME | KEYS, 125, "Function.InvalidConfiguration"),
    "not executable": (["/etc/passwd"], {}, 126, "Function.CommandNotExecutable"),
    "not found": (["no-such-program"], {}, 127, "Function.CommandNotFound"),
}


@pytest.fixture
def runtime_api() -> Iterator[Server]:
    """A Runtime API that accepts what is posted."""
    with http_server(lambda _: by_length(b'{"status": "OK"}', 202)) as runtime_api:
        yield runtime_api


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_posted_as_init_error_with_the_report_and_its_type(
    entrypoint: Entrypoint, runtime_api: Server, failure: str
) -> None:
    argv, environ, code, error_type = FAILURES[failure]
    ended = entrypoint(*argv, environ={**PLAIN, **environ, "AWS_LAMBDA_RUNTIME_API": runtime_api.address})

    assert (ended.code, ended.out) == (code, b"")
    (posted,) = runtime_api.requests
    assert (posted.method, posted.path) == ("POST", "/2018-06-01/runtime/init/error")
    types = (posted.json["errorType"], posted.headers["lambda-runtime-function-error-type"])
    assert types == (error_type, error_type)
    report = [line.removeprefix("run-lambda-entrypoint: ") for line in ended.err.splitlines()]
    assert posted.json["errorMessage"].splitlines() == report


TYPE_ONLY = "the function did not start; see its log"


@pytest.mark.parametrize("value", ["type", " TYPE\n", "typo"])
@pytest.mark.parametrize("failure", FAILURES)
def test_with_type_nothing_but_the_type_is_posted_whatever_failed(
    entrypoint: Entrypoint, runtime_api: Server, failure: str, value: str
) -> None:
    argv, own, code, error_type = FAILURES[failure]
    if value == "typo" and failure != "arguments":
        code, error_type = 125, "Function.InvalidConfiguration"
    environ = {**PLAIN, **own, "LAMBDA_ENV_INIT_ERROR": value, "AWS_LAMBDA_RUNTIME_API": runtime_api.address}
    ended = entrypoint(*argv, environ=environ)

    [posted] = runtime_api.requests
    assert (ended.code, posted.headers["lambda-runtime-function-error-type"]) == (code, error_type)
    assert posted.json == {"errorMessage": TYPE_ONLY, "errorType": error_type, "stackTrace": []}


@pytest.mark.parametrize("transport", ["direct", "botocore"])
def test_with_type_no_name_is_posted_and_the_log_has_all(
    entrypoint: Entrypoint, runtime_api: Server, transport: str
) -> None:
    with http_server(secrets({"marked/name": "[]", "marked/other": "{}"})) as server:
        references = {f"{PREFIX}MARKED": "marked/name", "LAMBDA_ENV_VALUE_FROM_MARKED_NAME": "marked/other:marked.key"}
        told = {"LAMBDA_ENV_INIT_ERROR": "type", "LAMBDA_ENV_TRANSPORT": transport, "LAMBDA_ENV_LOG_LEVEL": "debug"}
        ended = entrypoint(
            "true", environ=aws(server.url, references, AWS_LAMBDA_RUNTIME_API=runtime_api.address, **told)
        )

    [posted] = runtime_api.requests
    assert "marked" not in f"{posted.headers} {posted.body!r}".lower()
    assert (ended.code, "marked/other" in ended.err, "marked.key" in ended.err) == (125, True, True)


OF_SECRETS = {
    # What Secrets Manager replies.
    "Function.SecretNotFound": error(400, "ResourceNotFoundException"),
    "Function.SecretAccessDenied": error(400, "AccessDeniedException"),
    "Function.SecretDecryptionFailed": error(400, "DecryptionFailure"),
    "Function.SecretUnavailable": error(400, "InvalidRequestException"),
    "Function.CredentialsRefused": error(400, "UnrecognizedClientException"),
    "Function.InvalidSecret": secret("[]"),
}


@pytest.mark.parametrize("error_type", OF_SECRETS)
def test_a_secret_that_fails_has_its_type(entrypoint: Entrypoint, runtime_api: Server, error_type: str) -> None:
    with http_server(lambda _: OF_SECRETS[error_type]) as server:
        ended = entrypoint("true", environ=aws(server.url, NAME, AWS_LAMBDA_RUNTIME_API=runtime_api.address))

    assert (ended.code, [request.json["errorType"] for request in runtime_api.requests]) == (125, [error_type])


def test_three_bad_secrets_are_one_init_error_of_three_lines(entrypoint: Entrypoint, runtime_api: Server) -> None:
    references = {PREFIX + name: name for name in ("A", "B", "C")}
    with http_server(lambda _: error(400, "AccessDeniedException")) as server:
        ended = entrypoint("true", environ=aws(server.url, references, AWS_LAMBDA_RUNTIME_API=runtime_api.address))

    assert ended.code == 125
    assert [len(request.json["errorMessage"].splitlines()) for request in runtime_api.requests] == [3]


def test_a_success_posts_nothing(entrypoint: Entrypoint, server: Server, runtime_api: Server) -> None:
    ended = entrypoint("true", environ=aws(server.url, NAME, AWS_LAMBDA_RUNTIME_API=runtime_api.address))

    assert (ended, runtime_api.requests) == ((0, b"", ""), [])


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_no_proxy_stands_before_the_runtime_api(
    entrypoint: Entrypoint, server: Server, runtime_api: Server, variable: str
) -> None:
    environ = {**PLAIN, "AWS_LAMBDA_RUNTIME_API": runtime_api.address, variable: server.url}
    ended = entrypoint("no-such-program", environ=environ)

    assert (ended.code, len(runtime_api.requests), len(server.requests)) == (127, 1, 0)


HANGING = {
    "mute": partial(listening, silent),
    # Often enough that no wait for a byte is ever too long.
    "dripping": partial(listening, partial(dripping, seconds=0.2)),
    "a black hole": black_hole,
}


@pytest.mark.slow
@pytest.mark.parametrize("hanging", HANGING.values(), ids=HANGING)
def test_a_runtime_api_that_hangs_does_not_hold_up_the_end(
    entrypoint: Entrypoint, hanging: Callable[[], AbstractContextManager[int]]
) -> None:
    begin = monotonic()
    with hanging() as port:
        ended = entrypoint("no-such-program", environ={**PLAIN, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}"})

    assert (ended.code, ended.err.count("\n"), "no-such-program" in ended.err) == (127, 1, True)
    assert monotonic() - begin < 10  # it takes a second; more is for a slow machine


@pytest.mark.parametrize(
    "address",
    [
        *("", "no address", "127.0.0.1:x", "[::1", "http://127.0.0.1:1/", "a\nb:1"),
        pytest.param(f"127.0.0.1:{free_port()}", id="nobody listens"),
    ],
)
def test_a_runtime_api_that_cannot_be_reached_does_not_change_the_end(entrypoint: Entrypoint, address: str) -> None:
    ended = entrypoint("no-such-program", environ={**PLAIN, "AWS_LAMBDA_RUNTIME_API": address})

    assert (ended.code, ended.err.count("\n")) == (127, 1)


def test_a_caller_behind_the_real_emulator_sees_the_reason(entrypoint: Entrypoint) -> None:
    def answer(request: Request) -> Reply:
        return error(400, "AccessDeniedException", f"no right to {request.json['SecretId']}")

    with http_server(answer) as server:
        surroundings = Surroundings(aws(server.url, NAME))
        with running([emulator_path(), *entrypoint.words, "--", "/bin/true"], surroundings) as emulator:
            status, body = emulator.invoke({})

    assert (status, body["errorType"]) == (502, "Function.SecretAccessDenied")
    assert body["errorMessage"].startswith(
        "SECRETS_MANAGER_ARN: secret name: AccessDeniedException: no right to name; allow it in the role's policy: "
    )
