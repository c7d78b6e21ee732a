"""README's quick start: its Dockerfile as it stands there and with a downloaded file, and its commands."""

import platform
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.builders import build
from tests.containers.engine import ROOT, Docker
from tests.containers.examples import NODE_AWS_BASE, Example
from tests.containers.functions import LOCAL, function
from tests.harness.secrets_api import SecretsApi

README = (ROOT / "README.md").read_text()
[DOCKERFILE] = re.findall(r"^```dockerfile\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
[COPY_FROM_IMAGE] = set(re.findall(r"COPY --from=[^`\n]+", README))
[COPY_FILE] = re.findall(r"`(COPY run-[^`]+)`", README)
[CHECK_FILE] = re.findall(r"`(sha256sum [^`]+)`", README)
[MAKE_ENV_FILE] = re.findall(r"^printf .*?local\.env$", README, re.DOTALL | re.MULTILINE)
[DRY_RUN] = re.findall(r"^docker (run .* --dry-run)$", README, re.MULTILINE)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A folder with the function and the Dockerfile."""
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    shutil.copy(ROOT / NODE_AWS_BASE.folder / "app.mjs", tmp_path)
    return tmp_path


def for_this_machine(text: str) -> str:
    return text.replace("x86_64", platform.machine())


def run(command: str, folder: Path) -> None:
    subprocess.run(["/bin/sh", "-c", command], cwd=folder, check=True)


@pytest.fixture
def readme(request: pytest.FixtureRequest, docker: Docker, context: Path) -> Iterator[Example]:
    """The image that the Dockerfile builds."""
    name = f"readme-{request.node.name.partition('[')[0].replace('_', '-')}"
    example = Example(name, NODE_AWS_BASE.runtime, executable=True, fixed_ports=True)
    build(docker, example.image, context)
    yield example
    docker.attempt("image", "rm", "--force", example.image)


@pytest.fixture
def downloaded(context: Path) -> None:
    """The same with a release's file in place of its image."""
    for file in (for_this_machine("run-lambda-entrypoint-x86_64"), "SHA256SUMS"):
        shutil.copy(ROOT / "dist" / file, context)
        (context / file).chmod(0o644)
    run(for_this_machine(CHECK_FILE), context)
    (context / "Dockerfile").write_text(DOCKERFILE.replace(COPY_FROM_IMAGE, for_this_machine(COPY_FILE)))


def test_the_function_of_its_dockerfile_has_its_secret(
    docker: Docker, secrets_api: SecretsApi, readme: Example
) -> None:
    environ = secrets_api.environ(SECRETS_MANAGER_ARN=secrets_api.create_secret("readme/image", '{"KEY": "value"}'))
    with function(docker, readme, LOCAL, environ) as running:
        assert running.invoke("KEY") == (200, {"environment": {"KEY": "value"}})


@pytest.mark.usefixtures("downloaded")
def test_a_downloaded_file_works_in_its_place(docker: Docker, secrets_api: SecretsApi, readme: Example) -> None:
    environ = secrets_api.environ(SECRETS_MANAGER_ARN=secrets_api.create_secret("readme/file", '{"KEY": "value"}'))
    with function(docker, readme, LOCAL, environ) as running:
        assert running.invoke("KEY") == (200, {"environment": {"KEY": "value"}})


def test_its_dry_run_lists_the_keys(docker: Docker, secrets_api: SecretsApi, readme: Example, context: Path) -> None:
    secrets_api.create_secret("prod/app", '{"DB_USER": "app", "DB_PASSWORD": "made-up"}')
    run(MAKE_ENV_FILE, context)
    words = shlex.split(DRY_RUN.replace("local.env", str(context / "local.env")).replace("my-function", readme.image))
    client = Docker({**docker.environ, **secrets_api.environ()})  # whose credentials local.env passes on
    printed = client(words[0], "--network=host", "--env=AWS_ENDPOINT_URL", *words[1:])
    assert [line.split()[:2] for line in printed.splitlines()[1:3]] == [["DB_USER", "3"], ["DB_PASSWORD", "7"]]
