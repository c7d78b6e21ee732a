"""The Node.js example's lock file."""

import json

from tests.conftest import ROOT

LOCK = ROOT / "examples/secret-reflector-node/package-lock.json"


def test_each_package_has_a_hash_and_no_address() -> None:
    packages = json.loads(LOCK.read_text())["packages"]
    del packages[""]  # the function itself

    assert {("integrity" in package, "resolved" in package) for package in packages.values()} == {(True, False)}
