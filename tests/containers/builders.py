"""What builds the examples' images: Docker's classic builder, BuildKit or Podman. Docker's engine runs them."""

import os
import platform
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from build import SHEBANGS
from image import NAME, VERSION, write_image
from tests.containers.engine import PROXIES, ROOT, Docker, call, require, unmount

CLASSIC, BUILDKIT, PODMAN = BUILDERS = ("classic", "buildkit", "podman")
BUILDER = "CONTAINER_TESTS_BUILDER"
ENTRYPOINT_IMAGE = f"ghcr.io/example/{NAME}:{VERSION}"
"""What README and the examples copy from."""


@contextmanager
def builder(docker: Docker, name: str, base_images: Iterable[str]) -> Iterator[Docker]:
    """The engine with this builder, which has the base images, and the entrypoint's. Raises EngineError."""
    environ = {**docker.environ, BUILDER: name, "DOCKER_BUILDKIT": "1" if name == BUILDKIT else "0"}
    with tempfile.TemporaryDirectory(prefix="builder-") as folder:
        if name == PODMAN:
            require("podman")
            environ |= podman_configuration(Path(folder))
        chosen = Docker(environ)
        try:
            if name == PODMAN:
                for image in base_images:
                    skopeo(chosen, docker_image(image), f"containers-storage:{image}")
            load_entrypoint_image(chosen)
            yield chosen
        finally:
            docker.attempt("image", "rm", "--force", ENTRYPOINT_IMAGE)
            unmount(Path(folder))


def build(docker: Docker, image: str, *words: str | Path) -> None:
    """`docker build words…` for `image`, or `podman build` and a copy for the engine. Raises EngineError."""
    # A build reaches registries the way that this machine does.
    proxies = (f"--build-arg={name}" for name in PROXIES if os.environ.get(name))
    options = ("build", "--network=host", *proxies, "--tag", image, *words)
    if docker.environ.get(BUILDER) == PODMAN:
        call(["podman", *options], docker.environ)
        skopeo(docker, f"containers-storage:localhost/{image}:latest", docker_image(f"{image}:latest"))
    else:
        docker(*options)


def podman_configuration(folder: Path) -> dict[str, str]:
    """Variables for Podman and Skopeo: a storage of their own in `folder`, and short names as Docker reads them."""
    storage = f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/images"\nrunroot = "{folder}/run"\n'
    files = {
        "CONTAINERS_STORAGE_CONF": storage,
        "CONTAINERS_REGISTRIES_CONF": 'unqualified-search-registries = ["docker.io"]\n',
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return {name: str(folder / name) for name in files}


def load_entrypoint_image(docker: Docker) -> None:
    """Make what `make image` makes, of this machine's platform, and have it where images are built."""
    for program in ("buildah", "skopeo"):
        require(program)
    dist = ROOT / "dist"
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        archive = Path(folder, "image.tar")
        executables = {platform.machine(): dist / f"{NAME}-{platform.machine()}"}
        write_image([dist / name for name in SHEBANGS], executables, archive)
        skopeo(docker, f"oci-archive:{archive}", docker_image(ENTRYPOINT_IMAGE))
        if docker.environ[BUILDER] == PODMAN:
            skopeo(docker, f"oci-archive:{archive}", f"containers-storage:{ENTRYPOINT_IMAGE}")


def docker_image(name: str) -> str:
    """An image of Docker's engine, as Skopeo writes it."""
    return f"docker-daemon:{name}"


def skopeo(docker: Docker, source: str, target: str) -> None:
    host = docker.environ.get("DOCKER_HOST")
    hosts = [f"--src-daemon-host={host}", f"--dest-daemon-host={host}"] if host else []
    call(["skopeo", "copy", "--quiet", *hosts, source, target], docker.environ)
