"""In each image: what happens when a secret cannot be loaded, or the start is broken off."""

import threading
from collections.abc import Iterator
from socket import socket

import pytest

from tests.containers.engine import Docker
from tests.containers.examples import EXAMPLES, Example
from tests.containers.functions import LAMBDA, MODES, container, function
from tests.harness.http_server import listening, silent
from tests.harness.process import wait_until
from tests.harness.secrets_api import SecretsApi

REASON = "SECRETS_MANAGER_ARN: secret no/such: ResourceNotFoundException: "


@pytest.fixture
def wrong(secrets_api: SecretsApi) -> dict[str, str]:
    """A function's variables, with a reference to a secret that does not exist."""
    return secrets_api.environ(SECRETS_MANAGER_ARN="no/such")


@pytest.mark.parametrize(
    "example", [example for example in EXAMPLES if not example.layer], ids=lambda example: example.name
)
def test_outside_lambda_a_bad_reference_ends_the_container_with_the_reason(
    docker: Docker, example: Example, wrong: dict[str, str]
) -> None:
    with container(docker, *variables(wrong), example.image) as made:
        ended = docker("wait", made).strip()

        assert (ended, docker.attempt("logs", made).stderr[: len(REASON) + 23]) == (
            "125",
            f"run-lambda-entrypoint: {REASON}",
        )


@pytest.mark.parametrize(
    ("example", "mode"),
    [(example, mode) for example in EXAMPLES for mode in MODES if mode == LAMBDA or example.layer],
    ids=lambda value: getattr(value, "name", value),
)
def test_in_lambda_a_bad_reference_reaches_the_caller_with_the_reason(
    docker: Docker, example: Example, mode: str, wrong: dict[str, str]
) -> None:
    with function(docker, example, mode, wrong) as running:
        status, answer = running.invoke("ANYTHING")

    assert (status, answer["errorType"], answer["errorMessage"][: len(REASON)]) == (
        502,
        "Function.SecretNotFound",
        REASON,
    )


@pytest.fixture
def silent_api() -> Iterator[tuple[int, threading.Event]]:
    """The port of a Secrets Manager that never answers, and whether somebody has asked it."""
    asked = threading.Event()

    def handle(connection: socket) -> None:
        asked.set()
        silent(connection)

    with listening(handle) as port:
        yield port, asked


@pytest.mark.parametrize(
    ("example", "mode"),
    # A layer is the emulator's child outside Lambda, and the signal is the emulator's.
    [(example, mode) for example in EXAMPLES for mode in MODES if mode == LAMBDA or not example.layer],
    ids=lambda value: getattr(value, "name", value),
)
def test_docker_stop_during_the_fetch_ends_it_at_once(
    docker: Docker, example: Example, mode: str, silent_api: tuple[int, threading.Event]
) -> None:
    port, asked = silent_api
    environ = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-real-key",
        "SECRETS_MANAGER_ARN": "name",
        "LAMBDA_ENV_TIMEOUT_SECONDS": "600",
        **example.variables,
        # In Lambda no image has anything before us.
        **({"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"} if mode == LAMBDA else {}),
    }
    with container(docker, *variables(environ), example.image) as made:
        wait_until(asked.is_set, what="the request")
        docker("stop", "--time=300", made, seconds=30)

        assert docker.inspect(made)["State"]["ExitCode"] == 143


def variables(environ: dict[str, str]) -> list[str]:
    return [f"--env={name}={value}" for name, value in environ.items()]
