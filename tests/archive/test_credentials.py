"""What build.py leaves of botocore is enough for each way to credentials that it has without compiled code."""

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
    from collections.abc import Callable
    from pathlib import Path

LATER = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
EARLIER = "2020-01-01T00:00:00Z"
KEYS = {"AccessKeyId": "AKIDGIVEN", "SecretAccessKey": "key", "Token": "token", "Expiration": LATER}
ROLE = "arn:aws:iam::123456789012:role/function"
SSO = "sso_start_url = https://example.com/start\nsso_region = eu-west-1\n"
ACCOUNT = "sso_account_id = 123456789012\nsso_role_name = function\n"


def answer(request: Request) -> Reply:
    """Secrets Manager, STS, the container's and EC2's credential services, SSO and its token service, in one."""
    if request.headers.get("x-amz-target") == "secretsmanager.GetSecretValue":
        return secret('{"A": "1"}')
    path = request.path.partition("?")[0]
    if path == "/":
        action = parse_qs(request.body.decode())["Action"][0]
        keys = {"AccessKeyId": "AKIDGIVEN", "SecretAccessKey": "k", "SessionToken": "t", "Expiration": LATER}
        inner = "".join(f"<{name}>{value}</{name}>" for name, value in keys.items())
        result = f"<{action}Result><Credentials>{inner}</Credentials></{action}Result>"
        namespace = "https://sts.amazonaws.com/doc/2011-06-15/"
        return by_length(f'<{action}Response xmlns="{namespace}">{result}</{action}Response>'.encode())
    if path == "/federation/credentials":
        assert request.headers["x-amz-sso_bearer_token"] == "current token"
        in_milliseconds = 4_000_000_000_000
        keys = {"accessKeyId": "AKIDGIVEN", "secretAccessKey": "k", "sessionToken": "t"}
        return by_length(json.dumps({"roleCredentials": {**keys, "expiration": in_milliseconds}}).encode())
    if path == "/token":
        assert request.json["refreshToken"] == "refresh"
        return by_length(json.dumps({"accessToken": "current token", "expiresIn": 3600}).encode())
    if path == "/latest/api/token":
        return by_length(b"metadata token")
    if path == "/latest/meta-data/iam/security-credentials/":
        return by_length(b"role")
    return by_length(json.dumps({"Code": "Success", **KEYS}).encode())


def profile(folder: Path, url: str) -> dict[str, str]:
    (folder / "credentials").write_text("[work]\naws_access_key_id = AKIDGIVEN\naws_secret_access_key = key\n")
    return {"AWS_PROFILE": "work", "AWS_SHARED_CREDENTIALS_FILE": f"{folder}/credentials"}


def assumed_role(folder: Path, url: str) -> dict[str, str]:
    keys = "aws_access_key_id = AKIDOTHER\naws_secret_access_key = key\n"
    return config(folder, f"[profile work]\nrole_arn = {ROLE}\nsource_profile = base\n[profile base]\n{keys}")


def role_assumed_by_the_container(folder: Path, url: str) -> dict[str, str]:
    source = f"[profile work]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n"
    return {**config(folder, source), "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/container"}


def web_identity(folder: Path, url: str) -> dict[str, str]:
    (folder / "identity").write_text("an identity token")
    return {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": f"{folder}/identity"}


def container(folder: Path, url: str) -> dict[str, str]:
    return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/container"}


def instance(folder: Path, url: str) -> dict[str, str]:
    return {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": url}


def single_sign_on(folder: Path, url: str) -> dict[str, str]:
    cache(folder, "https://example.com/start", {"accessToken": "current token", "expiresAt": LATER})
    return config(folder, f"[profile work]\n{SSO}{ACCOUNT}")


def single_sign_on_with_a_token_to_refresh(folder: Path, url: str) -> dict[str, str]:
    registration = {"clientId": "id", "clientSecret": "secret", "registrationExpiresAt": LATER}
    token = {"accessToken": "old token", "expiresAt": EARLIER, "refreshToken": "refresh", **registration}
    cache(folder, "session", token)
    return config(folder, f"[profile work]\nsso_session = session\n{ACCOUNT}[sso-session session]\n{SSO}")


def config(folder: Path, text: str) -> dict[str, str]:
    (folder / "config").write_text(text)
    return {"AWS_PROFILE": "work", "AWS_CONFIG_FILE": f"{folder}/config"}


def cache(folder: Path, name: str, token: dict[str, str]) -> None:
    tokens = folder / ".aws/sso/cache"
    tokens.mkdir(parents=True)
    digest = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
    (tokens / f"{digest}.json").write_text(json.dumps(token))


@pytest.mark.parametrize(
    "way",
    [
        profile,
        assumed_role,
        role_assumed_by_the_container,
        web_identity,
        container,
        instance,
        single_sign_on,
        single_sign_on_with_a_token_to_refresh,
    ],
)
def test_credentials_come_from(
    entrypoint: Entrypoint, tmp_path: Path, way: Callable[[Path, str], dict[str, str]]
) -> None:
    with http_server(answer) as server:
        more = {"HOME": str(tmp_path), "AWS_DEFAULT_REGION": "eu-west-1"}  # botocore knows no AWS_REGION
        environ = aws(server.url, {"SECRETS_MANAGER_ARN": "name"}, **more)
        del environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"]
        services = {f"AWS_ENDPOINT_URL_{name}": server.url for name in ("STS", "SSO", "SSO_OIDC")}
        ways = way(tmp_path, server.url)
        before = files(tmp_path)
        ended = entrypoint("printenv", "A", environ={**environ, **services, **ways})

    assert ended == (0, b"1\n", "")
    assert "Credential=AKIDGIVEN/" in server.requests[-1].headers["authorization"]
    assert files(tmp_path) == before


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
