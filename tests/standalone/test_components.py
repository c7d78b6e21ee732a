"""What the executable says, and a release's bill of materials, of what is inside."""

import json
from pathlib import Path

import pytest

from advisories import REPOSITORIES
from release import bill_of_materials
from standalone.components import Component, components
from standalone.sources import ROOT, pinned
from tests.harness.process import run

PARTS = components()


@pytest.fixture
def executable(pytestconfig: pytest.Config) -> Path:
    path: Path = pytestconfig.getoption("--archive")
    return path.absolute()


def test_version_names_interpreter_and_openssl(executable: Path) -> None:
    pins = pinned()
    _, shown = run([executable, "--version"]).stdout.decode().splitlines()
    assert shown.startswith(f"CPython {pins['CPython'].version}, OpenSSL {pins['OpenSSL'].version} ")


def test_what_is_compared_with_advisories_is_inside() -> None:
    assert REPOSITORIES.keys() <= {part.name for part in PARTS}


@pytest.mark.parametrize("part", PARTS, ids=[part.name for part in PARTS])
def test_its_license_is_printed(executable: Path, part: Component) -> None:
    printed = run([executable, "--licenses"]).stdout.decode()
    [(name, text)] = part.texts.items()
    assert f"{part.name} {part.version}: {name}" in printed
    assert text.strip() in printed


def listed(kind: str) -> set[tuple[str, str, bool]]:
    """Name, version and whether there is a license, of all that a kind of file has inside."""
    bill = json.loads(bill_of_materials(ROOT / "dist", kind, PARTS))
    return {(part["name"], part["version"], bool(part["licenses"])) for part in bill.get("components", [])}


@pytest.mark.parametrize("kind", ["executable", "image", "layer"])
def test_its_bill_of_materials_names_each_part_with_version_and_license(kind: str) -> None:
    parts = {(part.name, part.version, True) for part in PARTS}
    assert listed(kind) == parts | listed("archive")


def test_the_bill_of_materials_of_the_archives_names_packages_and_no_part_of_the_executable() -> None:
    names = {name for name, _, _ in listed("archive")}
    assert ("botocore" in names, names & {part.name for part in PARTS}) == (True, set())


def test_the_bill_of_materials_of_wheel_and_sdist_names_nothing_else_since_nothing_else_is_inside() -> None:
    assert listed("package") == set()
