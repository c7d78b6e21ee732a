"""What the tests of the executable share. They run with `--archive dist/run-lambda-entrypoint-x86_64`."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conformance import certificates
from tests.containers.engine import EngineError
from tests.harness.entrypoint import TRANSPORTS
from tests.standalone.isolation import Executable, Root, own_network
from tests.standalone.tools import Tools
from tests.standalone.tools import tools as unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conformance.certificates import Certificate


@pytest.fixture(scope="session")
def executable(pytestconfig: pytest.Config) -> Path:
    """The built executable."""
    path: Path = pytestconfig.getoption("--archive")
    assert path.is_file(), f"{path} is missing; make it with `make standalone`"
    with path.open("rb") as file:
        assert file.read(4) == b"\x7fELF", f"{path} is not an executable; set --archive"
    return path.resolve()


@pytest.fixture(scope="session")
def entrypoint(executable: Path) -> Executable:
    """The built executable, ready to be started."""
    return Executable(executable)


@pytest.fixture(scope="session")
def tools() -> Tools:
    """Programs that are not on every machine."""
    try:
        return unpacked()
    except (EngineError, OSError, subprocess.CalledProcessError) as error:
        pytest.fail(f"strace, qemu and busybox cannot be fetched from Debian: {error}")


@pytest.fixture
def network() -> Iterator[None]:
    """A network of the test's own: each port is free, and nothing but loopback can be reached."""
    assert os.geteuid() == 0, "an empty root and a network of its own require root: run this as root"
    with own_network():
        yield


@pytest.fixture
def root(network: None, tmp_path: Path, executable: Path, tools: Tools, ca: Certificate) -> Root:
    """An empty root for the executable, in a network of its own."""
    folder = tmp_path / "root"
    folder.mkdir()
    return Root(folder, executable, tools, ca)


@pytest.fixture(scope="session")
def ca() -> Certificate:
    """Who issues certificates here."""
    return certificates.authority("authority")


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    """Each transport in turn."""
    return str(request.param)
