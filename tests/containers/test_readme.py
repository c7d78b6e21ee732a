"""README's first Dockerfile, as it stands there, after `make dist`."""

import re
import shutil
from pathlib import Path

from tests.containers.engine import ROOT, Docker
from tests.containers.examples import DISTROLESS, Example, build
from tests.containers.functions import LOCAL, function
from tests.harness.emulator import emulator_path
from tests.harness.secrets_api import SecretsApi

README = Example("readme", python=DISTROLESS.python, runtime=DISTROLESS.runtime)


def test_the_first_dockerfile_builds_and_its_function_has_its_secret(
    docker: Docker, secrets_api: SecretsApi, tmp_path: Path
) -> None:
    [text, *_] = re.findall(r"^```dockerfile\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    (tmp_path / "Dockerfile").write_text(text)
    shutil.copytree(ROOT / "dist", tmp_path / "dist")
    for file in (".dockerignore", f"{DISTROLESS.folder}/app.py"):
        shutil.copy(ROOT / file, tmp_path)
    environ = secrets_api.environ(SECRETS_MANAGER_ARN=secrets_api.create_secret("readme", '{"KEY": "value"}'))
    emulator = f"--volume={emulator_path()}:{README.emulator}:ro"
    try:
        build(docker, README.image, tmp_path)
        with function(docker, README, LOCAL, environ, emulator) as running:
            assert running.invoke("KEY") == (200, {"environment": {"KEY": "value"}})
    finally:
        docker.attempt("image", "rm", "--force", README.image)
