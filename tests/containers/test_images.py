"""What an image must not have for its tests to mean something."""

import subprocess
import tarfile

from tests.containers.engine import Docker
from tests.containers.examples import DISTROLESS

FOLDERS = {"bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin"}
UNWANTED = {"apt", "apt-get", "bash", "busybox", "dash", "dpkg", "env", "sh"}


def test_the_distroless_example_has_no_shell_no_env_and_no_package_manager(docker: Docker) -> None:
    made = docker("create", "--network=host", DISTROLESS.image).strip()
    try:
        with (
            subprocess.Popen(["docker", "export", made], stdout=subprocess.PIPE, env=docker.environ) as exporting,
            tarfile.open(fileobj=exporting.stdout, mode="r|") as files,
        ):
            paths = [entry.name.removeprefix("./").rpartition("/") for entry in files]
    finally:
        docker("rm", "--force", made)
    programs = {name for folder, _, name in paths if folder in FOLDERS}

    assert (programs & UNWANTED, "python3" in programs) == (set(), True)
