"""In Lambda a failure is told to the Runtime API too, so that the caller sees the reason."""

import re
import socket

import pytest

from tests.harness.emulator import emulator_path, free_port, running
from tests.harness.entrypoint import PLAIN, Entrypoint, aws
from tests.harness.http_server import Reply, Request, fault, http_server, secret
from tests.harness.process import Surroundings

PREFIX = "LAMBDA_ENV_SECRETS_MANAGER_ARN_"
ACCEPTED = Reply(202, b'{"status": "OK"}')

FAILURES = {
    # Arguments, environment, exit code.
    "arguments": (["--nonsense"], {}, 2),
    "no command": ([], {}, 2),
    "option variable": (["true"], {"LAMBDA_ENV_TIMEOUT_SECONDS": "x"}, 125),
    "reference": (["true"], {"SECRETS_MANAGER_ARN": "no reference", f"{PREFIX}A": "no reference"}, 125),
    "not executable": (["/etc/passwd"], {}, 126),
    "not found": (["no-such-program"], {}, 127),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_posted_as_init_error_with_the_report_and_a_type(
    entrypoint: Entrypoint, failure: str
) -> None:
    words, environ, code = FAILURES[failure]
    with http_server(lambda _: ACCEPTED) as runtime_api:
        ended = entrypoint(
            *words, environ={**PLAIN, **environ, "AWS_LAMBDA_RUNTIME_API": runtime_api.address}
        )

    assert (ended.code, ended.out) == (code, b"")
    (posted,) = runtime_api.requests
    assert (posted.method, posted.path) == ("POST", "/2018-06-01/runtime/init/error")
    assert re.fullmatch("Function[.][A-Z][A-Za-z]+", posted.json["errorType"])
    assert posted.headers["lambda-runtime-function-error-type"] == posted.json["errorType"]
    report = [line.removeprefix("run-lambda-entrypoint: ") for line in ended.err.splitlines()]
    assert posted.json["errorMessage"].splitlines() == report


def test_three_bad_secrets_are_one_init_error_of_three_lines(entrypoint: Entrypoint) -> None:
    references = {PREFIX + name.upper(): name for name in ("a", "b", "c")}
    denied = fault(400, "AccessDeniedException")
    with http_server(lambda _: denied) as server, http_server(lambda _: ACCEPTED) as runtime_api:
        environ = aws(server.url, references, AWS_LAMBDA_RUNTIME_API=runtime_api.address)
        ended = entrypoint("true", environ=environ)

    assert ended.code == 125
    assert [len(request.json["errorMessage"].splitlines()) for request in runtime_api.requests] == [3]


def test_a_success_posts_nothing(entrypoint: Entrypoint) -> None:
    with http_server(lambda _: secret("{}")) as server, http_server(lambda _: ACCEPTED) as runtime_api:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, AWS_LAMBDA_RUNTIME_API=runtime_api.address)
        ended = entrypoint("true", environ=environ)

    assert (ended, runtime_api.requests) == ((0, b"", ""), [])


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_no_proxy_stands_before_the_runtime_api(entrypoint: Entrypoint, variable: str) -> None:
    with http_server(lambda _: ACCEPTED) as proxy, http_server(lambda _: ACCEPTED) as runtime_api:
        environ = {**PLAIN, "AWS_LAMBDA_RUNTIME_API": runtime_api.address, variable: proxy.url}
        ended = entrypoint("no-such-program", environ=environ)

    assert (ended.code, len(runtime_api.requests), len(proxy.requests)) == (127, 1, 0)


def test_an_unreachable_runtime_api_does_not_change_the_end(entrypoint: Entrypoint) -> None:
    ended = entrypoint(
        "no-such-program", environ={**PLAIN, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{free_port()}"}
    )

    assert (ended.code, ended.err.count("\n")) == (127, 1)


def test_a_runtime_api_that_never_answers_does_not_hold_up_the_end(entrypoint: Entrypoint) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        ended = entrypoint("no-such-program", environ={**PLAIN, "AWS_LAMBDA_RUNTIME_API": address})

    assert (ended.code, ended.err.count("\n")) == (127, 1)


@pytest.mark.parametrize(
    "address", ["", "no address", "127.0.0.1:x", "[::1", "http://127.0.0.1:1/", "a\nb:1"]
)
def test_an_empty_or_wrong_runtime_api_does_not_change_the_end(entrypoint: Entrypoint, address: str) -> None:
    ended = entrypoint("no-such-program", environ={**PLAIN, "AWS_LAMBDA_RUNTIME_API": address})

    assert (ended.code, ended.err.count("\n")) == (127, 1)


def test_a_caller_behind_the_real_emulator_sees_the_reason(entrypoint: Entrypoint) -> None:
    def answer(request: Request) -> Reply:
        return fault(400, "AccessDeniedException", f"no right to {request.json['SecretId']}")

    with http_server(answer) as server:
        surroundings = Surroundings(aws(server.url, {"SECRETS_MANAGER_ARN": "name"}))
        with running([emulator_path(), *entrypoint.words, "--", "/bin/true"], surroundings) as emulator:
            status, body = emulator.invoke({})

    assert (status, body["errorType"]) == (502, "Function.SecretAccessDenied")
    assert body["errorMessage"] == (
        "SECRETS_MANAGER_ARN: secret name: AccessDeniedException: no right to name"
    )
