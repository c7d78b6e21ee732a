"""Which half does the work, that no start needs the other one, and that hashes are the same."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from run_lambda_entrypoint import native
from tests.conformance import client
from tests.conformance.conftest import ROOT, agreed, running

if TYPE_CHECKING:
    from tests.conformance.conftest import Halves

C = {"sockets": "_socket", "tls": "_ssl", "json": "_json", "hashes": "_hashlib"}
PUBLIC = {"sockets": "socket", "tls": "ssl", "json": "json", "hashes": "hmac"}


def test_the_c_modules_do_the_work_where_they_are_known(halves: Halves) -> None:
    found = halves.play("halves")
    assert found == {version: (PUBLIC if version == "3.10" else C, PUBLIC) for version in found}


@pytest.mark.skipif(not native.KNOWN, reason="not a version whose C modules are known")
def test_a_module_that_lacks_something_is_replaced() -> None:
    with running(sys.executable, client.LACKING) as lacking:
        lacking.tell("halves")
        assert lacking.answer() == PUBLIC


@pytest.mark.parametrize(
    ("name", "version", "known"),
    [
        ("cpython", (3, 10, 19), False),
        ("cpython", (3, 11, 0), True),
        ("cpython", (3, 15, 9), True),
        ("cpython", (3, 16, 0), False),
        ("cpython", (4, 0, 0), False),
        ("pypy", (3, 11, 0), False),
    ],
)
def test_these_versions_are_known(
    monkeypatch: pytest.MonkeyPatch, name: str, version: tuple[int, ...], known: bool
) -> None:
    executed: dict[str, Any] = {"__name__": "executed"}
    code = compile(Path(native.__file__).read_bytes(), native.__file__, "exec")
    with monkeypatch.context() as patched:
        patched.setattr(sys, "implementation", SimpleNamespace(name=name))
        patched.setattr(sys, "version_info", version)
        exec(code, executed)  # noqa: S102 - ours
    assert executed["KNOWN"] is known


REFUSING = """
import sys
sys.path.insert(0, sys.argv[1])
import _hashlib, hashlib, hmac
def refuse(*_, **__):
    raise _hashlib.UnsupportedDigestmodError
_hashlib.{} = refuse
from run_lambda_entrypoint.native.hashes import hmac_sha256, sha256
print(sha256(b"data"), hmac_sha256(b"key", b"data").hex())
"""
"""As a FIPS build of OpenSSL may."""


@pytest.mark.parametrize("refused", ["openssl_sha256", "hmac_digest"])
def test_what_openssl_refuses_is_hashed_without_it(refused: str) -> None:
    command = [sys.executable, "-IBc", REFUSING.format(refused), str(ROOT / "src")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    expected = f"{hashlib.sha256(b'data').hexdigest()} {hmac.digest(b'key', b'data', 'sha256').hex()}\n"
    assert (ended.stdout, ended.stderr) == (expected, "")


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8"))), max_size=10))
def test_hashes_are_the_same(halves: Halves, pairs: list[tuple[str, str]]) -> None:
    found = agreed(halves.play("hashed", list(map(list, pairs))))
    expected = [
        [hashlib.sha256(text.encode()).hexdigest(), hmac.digest(key.encode(), text.encode(), "sha256").hex()]
        for key, text in pairs
    ]
    assert found == dict.fromkeys(found, expected)
