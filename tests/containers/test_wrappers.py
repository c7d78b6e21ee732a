"""LAMBDA_ENV_EXEC_WRAPPER with the wrapper of another tool, in a layer's runtime and in an image of one's own."""

from pathlib import Path

import pytest

from tests.containers.engine import Docker
from tests.containers.examples import LAYERS, SLIM, Example
from tests.containers.functions import LAMBDA, MODES, function
from tests.harness.process import wait_until
from tests.harness.secrets_api import SecretsApi

WRAPPER = "/opt/otel-handler"
STAND_IN = f"--volume={Path(__file__).parent}/stand_ins/otel-handler:{WRAPPER}:ro"
NODEJS_LAYER = next(layer for layer in LAYERS if layer.target == "nodejs")


@pytest.fixture(scope="module")
def configuration(secrets_api: SecretsApi) -> dict[str, str]:
    """A function's variables, with a secret that the wrapper wants."""
    return secrets_api.environ(
        SECRETS_MANAGER_ARN=secrets_api.create_secret("otel", '{"OTEL_EXPORTER_OTLP_HEADERS": "api-key=k"}'),
        LAMBDA_ENV_EXEC_WRAPPER=WRAPPER,
        AWS_LAMBDA_FUNCTION_NAME="function",
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("example", [NODEJS_LAYER, SLIM], ids=lambda example: example.name)
def test_wrapper_and_function_have_the_secret_and_the_function_what_the_wrapper_sets(
    docker: Docker, example: Example, mode: str, configuration: dict[str, str]
) -> None:
    wanted = {
        "OTEL_EXPORTER_OTLP_HEADERS": "api-key=k",
        "HEADERS_AT_ITS_START": "api-key=k",
        "OTEL_RESOURCE_ATTRIBUTES": "service.name=function",
    }
    with function(docker, example, mode, configuration, STAND_IN) as running:
        assert running.invoke(*wanted) == (200, {"environment": wanted})


@pytest.mark.parametrize("example", [NODEJS_LAYER, SLIM], ids=lambda example: example.name)
def test_the_function_alone_runs_after_the_start(
    docker: Docker, example: Example, configuration: dict[str, str]
) -> None:
    with function(docker, example, LAMBDA, configuration, STAND_IN) as running:
        running.invoke()
        wait_until(lambda: running.processes[1:] == [example.runtime], what=f"{example.runtime} alone")
