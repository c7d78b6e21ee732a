"""A start writes nothing into the interpreter's folders, also where its standard library has no `.pyc` files.

Docker's `python` images are like that, and root can write there.
"""

from __future__ import annotations

import sys
import zipfile
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING

import pytest

from build import interpreters
from tests.harness.copied_interpreter import copied_without_bytecode
from tests.harness.entrypoint import Entrypoint, aws, with_interpreter
from tests.harness.http_server import Reply, Request, error, http_server, secret
from tests.harness.process import Surroundings, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

pytestmark = pytest.mark.slow

PYTHONS = interpreters()
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def copies() -> Iterator[Callable[[str], Path]]:
    """Makes these copies, one of each interpreter."""
    with ExitStack() as stack:
        yield cache(lambda python: stack.enter_context(copied_without_bytecode(python)))


def start(home: Path, words: Sequence[str | Path], environ: Mapping[str, str]) -> tuple[int, set[str]]:
    """The exit code, and the paths of what was written in `home`, which is removed again."""
    before = set(home.rglob("*"))
    ended = run(words, Surroundings(environ))
    written = set(home.rglob("*")) - before
    for path in sorted(written, reverse=True):  # a folder comes after what is in it
        path.rmdir() if path.is_dir() else path.unlink()
    return ended.status, {str(path.relative_to(home)) for path in written}


def reply(request: Request) -> Reply:
    """Secrets Manager's, which has one secret."""
    if request.json["SecretId"] == "name":
        return secret('{"A": "1"}')
    return error(400, "ResourceNotFoundException")


COMMAND = ("/usr/bin/printenv", "A")
JSON_LOG = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "LAMBDA_ENV_LOG_LEVEL": "debug"}
RUNS: dict[str, tuple[tuple[str, ...], str, dict[str, str], int]] = {
    "start": (COMMAND, "name", {}, 0),
    "start, JSON": (COMMAND, "name", JSON_LOG, 0),
    "failure": (COMMAND, "missing", {}, 125),
    "failure, JSON": (COMMAND, "missing", JSON_LOG, 125),
    "failure in Lambda": (COMMAND, "missing", {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"}, 125),
    "dry run": (("--dry-run", *COMMAND), "name", {}, 0),
    "dry run, JSON": (("--dry-run", "--format", "json", *COMMAND), "name", {}, 0),
    "invalid option": (("--no-such-option",), "name", {}, 2),
    "help": (("--help",), "name", {}, 0),
}


@pytest.mark.parametrize(
    ("name", "transport"), [*((name, "direct") for name in RUNS), ("start", "botocore"), ("failure", "botocore")]
)
def test_the_archive_itself_writes_nothing(
    entrypoint: Entrypoint, copies: Callable[[str], Path], tmp_path: Path, name: str, transport: str
) -> None:
    argv, reference, more, code = RUNS[name]
    home = copies(sys.executable)
    archive = with_interpreter(entrypoint.archive, home / "bin/python3", tmp_path / "archive.pyz")
    with http_server(reply) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": reference}, LAMBDA_ENV_TRANSPORT=transport, **more)
        assert start(home, [archive, *argv], environ) == (code, set())


WAYS: dict[str, tuple[list[str], list[str]]] = {
    "python3": ([], []),
    "python3 with PYTHONPYCACHEPREFIX": ([], ["PYTHONPYCACHEPREFIX"]),
    "python3 -IS": (["-IS"], []),
}


@pytest.mark.parametrize(
    ("version", "way"), [(version, way) for version in PYTHONS for way in WAYS if way == "python3" or version == OWN]
)
def test_without_its_shebang_line_the_same_is_written_as_for_an_empty_archive(
    entrypoint: Entrypoint, copies: Callable[[str], Path], tmp_path: Path, version: str, way: str
) -> None:
    flags, variables = WAYS[way]
    home = copies(PYTHONS[version].path)
    words: list[str | Path] = [home / "bin/python3", *flags]
    more = {name: str(home / "cache") for name in variables}
    with zipfile.ZipFile(tmp_path / "empty.pyz", "w") as empty:
        empty.writestr("__main__.py", "")
    with http_server(reply) as server:
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_TRANSPORT="botocore", **more)
        _, before_any_archive = start(home, [*words, tmp_path / "empty.pyz"], environ)
        assert before_any_archive
        assert start(home, [*words, entrypoint.archive, *COMMAND], environ) == (0, before_any_archive)
