"""What build.py leaves of botocore is enough for each source of credentials that it has without compiled code."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from tests.harness.entrypoint import Entrypoint, aws
from tests.harness.http_server import Reply, Request, by_length, http_server, secret

if TYPE_CHECKING:
    from pathlib import Path

LATER = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
EARLIER = "2020-01-01T00:00:00Z"
KEYS = {"AccessKeyId": "AKIDGIVEN", "SecretAccessKey": "key", "Expiration": LATER}
SSO_KEYS = {"accessKeyId": "AKIDGIVEN", "secretAccessKey": "key", "sessionToken": "token", "expiration": 4 * 10**12}
ROLE = "arn:aws:iam::123456789012:role/function"
START = "https://example.com/start"


def answer(request: Request) -> Reply:
    """Secrets Manager, STS, the container's and EC2's credential services, SSO and its token service, in one."""
    if request.headers.get("x-amz-target") == "secretsmanager.GetSecretValue":
        return secret('{"A": "1"}')
    path = request.path.partition("?")[0]
    if path == "/":
        action = parse_qs(request.body.decode())["Action"][0]
        keys = "".join(f"<{name}>{value}</{name}>" for name, value in {**KEYS, "SessionToken": "token"}.items())
        result = f"<{action}Result><Credentials>{keys}</Credentials></{action}Result>"
        namespace = "https://sts.amazonaws.com/doc/2011-06-15/"
        return by_length(f'<{action}Response xmlns="{namespace}">{result}</{action}Response>'.encode())
    if path == "/federation/credentials":
        assert request.headers["x-amz-sso_bearer_token"] == "current token"
        return by_length(json.dumps({"roleCredentials": SSO_KEYS}).encode())
    if path == "/token":
        assert request.json["refreshToken"] == "refresh"
        return by_length(json.dumps({"accessToken": "current token", "expiresIn": 3600}).encode())
    if path == "/latest/api/token":
        return by_length(b"metadata token")
    if path == "/latest/meta-data/iam/security-credentials/":
        return by_length(b"role")
    return by_length(json.dumps({"Code": "Success", **KEYS, "Token": "token"}).encode())


def token_file(name: str) -> str:
    """Where the AWS CLI keeps the token of a start URL or of a session."""
    return f".aws/sso/cache/{hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()}.json"


def keys(key_id: str) -> str:
    return f"aws_access_key_id = {key_id}\naws_secret_access_key = key\n"


TOKEN = {"accessToken": "current token", "expiresAt": LATER}
REGISTRATION = {"clientId": "id", "clientSecret": "secret", "registrationExpiresAt": LATER}
OLD_TOKEN = {"accessToken": "old token", "expiresAt": EARLIER, "refreshToken": "refresh", **REGISTRATION}
WORK = {"AWS_PROFILE": "work", "AWS_CONFIG_FILE": "{home}/config"}
CONTAINER = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{url}/container"}
ASSUMED = f"[profile work]\nrole_arn = {ROLE}\n"
SSO = f"sso_start_url = {START}\nsso_region = eu-west-1\n"
ACCOUNT = "sso_account_id = 123456789012\nsso_role_name = function\n"
SESSION = f"[profile work]\nsso_session = session\n{ACCOUNT}[sso-session session]\n{SSO}"

# By name: the files in the home directory, and the variables.
SOURCES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "profile": (
        {"credentials": f"[work]\n{keys('AKIDGIVEN')}"},
        {"AWS_PROFILE": "work", "AWS_SHARED_CREDENTIALS_FILE": "{home}/credentials"},
    ),
    "assumed role": ({"config": f"{ASSUMED}source_profile = base\n[profile base]\n{keys('AKIDOTHER')}"}, WORK),
    "role assumed by the container": ({"config": f"{ASSUMED}credential_source = EcsContainer\n"}, WORK | CONTAINER),
    "web identity": ({"token": "a token"}, {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/token"}),
    "container": ({}, CONTAINER),
    "instance": ({}, {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "{url}"}),
    "single sign-on": ({"config": f"[profile work]\n{SSO}{ACCOUNT}", token_file(START): json.dumps(TOKEN)}, WORK),
    "single sign-on, token to refresh": ({"config": SESSION, token_file("session"): json.dumps(OLD_TOKEN)}, WORK),
}


@pytest.mark.parametrize("source", SOURCES)
def test_credentials_come_from(entrypoint: Entrypoint, tmp_path: Path, source: str) -> None:
    files, variables = SOURCES[source]
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with http_server(answer) as server:
        more = {name: value.format(home=tmp_path, url=server.url) for name, value in variables.items()}
        more |= {f"AWS_ENDPOINT_URL_{name}": server.url for name in ("STS", "SSO", "SSO_OIDC")}
        more |= {"HOME": str(tmp_path), "AWS_DEFAULT_REGION": "eu-west-1"}  # botocore does not read AWS_REGION
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, **more)
        del environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]
        ended = entrypoint("printenv", "A", environ=environ)
    assert ended == (0, b"1\n", "")
    assert "Credential=AKIDGIVEN/" in server.requests[-1].headers["authorization"]
    after = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == files
