"""Odd locales, interpreters and limits: it does its job, or says what is missing."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.harness.entrypoint import PLAIN, Entrypoint, aws, is_executable, permitted, shell
from tests.harness.http_server import by_length, dripping, head, http_server, listening, secret
from tests.harness.process import Surroundings, run
from tests.transports.runs import context

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping

NAME = {"SECRETS_MANAGER_ARN": "name"}
LOCALEDEF = shutil.which("localedef") or ""
SETPRIV = shutil.which("setpriv") or ""
LATIN_1 = "en_US.ISO-8859-1"


# -- A locale in which é is one byte


@pytest.fixture(scope="session")
def latin_1(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Variables that make Python decode and encode by Latin-1."""
    if not LOCALEDEF:
        pytest.skip("localedef is not there")
    folder = tmp_path_factory.mktemp("locales")
    made = run([LOCALEDEF, "-i", "en_US", "-f", "ISO-8859-1", folder / LATIN_1], Surroundings(PLAIN))
    variables = {"LOCPATH": str(folder), "LC_ALL": LATIN_1}
    encoding = run(
        [sys.executable, "-IS", "-c", "import sys; print(sys.getfilesystemencoding())"],
        Surroundings({**PLAIN, **variables}),
    )
    if encoding.stdout != b"iso8859-1\n":
        pytest.skip(f"that locale cannot be made here: {made.stderr.decode()}")
    return variables


def test_the_dry_run_escapes_what_the_terminal_cannot_show(entrypoint: Entrypoint, latin_1: Mapping[str, str]) -> None:
    with http_server(lambda _: secret('{"é名": "value"}')) as server:
        ended = entrypoint("--dry-run", environ=aws(server.url, NAME, **latin_1))
    shown = "é名" if is_executable(entrypoint.archive) else "é\\u540d"  # the executable's own encoding is UTF-8
    encoding = "utf-8" if is_executable(entrypoint.archive) else "latin-1"
    assert (ended.code, ended.out.decode(encoding).splitlines()[1].split()[0], ended.err) == (0, shown, "")


def program(folder: Path, name: str) -> Path:
    folder.mkdir()
    (folder / name).symlink_to(shutil.which("echo") or "/bin/echo")
    return folder / name


def test_a_command_is_found_in_a_folder_whose_name_is_not_ascii(
    entrypoint: Entrypoint, latin_1: Mapping[str, str], tmp_path: Path
) -> None:
    file = program(tmp_path / "dé", "écho")
    environ = {**PLAIN, **latin_1, "PATH": f"{file.parent}:/usr/bin:/bin"}
    assert entrypoint("écho", "là", environ=environ) == (0, "là\n".encode(), "")


def test_a_command_is_found_by_a_path_that_is_not_ascii(
    entrypoint: Entrypoint, latin_1: Mapping[str, str], tmp_path: Path
) -> None:
    file = program(tmp_path / "dé", "écho")
    assert entrypoint(str(file), "là", environ={**PLAIN, **latin_1}) == (0, "là\n".encode(), "")


def test_certificates_are_read_from_a_file_whose_name_is_not_ascii(
    entrypoint: Entrypoint, latin_1: Mapping[str, str], tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "autorité.pem"))
    tls = context(authority.issue_cert("127.0.0.1"))
    with http_server(lambda _: secret('{"A": "é"}'), tls=tls) as server:
        bundle = f"{tmp_path}/autorité.pem"
        environ = aws(server.url, NAME, AWS_CA_BUNDLE=bundle, **latin_1)
        ended = entrypoint("printenv", "A", environ=environ)
    assert ended == (0, "é\n".encode(), "")


# -- The interpreter

PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
OLD = {
    f"3.{minor}": str(found)
    for minor in (6, 7, 8, 9)
    for found in [shutil.which(f"python3.{minor}"), *PYENV.glob(f"3.{minor}.*/bin/python3")]
    if found and permitted([str(found), "-c", "pass"])
}


@pytest.mark.archive_only("brings its own interpreter")
@pytest.mark.parametrize(
    "python", OLD.values() or [pytest.param("", marks=pytest.mark.skip("no old Python"))], ids=OLD or ["none"]
)
@pytest.mark.parametrize("itself", [True, False], ids=["itself", "python3 -ISB"])
def test_an_old_python_is_reported(entrypoint: Entrypoint, python: str, itself: bool) -> None:
    version = run([python, "-c", "import sys; print(sys.version.split()[0])"]).stdout.decode().strip()
    ended = run(
        [python, *(entrypoint.words[1:] if itself else ["-ISB", entrypoint.archive]), "true"], Surroundings(PLAIN)
    )
    words = f"run-lambda-entrypoint: requires Python 3.10 or newer, this is {version}; use a newer image\n"
    assert (ended.status, ended.stdout, ended.stderr.decode()) == (125, b"", words)


WITHOUT_SSL = """
import runpy, sys
sys.modules["_ssl"] = None
del sys.argv[0]
runpy.run_path(sys.argv[0], None, "__main__")
"""


@pytest.mark.archive_only("brings its own interpreter")
def test_a_python_without_ssl_is_reported(entrypoint: Entrypoint) -> None:
    words: list[str | Path] = [sys.executable, "-ISB", "-c", WITHOUT_SSL, entrypoint.archive, "true"]
    ended = run(words, Surroundings(aws("https://127.0.0.1:9", NAME)))
    message = "run-lambda-entrypoint: this Python lacks the module _ssl; install its complete standard library\n"
    assert (ended.status, ended.stderr.decode()) == (125, message)


AS_SOMEBODY = (SETPRIV, "--reuid=64322", "--regid=64322", "--clear-groups", "prlimit", "--nproc=1:1")


@pytest.fixture
def without_threads(entrypoint: Entrypoint) -> Iterator[list[str | Path]]:
    """Words before options and command that start the archive as somebody who may have no second thread."""
    new_enough = ["-c", "import sys; sys.exit(sys.version_info < (3, 10))"]
    pythons = [
        python
        for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3")
        if SETPRIV and permitted([*AS_SOMEBODY, python, *new_enough])
    ]
    if not pythons:
        pytest.skip("no Python here can be started as somebody else (root, setpriv, prlimit)")
    with TemporaryDirectory() as folder:  # not tmp_path, which only we may read
        Path(folder).chmod(0o755)
        archive = shutil.copyfile(entrypoint.archive, Path(folder, "archive.pyz"))
        archive.chmod(0o755)
        yield [*AS_SOMEBODY, *entrypoint.interpreter(pythons[0]), str(archive)]


NO_THREAD = "cannot start a thread; raise the limit of processes (ulimit -u), or the memory"


def test_without_a_thread_a_slow_report_to_lambda_ends_in_time(without_threads: list[str | Path]) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(head(202, "Content-Length: 9999"))
        dripping(connection, 0.2)

    with listening(serve) as port:
        environ = {**PLAIN, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}"}
        ended = run([*without_threads, "/nosuch"], Surroundings(environ))  # which takes 60 s for a hang
    assert ended.status == 127


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [("true", 125, NO_THREAD), ("/nosuch", 127, 'command "/nosuch" does not exist; copy it into the image')],
)
def test_a_limit_that_leaves_no_thread_changes_neither_report_nor_exit_code(
    without_threads: list[str | Path], command: str, code: int, message: str
) -> None:
    with http_server(lambda _: by_length(b"", 202)) as runtime_api:
        environ = aws("http://127.0.0.1:9", NAME, AWS_LAMBDA_RUNTIME_API=runtime_api.address)
        ended = run([*without_threads, command], Surroundings(environ))
    posted = [request.json["errorMessage"] for request in runtime_api.requests]
    shown = [text.startswith(message) for text in (ended.stderr.decode().partition(": ")[2], *posted)]
    assert (ended.status, shown) == (code, [True, True])


# -- A small stack, and JSON that would exhaust it


@pytest.mark.parametrize("depth", [101, 900, 30_000])
@pytest.mark.parametrize("kilobytes", [256, 1024, 8192])
def test_deep_json_is_refused_and_crashes_nothing(
    entrypoint: Entrypoint, transport: str, kilobytes: int, depth: int
) -> None:
    deep = "[" * depth + "]" * depth
    replies = {"secret": secret(f'{{"KEY": {deep}}}', "secret"), "reply": by_length(f'{{"ARN": {deep}}}'.encode())}
    with http_server(lambda request: replies[request.json["SecretId"]]) as server:
        references = {"LAMBDA_ENV_SECRETS_MANAGER_ARN_A": "secret", "LAMBDA_ENV_SECRETS_MANAGER_ARN_B": "reply"}
        environ = aws(server.url, references, LAMBDA_ENV_TRANSPORT=transport)
        ended = entrypoint("true", environ=environ, before=shell(f"ulimit -s {kilobytes}"))
    reasons = [line.split(": ", 3)[3].partition(";")[0].split(" ", 1)[1] for line in ended.err.splitlines()]
    assert (ended.code, reasons) == (
        125,
        ["secret's JSON is nested more than 100 levels deep", "returned something that is not AWS's JSON"],
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_reply_in_another_encoding_than_utf_8_is_refused(
    entrypoint: Entrypoint, transport: str, encoding: str
) -> None:
    deep = '{"a\\"b": ' + 9_000 * "[" + 9_000 * "]" + "}"
    with http_server(lambda _: by_length(deep.encode(encoding))) as server:
        ended = entrypoint("true", environ=aws(server.url, NAME, LAMBDA_ENV_TRANSPORT=transport))
    assert (ended.code, "returned something that is not AWS's JSON" in ended.err) == (125, True)


@pytest.mark.parametrize("depth", [900, 9_500, 200_000])
def test_deep_json_from_a_source_of_credentials_crashes_nothing(entrypoint: Entrypoint, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    with http_server(lambda _: by_length(deep.encode())) as server:
        keys = {"AWS_ACCESS_KEY_ID": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url}
        ended = entrypoint("true", environ=aws(server.url, NAME, **keys))
    assert (ended.code, "did not return valid credentials" in ended.err) == (125, True)


# -- A limited address space, of which glibc reserves 64 MB for each thread


@pytest.mark.parametrize("kilobytes", [200_000, 300_000])
def test_many_secrets_load_in_a_limited_address_space(entrypoint: Entrypoint, tmp_path: Path, kilobytes: int) -> None:
    authority = trustme.CA()
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(bundle)
    references = {f"LAMBDA_ENV_SECRETS_MANAGER_ARN_{index}": f"name{index}" for index in range(20)}
    with http_server(
        lambda request: secret('{"KEY": "value"}', request.json["SecretId"]),
        tls=context(authority.issue_cert("127.0.0.1")),
    ) as server:
        environ = aws(server.url, references, AWS_CA_BUNDLE=str(bundle))
        ended = entrypoint("printenv", "KEY", environ=environ, before=shell(f"ulimit -v {kilobytes}"))
    assert ended == (0, b"value\n", "")
