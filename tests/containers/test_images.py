"""What an image must not have for its tests to mean something."""

import subprocess
import tarfile

import pytest

from tests.containers.engine import Docker
from tests.containers.examples import DISTROLESS, EXAMPLES, Example

FOLDERS = {"bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin"}
UNWANTED = {"apt", "apt-get", "bash", "busybox", "dash", "dpkg", "env", "sh"}


def test_the_distroless_example_has_no_shell_no_env_and_no_package_manager(docker: Docker) -> None:
    found = programs(docker, DISTROLESS)

    assert (found & UNWANTED, "python3" in found) == (set(), True)


@pytest.mark.parametrize(
    "example", [example for example in EXAMPLES if example.executable and not example.layer], ids=lambda it: it.name
)
def test_images_with_the_executable_have_no_python(docker: Docker, example: Example) -> None:
    assert {name for name in programs(docker, example) if name.startswith("python")} == set()


def programs(docker: Docker, example: Example) -> set[str]:
    """The names of what an example's image has in the folders for programs."""
    made = docker("create", "--network=host", example.image).strip()
    try:
        with (
            subprocess.Popen(["docker", "export", made], stdout=subprocess.PIPE, env=docker.environ) as exporting,
            tarfile.open(fileobj=exporting.stdout, mode="r|") as files,
        ):
            paths = [entry.name.removeprefix("./").rpartition("/") for entry in files]
    finally:
        docker("rm", "--force", made)
    return {name for folder, _, name in paths if folder in FOLDERS}
