"""Files that lie around, and variables of interpreters and libraries, change nothing: not what the executable says, not
which files it opens, not what its command gets."""

from __future__ import annotations

import gettext
import io
import struct
from typing import TYPE_CHECKING

import pytest

from tests.standalone.isolation import BUSYBOX, EXECUTABLE, Root
from tests.standalone.runs import served, variables

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conformance.certificates import Certificate
    from tests.standalone.tools import Tools

PLANT = "/plant"
"""A folder that exists, with what nobody should load."""

INTERPRETER = {
    "PYTHONASYNCIODEBUG": "1",
    "PYTHONBREAKPOINT": "planted.hook",
    "PYTHONCASEOK": "1",
    "PYTHONCOERCECLOCALE": "warn",
    "PYTHONDEBUG": "3",
    "PYTHONDEVMODE": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONDUMPREFS": "1",
    "PYTHONEXECUTABLE": f"{PLANT}/python",
    "PYTHONFAULTHANDLER": "1",
    "PYTHONHASHSEED": "not a number",
    "PYTHONHOME": PLANT,
    "PYTHONINSPECT": "1",
    "PYTHONINTMAXSTRDIGITS": "1",
    "PYTHONIOENCODING": "utf-16",
    "PYTHONLEGACYWINDOWSSTDIO": "1",
    "PYTHONMALLOC": "debug",
    "PYTHONMALLOCSTATS": "1",
    "PYTHONNODEBUGRANGES": "1",
    "PYTHONNOUSERSITE": "",
    "PYTHONOPTIMIZE": "2",
    "PYTHONPATH": PLANT,
    "PYTHONPERFSUPPORT": "1",
    "PYTHONPLATLIBDIR": PLANT,
    "PYTHONPROFILEIMPORTTIME": "1",
    "PYTHONPYCACHEPREFIX": PLANT,
    "PYTHONSAFEPATH": "",
    "PYTHONSTARTUP": f"{PLANT}/planted.py",
    "PYTHONTRACEMALLOC": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONUSERBASE": PLANT,
    "PYTHONUTF8": "0",
    "PYTHONVERBOSE": "3",
    "PYTHONWARNDEFAULTENCODING": "1",
    "PYTHONWARNINGS": "error",
    "PYTHON_BASIC_REPL": "1",
    "PYTHON_COLORS": "1",
    "PYTHON_CPU_COUNT": "0",
    "PYTHON_FROZEN_MODULES": "off",
    "PYTHON_GIL": "0",
    "PYTHON_HISTORY": f"{PLANT}/history",
    "PYTHON_PERF_JIT_SUPPORT": "1",
    "PYTHON_PRESITE": "planted",
}
TERMINAL = {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm"}  # argparse honors COLUMNS, in the archive too
LOADER = {
    "LD_AUDIT": f"{PLANT}/library.so",
    "LD_BIND_NOW": "1",
    "LD_DEBUG": "all",
    "LD_LIBRARY_PATH": PLANT,
    "LD_PRELOAD": f"{PLANT}/library.so",
    "LD_SHOW_AUXV": "1",
}
OPENSSL = {
    "CTLOG_FILE": f"{PLANT}/log",
    "OPENSSL_CONF": f"{PLANT}/openssl.cnf",
    "OPENSSL_CONF_INCLUDE": PLANT,
    "OPENSSL_ENGINES": PLANT,
    "OPENSSL_MODULES": PLANT,
    "OPENSSL_TRACE": "ALL",
    "QLOGDIR": PLANT,
    "RANDFILE": f"{PLANT}/random",
    "SSLKEYLOGFILE": f"{PLANT}/keys",
}
LOCALE = {
    "LANG": "en_US.UTF-8",
    "LANGUAGE": "en",
    "LC_ALL": "en_US.UTF-8",
    "LC_MESSAGES": "en",
    "LOCPATH": PLANT,
    "MUSL_LOCPATH": PLANT,
    "NLSPATH": f"{PLANT}/%N",
    "TEXTDOMAINDIR": PLANT,
}
NAMES = {"HOSTALIASES": f"{PLANT}/aliases", "LOCALDOMAIN": "planted.test", "RES_OPTIONS": "debug"}
ALLOCATOR = {
    "GLIBC_TUNABLES": "glibc.malloc.check=3",
    "MALLOC_CHECK_": "3",
    "MALLOC_TRACE": f"{PLANT}/trace",
    "MIMALLOC_ARENA_EAGER_COMMIT": "1",
    "MIMALLOC_MAX_ERRORS": "0",
    "MIMALLOC_RESERVE_HUGE_OS_PAGES": "4",
    "MIMALLOC_SHOW_ERRORS": "1",
    "MIMALLOC_SHOW_STATS": "1",
    "MIMALLOC_USE_NUMA_NODES": "8",
    "MIMALLOC_VERBOSE": "3",
}
CERTIFICATES = {"CURL_CA_BUNDLE": f"{PLANT}/none.pem", "REQUESTS_CA_BUNDLE": f"{PLANT}/none.pem"}
VARIABLES = {**INTERPRETER, **TERMINAL, **LOADER, **OPENSSL, **LOCALE, **NAMES, **ALLOCATOR, **CERTIFICATES}

# It would make the library fail that honors it: there is no such protocol.
OPENSSL_CONF = """\
openssl_conf = all
[all]
ssl_conf = ssl
providers = providers
[ssl]
system_default = default
[default]
MinProtocol = planted
[providers]
planted = planted
[planted]
module = /plant/library.so
activate = 1
"""
MODULE = "raise SystemExit('planted')\n"
# Of what a start imports, or an interpreter at its own start.
MODULES = (
    *("argparse", "botocore", "botocore/__init__", "encodings/__init__", "json/__init__", "os", "planted", "site"),
    *("sitecustomize", "socket", "ssl", "usercustomize", "zipimport"),
    *("run_lambda_entrypoint", "run_lambda_entrypoint/__init__", "run_lambda_entrypoint/__main__", "__main__"),
)


def translations(**texts: str) -> bytes:
    """A file of gettext's with translations (gettext's manual, "The Format of GNU MO Files")."""
    pairs = sorted({"": "Content-Type: text/plain; charset=UTF-8\n", **texts}.items())
    strings = io.BytesIO()
    table: list[list[int]] = []
    first = 28 + 16 * len(pairs)
    for column in (0, 1):
        table.append([])
        for pair in pairs:
            table[column] += [len(pair[column].encode()), first + strings.tell()]
            strings.write(pair[column].encode() + b"\0")
    numbers = [0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0, *table[0], *table[1]]
    return struct.pack(f"<{len(numbers)}I", *numbers) + strings.getvalue()


FILES: dict[str, str | bytes] = {
    f"{EXECUTABLE}._pth": f"{PLANT}\nimport site\n",
    "/pyvenv.cfg": f"home = {PLANT}\n",
    "/pybuilddir.txt": PLANT,
    "/share/locale/en/LC_MESSAGES/messages.mo": translations(**{"usage: ": "planted", "options": "planted"}),
    f"{PLANT}/openssl.cnf": OPENSSL_CONF,
    f"{PLANT}/library.so": "planted",
    f"{PLANT}/none.pem": "planted",
    f"{PLANT}/en_US.UTF-8": translations(planted="planted"),
    **{f"{folder}/{name}.py": MODULE for name in MODULES for folder in ("", PLANT, "/lib/python3.13")},
}
"""Beside the executable, in the working directory (which are one here), and in a folder that variables name."""


@pytest.fixture(params=[{}, VARIABLES], ids=["files", "files and variables"])
def foreign(request: pytest.FixtureRequest) -> dict[str, str]:
    """Variables that are set beside the files that are there."""
    variables: dict[str, str] = request.param
    return variables


@pytest.fixture
def planted(root: Root, tmp_path: Path, executable: Path, tools: Tools, ca: Certificate) -> Root:
    """Another root with these files, in the same network."""
    folder = tmp_path / "planted"
    folder.mkdir()
    made = Root(folder, executable, tools, ca)
    for path, content in FILES.items():
        made.write(path, content)
    return made


def test_the_translations_would_be_read_if_they_were_found(tmp_path: Path) -> None:
    file = tmp_path / "en/LC_MESSAGES/messages.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(translations(options="planted"))

    assert gettext.translation("messages", tmp_path, ["en"]).gettext("options") == "planted"


@pytest.mark.parametrize("option", ["--help", "--version", "--wrong", "--dry-run"])
def test_they_do_not_change_what_it_says(root: Root, planted: Root, option: str, foreign: dict[str, str]) -> None:
    assert planted.trace(option, environ=foreign) == root.trace(option, environ={})


def test_they_do_not_change_what_it_opens_for_a_secret(
    root: Root, planted: Root, transport: str, ca: Certificate, foreign: dict[str, str]
) -> None:
    with served(ca, "127.0.0.1", "localhost") as url:
        environ = variables(url, transport)
        changed = planted.trace(BUSYBOX, "true", environ={**environ, **foreign})
        plain = root.trace(BUSYBOX, "true", environ=environ)

    assert (changed.ended, changed.paths) == ((0, b"", ""), plain.paths), (changed, plain)


def test_they_reach_the_command_as_they_are(
    planted: Root, transport: str, ca: Certificate, foreign: dict[str, str]
) -> None:
    with served(ca, "127.0.0.1", "localhost") as url:
        environ = {**variables(url, transport), **foreign}
        ended = planted.run(BUSYBOX, "env", environ=environ)

    assert (ended.code, set(ended.out.decode().splitlines()), ended.err) == (
        0,
        {f"{name}={value}" for name, value in {**environ, "KEY": "value"}.items()},
        "",
    )
