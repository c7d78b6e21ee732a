"""The examples' images: how they are built, and what is known of each."""

import platform
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.containers.builders import build
from tests.containers.engine import ROOT, Docker

_RIE = "/usr/local/bin/aws-lambda-rie"


@dataclass(frozen=True)
class Example:
    """A folder of examples/, or one `target` of its Dockerfile, whose name is the end of the image's.

    `runtime` is the command line of what serves the function, `emulator` where the image has RIE. `executable`: it has
    the executable and not the archive. With `fixed_ports` the image's own script starts the emulator, on the ports that
    it has by default. `layer`: the entrypoint is not the image's but a wrapper inside the runtime. `variables` is what
    the function's configuration needs beside its references.
    """

    name: str
    runtime: str
    emulator: str = _RIE
    executable: bool = False
    fixed_ports: bool = False
    layer: bool = False
    target: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def image(self) -> str:
        """Its name in the tests."""
        return f"run-lambda-entrypoint-tests/{self.name}"

    @property
    def entrypoint(self) -> str:
        """Where the image has ours."""
        return f"{'/opt' if self.layer else ''}/run-lambda-entrypoint{'' if self.executable else '.pyz'}"

    @property
    def folder(self) -> str:
        return f"examples/{self.name.removesuffix(f'-{self.target}')}"

    def build_words(self) -> list[str]:
        """The command line that builds it: a layer's page has its own, all others share one."""
        page = f"{self.folder}/README.md" if self.layer else "examples/README.md"
        text = (ROOT / page).read_text().replace("$example", self.name)
        [line] = re.findall(rf"^docker build .* --tag {self.name} .*$", text, re.MULTILINE)
        return shlex.split(line)


DISTROLESS = Example(
    "secret-reflector-python-distroless",
    runtime="/usr/bin/python3 -m awslambdaric app.handler",
    emulator="/opt/emulator/aws-lambda-rie",
)
SLIM = Example("secret-reflector-python-slim", runtime="/usr/local/bin/python3 -m awslambdaric app.handler")
AWS_BASE = Example(
    "secret-reflector-python-aws-base", runtime="/var/lang/bin/python3.13 /var/runtime/bootstrap.py", fixed_ports=True
)
GO = Example("secret-reflector-go", runtime="/bootstrap", executable=True)
PROVIDED = Example(
    "secret-reflector-provided", runtime="/bin/bash /var/runtime/bootstrap", executable=True, fixed_ports=True
)
NODE = Example("secret-reflector-node", runtime="/nodejs/bin/node bootstrap.mjs app.handler", executable=True)
NODE_AWS_BASE = Example(
    "secret-reflector-node-aws-base",
    runtime="/var/lang/bin/node --expose-gc --max-semi-space-size=150 --max-old-space-size=2707 /var/runtime/index.mjs",
    executable=True,
    fixed_ports=True,
)
JAVA = Example(
    "secret-reflector-java",
    runtime="/usr/bin/java -XX:-UsePerfData -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp /function Bootstrap",
    executable=True,
    variables={"LANG": "C.UTF-8"},
)


def _layer(target: str, runtime: str, **variables: str) -> Example:
    name = f"exec-wrapper-layer-{target}"
    return Example(name, runtime, executable=True, fixed_ports=True, layer=True, target=target, variables=variables)


_WRAPPER = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/run-lambda-entrypoint"}
LAYERS = (
    _layer("python", AWS_BASE.runtime, **_WRAPPER),
    _layer(
        "nodejs",
        "/var/lang/bin/node --expose-gc --max-semi-space-size=150 --max-old-space-size=2707 /var/runtime/index.mjs",
        **_WRAPPER,
    ),
    _layer(
        "java",
        "/var/lang/bin/java -XX:+UseSerialGC -XX:+TieredCompilation -XX:TieredStopAtLevel=1 "
        "-classpath /var/task /var/runtime/AWSLambda.java App::handleRequest",
        **_WRAPPER,
        LANG="C.UTF-8",
    ),
    _layer("provided", "/var/task/app"),
)
EXAMPLES = (DISTROLESS, SLIM, AWS_BASE, GO, PROVIDED, NODE, NODE_AWS_BASE, JAVA, *LAYERS)


@contextmanager
def images(docker: Docker) -> Iterator[None]:
    """Builds all of them as their READMEs say, and removes them on leaving. Raises EngineError."""
    try:
        for example in EXAMPLES:
            _, _, *words = example.build_words()
            tag = words.index("--tag")
            architecture = [f"--build-arg=ARCHITECTURE={platform.machine()}"] if example.layer else []
            build(docker, example.image, *architecture, *words[:tag], *words[tag + 2 :])
            print(f"{example.folder}: built", flush=True)
        yield
    finally:
        docker.attempt("image", "rm", "--force", *(example.image for example in EXAMPLES))
