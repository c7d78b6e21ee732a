"""It does its job on every interpreter that is found, out of bytecode where there is some, else out of the source."""

from __future__ import annotations

import json
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from build import PACKAGE, Interpreter, interpreters
from tests.harness.entrypoint import PLAIN, Entrypoint, aws
from tests.harness.http_server import http_server, secret
from tests.harness.process import Surroundings, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PYTHONS = interpreters()
EVERY_PYTHON = pytest.mark.parametrize("python", PYTHONS.values(), ids=PYTHONS)
BYTECODE = f"bytecode/{sys.implementation.cache_tag}"

# Starts an archive as Python does that is given one, and writes at the exec which of its files were compiled and what
# the modules know of themselves.
WATCH = """
import json, os, runpy, sys
def watch(event, arguments):
    if event == "compile" and str(arguments[1]).startswith(archive):
        compiled.add(arguments[1][len(archive) + 1:])  # CPython reports each twice
    if event == "os.exec":
        import pkgutil
        from importlib.util import find_spec
        from run_lambda_entrypoint import aws, errors
        files = [aws.__file__, errors.__file__, find_spec("run_lambda_entrypoint.deadline").origin]
        data = pkgutil.get_data("run_lambda_entrypoint.aws", "known.py")
        files = [file[len(archive) + 1:] for file in files]
        os.write(2, json.dumps([sorted(compiled), files, data[:5].decode()]).encode())
compiled = set()
archive = sys.argv[1]
del sys.argv[0]
sys.path.insert(0, archive)
sys.addaudithook(watch)
runpy._run_module_as_main("__main__", alter_argv=False)
"""
FILES = [f"site-packages/{PACKAGE}/{name}" for name in ("aws/__init__.py", "errors.py", "deadline.py")]
DATA = '"""Wh'


def loaded(transport: str, *command: str | Path) -> bytes:
    """What `command`, to which `printenv A` is added, writes to standard error when it loads a secret with A."""
    with http_server(lambda _: secret('{"A": "1"}')) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_TRANSPORT=transport)
        finished = run([*command, "/usr/bin/printenv", "A"], Surroundings(environ))
    assert (finished.status, finished.stdout) == (0, b"1\n"), finished.stderr.decode()
    return finished.stderr


def watched(python: str, archive: Path) -> Any:
    return json.loads(loaded("direct", python, "-ISB", "-c", WATCH, archive))


WAYS: dict[str, Callable[[Entrypoint], list[str]]] = {
    "itself": lambda entrypoint: entrypoint.words[1:-1],
    "python3 -ISB": lambda _: ["-ISB"],
    "python3": lambda _: [],
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@EVERY_PYTHON
def test_it_does_its_job(entrypoint: Entrypoint, python: Interpreter, way: Callable[[Entrypoint], list[str]]) -> None:
    assert loaded("direct", python.path, *way(entrypoint), entrypoint.archive) == b""


@EVERY_PYTHON
def test_it_does_its_job_over_botocore(entrypoint: Entrypoint, python: Interpreter) -> None:
    """Started by its shebang line; `test_starts.py` starts this over botocore in the other ways, by one interpreter."""
    assert loaded("botocore", python.path, *WAYS["itself"](entrypoint), entrypoint.archive) == b""


@EVERY_PYTHON
def test_a_start_compiles_nothing_but_the_few_lines_that_find_the_bytecode(
    entrypoint: Entrypoint, python: Interpreter
) -> None:
    with zipfile.ZipFile(entrypoint.archive) as archive:
        if f"bytecode/{python.tag}" not in archive.namelist():
            pytest.skip(f"the archive was built without CPython {python.release[:4]}")
    assert watched(python.path, entrypoint.archive) == [["__main__.py"], FILES, DATA]


def of_another_version(content: bytes) -> bytes:
    """Bytecode with another version's magic number, under this version's name."""
    return b"\0\0\r\n" + content[4:]


def missing(_: bytes) -> None:
    """As for a version that the archive has no bytecode for."""


def with_bytecode(archive: Path, target: Path, change: Callable[[bytes], bytes | None]) -> Path:
    """Writes `archive` to `target` with what `change` makes of this version's bytecode."""
    with zipfile.ZipFile(archive) as read, zipfile.ZipFile(target, "w") as written:
        for entry in read.infolist():
            content = read.read(entry)
            changed = change(content) if entry.filename == BYTECODE else content
            if changed is not None:
                written.writestr(entry, changed, entry.compress_type)
    return target


@pytest.mark.parametrize("change", [of_another_version, missing])
def test_without_fitting_bytecode_it_runs_from_the_source(
    entrypoint: Entrypoint, tmp_path: Path, change: Callable[[bytes], bytes | None]
) -> None:
    archive = with_bytecode(entrypoint.archive, tmp_path / "archive.pyz", change)
    compiled, *others = watched(sys.executable, archive)
    assert {"__main__.py", *FILES} < set(compiled)
    assert others == [FILES, DATA]


def test_corrupted_bytecode_does_not_start_the_command(entrypoint: Entrypoint, tmp_path: Path) -> None:
    archive = with_bytecode(entrypoint.archive, tmp_path / "archive.pyz", lambda content: content[:1000])
    ended = run([sys.executable, "-ISB", archive, "echo", "started"], Surroundings(PLAIN))
    assert (ended.status, ended.stdout) == (125, b"")
    assert ended.stderr == b"run-lambda-entrypoint: cannot start (EOFError): the file is damaged, or memory is short\n"
