"""Mistakes in the AWS configuration: reported as such, before any request that needs it."""

from __future__ import annotations

import json
from hashlib import sha1
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.emulator import free_port
from tests.harness.entrypoint import Entrypoint, aws, end
from tests.harness.http_server import Reply, Request, by_length, http_server, listening, secret
from tests.transports.runs import run

if TYPE_CHECKING:
    import socket
    from pathlib import Path

MARKER = "m4rk3r"
"""Stands where a part of a key might."""

NO_KEYS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
KEYS = {"AccessKeyId": "AKIDGIVEN", "SecretAccessKey": "key", "Token": "token", "Expiration": "2999-01-01T00:00:00Z"}


def outcome(entrypoint: Entrypoint, transport: str, more: dict[str, Any]) -> tuple[int, str, int]:
    """The exit code, the report on the secret, and how many requests came to a well-behaved Secrets Manager."""
    with http_server(lambda _: secret('{"A": "1"}')) as server:
        ended = run(entrypoint, transport, server.url, **more)
        requests = len(server.requests)
    report = ended.err.removeprefix("run-lambda-entrypoint: ").rstrip("\n")
    return ended.code, report.rpartition("secret name: ")[2], requests


# -- Variables

INVALID = "contains a space, a line break or another character that is not valid in credentials; copy it again"


@pytest.mark.parametrize(
    "name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"]
)
def test_a_line_break_after_a_credential_is_reported(entrypoint: Entrypoint, transport: str, name: str) -> None:
    assert outcome(entrypoint, transport, {name: f"{MARKER}\n"}) == (125, f"{name} {INVALID}", 0)


@pytest.mark.parametrize(
    "value", [f"{MARKER}\r\nX-Evil: 1", f"{MARKER}\udcff", f"{MARKER}é", f" {MARKER}", f"{MARKER}\x7f"]
)
def test_an_invalid_character_is_reported_without_the_value(entrypoint: Entrypoint, value: str) -> None:
    actual = outcome(entrypoint, "direct", {"AWS_SESSION_TOKEN": value})
    assert actual == (125, f"AWS_SESSION_TOKEN {INVALID}", 0)


@pytest.mark.parametrize("region", ["eu west", "eu-west-1\n", "eu-west-1/", "eu-west-é", "-"])
def test_an_invalid_region_is_reported(entrypoint: Entrypoint, transport: str, region: str) -> None:
    report = f"AWS_REGION is {region!a}, which is not a valid Region"
    assert outcome(entrypoint, transport, {"AWS_REGION": region}) == (125, report, 0)


# -- What only botocore reads

OF_CONFIGURATION = "AWS configuration: "
NOT_A_URI = (
    f"{OF_CONFIGURATION}AWS_CONTAINER_CREDENTIALS_FULL_URI is not valid; expected an HTTP or HTTPS URL of this machine "
    "or of a container service"
)
NOT_A_TIME = "is not a valid time; expected a form such as 2030-01-31T23:59:59Z"
NOT_A_TOKEN = "the token contains a line break or another character that is not valid in a header; remove it"
MODES = "legacy, auto, standard, in-region, cross-region, mobile"
EXPECTED_URL = "is not a valid URL; expected https://HOST, https://HOST:PORT or https://HOST/PATH"
MISSING = "{}=/nonexistent cannot be read (No such file or directory); correct the path"
ROLE = "arn:aws:iam::123456789012:role/x"
CONTAINER, TOKEN = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"
RELATIVE, AUTHORIZATION = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", f"{TOKEN}_FILE"
UNREAD = {**NO_KEYS, CONTAINER: "http://127.0.0.1:9/x"}
IDENTITY = {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent"}
STS, WEB_IDENTITY_FILE = "AWS_STS_REGIONAL_ENDPOINTS", "AWS_WEB_IDENTITY_TOKEN_FILE"
EXPIRATION = "AWS_CREDENTIAL_EXPIRATION"
ATTEMPTS = "AWS_METADATA_SERVICE_NUM_ATTEMPTS"
CONTRADICTS = (
    f"{OF_CONFIGURATION}{{}} of the profile, or in a variable, is missing, not valid, or contradicts another setting"
)
NOT_A_PROXY = (
    f"{OF_CONFIGURATION}http_proxy is not a valid URL; expected http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT "
    "with special characters percent-encoded"
)
REPORTS: dict[str, tuple[dict[str, str], str]] = {
    "expiration": ({EXPIRATION: "tomorrow"}, f"{OF_CONFIGURATION}{EXPIRATION} {NOT_A_TIME}"),
    "expiration too far": ({EXPIRATION: "9" * 20}, f"{OF_CONFIGURATION}{EXPIRATION} {NOT_A_TIME}"),
    "expired": (
        {EXPIRATION: "2020-01-01T00:00:00Z"},
        f"{OF_CONFIGURATION}the credentials from the environment have expired, as {EXPIRATION} says; get new ones",
    ),
    "container's host": ({**NO_KEYS, CONTAINER: "http://example.com/x"}, NOT_A_URI),
    "container's scheme": ({**NO_KEYS, CONTAINER: "127.0.0.1:9/x"}, NOT_A_URI),
    "container's port": ({**NO_KEYS, CONTAINER: "http://127.0.0.1:port/x"}, NOT_A_URI),
    "container's brackets": ({**NO_KEYS, CONTAINER: "http://[x"}, NOT_A_URI),
    "container's path": (
        {**NO_KEYS, RELATIVE: "x"},
        f"{OF_CONFIGURATION}{RELATIVE} is not valid; expected a path that starts with /",
    ),
    "container's token": ({**UNREAD, AUTHORIZATION: "/nonexistent"}, MISSING.format(AUTHORIZATION)),
    "container's token's line break": ({**UNREAD, TOKEN: f"{MARKER}\n"}, f"{OF_CONFIGURATION}{TOKEN}: {NOT_A_TOKEN}"),
    "container's token's characters": (
        {**UNREAD, TOKEN: f"{MARKER}\u20ac"},
        f"{OF_CONFIGURATION}{TOKEN}: {NOT_A_TOKEN}",
    ),
    "proxy": ({"http_proxy": "http://[x"}, NOT_A_PROXY),
    "proxy's scheme": ({"http_proxy": "socks5://127.0.0.1:9"}, NOT_A_PROXY),
    "proxy's password": ({"http_proxy": f"http://localhost:9#{MARKER}@127.0.0.1:9"}, NOT_A_PROXY),
    "proxy's characters": ({"http_proxy": f"http://user:{MARKER}\u20ac@127.0.0.1:9"}, NOT_A_PROXY),
    "endpoint": (
        {"AWS_ENDPOINT_URL_SECRETS_MANAGER": "https://h.example:port"},
        f"AWS_ENDPOINT_URL_SECRETS_MANAGER {EXPECTED_URL}",
    ),
    "web identity": ({**NO_KEYS, **IDENTITY}, MISSING.format(WEB_IDENTITY_FILE)),
    "web identity's token": (
        {**NO_KEYS, "AWS_ROLE_ARN": ROLE, WEB_IDENTITY_FILE: "/dev/null"},
        f"{OF_CONFIGURATION}the value from {WEB_IDENTITY_FILE} is too short or not valid",
    ),
    "attempts": ({**NO_KEYS, ATTEMPTS: MARKER}, f"{OF_CONFIGURATION}{ATTEMPTS} must be a whole number"),
    "mode": (
        {"AWS_DEFAULTS_MODE": MARKER},
        f"{OF_CONFIGURATION}defaults_mode or AWS_DEFAULTS_MODE is not valid; expected {MODES}",
    ),
    "checksum": (
        {"AWS_REQUEST_CHECKSUM_CALCULATION": MARKER},
        f"{OF_CONFIGURATION}request_checksum_calculation is not valid; expected when_required, when_supported",
    ),
    "STS": (
        {**NO_KEYS, **IDENTITY, WEB_IDENTITY_FILE: __file__, STS: MARKER},
        f"{OF_CONFIGURATION}sts_regional_endpoints or {STS} must be regional or legacy",
    ),
}


@pytest.mark.parametrize("case", REPORTS)
def test_an_unusable_variable_is_reported(entrypoint: Entrypoint, case: str) -> None:
    variables, report = REPORTS[case]
    assert outcome(entrypoint, "botocore", variables) == (125, report, 0)


PROCESS = "[default]\ncredential_process ="
OF_PROCESS = f"{OF_CONFIGURATION}credential_process"
PRINTED = '"AccessKeyId": "AKID", "SecretAccessKey": "m4rk3r"'


VERSION = f'{OF_PROCESS} must print "Version": 1 beside the credentials, and in the same object'
NOT_PARSED = (
    f"{OF_CONFIGURATION}cannot parse FILE; expected [PROFILE] and lines of NAME = VALUE below it, each name once, "
    "in UTF-8 without a byte order mark"
)
KEY = f"{OF_CONFIGURATION}the secret access key from {{}} {INVALID}"


@pytest.mark.parametrize(
    ("text", "report"),
    [
        (f"aws_secret_access_key = {MARKER}\n", NOT_PARSED),
        (f"\ufeff[default]\naws_secret_access_key = {MARKER}\n", NOT_PARSED),
        (f"[default]\naws_access_key_id = {MARKER}\n", f"{OF_CONFIGURATION}aws_secret_access_key is missing in FILE"),
        (
            f"{PROCESS} /nonexistent --flag\n",
            f"{OF_PROCESS} could not be started (No such file or directory); check its path",
        ),
        (
            f"{PROCESS} /bin/sh -c 'echo {MARKER}; echo {MARKER} >&2; exit 3'\n",
            f"{OF_PROCESS} ended with exit status 3; run it in the image to see why",
        ),
        (f"{PROCESS}\n", f"{OF_PROCESS} is empty; set it to a program, or remove it"),
        (
            f"{PROCESS} /bin/sh -c '{MARKER}\n",
            f"{OF_PROCESS} has a quotation mark that is not closed, or ends in a backslash",
        ),
        (f"[default]\naws_access_key_id = AKID\naws_secret_access_key = {MARKER}\n  x\n", KEY.format("FILE")),
    ],
    ids=["no profile", "mark", "half", "missing process", "failed process", "no process", "open quote", "line break"],
)
def test_an_unusable_file_is_reported_without_its_text_or_the_output_of_its_process(
    entrypoint: Entrypoint, tmp_path: Path, text: str, report: str
) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    actual = outcome(entrypoint, "botocore", {**NO_KEYS, "AWS_CONFIG_FILE": str(file)})
    assert actual == (125, report.replace(" FILE", f" {file}"), 0)


@pytest.mark.parametrize(
    ("printed", "report"),
    [
        (MARKER, f"{OF_PROCESS} did not print JSON; run it in the image to see what it prints"),
        ("[]", f"{OF_PROCESS} must print a JSON object"),
        (f'{{"Version": 2, {PRINTED}}}', VERSION),
        (f"{{{PRINTED}}}", VERSION),
        ('{"Version": 1}', f"{OF_PROCESS} must print AccessKeyId, a text that is not empty"),
        (
            f'{{"Version": 1, {PRINTED.replace(chr(34) + MARKER + chr(34), "null")}}}',
            f"{OF_PROCESS} must print SecretAccessKey, a text that is not empty",
        ),
        (f'{{"Version": 1, {PRINTED.replace(MARKER, MARKER + chr(92) + "n")}}}', KEY.format("credential_process")),
        (
            f'{{"Version": 1, {PRINTED}, "Expiration": "2020-01-01T00:00:00Z"}}',
            f"{OF_CONFIGURATION}the credentials from credential_process have expired; get new ones",
        ),
        (
            f'{{"Version": 1, {PRINTED}, "Expiration": "{MARKER}"}}',
            f"{OF_PROCESS} printed an Expiration that {NOT_A_TIME}",
        ),
    ],
    ids=["no JSON", "array", "version", "no version", "no key", "null", "line break", "expired", "expiration"],
)
def test_what_a_credential_process_printed_is_judged_and_not_shown(
    entrypoint: Entrypoint, tmp_path: Path, printed: str, report: str
) -> None:
    (tmp_path / "printed").write_text(printed)
    (tmp_path / "config").write_text(f"{PROCESS} /bin/cat {tmp_path}/printed\n")
    actual = outcome(entrypoint, "botocore", {**NO_KEYS, "AWS_CONFIG_FILE": f"{tmp_path}/config"})
    assert actual == (125, report, 0)


@pytest.mark.parametrize(
    ("content", "report"),
    [
        (f"{MARKER}\n".encode(), f": {NOT_A_TOKEN}"),
        (MARKER.encode() + b"\xff", " is not UTF-8 text; expected a token alone"),
    ],
    ids=["line break", "not UTF-8"],
)
def test_a_file_with_a_token_that_is_not_valid_is_named(
    entrypoint: Entrypoint, tmp_path: Path, content: bytes, report: str
) -> None:
    (tmp_path / "token").write_bytes(content)
    actual = outcome(entrypoint, "botocore", {**UNREAD, AUTHORIZATION: f"{tmp_path}/token"})
    assert actual == (125, f"{OF_CONFIGURATION}{AUTHORIZATION}={tmp_path}/token{report}", 0)


START_URL = "https://example.com/start"
SESSION = f"""[default]
sso_session = one
sso_account_id = 123456789012
sso_role_name = role
[sso-session one]
sso_region = eu-west-1
sso_start_url = {START_URL}
"""
PROFILES = {
    "number": (
        "metadata_service_num_attempts = x",
        f"{OF_CONFIGURATION}the profile's metadata_service_num_attempts must be a whole number",
    ),
    "versions": ("api_versions = x", f"{OF_CONFIGURATION}the profile's api_versions is not valid; remove it"),
    "source": (f"role_arn = {ROLE}\nsource_profile = {MARKER}", CONTRADICTS.format("source_profile")),
    "mode": (f"account_id_endpoint_mode = {MARKER}", CONTRADICTS.format("account_id_endpoint_mode")),
}


@pytest.mark.parametrize("case", PROFILES)
def test_a_setting_of_a_profile_is_named(entrypoint: Entrypoint, tmp_path: Path, case: str) -> None:
    setting, report = PROFILES[case]
    (tmp_path / "config").write_text(f"[default]\n{setting}\n")
    keys = NO_KEYS if case in ("number", "source") else {}
    actual = outcome(entrypoint, "botocore", {**keys, "AWS_CONFIG_FILE": f"{tmp_path}/config"})
    assert actual == (125, report, 0)


def test_an_sso_session_that_is_damaged_is_not_valid(entrypoint: Entrypoint, tmp_path: Path) -> None:
    cache = tmp_path / ".aws/sso/cache"
    cache.mkdir(parents=True)
    (tmp_path / ".aws/config").write_text(SESSION)
    token = {"accessToken": MARKER, "expiresAt": MARKER}
    (cache / f"{sha1(b'one').hexdigest()}.json").write_text(json.dumps(token))  # noqa: S324 - as botocore names it
    actual = outcome(entrypoint, "botocore", {**NO_KEYS, "HOME": str(tmp_path)})
    report = "no valid SSO session; run `aws sso login` for the profile, or pass session credentials"
    assert actual == (125, f"{OF_CONFIGURATION}{report}", 0)


def test_the_token_that_sts_rejects_is_named(entrypoint: Entrypoint, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{MARKER}\n")
    reply = (
        b"<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>Not a JWT</Message></Error></ErrorResponse>"
    )
    with http_server(lambda _: by_length(reply, 400)) as sts:
        more = {"AWS_ROLE_ARN": ROLE, WEB_IDENTITY_FILE: f"{tmp_path}/token", "AWS_ENDPOINT_URL_STS": sts.url}
        actual = outcome(entrypoint, "botocore", {**NO_KEYS, **more})
    report = (
        "InvalidIdentityToken: AssumeRoleWithWebIdentity for the credentials with the token in "
        f"{WEB_IDENTITY_FILE}={tmp_path}/token failed: Not a JWT"
    )
    assert actual == (125, report, 0)


NO_SCHEME = ["localhost:4566", "localhost", "//localhost:4566", f"ftp://{MARKER}@localhost", "https:localhost"]


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER"])
@pytest.mark.parametrize("url", NO_SCHEME)
def test_an_endpoint_without_a_scheme_is_not_a_url_however_short_the_time(
    entrypoint: Entrypoint, transport: str, variable: str, url: str
) -> None:
    more = {"LAMBDA_ENV_TIMEOUT_SECONDS": "0.1", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "", variable: url}
    environ = aws("", {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_TRANSPORT=transport, **more)
    ended = entrypoint("true", environ=environ)
    assert (ended.code, ended.err) == (125, f"run-lambda-entrypoint: {variable} {EXPECTED_URL}\n")


# -- The container's credentials


def keys(request: Request) -> Reply:
    """The container's credentials, and Secrets Manager."""
    return by_length(json.dumps(KEYS).encode()) if request.method == "GET" else secret('{"A": "1"}')


def test_a_source_of_credentials_that_refuses_is_named_and_retried(entrypoint: Entrypoint) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environ = aws(url, {"SECRETS_MANAGER_ARN": "name"}, LAMBDA_ENV_LOG_LEVEL="debug", **NO_KEYS)
    environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{url}/container"
    with entrypoint.started("printenv", "A", environ=environ) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if b"attempt 1 failed" in line).decode()
        with http_server(keys, port):
            ended = end(process)
    assert ended[:2] == (0, b"1\n"), ended.err
    refused = f"could not connect to 127.0.0.1:{port} (source of the credentials): Connection refused"
    assert line.partition("attempt 1 failed: ")[2].partition("; retrying")[0] == refused


def test_a_source_of_credentials_is_requested_once_in_an_attempt(entrypoint: Entrypoint) -> None:
    """One retry loop, ours: botocore's own would pause a second between two of three attempts."""
    requests = []

    def truncate(connection: socket.socket) -> None:
        requests.append(connection.recv(1))

    with listening(truncate) as port:
        environ = aws("http://127.0.0.1:9", {"SECRETS_MANAGER_ARN": "name"}, **NO_KEYS)
        environ |= {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{port}/x", "LAMBDA_ENV_LOG_LEVEL": "debug"}
        with entrypoint.started("true", environ=environ) as process:
            assert process.stderr is not None
            next(line for line in process.stderr if b"attempt 1 failed" in line)
            before = len(requests)
            process.kill()
            process.wait()
    assert before == 1
