"""It does its job on every interpreter that is found, out of bytecode where there is some, else out of the source."""

from __future__ import annotations

import json
import marshal
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from build import PACKAGE, Interpreter, interpreters
from tests.archive.rewritten import rewritten
from tests.harness.entrypoint import TRANSPORTS, Entrypoint, aws
from tests.harness.http_server import http_server, secret
from tests.harness.process import Surroundings, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.harness.http_server import Server

PYTHONS = interpreters()
NAME = {"SECRETS_MANAGER_ARN": "name"}
TAG = f"bytecode/{sys.implementation.cache_tag}"

# Starts an archive as Python does that is given one, and tells at the exec what of it was compiled and what the
# modules know of themselves.
WATCH = """
import json, os, runpy, sys
def watch(event, arguments):
    if event == "compile" and str(arguments[1]).startswith(archive):
        compiled.add(arguments[1][len(archive) + 1:])  # CPython tells each twice
    if event == "os.exec":
        import pkgutil
        from importlib.util import find_spec
        from run_lambda_entrypoint import aws, errors
        told = {
            "compiled": sorted(compiled),
            "files": [aws.__file__, errors.__file__, find_spec("run_lambda_entrypoint.deadline").origin],
            "data": len(pkgutil.get_data("run_lambda_entrypoint.aws", "amazon-roots.pem")),
        }
        os.write(2, json.dumps(told).encode())
compiled = set()
archive = sys.argv[1]
del sys.argv[0]
sys.path.insert(0, archive)
sys.addaudithook(watch)
runpy._run_module_as_main("__main__", alter_argv=False)
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with http_server(lambda _: secret('{"A": "1"}')) as server:
        yield server


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("python", PYTHONS.values(), ids=PYTHONS)
def test_it_does_its_job(entrypoint: Entrypoint, server: Server, python: Interpreter, transport: str) -> None:
    environ = aws(server.url, NAME, LAMBDA_ENV_TRANSPORT=transport)
    ended = run([python.path, "-IS", entrypoint.archive, "printenv", "A"], Surroundings(environ))

    assert (ended.status, ended.stdout, ended.stderr) == (0, b"1\n", b"")


def watched(python: str, archive: Path, server: Server) -> dict[str, object]:
    """What is told by a start that takes the direct transport."""
    environ = aws(server.url, NAME, LAMBDA_ENV_TRANSPORT="direct")
    ended = run([python, "-IS", "-c", WATCH, archive, "/usr/bin/printenv", "A"], Surroundings(environ))
    assert (ended.status, ended.stdout) == (0, b"1\n"), ended.stderr.decode()
    told: dict[str, object] = json.loads(ended.stderr)
    return told


def files(archive: Path) -> list[str]:
    package = f"{archive}/site-packages/{PACKAGE}"
    return [f"{package}/aws/__init__.py", f"{package}/errors.py", f"{package}/deadline.py"]


@pytest.mark.parametrize("python", PYTHONS.values(), ids=PYTHONS)
def test_a_start_compiles_nothing_but_the_few_lines_that_find_the_bytecode(
    entrypoint: Entrypoint, server: Server, python: Interpreter
) -> None:
    with zipfile.ZipFile(entrypoint.archive) as archive:
        if f"bytecode/{python.tag}" not in archive.namelist():
            pytest.skip(f"the archive was built without CPython {python.release[:4]}")
    told = watched(python.path, entrypoint.archive, server)

    assert told["compiled"] == ["__main__.py"]
    assert told["files"] == files(entrypoint.archive)
    assert told["data"]


def of_another_version(name: str, content: bytes) -> bytes:
    """Bytecode as it would be under this version's name were it made by another one: its magic number is another."""
    if name != TAG:
        return content
    modules = marshal.loads(content)  # noqa: S302 - our own
    others = {module: (package, b"\0\0\r\n" + code[4:]) for module, (package, code) in modules.items()}
    return marshal.dumps(others)


def without(name: str, content: bytes) -> bytes | None:
    """The archive as it is for a version that it has no bytecode for."""
    return None if name == TAG else content


@pytest.mark.parametrize("change", [of_another_version, without])
def test_without_fitting_bytecode_it_runs_from_the_source(
    entrypoint: Entrypoint, server: Server, tmp_path: Path, change: object
) -> None:
    assert callable(change)
    archive = rewritten(entrypoint.archive, tmp_path / "archive.pyz", change)
    told = watched(sys.executable, archive, server)

    compiled = told["compiled"]
    assert isinstance(compiled, list)
    assert {"__main__.py", f"site-packages/{PACKAGE}/errors.py"} < set(compiled)
    assert told["files"] == files(archive)
    assert told["data"]


def test_spoilt_bytecode_does_not_start_the_command(entrypoint: Entrypoint, tmp_path: Path) -> None:
    spoilt = rewritten(
        entrypoint.archive,
        tmp_path / "archive.pyz",
        lambda name, content: content[:1000] if name.startswith("bytecode/") else content,
    )
    ended = Entrypoint(spoilt)("echo", "started")

    assert (ended.code, ended.out) == (1, b"")
