"""README's Dockerfiles, as they stand there, after `make dist` and `make standalone`."""

import platform
import re
import shutil
from pathlib import Path

import pytest

from tests.containers.builders import build
from tests.containers.engine import ROOT, Docker
from tests.containers.examples import DISTROLESS, GO, Example
from tests.containers.functions import LOCAL, function
from tests.harness.emulator import emulator_path
from tests.harness.secrets_api import SecretsApi

DOCKERFILES = re.findall(r"^```dockerfile\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
ARCHIVE = Example("readme", runtime=DISTROLESS.runtime)
EXECUTABLE = Example("readme-executable", runtime=GO.runtime, executable=True)


@pytest.mark.parametrize(
    ("dockerfile", "example", "files"),
    [
        (DOCKERFILES[0], ARCHIVE, [f"{DISTROLESS.folder}/app.py"]),
        (DOCKERFILES[1], EXECUTABLE, [f"{GO.folder}/go.mod", f"{GO.folder}/main.go"]),
    ],
    ids=["archive", "executable"],
)
def test_the_dockerfile_builds_and_its_function_has_its_secret(
    docker: Docker, secrets_api: SecretsApi, tmp_path: Path, dockerfile: str, example: Example, files: list[str]
) -> None:
    (tmp_path / "Dockerfile").write_text(dockerfile.replace("=x86_64", f"={platform.machine()}"))
    shutil.copytree(ROOT / "dist", tmp_path / "dist")
    for file in (".dockerignore", *files):
        shutil.copy(ROOT / file, tmp_path)
    environ = secrets_api.environ(SECRETS_MANAGER_ARN=secrets_api.create_secret(example.name, '{"KEY": "value"}'))
    emulator = f"--volume={emulator_path()}:{example.emulator}:ro"
    try:
        build(docker, example.image, tmp_path)
        with function(docker, example, LOCAL, environ, emulator) as running:
            assert running.invoke("KEY") == (200, {"environment": {"KEY": "value"}})
    finally:
        docker.attempt("image", "rm", "--force", example.image)
