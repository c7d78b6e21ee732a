"""A Docker engine: the one that runs here, else one of our own for as long as it is needed."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.harness.process import wait_until


class EngineError(Exception):
    """There is no engine and none can be started, or it refused something."""


class Docker:
    """The command line client, talking to the engine that `environ` (this process's own, if not given) names."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self.environ = environ

    def __call__(self, *words: str | Path, stdin: Path | None = None, seconds: float = 600) -> str:
        """Runs `docker words…` in the project's root and returns its standard output. Raises EngineError."""
        ended = self.attempt(*words, stdin=stdin, seconds=seconds)
        if ended.returncode != 0:
            spoken = f"{ended.stdout}{ended.stderr}".strip()
            raise EngineError(f"docker {' '.join(map(str, words))} ended with {ended.returncode}:\n{spoken}")
        return ended.stdout

    def attempt(
        self, *words: str | Path, stdin: Path | None = None, seconds: float = 600
    ) -> "subprocess.CompletedProcess[str]":
        """The same, however it ends."""
        with ExitStack() as stack:
            source = stack.enter_context(stdin.open("rb")) if stdin else subprocess.DEVNULL
            return subprocess.run(
                ["docker", *words],
                stdin=source,
                capture_output=True,
                text=True,
                errors="backslashreplace",
                env=self.environ,
                cwd=ROOT,
                timeout=seconds,
            )

    def inspect(self, name: str) -> Any:
        """What the engine knows of a container or an image."""
        return json.loads(self("inspect", name))[0]


ROOT = Path(__file__).resolve().parents[2]
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@contextmanager
def engine(*, bridge: bool = False) -> Iterator[Docker]:
    """The engine that answers here, else one that is started and, on leaving, stopped. Raises EngineError.

    `bridge`: containers can have a network of their own, and publish ports.
    """
    if shutil.which("docker") and _answers(Docker()):
        yield Docker()
        return
    if os.geteuid() != 0:
        raise EngineError(
            "no Docker engine answers here, and only root can start one; start Docker, "
            "or join the group docker, or run this as root"
        )
    if not shutil.which("dockerd"):
        require("dockerd", "docker.io")
        require("docker", "docker-cli")  # newer releases of Debian have the client apart
        # Where a service manager runs, the package has started its own engine.
        if _answers(Docker()):
            yield Docker()
            return
    with _own(bridge=bridge) as docker:
        yield docker


def _answers(docker: Docker) -> bool:
    return docker.attempt("version", "--format", "{{.Server.Version}}", seconds=60).returncode == 0


def require(program: str, package: str = "") -> None:
    """Has a program, from Debian's (or Ubuntu's) package of that name if it is missing here. Raises EngineError."""
    if shutil.which(program):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise EngineError(f"{program} is missing, and only root on Debian or Ubuntu can install it; install {program}")
    apt("update")
    # What Docker recommends (AppArmor, git and more) is not needed for this.
    apt("install", "--yes", "--no-install-recommends", package or program)


def apt(*words: str) -> str:
    """Runs apt-get, waiting for its turn, and returns its standard output. Raises EngineError."""
    command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", *words]
    return call(command, {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"})


def call(command: Sequence[str | Path], environ: Mapping[str, str]) -> str:
    """Runs a command in the project's root and returns its standard output. Raises EngineError."""
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environ, cwd=ROOT)
    if ended.returncode != 0:
        raise EngineError(f"{' '.join(map(str, command))} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return ended.stdout


@contextmanager
def _own(*, bridge: bool) -> Iterator[Docker]:
    """Our own engine, in a temporary folder. There are no firewall rules: what is to reach a registry uses the host's
    network, and from a bridge only this machine can be reached."""
    with tempfile.TemporaryDirectory(prefix="dockerd-") as folder, ExitStack() as stack:
        place = Path(folder)
        socket = f"unix://{place}/socket"
        log = place / "log"
        interface = stack.enter_context(_bridge()) if bridge else "none"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    "dockerd",
                    f"--data-root={place}/data",
                    f"--exec-root={place}/exec",
                    f"--pidfile={place}/pid",
                    f"--host={socket}",
                    f"--bridge={interface}",
                    "--iptables=false",
                    "--ip6tables=false",
                    "--ip-forward=false",
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # an interrupt is for us, who then stop it in good order
            )
        stack.callback(_stop, process, place)
        docker = Docker({**os.environ, "DOCKER_HOST": socket})
        try:
            wait_until(lambda: process.poll() is not None or _answers(docker), what="dockerd to answer", seconds=60)
        except TimeoutError:
            process.kill()
        if process.poll() is not None:
            last = "".join(log.read_text(errors="replace").splitlines(keepends=True)[-15:])
            raise EngineError(f"dockerd does not run here; the end of its log:\n{last}")
        yield docker


@contextmanager
def _bridge() -> Iterator[str]:
    """A bridge of our own, which gets an address from the engine: one without a bridge removes Docker's usual one."""
    require("ip", "iproute2")
    name = f"rle-{os.getpid()}"
    subprocess.run(["ip", "link", "add", name, "type", "bridge"], check=True)
    try:
        yield name
    finally:
        subprocess.run(["ip", "link", "delete", name], check=True)


def _stop(process: "subprocess.Popen[bytes]", place: Path) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    unmount(place)


def unmount(folder: Path) -> None:
    """Unmount what is mounted below a folder (an engine that was killed leaves that), so that it can be removed."""
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        target = line.split()[1]
        if target.startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", target], check=False)
