"""What is left to be seen from outside: processes, and nothing of the secrets; no file is changed."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.containers.engine import Docker
from tests.containers.examples import Example
from tests.containers.functions import BUSYBOX, LOCAL, MODES, Function, container, function
from tests.harness.entrypoint import TRANSPORTS
from tests.harness.process import wait_until
from tests.harness.secrets_api import SecretsApi

MARKER = "7c0ffee-marked-value"
REFERENCE = "traces/secret"


@pytest.fixture(scope="module")
def configuration(secrets_api: SecretsApi) -> dict[str, str]:
    """A function's variables, with a reference to a secret that holds the marker."""
    secrets_api.create_secret(REFERENCE, f'{{"PASSWORD": "{MARKER}"}}')
    return secrets_api.environ(SECRETS_MANAGER_ARN=REFERENCE)


@pytest.fixture(params=MODES)
def served(
    docker: Docker, example: Example, configuration: dict[str, str], request: pytest.FixtureRequest
) -> Iterator[Function]:
    """A function that has its secret and has answered."""
    with function(docker, example, request.param, configuration) as running:
        assert running.invoke("PASSWORD") == (200, {"environment": {"PASSWORD": MARKER}})
        yield running


def test_the_function_alone_runs_after_the_start(example: Example, served: Function) -> None:
    wait_until(lambda: served.processes[1:] == [example.runtime], what=f"{example.runtime} alone")


def test_outside_lambda_the_emulator_is_the_first_process_and_the_function_the_only_other(
    docker: Docker, example: Example, configuration: dict[str, str]
) -> None:
    started = "/var/runtime/bootstrap" if example.fixed_ports else f"--log-level info {example.runtime}"
    with function(docker, example, LOCAL, configuration) as running:
        running.invoke()
        wait_until(lambda: running.processes[1:] == [example.runtime], what=f"{example.runtime} alone")

        assert running.processes[0].split(" --runtime-")[0] == f"{example.emulator} {started}"


def test_the_container_is_configured_with_references_only(docker: Docker, served: Function) -> None:
    shown = docker("inspect", served.container)

    assert (f'"SECRETS_MANAGER_ARN={REFERENCE}"' in shown, MARKER in shown) == (True, False)


def test_the_log_holds_no_secret(served: Function) -> None:
    assert MARKER not in served.log


def test_the_containers_files_hold_no_secret(docker: Docker, served: Function) -> None:
    assert not written(docker, "export", served.container, MARKER)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_start_by_root_changes_no_file(
    docker: Docker, example: Example, transport: str, configuration: dict[str, str]
) -> None:
    environ = {**configuration, "LAMBDA_ENV_TRANSPORT": transport}
    options = [f"--env={name}={value}" for name, value in environ.items()]
    words = [*options, *BUSYBOX, f"--entrypoint={example.entrypoint}", example.image, "/busybox", "true"]

    assert run_by_root(docker, *words) == "A /busybox\n"  # what it is mounted on


def test_root_may_change_files(docker: Docker, example: Example) -> None:
    assert "A /etc/changed\n" in run_by_root(docker, *BUSYBOX, example.image, "touch", "/etc/changed")


def test_the_images_history_holds_no_secret(docker: Docker, example: Example, served: Function) -> None:
    history = docker("history", "--no-trunc", example.image)

    assert (MARKER in history, REFERENCE in history) == (False, False)


def test_the_images_layers_hold_no_secret(docker: Docker, example: Example, served: Function) -> None:
    assert not written(docker, "save", example.image, MARKER)


def test_what_is_searched_for_is_found_where_it_is(docker: Docker, example: Example) -> None:
    assert written(docker, "save", example.image, "run_lambda_entrypoint/")


def written(docker: Docker, verb: str, what: str, text: str) -> bool:
    """Whether `docker verb what`, which writes an archive, writes `text` in it."""
    with subprocess.Popen(["docker", verb, what], stdout=subprocess.PIPE, env=docker.environ) as process:
        assert process.stdout is not None
        found, before = False, b""
        while block := process.stdout.read(1 << 20):
            found = found or text.encode() in before + block
            before = block[-len(text) :]
    assert process.returncode == 0
    return found


def run_by_root(docker: Docker, *words: str) -> str:
    """Runs a container by root to its end, and returns which of its files have changed, one a line."""
    with container(docker, "--user=0", *words) as made:
        assert docker("wait", made) == "0\n", docker.attempt("logs", made).stderr
        return docker("diff", made)
