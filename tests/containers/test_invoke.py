"""In each image, with the emulator behind us or in front of us: the function has its secrets."""

from dataclasses import replace

import pytest

from tests.containers.engine import Docker
from tests.containers.examples import JAVA, Example
from tests.containers.functions import BUSYBOX, LAMBDA, LAMBDA_SETS, MODES, function
from tests.harness.secrets_api import REGION, SecretsApi

UNPRIVILEGED = "--user=993:990"  # in nobody's /etc/passwd
AS_IN_LAMBDA = (UNPRIVILEGED, "--read-only", "--tmpfs=/tmp:mode=0700,uid=993,gid=990")
NOTHING_WRITABLE = (
    UNPRIVILEGED,
    "--read-only",
    "--ipc=none",
    "--mount=type=tmpfs,destination=/dev/mqueue,tmpfs-mode=0555",
)
NO_PRIVILEGES = ("--cap-drop=ALL", "--security-opt=no-new-privileges")

# What is set after a start with `references`: the second secret over the first, both over the function's own variable.
MERGED = {"FIRST": "a", "SECOND": "ü=b", "BOTH": "2", "OWN": "c"}

# Prints the folders in which a file can be made; what /proc shows are processes.
MAKE_A_FILE = ("-exec", "/busybox", "touch", "{}/made", ";")
LIST_WRITABLE = ("find", "/", "-path", "/proc", "-prune", "-o", "-type", "d", *MAKE_A_FILE, "-print")

in_both_modes = pytest.mark.parametrize("mode", MODES)


@pytest.fixture(scope="module")
def configuration(secrets_api: SecretsApi) -> dict[str, str]:
    """A function's variables, with two references."""
    return secrets_api.environ(
        OWN="function",
        SECRETS_MANAGER_ARN=secrets_api.create_secret("invoke/first", '{"FIRST": "a", "BOTH": 1}'),
        LAMBDA_ENV_SECRETS_MANAGER_ARN_SECOND=secrets_api.create_secret(
            "invoke/second", '{"SECOND": "ü=b", "BOTH": 2, "OWN": "c"}'
        ),
    )


@in_both_modes
def test_the_function_has_its_secrets(
    docker: Docker, example: Example, mode: str, configuration: dict[str, str]
) -> None:
    with function(docker, example, mode, configuration) as running:
        assert running.invoke("FIRST", "SECOND", "NONE") == (
            200,
            {"environment": {"FIRST": "a", "SECOND": "ü=b", "NONE": None}},
        )


@in_both_modes
def test_a_later_secret_comes_over_an_earlier_one_and_over_the_functions_own_variables(
    docker: Docker, example: Example, mode: str, configuration: dict[str, str]
) -> None:
    with function(docker, example, mode, configuration) as running:
        assert running.invoke("BOTH", "OWN") == (200, {"environment": {"BOTH": "2", "OWN": "c"}})


@in_both_modes
def test_as_lambda_runs_it(docker: Docker, example: Example, mode: str, configuration: dict[str, str]) -> None:
    environ = LAMBDA_SETS | configuration
    wanted = {**MERGED, "HOME": None, "LANG": example.variables.get("LANG"), "AWS_REGION": REGION}
    with function(docker, example, mode, environ, *AS_IN_LAMBDA, exactly=True) as running:
        assert running.invoke(*wanted) == (200, {"environment": wanted})


@in_both_modes
def test_with_no_writable_folder_at_all(
    docker: Docker, example: Example, mode: str, configuration: dict[str, str]
) -> None:
    environ = LAMBDA_SETS | configuration
    with function(docker, example, mode, environ, *NOTHING_WRITABLE, exactly=True) as running:
        assert running.invoke(*MERGED) == (200, {"environment": MERGED})


@in_both_modes
def test_with_no_capabilities_and_no_new_privileges(
    docker: Docker, example: Example, mode: str, configuration: dict[str, str]
) -> None:
    with function(docker, example, mode, configuration, *NO_PRIVILEGES) as running:
        assert running.invoke(*MERGED) == (200, {"environment": MERGED})


def test_no_writable_folder_means_none(docker: Docker, example: Example) -> None:
    run = ("run", "--rm", "--network=host", *NOTHING_WRITABLE, *BUSYBOX, example.image)

    assert docker.attempt(*run, *LIST_WRITABLE).stdout == ""


def test_the_java_images_own_locale_is_utf_8(docker: Docker, configuration: dict[str, str]) -> None:
    with function(docker, replace(JAVA, variables={}), LAMBDA, configuration) as running:
        assert running.invoke("SECOND") == (200, {"environment": {"SECOND": "ü=b"}})
