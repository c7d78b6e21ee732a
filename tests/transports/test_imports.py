"""What a start imports: pinned, so that a stray import, which every cold start would pay for, is noticed."""

from __future__ import annotations

import json
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.harness.entrypoint import PLAIN, Entrypoint, aws
from tests.harness.fault_server import by_length, fault_server, secret
from tests.harness.process import Surroundings, run
from tests.transports.runs import context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from pathlib import Path

    from tests.transports.conftest import Authority

OURS = "run_lambda_entrypoint"

# Of the standard library, what a start imports more than an empty zip archive does. Names with an underscore are
# left out, of packages only the first part counts.
NOTHING = {"__future__", "errno"}
DIRECT = NOTHING | {
    "array",
    "base64",
    "binascii",
    "copyreg",
    "enum",
    "hashlib",
    "hmac",
    "json",
    "re",
    "select",
    "selectors",
    "socket",
    "ssl",
    "struct",
}
VERSIONS_OWN = {  # what some versions of Python import for one of these, and others do not or do for an empty archive
    *("sre_compile", "sre_constants", "sre_parse"),  # for re
    *("collections", "functools", "itertools", "keyword", "operator", "reprlib", "warnings"),  # for enum, re and ssl
    *("math", "pwd"),
}

# Of our own.
ALWAYS = {"", "__main__", "deadline", "environment", "errors", "log", "options", "process", "references", "reserved"}
FETCHING = ALWAYS | {"aws", "aws.choice", "aws.endpoints", "aws.fetch", "aws.packaged", "documents", "secrets"}
OWN_PLAIN = FETCHING | {"aws.direct", "aws.faults", "aws.replies", "aws.sigv4"}
OWN_DIRECT = OWN_PLAIN | {"aws.tls", "aws.trust"}
OWN_BOTOCORE = FETCHING | {"aws.faults", "aws.replies", "aws.sdk", "aws.trust"}

# Of others: what is in the archive, and what is tried in vain.
OTHERS = {"botocore", "dateutil", "jmespath", "six", "urllib3"}
TRIED = {"awscrt", "backports", "brotli", "brotlicffi", "certifi", "org", "simplejson", "zstandard", "OpenSSL", "socks"}

# Each of these costs milliseconds.
EXPENSIVE = {
    *("asyncio", "botocore", "concurrent", "dataclasses", "datetime", "decimal", "email", "http", "inspect", "logging"),
    *("pathlib", "random", "secrets", "string", "subprocess", "tempfile", "threading", "traceback", "typing"),
    *("typing_extensions", "urllib", "urllib3", "uuid", "zoneinfo"),
}


def imported(archive: Path, *words: str, environ: Mapping[str, str] = PLAIN) -> set[str]:
    """The modules that a run imports, or tries to, until it becomes the command."""
    command = [sys.executable, "-IS", "-X", "importtime", str(archive), *words]
    ended = run(command, Surroundings(environ=environ))
    lines = ended.stderr.decode().splitlines()
    assert (ended.status, [line for line in lines if not line.startswith("import time:")]) == (0, [])
    return {line.rpartition("|")[2].strip() for line in lines} - {"imported package"}


def own(modules: set[str]) -> set[str]:
    return {module.removeprefix(OURS).removeprefix(".") for module in modules if module.partition(".")[0] == OURS}


def foreign(modules: set[str]) -> set[str]:
    """All others, by the first part of their names, but for Python's own hidden ones."""
    names = {module.partition(".")[0] for module in modules} - {OURS}
    return {name for name in names if not name.startswith("_") or name == "__future__"}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What Python itself imports to run an archive with nothing in it."""
    archive = tmp_path_factory.mktemp("empty") / "empty.pyz"
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("__main__.py", "")
    return imported(archive)


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    return context(authority.ca.issue_cert("127.0.0.1"))


def fetching(entrypoint: Entrypoint, transport: str, tls: ssl.SSLContext | None = None, **more: str) -> set[str]:
    """What a run imports that fetches one secret."""
    reply = by_length(secret(json.dumps({"key": "value"})))
    with fault_server(lambda _: reply, tls=tls) as port:
        url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        environ = aws(url, {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_TRANSPORT=transport, **more)
        return imported(entrypoint.archive, "/bin/true", environ=environ)


def test_a_start_without_references(entrypoint: Entrypoint, empty: set[str]) -> None:
    modules = imported(entrypoint.archive, "/bin/true") - empty
    assert (own(modules), foreign(modules)) == (ALWAYS, NOTHING)


def test_a_start_with_options(entrypoint: Entrypoint, empty: set[str]) -> None:
    modules = imported(entrypoint.archive, "--timeout", "5", "--", "/bin/true") - empty
    assert (own(modules), foreign(modules)) == (ALWAYS, NOTHING)


def test_a_direct_start(entrypoint: Entrypoint, authority: Authority, tls: ssl.SSLContext, empty: set[str]) -> None:
    modules = fetching(entrypoint, "direct", tls, AWS_CA_BUNDLE=str(authority.file)) - empty
    assert (own(modules), foreign(modules) - VERSIONS_OWN) == (OWN_DIRECT, DIRECT - VERSIONS_OWN)


def test_a_direct_start_without_tls(entrypoint: Entrypoint, empty: set[str]) -> None:
    modules = fetching(entrypoint, "direct") - empty
    assert (own(modules), foreign(modules) - VERSIONS_OWN) == (OWN_PLAIN, DIRECT - VERSIONS_OWN)


def test_auto_imports_no_more_than_direct(entrypoint: Entrypoint) -> None:
    looks_for_home = {"pwd"}
    assert fetching(entrypoint, "auto") - looks_for_home == fetching(entrypoint, "direct")


def test_nothing_expensive_is_imported_by_a_direct_start(entrypoint: Entrypoint, empty: set[str]) -> None:
    assert foreign(fetching(entrypoint, "direct") - empty) & EXPENSIVE == set()


def test_a_botocore_start_imports_none_of_the_direct_transport(entrypoint: Entrypoint) -> None:
    assert own(fetching(entrypoint, "botocore")) == OWN_BOTOCORE


def test_a_botocore_start_imports_no_other_package(entrypoint: Entrypoint) -> None:
    others = foreign(fetching(entrypoint, "botocore")) - sys.stdlib_module_names
    assert others - TRIED == OTHERS


VALUE = "LAMBDA_ENV_VALUE_FROM_A"


def fetching_single_values(entrypoint: Entrypoint, **references: str) -> set[str]:
    """What a direct run imports that fetches these."""
    parameters = {"Parameters": [{"Name": "/a", "Value": "value"}]}
    reply = by_length(json.dumps({"SecretString": '{"a": {"b": "value"}}', **parameters}).encode())
    with fault_server(lambda _: reply) as port:
        url = f"http://127.0.0.1:{port}"
        environ = aws(url, references, AWS_ENDPOINT_URL_SSM=url, LAMBDA_ENV_TRANSPORT="direct")
        return own(imported(entrypoint.archive, "/bin/true", environ=environ))


def test_keys_versions_and_single_values_of_secrets_import_nothing_more(entrypoint: Entrypoint) -> None:
    references = {"SECRETS_MANAGER_ARN": "name:a:STAGE:", VALUE: "name:a.b::"}
    assert fetching_single_values(entrypoint, **references) == OWN_PLAIN


@pytest.mark.parametrize(
    ("name", "reference"), [(VALUE, "arn:aws:ssm:eu-west-1:123456789012:parameter/a"), ("LAMBDA_ENV_SSM_PATH_A", "/")]
)
def test_only_parameters_import_what_reads_parameters(entrypoint: Entrypoint, name: str, reference: str) -> None:
    assert fetching_single_values(entrypoint, **{name: reference}) == OWN_PLAIN | {"parameters"}


def test_only_a_dry_run_imports_what_tells_of_it(entrypoint: Entrypoint) -> None:
    ended = run(
        [sys.executable, "-IS", "-X", "importtime", str(entrypoint.archive), "--dry-run", "/bin/true"],
        Surroundings(environ=PLAIN),
    )
    modules = {line.rpartition("|")[2].strip() for line in ended.stderr.decode().splitlines()}
    assert own(modules) == ALWAYS | {"dry_run"}
