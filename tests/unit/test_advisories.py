"""What the versions inside are compared with, and the issues that follow."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import advisories
from standalone.sources import pinned
from tests.conftest import ROOT
from tests.harness.http_server import Reply, Request, by_length, http_server

if TYPE_CHECKING:
    from pathlib import Path

PARTS = {"CPython": "3.13.15", "OpenSSL": "3.5.7", "zlib": "1.3.2", "expat": "2.7.3", "musl": "1.2.5"}
AFFECTED = {(known.url, known.affected): [{"id": "CVE-1"}] for known in advisories.REPOSITORIES.values()}
MUSL = "https://git.musl-libc.org/git/musl"


def osv(vulns: dict[tuple[str, str], list[dict[str, Any]]], pages: int = 1) -> Any:
    """OSV with these advisories by package and version, each reply one of so many pages."""

    def answer(request: Request) -> Reply:
        query = request.json
        known = vulns.get((query["package"]["name"], query["version"]), [])
        page = int(query.get("page_token", "0"))
        reply: dict[str, Any] = {"vulns": known[page::pages]} if known else {}
        if page + 1 < pages:
            reply["next_page_token"] = str(page + 1)
        return by_length(json.dumps(reply).encode())

    return http_server(answer)


def lines(vulns: dict[tuple[str, str], list[dict[str, Any]]], pages: int = 1) -> list[str]:
    with osv(vulns, pages) as server:
        return list(advisories.found({"urllib3": "2.8.0"}, PARTS, server.url))


def test_each_part_is_asked_for_as_osv_names_it() -> None:
    with osv(AFFECTED) as server:
        list(advisories.found({"urllib3": "2.8.0"}, PARTS, server.url))

    asked = [
        (query["package"]["ecosystem"], query["package"]["name"], query["version"])
        for query in (request.json for request in server.requests)
    ]
    known = [("GIT", *pair) for pair in AFFECTED]
    assert [query for query in asked if query not in known] == [
        ("PyPI", "urllib3", "2.8.0"),
        ("GIT", "https://github.com/python/cpython", "v3.13.15"),
        ("GIT", "https://github.com/openssl/openssl", "openssl-3.5.7"),
        ("GIT", "https://github.com/madler/zlib", "v1.3.2"),
        ("GIT", "https://github.com/libexpat/libexpat", "R_2_7_3"),
        ("GIT", MUSL, "v1.2.5"),
    ]


@pytest.mark.parametrize(
    ("vulns", "expected"),
    [
        ([], []),
        ([{"id": "CVE-2"}, {"id": "CVE-1"}], ["CVE-1", "CVE-2"]),
        ([{"id": "GHSA-x", "aliases": ["CVE-3"]}, {"id": "PYSEC-1", "aliases": ["GHSA-x", "CVE-3"]}], ["CVE-3"]),
        ([{"id": "OSV-2026-1"}], ["OSV-2026-1"]),
        ([{"id": "CVE-4", "withdrawn": "2026-01-01T00:00:00Z"}], []),
    ],
    ids=["none", "two", "one in two databases", "no CVE", "withdrawn"],
)
@pytest.mark.parametrize("package", [("urllib3", "2.8.0", "urllib3 2.8.0"), (MUSL, "v1.2.5", "musl 1.2.5")])
@pytest.mark.parametrize("pages", [1, 2])
def test_an_advisory_is_a_line(
    package: tuple[str, str, str], vulns: list[dict[str, Any]], expected: list[str], pages: int
) -> None:
    name, version, shown = package
    assert lines({**AFFECTED, (name, version): vulns}, pages) == [f"{shown}: {advisory}" for advisory in expected]


def test_a_part_that_osv_does_not_know_is_a_line() -> None:
    known = {pair: vulns for pair, vulns in AFFECTED.items() if pair[0] != MUSL}
    assert lines(known) == ["musl: OSV has no advisory on v1.2.1, so look for those on v1.2.5 elsewhere"]


@pytest.mark.parametrize("reply", [by_length(b"{}", 503), by_length(b"no JSON")], ids=["503", "not JSON"])
def test_no_answer_is_a_failure_and_no_good_news(reply: Reply) -> None:
    with (
        http_server(lambda _: reply) as server,
        pytest.raises(SystemExit, match="does not answer the query for urllib3"),
    ):
        list(advisories.found({"urllib3": "2.8.0"}, PARTS, server.url))


def test_the_pins_are_what_is_compared() -> None:
    assert {"botocore", "urllib3"} <= advisories.packages().keys()
    assert pinned().keys() <= advisories.REPOSITORIES.keys()


GH = """#!/bin/sh
case "$1 $2" in
"issue list") echo 'zlib 1.3.2: CVE-1' ;;
"issue create") printf '%s\\n' "$6" >>"$CREATED" ;;
esac
"""


def test_each_line_without_an_issue_gets_one(tmp_path: Path) -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/advisories.yml").read_text())
    [step] = workflow["jobs"]["report"]["steps"]
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    found = "zlib 1.3.2: CVE-1\nzlib 1.3.2: CVE-11\nzlib 1x3.2: CVE-1\n"
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CREATED": str(tmp_path / "created"), "FOUND": found, "BODY": "x"}
    ended = subprocess.run(["/bin/bash", "-eo", "pipefail", "-c", step["run"]], env=environ)

    assert ended.returncode == 0
    assert (tmp_path / "created").read_text().splitlines() == ["zlib 1.3.2: CVE-11", "zlib 1x3.2: CVE-1"]


@pytest.mark.parametrize(("ecosystem", "manifest"), [("docker", "Dockerfile"), ("pip", "*.txt")])
def test_dependabot_looks_where_something_is_and_nowhere_else(ecosystem: str, manifest: str) -> None:
    updates = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text())["updates"]
    [entry] = [update for update in updates if update["package-ecosystem"] == ecosystem]
    looked_at = {folder for pattern in entry["directories"] for folder in ROOT.glob(pattern.strip("/"))}
    assert looked_at == {path.parent for top in ("requirements", "examples") for path in (ROOT / top).rglob(manifest)}
