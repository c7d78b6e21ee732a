"""Runs README's two commands as a newcomer does: a clone of this commit, a minimal Debian, an ordinary user.

Nothing is installed but what README names; of the environment here only what reaches the package index is passed on.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.containers.base_images import BUNDLE, CACHE, StandIn, add_certificates, add_users, assemble
from tests.containers.debian import Suite
from tests.containers.engine import PROXIES, ROOT, Docker, EngineError, engine

SUITE = "bookworm"
REQUIRED = ("ca-certificates", "git", "make", "python3", "python3-venv")  # by README
# What every installation of Debian has.
ESSENTIAL = (
    *("apt", "base-files", "bash", "coreutils", "dash", "debianutils", "diffutils", "findutils", "grep", "gzip"),
    *("hostname", "libc-bin", "mawk", "perl-base", "procps", "sed", "tar", "util-linux"),
)
INDEX = ("PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL", "PIP_TRUSTED_HOST", *PROXIES)
PIP_CONFIGURATION = Path("/etc/pip.conf")
COMMANDS = (
    "git clone --quiet --config advice.detachedHead=false /source.bundle project"
    " && cd project && make demo && make test"
)


def finish(root: Path) -> None:
    """What maintainer scripts would do."""
    (root / "usr/bin/awk").symlink_to("mawk")
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    add_users(root, newcomer=1000)
    (root / "home/newcomer").chmod(0o777)  # only root can give it to its user
    add_certificates(root)


IMAGE = StandIn(
    "run-lambda-entrypoint-tests/newcomer",
    (*REQUIRED, *ESSENTIAL),
    finish,
    ["ENV PATH=/usr/local/bin:/usr/bin:/bin", "USER 1000", "ENV HOME=/home/newcomer", "WORKDIR /home/newcomer"],
)


@contextmanager
def image(docker: Docker) -> Iterator[None]:
    """Has the image, and removes it on leaving."""
    assemble(docker, IMAGE, Suite(SUITE, CACHE))
    try:
        yield
    finally:
        docker.attempt("image", "rm", "--force", IMAGE.name)


def main() -> int:
    """The exit code of README's commands, or 1 if they were not reached."""
    if subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True).stdout:
        print("What is not committed is not tested here.", flush=True)
    variables = [f"--env={name}" for name in INDEX if os.environ.get(name)]
    if Path(os.environ.get("SSL_CERT_FILE", "")).is_file():  # pip has certificates of its own
        variables.append(f"--env=PIP_CERT=/{BUNDLE}")
    with tempfile.TemporaryDirectory(prefix="newcomer-") as folder:
        bundle = Path(folder, "source.bundle")
        subprocess.run(["git", "bundle", "create", "--quiet", bundle, "HEAD"], cwd=ROOT, check=True)
        bundle.chmod(0o644)  # whatever the umask is
        volumes = [f"--volume={bundle}:/source.bundle:ro"]
        if PIP_CONFIGURATION.is_file():
            volumes.append(f"--volume={PIP_CONFIGURATION}:{PIP_CONFIGURATION}:ro")
        try:
            with engine() as docker, image(docker):
                began = time.monotonic()
                run = ["docker", "run", "--rm", "--init", "--network=host", *volumes, *variables, IMAGE.name]
                ended = subprocess.run([*run, "sh", "-c", COMMANDS], env=docker.environ)
                print(f"README's commands took {time.monotonic() - began:.0f} s", flush=True)
                return ended.returncode
        except (EngineError, OSError, subprocess.SubprocessError) as error:
            print(f"The newcomer's container cannot run: {error}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
