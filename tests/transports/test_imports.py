"""What a start imports: the folders of its stages and no more, since every cold start pays for a stray import."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from run_lambda_entrypoint.native import KNOWN
from tests.harness.entrypoint import PLAIN, Entrypoint, aws
from tests.harness.http_server import by_length, http_server, secret_body
from tests.harness.process import Surroundings, run
from tests.transports.runs import context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence

    from tests.transports.conftest import Authority

told_by_python = pytest.mark.archive_only("nothing but `python3 -X importtime` tells what is imported")

OURS = "run_lambda_entrypoint"

# Of the standard library, what a start imports in addition to an empty zip archive. Names with an underscore are left
# out; of packages only the first part counts.
NOTHING = {"errno", "gc", "select"}
PUBLIC = {  # instead of the C modules below some of them
    *("array", "base64", "binascii", "copyreg", "enum", "hashlib", "hmac", "json", "re", "selectors"),
    *("socket", "ssl", "struct"),
}
DIRECT = NOTHING if KNOWN else NOTHING | PUBLIC
VERSIONS_OWN = {  # what some versions of Python import for one of these, and others do not or do for an empty archive
    *("sre_compile", "sre_constants", "sre_parse"),  # for re
    *("collections", "functools", "itertools", "keyword", "operator", "reprlib", "warnings"),  # for enum, re and ssl
    *("math", "pwd"),
}

SOURCE = Path(__file__).parents[2] / "src" / OURS


def folder(name: str = "") -> set[str]:
    """The modules of a folder of ours, and the folder itself."""
    prefix = f"{name}." if name else ""
    files = {path.stem for path in (SOURCE / name.replace(".", "/")).glob("*.py")} - {"__init__"}
    return {name} | {f"{prefix}{file}" for file in files}


# `bytecode` imports all others. The doors of folders are open to every start.
ON_REQUEST = {"naming", "required", "templates"}  # of a variable
ALWAYS = folder() - {"bytecode"} - ON_REQUEST | {"loading", "reporting", "native", "native.paths"}
FETCHING = (
    ALWAYS | folder("loading") - {"loading.parameter_store"} | folder("aws") | folder("native") - {"native.hashes"}
)
DIRECTLY = FETCHING | folder("aws.direct") | {"native.hashes"}
BY_BOTOCORE = FETCHING | folder("aws.botocore_sdk")

# Of others: what is in the archive, and what is tried in vain.
OTHERS = {"botocore", "dateutil", "jmespath", "six", "urllib3"}
TRIED = {"awscrt", "backports", "brotli", "brotlicffi", "certifi", "org", "simplejson", "zstandard", "OpenSSL", "socks"}

# Each of these costs milliseconds.
EXPENSIVE = {
    *("asyncio", "botocore", "concurrent", "dataclasses", "datetime", "decimal", "email", "http", "inspect", "logging"),
    *("pathlib", "random", "secrets", "string", "subprocess", "tempfile", "threading", "traceback", "typing"),
    *("typing_extensions", "urllib", "urllib3", "uuid", "zoneinfo"),
}


def imported(archive: Path, *argv: str, environ: Mapping[str, str] = PLAIN, code: int = 0) -> set[str]:
    """The modules that a run imports, or tries to, until it executes the command or fails."""
    return listed([sys.executable, "-X", "importtime", *Entrypoint(archive).words[1:], *argv], environ, code)


def listed(command: Sequence[str], environ: Mapping[str, str] = PLAIN, code: int = 0) -> set[str]:
    ended = run(command, Surroundings(environ=environ))
    assert ended.status == code, ended.stderr
    lines = [line for line in ended.stderr.decode().splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines} - {"imported package"}


def own(modules: set[str]) -> set[str]:
    return {module.removeprefix(OURS).removeprefix(".") for module in modules if module.partition(".")[0] == OURS}


def foreign(modules: set[str]) -> set[str]:
    """All others, by the first part of their names, without Python's own hidden ones."""
    names = {module.partition(".")[0] for module in modules} - {OURS}
    return {name for name in names if not name.startswith("_") or name == "__future__"}


@pytest.fixture(scope="module")
def empty() -> set[str]:
    """What Python itself imports to run no code at all."""
    return listed([sys.executable, "-X", "importtime", "-ISBc", "pass"])


def fetching(
    entrypoint: Entrypoint, transport: str, more: Mapping[str, str], *, tls: ssl.SSLContext | None = None, code: int = 0
) -> set[str]:
    """What a run imports that fetches one secret, or what `more` refers to."""
    parameters = [{"Name": "/a", "Value": "value"}]
    text = '{"a": {"b": "value"}}'
    reply = by_length(secret_body(SecretString=text, VersionStages=["AWSCURRENT", "STAGE"], Parameters=parameters))
    with http_server(lambda _: reply, tls=tls) as server:
        url = server.url
        references = {"SECRETS_MANAGER_ARN": "name", "AWS_ENDPOINT_URL_SSM": url, "LAMBDA_ENV_TRANSPORT": transport}
        return imported(entrypoint.archive, "/bin/true", environ=aws(url, {**references, **more}), code=code)


@told_by_python
@pytest.mark.parametrize("argv", [["/bin/true"], ["--timeout", "5", "--", "/bin/true"]], ids=["bare", "options"])
def test_a_start_without_references(entrypoint: Entrypoint, empty: set[str], argv: list[str]) -> None:
    modules = imported(entrypoint.archive, *argv) - empty
    assert (own(modules), foreign(modules)) == (ALWAYS, NOTHING)


@told_by_python
@pytest.mark.parametrize("secure", [True, False], ids=["TLS", "plain HTTP"])
def test_a_direct_start(entrypoint: Entrypoint, authority: Authority, empty: set[str], secure: bool) -> None:
    tls = context(authority.ca.issue_cert("127.0.0.1")) if secure else None
    modules = fetching(entrypoint, "direct", {"AWS_CA_BUNDLE": str(authority.file)}, tls=tls) - empty
    expected: object = (DIRECTLY, DIRECT - VERSIONS_OWN, [])
    assert (own(modules), foreign(modules) - VERSIONS_OWN, sorted(foreign(modules) & EXPENSIVE)) == expected


@pytest.mark.parametrize("module", sorted(DIRECTLY - {""}))
def test_no_module_of_a_direct_start_names_one_above_a_c_module(module: str) -> None:
    """os among them, which Python itself has imported where it runs an archive by its own means."""
    path = SOURCE / module.replace(".", "/")
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found = set()
    for statement in ast.parse(file.read_text()).body:  # not what is inside another statement, as in native/
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
        if isinstance(statement, ast.ImportFrom) and not statement.level:
            found.add(str(statement.module))
    assert found & {"os", "stat", *PUBLIC} == set()


@told_by_python
def test_auto_imports_no_more_than_direct(entrypoint: Entrypoint) -> None:
    looks_for_home = {"pwd"}
    assert fetching(entrypoint, "auto", {}) - looks_for_home == fetching(entrypoint, "direct", {})


@told_by_python
def test_a_botocore_start(entrypoint: Entrypoint) -> None:
    modules = fetching(entrypoint, "botocore", {})
    assert (own(modules), foreign(modules) - sys.stdlib_module_names - TRIED) == (BY_BOTOCORE, OTHERS)


VALUE = "LAMBDA_ENV_VALUE_FROM_A"


@told_by_python
def test_a_variable_of_the_functions_own_that_is_almost_ours_imports_nothing(entrypoint: Entrypoint) -> None:
    environ = {"SECRETS_MANAGER_ARN": "", VALUE: "name:a", "SECRETS_MANAGER_ARN_TTL": "not a reference"}
    assert own(fetching(entrypoint, "direct", environ)) == DIRECTLY


@told_by_python
@pytest.mark.parametrize(
    ("references", "more"),
    [
        ({"SECRETS_MANAGER_ARN": "name:a:STAGE:", VALUE: "name:a.b::"}, set()),
        ({VALUE: "arn:aws:ssm:eu-west-1:123456789012:parameter/a"}, {"loading.parameter_store"}),
        ({"LAMBDA_ENV_SSM_PATH_A": "/"}, {"loading.parameter_store"}),
    ],
    ids=["keys", "parameter", "path"],
)
def test_only_parameters_import_their_store(entrypoint: Entrypoint, references: dict[str, str], more: set[str]) -> None:
    assert own(fetching(entrypoint, "direct", references)) == DIRECTLY | more


@told_by_python
@pytest.mark.parametrize(
    ("variable", "value", "module"),
    [
        ("LAMBDA_ENV_PREFIX", "P_", "naming"),
        ("LAMBDA_ENV_NAMES", "shell", "naming"),
        ("LAMBDA_ENV_TEMPLATE_A", "{PATH}", "templates"),
        ("LAMBDA_ENV_REQUIRED", "PATH", "required"),
    ],
)
def test_only_a_variable_of_its_own_imports_what_shapes_variables(
    entrypoint: Entrypoint, variable: str, value: str, module: str
) -> None:
    assert own(fetching(entrypoint, "direct", {variable: value})) == DIRECTLY | {module}


@told_by_python
@pytest.mark.parametrize("option", ["--dry-run", "--version", "--licenses"])
def test_only_who_asks_for_a_report_imports_it(entrypoint: Entrypoint, option: str) -> None:
    reports = {"reporting.standard_output", f"reporting.{option[2:].replace('-', '_')}"}
    assert own(imported(entrypoint.archive, option, "/bin/true")) == ALWAYS | reports


@told_by_python
@pytest.mark.parametrize(
    ("environ", "more"),
    [
        ({}, {"reporting.hints", "reporting.hosts", "reporting.json_errors"}),
        (
            {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"},
            {"reporting.hints", "reporting.hosts", "reporting.json_errors", "reporting.runtime_api"},
        ),
    ],
    ids=["elsewhere", "Lambda"],
)
def test_only_a_failure_imports_what_explains_it(
    entrypoint: Entrypoint, environ: dict[str, str], more: set[str]
) -> None:
    assert (
        own(fetching(entrypoint, "direct", {"SECRETS_MANAGER_ARN": "name:nosuch", **environ}, code=125))
        == DIRECTLY | more
    )
