"""Lists what OSV knows against the versions inside the archive and the executable. `make advisories` runs it.

A line for each advisory, and for each part that OSV seems not to know at all, which would look like good news.
.github/workflows/advisories.yml makes an issue of each line.
"""

import json
import re
import sys
import urllib.request
from collections.abc import Iterable
from contextlib import redirect_stdout
from typing import Any, NamedTuple

from standalone.components import components
from standalone.sources import ROOT

API = "https://api.osv.dev/v1/query"
TIMEOUT = 60  # seconds, for a connection and for each read


class Repository(NamedTuple):
    """How OSV names a part that is in no package index, and an old tag of it that is known to have advisories."""

    url: str
    tag: str
    affected: str
    separator: str = "."


REPOSITORIES = {
    "CPython": Repository("https://github.com/python/cpython", "v{}", "v3.10.0"),
    "OpenSSL": Repository("https://github.com/openssl/openssl", "openssl-{}", "openssl-3.0.0"),
    "zlib": Repository("https://github.com/madler/zlib", "v{}", "v1.2.11"),
    "expat": Repository("https://github.com/libexpat/libexpat", "R_{}", "R_2_4_0", separator="_"),
    "musl": Repository("https://git.musl-libc.org/git/musl", "v{}", "v1.2.1"),
}


def main() -> None:
    with redirect_stdout(sys.stderr):  # it says what it downloads
        parts = {part.name: part.version for part in components()}
    for line in found(packages(), parts, API):
        print(line)


def packages() -> dict[str, str]:
    """Versions of what is inside the archive."""
    return dict(re.findall(r"(?m)^([\w.-]+)==(\S+)", (ROOT / "requirements/runtime.txt").read_text("utf-8")))


def found(packages: dict[str, str], parts: dict[str, str], api: str) -> Iterable[str]:
    """The lines. Exits if OSV does not answer."""
    for name, version in packages.items():
        yield from lines(name, version, advisories(api, "PyPI", name, version))
    for name, repository in REPOSITORIES.items():
        tag = repository.tag.format(parts[name].replace(".", repository.separator))
        if not advisories(api, "GIT", repository.url, repository.affected):
            yield f"{name}: OSV has no advisory on {repository.affected}, so look for those on {tag} elsewhere"
        yield from lines(name, parts[name], advisories(api, "GIT", repository.url, tag))


def lines(name: str, version: str, names: Iterable[str]) -> list[str]:
    return [f"{name} {version}: {advisory}" for advisory in names]


def advisories(api: str, ecosystem: str, package: str, version: str) -> list[str]:
    """Names of advisories, the CVE's where there is one: an advisory may be in several databases.

    https://google.github.io/osv.dev/post-v1-query/
    """
    query = {"package": {"ecosystem": ecosystem, "name": package}, "version": version}
    names, token = set(), ""
    while True:
        reply = post(api, {**query, "page_token": token} if token else query)
        for advisory in reply.get("vulns", []):
            if "withdrawn" not in advisory:
                known = [advisory["id"], *advisory.get("aliases", []), *advisory.get("upstream", [])]
                names.add(next((name for name in known if name.startswith("CVE-")), known[0]))
        token = reply.get("next_page_token", "")
        if not token:
            return sorted(names)


def post(api: str, query: dict[str, Any]) -> Any:
    request = urllib.request.Request(api, json.dumps(query).encode(), {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:  # noqa: S310 - https, but for tests
            return json.load(reply)
    except (OSError, ValueError) as error:
        sys.exit(f"advisories.py: {api} does not answer the query for {query['package']['name']}: {error}")


if __name__ == "__main__":
    main()
