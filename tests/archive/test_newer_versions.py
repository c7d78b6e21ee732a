"""A CPython newer than all that are known starts from the source, over public modules: nobody has tested others there.

There is none to try yet. So a copy of this one says that it is newer: where Python itself looks at its version, and in
whatever way the archive is started.
"""

from __future__ import annotations

import json
import ssl
import sys
from typing import TYPE_CHECKING

import pytest
import trustme

from build import BYTECODE_VERSIONS, PACKAGE
from tests.harness.copied_interpreter import copied_without_bytecode
from tests.harness.entrypoint import aws, with_interpreter
from tests.harness.http_server import http_server, secret
from tests.harness.process import Surroundings, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.harness.entrypoint import Entrypoint

pytestmark = pytest.mark.slow

MAJOR, MINOR = list(BYTECODE_VERSIONS)[-1].split(".")
NEWER = int(MAJOR), int(MINOR) + 1
TAG = f"cpython-{MAJOR}{NEWER[1]}"
PUBLIC = {"hashlib", "json", "socket", "ssl"}

# At the end of `encodings`, the first module that every start reads from a file. At the exec it writes what was
# compiled, the version, and the modules.
PRETEND = f"""
import sys

class _Version(tuple):
    major, minor, micro, releaselevel, serial = {NEWER[0]}, {NEWER[1]}, 0, "final", 0

def _watch(event, arguments):
    if event == "compile" and ".pyz/" in str(arguments[1]):
        _compiled.add(arguments[1].partition(".pyz/")[2])
    if event == "os.exec":
        public = [name for name in {sorted(PUBLIC)} if name in sys.modules]
        import json, os
        os.write(2, json.dumps([sys.version_info, sys.implementation.cache_tag, public, sorted(_compiled)]).encode())

_compiled = set()
sys.addaudithook(_watch)
sys.version_info = _Version(({NEWER[0]}, {NEWER[1]}, 0, "final", 0))
sys.version = "{NEWER[0]}.{NEWER[1]}.0 " + sys.version.partition(" ")[2]
sys.hexversion = {NEWER[0] << 24 | NEWER[1] << 16 | 0xF0}
sys.implementation.cache_tag = "{TAG}"
sys.modules["_frozen_importlib_external"].MAGIC_NUMBER = b"\\x00\\x00\\r\\n"
"""


@pytest.fixture(scope="module")
def newer() -> Iterator[Path]:
    with copied_without_bytecode(sys.executable) as home:
        [encodings] = home.glob("lib*/python*/encodings/__init__.py")
        source = encodings.read_text("utf-8")
        encodings.unlink()  # a link to the original
        encodings.write_text(source + PRETEND, "utf-8")
        yield home / "bin/python3"


@pytest.mark.parametrize(
    ("words", "transport"),
    [([], "direct"), ([], "botocore"), (["-ISB"], "direct")],
    ids=["itself", "itself over botocore", "python3 -ISB"],
)
def test_a_newer_version_starts_from_the_source_over_public_modules(
    entrypoint: Entrypoint, newer: Path, tmp_path: Path, words: list[str], transport: str
) -> None:
    archive = with_interpreter(entrypoint.archive, newer, tmp_path / "archive.pyz")
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    authority.issue_cert("127.0.0.1").configure_cert(tls)

    with http_server(lambda _: secret('{"A": "1"}'), tls=tls) as server:
        trust = {"AWS_CA_BUNDLE": str(tmp_path / "authority.pem")}
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_TRANSPORT=transport, **trust)
        ended = run([*([newer] if words else []), *words, archive, "/usr/bin/printenv", "A"], Surroundings(environ))

    assert (ended.status, ended.stdout) == (0, b"1\n"), ended.stderr.decode()
    version, tag, public, compiled = json.loads(ended.stderr)
    assert (version[:2], tag, set(public)) == ([*NEWER], TAG, PUBLIC)
    files = {f"site-packages/{PACKAGE}/{name}" for name in ("__main__.py", "aws/__init__.py", "errors.py")}
    assert files <= set(compiled)
