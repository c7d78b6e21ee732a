"""The SAM template by the SAM CLI, with the commands of its README: as it is deployed, and under `sam local`."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from tests.containers import base_images as base
from tests.containers.builders import CLASSIC, build, builder
from tests.containers.engine import ROOT, Docker, engine
from tests.harness.secrets_api import REGION, SecretsApi, serving

pytestmark = pytest.mark.timeout(600, func_only=True)  # not what prepares them: assembling images takes minutes

SAM = Path(sys.prefix, "sam-cli/bin/sam")
README = (ROOT / "examples/deploy/README.md").read_text()
TEMPLATE = "examples/deploy/sam/template.yaml"
FUNCTIONS = {
    name: resource
    for name, resource in cfn_yaml.load(str(ROOT / TEMPLATE))["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
IMAGES = [name for name, function in FUNCTIONS.items() if function["Properties"].get("PackageType") == "Image"]

# Zip-packaged functions run in images whose tags name the architecture.
RUNTIME = replace(
    next(it for it in base.STAND_INS if it.name == base.NODE_AWS_BASE), name=f"{base.NODE_AWS_BASE}-x86_64"
)
_BASES = (base.BUSYBOX, base.PROVIDED, base.PYTHON_SLIM, base.DISTROLESS, base.NODE, base.NODE_DISTROLESS)
BASES = [*(it for it in base.STAND_INS if it.name in _BASES), RUNTIME]


def commands(start: str) -> list[list[str]]:
    """The commands in README that start so."""
    found = [shlex.split(line) for line in re.findall(rf"^(?:.* \| )?({start} .*)$", README, re.MULTILINE)]
    assert found, f"README has no command {start!r}"
    return found


@dataclass(frozen=True)
class Sam:
    """The SAM CLI, in an environment without a user's settings."""

    docker: Docker
    home: Path

    def __call__(self, *words: str | Path, told: str = "") -> str:
        """Runs `sam words…` in the project's root and returns its standard output."""
        environ = {
            **{name: value for name, value in self.docker.environ.items() if not name.startswith("AWS_")},
            "HOME": str(self.home),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "not-a-real-key",
            "SAM_CLI_TELEMETRY": "0",
        }
        ended = subprocess.run([SAM, *words], cwd=ROOT, env=environ, input=told, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        print(ended.stderr)  # pytest shows it where the test fails
        return ended.stdout


@dataclass(frozen=True)
class Built:
    """The folders that README's two builds have written."""

    deployed: Path
    local: Path

    def image(self, folder: Path, name: str) -> str:
        """The image of a function in one of them."""
        return str(cfn_yaml.load(str(folder / "template.yaml"))["Resources"][name]["Properties"]["ImageUri"])


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    """An engine that has all that the examples' images are built from."""
    with (
        engine(bridge=True) as running,
        base.base_images(running, BASES),
        builder(running, CLASSIC, base_images=()) as docker,
    ):
        yield docker


@pytest.fixture(scope="module")
def sam(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Sam:
    return Sam(docker, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def built(docker: Docker, sam: Sam, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Both builds, the one for `sam local` last."""
    # SAM cannot build on the host's network, and from our own engine's bridge no registry can be reached: the steps
    # that download something are in the builder's cache when SAM comes to them.
    for name in IMAGES:
        dockerfile = FUNCTIONS[name]["Metadata"]["Dockerfile"]
        build(docker, f"run-lambda-entrypoint-tests/{name.lower()}", "--file", dockerfile, ".")
    folder = tmp_path_factory.mktemp("aws-sam")
    [deployed, local] = commands("sam build")
    assert "--build-dir" not in deployed
    sam(*deployed[1:], "--build-dir", folder / "build")
    local[local.index("--build-dir") + 1] = str(folder / "local")
    sam(*local[1:])
    yield Built(folder / "build", folder / "local")
    for name in ("run-lambda-entrypoint-tests/*", *(name.lower() for name in IMAGES), "samcli/lambda-nodejs"):
        images = docker("image", "ls", "--quiet", name).split()
        docker.attempt("image", "rm", "--force", *images)


@pytest.fixture(scope="module")
def secrets_api(docker: Docker) -> Iterator[SecretsApi]:
    """A Secrets Manager that containers on the engine's bridge can reach."""
    [network] = docker.inspect("bridge")["IPAM"]["Config"]
    with serving(network.get("Gateway") or str(ip_network(network["Subnet"])[1])) as api:
        yield api


def test_the_template_is_valid(sam: Sam) -> None:
    assert "is a valid SAM Template" in sam("validate", "--lint", "--template", TEMPLATE)


@pytest.mark.parametrize("name", IMAGES)
def test_the_deployed_image_has_no_shell(docker: Docker, built: Built, name: str) -> None:
    run = ("run", "--rm", "--network=none", "--entrypoint=/bin/sh", built.image(built.deployed, name))

    assert docker.attempt(*run, "-c", "true").returncode == 127  # not found


@pytest.mark.parametrize("name", IMAGES)
def test_the_deployed_image_is_not_for_root(docker: Docker, built: Built, name: str) -> None:
    user = docker.inspect(built.image(built.deployed, name))["Config"]["User"]

    assert user in ("65532", "nonroot")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_under_sam_local_the_function_has_its_secret(
    sam: Sam, built: Built, secrets_api: SecretsApi, tmp_path: Path, name: str
) -> None:
    secrets_api.create_secret(f"local/{name}", '{"USERNAME": "app", "PASSWORD": "made-up"}')
    variables = {"SECRETS_MANAGER_ARN": f"local/{name}", "AWS_ENDPOINT_URL": secrets_api.endpoint_url}
    (tmp_path / "env.json").write_text(json.dumps({"Parameters": variables}))
    [invoke] = commands("sam local invoke")
    for option, value in {"--template": built.local / "template.yaml", "--env-vars": tmp_path / "env.json"}.items():
        invoke[invoke.index(option) + 1] = str(value)
    invoke[invoke.index("PythonImage")] = name

    answer: Any = json.loads(
        sam(*invoke[1:], "--skip-pull-image", told=json.dumps({"names": ["USERNAME", "PASSWORD"]}))
    )

    assert answer == {"environment": {"USERNAME": "app", "PASSWORD": "made-up"}}
