"""The examples' images: how they are built, and what is known of each."""

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.containers.engine import ROOT, Docker

PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_RIE = "/usr/local/bin/aws-lambda-rie"


@dataclass(frozen=True)
class Example:
    """A folder of examples/.

    `python` is the image's interpreter, `emulator` where the image has RIE, `runtime` the command line of what serves
    the function. With `fixed_ports` the image's own script starts the emulator, on the ports that it has by default.
    `layer`: the entrypoint is no entrypoint but a wrapper inside the runtime.
    """

    name: str
    python: str
    runtime: str
    emulator: str = _RIE
    fixed_ports: bool = False
    layer: bool = False

    @property
    def image(self) -> str:
        """Its name in the tests."""
        return f"run-lambda-entrypoint-tests/{self.name}"

    @property
    def archive(self) -> str:
        """Where the image has the entrypoint."""
        return "/opt/run-lambda-entrypoint.pyz" if self.layer else "/run-lambda-entrypoint.pyz"

    @property
    def variables(self) -> dict[str, str]:
        """What the function's configuration needs beside its references."""
        return {"AWS_LAMBDA_EXEC_WRAPPER": self.archive} if self.layer else {}

    @property
    def folder(self) -> str:
        return f"examples/{self.name}"

    def build_words(self) -> list[str]:
        """The command line in its README that builds it."""
        text = (ROOT / self.folder / "README.md").read_text()
        [line] = re.findall(r"^docker build .*$", text, re.MULTILINE)
        return shlex.split(line)


DISTROLESS = Example(
    "secret-reflector-python-distroless",
    python="/usr/bin/python3",
    runtime="/usr/bin/python3 -m awslambdaric app.handler",
    emulator="/opt/emulator/aws-lambda-rie",
)
SLIM = Example(
    "secret-reflector-python-slim",
    python="/usr/local/bin/python3",
    runtime="/usr/local/bin/python3 -m awslambdaric app.handler",
)
AWS_BASE = Example(
    "secret-reflector-python-aws-base",
    python="/var/lang/bin/python3",
    runtime="/var/lang/bin/python3.13 /var/runtime/bootstrap.py",
    fixed_ports=True,
)
GO = Example("secret-reflector-go", python="/usr/bin/python3", runtime="/bootstrap")
LAYER = Example(
    "exec-wrapper-layer",
    python="/var/lang/bin/python3",
    runtime="/var/lang/bin/python3.13 /var/runtime/bootstrap.py",
    fixed_ports=True,
    layer=True,
)
EXAMPLES = (DISTROLESS, SLIM, AWS_BASE, GO, LAYER)


def build(docker: Docker, image: str, *words: str | Path) -> None:
    """`docker build words…` for `image`. Raises EngineError."""
    # A build reaches registries the way that this machine does.
    surroundings = ["--network=host", *(f"--build-arg={name}" for name in PROXIES if os.environ.get(name))]
    docker("build", *surroundings, "--tag", image, *words)


@contextmanager
def images(docker: Docker) -> Iterator[None]:
    """Builds all of them as their READMEs say, and removes them on leaving. Raises EngineError."""
    try:
        for example in EXAMPLES:
            _, _, *words = example.build_words()
            tag = words.index("--tag")
            build(docker, example.image, *words[:tag], *words[tag + 2 :])
            print(f"{example.folder}: built", flush=True)
        yield
    finally:
        docker.attempt("image", "rm", "--force", *(example.image for example in EXAMPLES))
