"""The Node.js example's lock file."""

import json

from tests.conftest import ROOT

LOCK = ROOT / "examples/secret-reflector-node/package-lock.json"


def test_each_package_has_a_hash_and_no_address() -> None:
    packages = {path: package for path, package in json.loads(LOCK.read_text())["packages"].items() if path}

    assert {
        path: ("integrity" in package, "resolved" in package) for path, package in packages.items()
    } == dict.fromkeys(packages, (True, False))
