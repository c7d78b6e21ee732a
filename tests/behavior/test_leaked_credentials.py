"""No credential leaks: of what botocore reads (replies, URLs, files, a process's output) nothing comes out.

A marker stands in each part of each of them and level debug is on; standard error and what is posted to the Runtime
API are searched. Replies that are retried share a start with the one that ends it.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.behavior.test_leaks import MARKER, NAME, outcome, traces
from tests.harness.entrypoint import Entrypoint, aws
from tests.harness.http_server import CLOSE, Reply, Request, by_length, error, http_server

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

pytestmark = pytest.mark.slow

PLAIN = "hunter2ZXQJ"
"""The marker for URLs, headers and files, where any other character would change what is read."""

LATER = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
EARLIER = "2020-01-01T00:00:00Z"
ROLE = "arn:aws:iam::123456789012:role/function"
START = "https://example.com/start"
HEADERS = (
    *(f"{name}: {PLAIN}" for name in ("X-Amzn-ErrorType", "X-Amzn-RequestId", "X-Amzn-Query-Error", "X-Other")),
    f"Location: http://user:{PLAIN}@127.0.0.1:9/{PLAIN}?token={PLAIN}",
)

Fields = dict[str, object]


def reply(body: str, status: int, *headers: str) -> Reply:
    return by_length(body.encode(), status, *headers)


def marked(fields: Fields) -> Fields:
    return dict.fromkeys(fields, MARKER)


def bodies(fields: Fields, missing: Iterable[str]) -> Iterable[str]:
    """What a source may return instead of the credentials in `fields`, which are good; or without one of `missing`."""
    yield json.dumps(marked(fields))
    yield json.dumps({name: {MARKER: [MARKER]} for name in fields})
    for left_out in missing:
        kept = {name: text for name, text in fields.items() if name != left_out}
        yield json.dumps({name: MARKER if text == "key" else text for name, text in kept.items()})
    yield json.dumps(marked(fields))[:-2]
    yield MARKER


# -- Replies


class Source(NamedTuple):
    """A source of credentials over HTTP: its variables, the files in HOME, and the paths that lead to the credentials,
    each with its good reply."""

    variables: Mapping[str, str]
    files: Mapping[str, str]
    replies: Mapping[str, str]


def xml(action: str, fields: Fields) -> str:
    keys = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    result = f"<{action}Result><Credentials>{keys}</Credentials></{action}Result>"
    metadata = f"<ResponseMetadata><RequestId>{PLAIN}</RequestId></ResponseMetadata>"
    return f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/">{result}{metadata}</{action}Response>'


def token_file(name: str) -> str:
    return f".aws/sso/cache/{hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()}.json"


KEYS: Fields = {"AccessKeyId": "key", "SecretAccessKey": "key", "Token": "key", "Expiration": LATER}
STS_KEYS: Fields = {"AccessKeyId": "key", "SecretAccessKey": "key", "SessionToken": "key", "Expiration": LATER}
SSO_KEYS: Fields = {"accessKeyId": "key", "secretAccessKey": "key", "sessionToken": "key", "expiration": 4 * 10**12}
TOKEN: Fields = {"accessToken": "key", "expiresIn": 3600, "refreshToken": "key", "tokenType": "key", "idToken": "key"}
CACHED = {"accessToken": PLAIN, "expiresAt": LATER}
REGISTRATION = {"clientId": PLAIN, "clientSecret": PLAIN, "registrationExpiresAt": LATER}
STALE = {"accessToken": PLAIN, "expiresAt": EARLIER, "refreshToken": PLAIN, **REGISTRATION}
SSO = f"sso_start_url = {START}\nsso_region = eu-west-1\n"
ACCOUNT = "sso_account_id = 123456789012\nsso_role_name = function\n"
SESSION = f"[default]\nsso_session = session\n{ACCOUNT}[sso-session session]\n{SSO}"
IAM = "/latest/meta-data/iam/security-credentials/"
FEDERATION = json.dumps({"roleCredentials": SSO_KEYS})
CONFIG = {"AWS_CONFIG_FILE": "{home}/config"}

SOURCES = {
    "container": Source(
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{{url_with_secrets}}/{PLAIN}?token={PLAIN}",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{home}/token",
        },
        {"token": PLAIN},
        {f"/{PLAIN}": json.dumps(KEYS)},
    ),
    "instance": Source(
        {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "{url_with_secrets}"},
        {},
        {"/latest/api/token": PLAIN, IAM: PLAIN, f"{IAM}{PLAIN}": json.dumps(KEYS)},
    ),
    "role": Source(
        CONFIG,
        {
            "config": f"[default]\nrole_arn = {ROLE}\nsource_profile = base\nexternal_id = {PLAIN}\n"
            f"[profile base]\naws_access_key_id = {PLAIN}\naws_secret_access_key = {PLAIN}\n"
        },
        {"/": xml("AssumeRole", STS_KEYS)},
    ),
    "web identity": Source(
        {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/token"},
        {"token": PLAIN},
        {"/": xml("AssumeRoleWithWebIdentity", STS_KEYS)},
    ),
    "SSO": Source(
        CONFIG,
        {"config": f"[default]\n{SSO}{ACCOUNT}", token_file(START): json.dumps(CACHED)},
        {"/federation/credentials": FEDERATION},
    ),
    "SSO token": Source(
        CONFIG,
        {"config": SESSION, token_file("session"): json.dumps(STALE)},
        {"/token": json.dumps(TOKEN), "/federation/credentials": FEDERATION},
    ),
}


class Played(NamedTuple):
    """Replies to the requests for one path of a source, in order; the last one again and again."""

    source: str
    path: str
    replies: Sequence[Reply]


def xml_bodies(action: str) -> Iterable[str]:
    whole = xml(action, marked(STS_KEYS))
    yield whole
    yield whole[:-9]
    if action == "AssumeRole":  # what parses the replies of both is the same
        for missing in STS_KEYS:
            rest = {name: text for name, text in STS_KEYS.items() if name != missing}
            yield xml(action, {name: MARKER if text == "key" else text for name, text in rest.items()})
        yield f"<html>{MARKER}</html>"
        yield MARKER


def bad_bodies(source: str, path: str) -> Iterable[str]:
    """What may come instead of the good reply."""
    if source in ("role", "web identity"):
        return xml_bodies("AssumeRole" if source == "role" else "AssumeRoleWithWebIdentity")
    if path == "/federation/credentials":
        return (
            f'{{"roleCredentials": {body}}}' if body[0] in "{[" else body for body in bodies(SSO_KEYS, ["expiration"])
        )
    if path == "/token":
        return bodies(TOKEN, ["accessToken", "expiresIn"])
    if path in ("/latest/api/token", IAM):
        return [f'{PLAIN}"\\']  # what an HTTP header may hold, and a path
    return bodies(KEYS, KEYS if source == "container" else ["Expiration"])


def played() -> Iterable[Played]:
    for source, (_, _, replies) in SOURCES.items():
        for path, good in replies.items():
            # Good credentials, but under a status that is not 200; and with what AWS says of its errors in headers.
            if source == "SSO token" and path != "/token":
                continue  # as in SSO
            worth = good.replace('"key"', json.dumps(MARKER)).replace(">key<", f">{PLAIN}<")
            retried = [reply(worth, status, *HEADERS) for status in (500, 503)]
            if source == "container" or path == "/":
                yield Played(source, path, [Reply(b"", CLOSE), *retried, reply(worth, 403, *HEADERS[1:])])
            else:
                yield Played(source, path, [*retried, reply(worth, 403, *HEADERS[1:])])
            for status in (201, 203, 302, 400) if source == "container" else (400,):
                yield Played(source, path, [reply(worth, status, *HEADERS)])
            if source == "SSO":
                text = worth.replace("}", "")
                yield Played(source, path, [reply(text, 403, "X-Amzn-ErrorType: ForbiddenException")])
            for body in bad_bodies(source, path):
                yield Played(source, path, [reply(body, 200)])


CASES = list(played())


def run(
    entrypoint: Entrypoint, home: Path, source: Source, play: Mapping[str, Sequence[Reply]]
) -> tuple[int, str, dict[str, int]]:
    """The exit code, all that came out, and how often each path was requested."""
    count: dict[str, int] = {}
    for name, text in source.files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)

    def answer(request: Request) -> Reply:
        if "x-amz-target" in request.headers:
            return error(400, "AccessDeniedException")
        path = request.path.partition("?")[0]
        replies = play.get(path) or [by_length(source.replies.get(path, "").encode())]
        count[path] = count.get(path, 0) + 1
        return replies[min(count[path], len(replies)) - 1]

    with http_server(answer) as server:
        places = {"home": home, "url": server.url, "url_with_secrets": f"http://{PLAIN}:{PLAIN}@{server.address}"}
        more = {f"AWS_ENDPOINT_URL_{name}": server.url for name in ("STS", "SSO", "SSO_OIDC")}
        more |= {name: value.format(**places) for name, value in source.variables.items()}
        more |= {"HOME": str(home), "LAMBDA_ENV_LOG_LEVEL": "debug", "LAMBDA_ENV_TRANSPORT": "botocore"}
        environ = aws(server.url, NAME, **{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", **more})
        ended, output = outcome(entrypoint, environ)
    return ended.code, output, count


@pytest.mark.parametrize("case", CASES, ids=[f"{case.source}, {case.path}, {i}" for i, case in enumerate(CASES)])
def test_a_reply_of_a_source_of_credentials_is_not_shown(entrypoint: Entrypoint, tmp_path: Path, case: Played) -> None:
    code, output, count = run(entrypoint, tmp_path, SOURCES[case.source], {case.path: case.replies})
    assert (code, count.get(case.path, 0) > 0, traces(output), "internal error" in output) == (125, True, [], False)


# -- URLs


SECRETS = f"user{PLAIN}:{PLAIN}@127.0.0.1"
REST = f"{PLAIN}?token={PLAIN}#{PLAIN}"
REFUSED = f"http://{SECRETS}:9/{REST}"
NO_URL = f"http://{SECRETS}:{PLAIN}/{REST}"
CONTAINER, ENDPOINT = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_ENDPOINT_URL_SECRETS_MANAGER"
WITH_KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "key"}
STS = SOURCES["web identity"].variables
METADATA = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_V1_DISABLED": "true"}
INVALID = "a URL (of the endpoint, a proxy, or the source of the credentials) or a credential of the source_profile is"
URLS = {
    # The variables, and a part of the message.
    "container, refused": ({CONTAINER: REFUSED}, "could not connect to 127.0.0.1:9 (source of the credentials)"),
    "container, no URL": ({CONTAINER: NO_URL}, f"{CONTAINER} is not valid"),
    "container, other host": ({CONTAINER: f"http://{PLAIN}.example/{REST}"}, f"{CONTAINER} is not valid"),
    "container, other scheme": ({CONTAINER: f"{PLAIN}://127.0.0.1/{REST}"}, f"{CONTAINER} is not valid"),
    "container, relative": ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": f"@{SECRETS}:9/{REST}"}, "127.0.0.1:9"),
    "metadata, refused": ({**METADATA, "AWS_EC2_METADATA_SERVICE_ENDPOINT": REFUSED}, "127.0.0.1:9"),
    "metadata, no URL": ({**METADATA, "AWS_EC2_METADATA_SERVICE_ENDPOINT": NO_URL}, "is not a valid URL"),
    "STS, refused": ({**STS, "AWS_ENDPOINT_URL_STS": REFUSED}, "could not connect to 127.0.0.1:9 (source of"),
    "STS, no URL": ({**STS, "AWS_ENDPOINT_URL_STS": NO_URL}, INVALID),
    "secrets, refused": ({**WITH_KEYS, ENDPOINT: REFUSED}, "could not connect to 127.0.0.1:9: Connection refused"),
    "secrets, no URL": ({**WITH_KEYS, ENDPOINT: NO_URL}, "is not a valid URL; expected https://HOST"),
    "proxy, refused": (
        {**WITH_KEYS, ENDPOINT: "https://127.0.0.1:9", "https_proxy": REFUSED},
        "could not connect to 127.0.0.1:9 (the proxy that https_proxy names): Connection refused",
    ),
    "proxy, no URL": ({**WITH_KEYS, ENDPOINT: "https://127.0.0.1:9", "https_proxy": NO_URL}, "https_proxy is not a"),
}


RETRIED = [case for case, (_, message) in URLS.items() if "127.0.0.1:9" in message]


def outcome_of_url(entrypoint: Entrypoint, home: Path, case: str) -> tuple[int, bool, list[str], bool]:
    variables, message = URLS[case]
    source = Source({**variables, "LAMBDA_ENV_TIMEOUT_SECONDS": "10"}, {"token": PLAIN}, {})
    code, output, _ = run(entrypoint, home, source, {})
    shown = output.replace(f"http://{PLAIN}.example", "")
    return code, message in output, traces(shown), "internal error" in output


@pytest.mark.parametrize("case", [case for case in URLS if case not in RETRIED])
def test_of_a_url_only_host_and_port_are_shown(entrypoint: Entrypoint, tmp_path: Path, case: str) -> None:
    assert outcome_of_url(entrypoint, tmp_path, case) == (125, True, [], False)


def test_of_a_url_that_is_retried_only_host_and_port_are_shown(
    entrypoint: Entrypoint, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """All of them wait at the same time, for a deadline that leaves each the time to start beside the others."""

    def outcome(case: str) -> tuple[int, bool, list[str], bool]:
        return outcome_of_url(entrypoint, tmp_path_factory.mktemp("home"), case)

    with ThreadPoolExecutor(len(RETRIED)) as executor:
        found = dict(zip(RETRIED, executor.map(outcome, RETRIED), strict=True))
    assert found == dict.fromkeys(RETRIED, (125, True, [], False))


# -- Files and processes

BASE = f"[default]\naws_access_key_id = {PLAIN}\naws_secret_access_key = {PLAIN}\n"
IGNORED = (
    *("aws_account_id", "aws_session_token", "output", "region", "role_session_name", "external_id", "source_profile"),
    *("credential_source", "mfa_serial", "duration_seconds", "sso_start_url", "sso_region", "endpoint_url", "services"),
    *(
        "retry_mode",
        "max_attempts",
        "use_fips_endpoint",
        "use_dualstack_endpoint",
        "metadata_service_timeout",
        "plugins",
    ),
    *("parameter_validation", "tcp_keepalive", "s3", "sigv4a_signing_region_set", "user_agent_appid"),
    *("disable_request_compression", "ignore_configured_endpoint_urls", "auth_scheme_preference", "csm_enabled"),
    *("endpoint_discovery_enabled", "ec2_metadata_v1_disabled", "inject_host_prefix", "other"),
)
"""Keys of a profile that has keys and a plain endpoint: their values, if bad, do not matter there."""

REJECTED = (
    *("web_identity_token_file", "credential_process", "sso_account_id", "sso_role_name", "sso_session", "role_arn"),
    *("defaults_mode", "sts_regional_endpoints", "ec2_metadata_service_endpoint", "ec2_metadata_service_endpoint_mode"),
    *("metadata_service_num_attempts", "api_versions", "request_checksum_calculation", "response_checksum_validation"),
    *("request_min_compression_size_bytes", "account_id_endpoint_mode", "login_session", "ca_bundle"),
)
ASSUMED = f"[default]\nrole_arn = {ROLE}\n"
SINGLE = f"[default]\n{ACCOUNT}"


def process(text: str) -> str:
    return f"[default]\ncredential_process = /bin/sh -c '{text}' {PLAIN}\n"


def printed(fields: Fields) -> str:
    return process(f"printf %s {json.dumps(json.dumps(fields))}; echo {PLAIN} >&2")


PRINTED: Fields = {"Version": 1, "AccessKeyId": PLAIN, "SecretAccessKey": PLAIN, "SessionToken": PLAIN}
CONFIGS = {
    "keys that are ignored": BASE + "".join(f"{key} = {PLAIN}\n" for key in IGNORED),
    **{key: f"{BASE}{key} = {PLAIN}\n" for key in REJECTED},
    "role_arn of a role": f"[default]\nrole_arn = {PLAIN}\nsource_profile = base\n[profile base]\n{BASE[10:]}",
    "source_profile of a role": f"{ASSUMED}source_profile = {PLAIN}\n",
    "source_profile without keys": f"{ASSUMED}source_profile = {PLAIN}\n[profile {PLAIN}]\noutput = {PLAIN}\n",
    "source_profiles in a loop": f"{ASSUMED}source_profile = {PLAIN}\n[profile {PLAIN}]\nrole_arn = {ROLE}\n"
    "source_profile = default\n",
    "credential_source of a role": f"{ASSUMED}credential_source = {PLAIN}\n",
    "mfa_serial of a role": f"{ASSUMED}source_profile = base\nmfa_serial = {PLAIN}\n[profile base]\n{BASE[10:]}",
    "half of the keys": f"[default]\naws_access_key_id = {PLAIN}\n",
    "sso_start_url": f"{SINGLE}sso_start_url = http://{SECRETS}/{PLAIN}\nsso_region = {PLAIN}\n",
    "sso_region": f"{SINGLE}sso_session = session\n[sso-session session]\nsso_start_url = {PLAIN}\n",
    "SSO in two places": f"{SINGLE}sso_session = s\nsso_region = {PLAIN}\n[sso-session s]\n{SSO}",
    "not a section": f"[default\n{PLAIN} = {PLAIN}\n",
    "process that is missing": f"[default]\ncredential_process = /{PLAIN}/{PLAIN} {PLAIN}\n",
    "process that fails": process(f"echo {PLAIN}; echo {PLAIN} >&2; exit 3"),
    "process that is killed": process(f"echo {PLAIN} >&2; kill -9 $$"),
    "process without JSON": process(f"echo {PLAIN}"),
    "process of another version": printed({**PRINTED, "Version": PLAIN}),
    "process without a key": printed({name: text for name, text in PRINTED.items() if name != "SecretAccessKey"}),
    "process with an odd date": printed({**PRINTED, "Expiration": PLAIN}),
    "process with odd types": printed({**{name: [PLAIN] for name in PRINTED}, "Version": 1}),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_no_value_of_a_configuration_file_and_no_output_of_a_process_is_shown(
    entrypoint: Entrypoint, tmp_path: Path, case: str
) -> None:
    code, output, _ = run(entrypoint, tmp_path, Source(CONFIG, {"config": CONFIGS[case]}, {}), {})
    assert (code, traces(output), "internal error" in output) == (125, [], False), output


TOKENS = {
    "cached, odd date": json.dumps({**CACHED, "expiresAt": PLAIN}),
    "cached, no date": json.dumps({"accessToken": PLAIN}),
    "cached, odd types": json.dumps({name: [PLAIN] for name in CACHED}),
    "cached, cut": json.dumps(CACHED)[:-3],
    "cached, another type": json.dumps([PLAIN]),
}


@pytest.mark.parametrize("case", TOKENS)
def test_nothing_of_a_cached_token_is_shown(entrypoint: Entrypoint, tmp_path: Path, case: str) -> None:
    source = SOURCES["SSO"]._replace(files={**SOURCES["SSO"].files, token_file(START): TOKENS[case]})
    code, output, _ = run(entrypoint, tmp_path, source, {})
    assert (code, traces(output), "internal error" in output) == (125, [], False), output


@pytest.mark.parametrize("name", ["container", "web identity"])
def test_nothing_of_a_token_is_shown_that_no_header_or_form_can_hold(
    entrypoint: Entrypoint, tmp_path: Path, name: str
) -> None:
    source = SOURCES[name]._replace(files={"token": f"{PLAIN}\n{PLAIN}\0{PLAIN}\n"})
    play = {path: [reply("", 403)] for path in source.replies}
    code, output, _ = run(entrypoint, tmp_path, source, play)
    assert (code, traces(output), "internal error" in output) == (125, [], False), output
