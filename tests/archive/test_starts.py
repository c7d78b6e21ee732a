"""Where the archive lies, what it is called, how it is started, and what if a part of it is missing."""

from __future__ import annotations

import shutil
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.archive.rewritten import with_shebang_line
from tests.harness.entrypoint import TRANSPORTS, Entrypoint, aws
from tests.harness.http_server import http_server, secret
from tests.harness.process import Surroundings, run

if TYPE_CHECKING:
    from pathlib import Path

NAME = {"SECRETS_MANAGER_ARN": "name"}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("before", [[], [sys.executable], [sys.executable, "-IS"]], ids=["itself", "python3", "-IS"])
@pytest.mark.parametrize(
    "name", ["run-lambda-entrypoint.pyz", "entrypoint", "with spaces, ünd 東京/run lambda.entrypoint"]
)
def test_it_starts_under_any_name_and_in_any_way(
    entrypoint: Entrypoint, tmp_path: Path, name: str, before: list[str], transport: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    archive = with_shebang_line(entrypoint.archive, tmp_path / name, f"#!{sys.executable} -IS")
    with http_server(lambda _: secret('{"A": "1"}')) as server:
        environ = aws(server.url, NAME, LAMBDA_ENV_TRANSPORT=transport)
        ended = run([*before, archive, "printenv", "A"], Surroundings(environ))

    assert (ended.status, ended.stdout, ended.stderr) == (0, b"1\n", b"")


def test_its_own_first_line_starts_it(entrypoint: Entrypoint) -> None:
    with entrypoint.archive.open("rb") as file:
        python = file.readline().decode()[2:].split()[0]
    if not shutil.which(python) or run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 10))"]).status:
        pytest.skip(f"{python} is not here, or is older than Python 3.10")
    ended = run([entrypoint.archive, "/bin/echo", "started"])

    assert (ended.status, ended.stdout, ended.stderr) == (0, b"started\n", b"")


def test_it_starts_by_a_relative_path(entrypoint: Entrypoint, tmp_path: Path) -> None:
    shutil.copyfile(entrypoint.archive, tmp_path / "archive")
    ended = run([sys.executable, "-IS", "archive", "/bin/echo", "started"], Surroundings(directory=tmp_path))

    assert (ended.status, ended.stdout, ended.stderr) == (0, b"started\n", b"")


def test_a_truncated_archive_does_not_start_the_command(entrypoint: Entrypoint, tmp_path: Path) -> None:
    whole = entrypoint.archive.read_bytes()
    with zipfile.ZipFile(entrypoint.archive) as archive:
        directory = archive.start_dir
        middles = [entry.header_offset + 40 for entry in archive.infolist()[:6]]
    in_directory = range(directory, len(whole), (len(whole) - directory) // 8)
    cuts = [0, 1, 2, 20, *middles, *in_directory, *(len(whole) - lost for lost in (23, 22, 21, 4, 2, 1))]
    for kept in cuts:
        (tmp_path / "cut").write_bytes(whole[:kept])
        ended = Entrypoint(tmp_path / "cut")("/bin/echo", "started")

        assert ended.out == b"", f"cut at {kept} of {len(whole)}"
        assert ended.code or kept < 40, f"cut at {kept} of {len(whole)}"  # less is an empty script to Python
