"""The executables run on the oldest processors that they are for, and after 2038: on qemu's models, since this machine
has a newer one, and no other way to a clock of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.conformance import certificates
from tests.standalone.isolation import Executable
from tests.standalone.runs import VALUE, served, serving, variables

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.certificates import Certificate
    from tests.harness.entrypoint import Ended, Environ
    from tests.standalone.tools import Tools

OLDEST = {"x86_64": "qemu64", "aarch64": "cortex-a53"}
LONG = "300"  # seconds: emulation takes ten times as long as the processor
IN_2050 = "2050-07-01 12:00:00"


class Machine(NamedTuple):
    """Runs the executable for one architecture."""

    architecture: str
    executable: Path
    tools: Tools

    def __call__(self, *words: str, environ: Environ, clock: str = "") -> Ended:
        before = self.tools.qemu(self.architecture, OLDEST[self.architecture], clock=clock)
        return Executable(self.executable)(*words, environ=environ, before=before)

    def fetch(self, url: str, ca: Path, transport: str = "direct", clock: str = "") -> Ended:
        """Runs it for one secret; it becomes what prints that."""
        environ = variables(url, transport, AWS_CA_BUNDLE=str(ca), LAMBDA_ENV_TIMEOUT_SECONDS=LONG)
        return self(str(self.tools.busybox), "sh", "-c", 'echo "$KEY"', environ=environ, clock=clock)


@pytest.fixture(params=OLDEST)
def machine(request: pytest.FixtureRequest, executable: Path, tools: Tools) -> Machine:
    """Each architecture that there is an executable for, beside the one under test."""
    architecture = str(request.param)
    beside = executable.with_name(f"run-lambda-entrypoint-{architecture}")
    if not beside.is_file():
        pytest.skip(f"no {beside.name} beside {executable}; make standalone ARCHITECTURES='x86_64 aarch64' makes both")
    return Machine(architecture, beside, tools)


@pytest.fixture
def trusted(tmp_path: Path, ca: Certificate) -> Path:
    """The file of a trusted authority."""
    file = tmp_path / "authority.pem"
    file.write_text(ca.pem)
    return file


def test_it_starts(machine: Machine) -> None:
    ended = machine("--version", environ={})

    assert (ended.code, ended.out.split()[:1], ended.err) == (0, [b"run-lambda-entrypoint"], "")


def test_without_a_reference_it_becomes_the_command(machine: Machine) -> None:
    assert machine(str(machine.tools.busybox), "env", environ={"A": "1"}) == (0, b"A=1\n", "")


@pytest.mark.parametrize("transport", ["direct", "botocore"])
def test_it_fetches_a_secret_by_tls(machine: Machine, transport: str, ca: Certificate, trusted: Path) -> None:
    with served(ca, "127.0.0.1") as url:
        assert machine.fetch(url, trusted, transport) == VALUE


def test_it_refuses_a_certificate_of_an_unknown_authority(machine: Machine, trusted: Path) -> None:
    with served(certificates.authority("another"), "127.0.0.1") as url:
        ended = machine.fetch(url, trusted)

    assert (ended.code, ended.out, "is not trusted" in ended.err) == (125, b"", True), ended.err


def test_in_2050_it_trusts_a_certificate_of_that_time_and_signs_for_it(machine: Machine, tmp_path: Path) -> None:
    issuer = certificates.authority("lasting", days=(-1, 50 * 365))
    file = tmp_path / "lasting.pem"
    file.write_text(issuer.pem)
    with serving(certificates.leaf(issuer, "127.0.0.1", days=(15 * 365, 40 * 365)), "127.0.0.1") as server:
        ended = machine.fetch(server.url, file, clock=IN_2050)

    dates = [request.headers["x-amz-date"][:9] for request in server.requests]
    assert (ended, dates) == (VALUE, ["20500701T"])


def test_in_2050_it_refuses_a_certificate_of_today(machine: Machine, tmp_path: Path) -> None:
    issuer = certificates.authority("lasting", days=(-1, 50 * 365))
    file = tmp_path / "lasting.pem"
    file.write_text(issuer.pem)
    with serving(certificates.leaf(issuer, "127.0.0.1"), "127.0.0.1") as server:
        ended = machine.fetch(server.url, file, clock=IN_2050)

    assert (ended.code, ended.out, "certificate has expired" in ended.err) == (125, b"", True), ended.err
