"""What is inside the archives, and what is not."""

from __future__ import annotations

import json
import re
import zipfile
from typing import TYPE_CHECKING

import pytest

from build import BYTECODE_VERSIONS, LINE_SIZE, MAX_SIZE, OPERATIONS, SHEBANGS
from tests.harness.entrypoint import flags

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.entrypoint import Entrypoint

TOP = {"__main__.py", "_bootstrap", "bytecode", "environment.json", "libraries", "site-packages"}
PACKAGES = {"botocore", "dateutil", "jmespath", "run_lambda_entrypoint", "six.py", "urllib3"}
LICENSED = {"botocore", "jmespath", "python_dateutil", "run_lambda_entrypoint", "shiv", "six", "urllib3"}
SHARED_DATA = {"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json"}


@pytest.fixture(scope="module")
def entries(entrypoint: Entrypoint) -> dict[str, zipfile.ZipInfo]:
    with zipfile.ZipFile(entrypoint.archive) as archive:
        return {entry.filename: entry for entry in archive.infolist()}


def below(entries: dict[str, zipfile.ZipInfo], folder: str) -> set[str]:
    """The names of what is directly in a folder."""
    return {name.removeprefix(folder).split("/")[0] for name in entries if name.startswith(folder)}


def test_the_top_is_shivs_with_bytecode_added(entries: dict[str, zipfile.ZipInfo]) -> None:
    assert below(entries, "") == TOP
    tags = {f"cpython-{version.replace('.', '')}" for version in BYTECODE_VERSIONS}
    assert below(entries, "bytecode/") <= tags
    assert below(entries, "libraries/") == below(entries, "bytecode/") - {"cpython-310"}


def test_the_packages_are_those_that_are_imported_and_each_has_its_licence(entries: dict[str, zipfile.ZipInfo]) -> None:
    inside = below(entries, "site-packages/")
    assert {name for name in inside if not name.endswith(".dist-info")} == PACKAGES
    licenses = [name for name in entries if re.search(r"\.dist-info/(licenses/)?(LICENSE|NOTICE)[^/]*$", name)]
    assert [name for name in entries if ".dist-info/" in name] == licenses
    assert {name.split("/")[1].split("-")[0] for name in licenses} == LICENSED


def test_botocores_data_is_that_of_the_services_that_are_called(
    entrypoint: Entrypoint, entries: dict[str, zipfile.ZipInfo]
) -> None:
    data = "site-packages/botocore/data/"
    assert below(entries, data) == SHARED_DATA | set(OPERATIONS)
    models = [name for name in entries if name.startswith(data) and name.endswith("/service-2.json")]
    with zipfile.ZipFile(entrypoint.archive) as archive:
        operations = {name.split("/")[3]: sorted(json.loads(archive.read(name))["operations"]) for name in models}
    assert operations == OPERATIONS


def test_nothing_is_compiled_code_tests_or_metadata(entries: dict[str, zipfile.ZipInfo]) -> None:
    unwanted = r"\.(so|pyd|exe|pyc|pyi|typed)$|/(tests?|testing|examples)/|/(conftest\.py|METADATA|RECORD)$"
    assert [name for name in entries if re.search(unwanted, name)] == []
    assert [name for name in entries if re.search("paginators|waiters|examples-1", name)] == []


def test_modes_and_dates_tell_nothing_of_the_builder(entries: dict[str, zipfile.ZipInfo]) -> None:
    assert {entry.external_attr >> 16 for entry in entries.values()} == {0o100644}
    assert len({entry.date_time for entry in entries.values()}) == 1


@pytest.mark.parametrize(("name", "python"), SHEBANGS.items())
def test_the_archives_differ_only_in_the_shebang_line(entrypoint: Entrypoint, name: str, python: str) -> None:
    other = entrypoint.archive.with_name(name)
    if not other.is_file():
        pytest.skip(f"{name} is not beside the archive under test")
    with other.open("rb") as file:
        assert file.readline() == f"#!{python} {flags(other)}".ljust(LINE_SIZE - 1).encode() + b"\n"
    assert flags(other) == flags(entrypoint.archive)
    assert other.stat().st_size <= MAX_SIZE
    assert other.stat().st_mode & 0o777 == 0o755
    assert contents(other) == contents(entrypoint.archive)


def contents(path: Path) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        return [(entry.filename, archive.read(entry)) for entry in archive.infolist()]
