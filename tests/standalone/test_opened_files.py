"""Which paths a start asks the kernel for: each of them is listed here, so a new one fails a test.

A file that anyone but the image's maker can write must not be among them.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from tests.harness.http_server import by_length, error, http_server
from tests.standalone.isolation import AUTHORITY, BUSYBOX, EXECUTABLE
from tests.standalone.name_server import name_server
from tests.standalone.runs import HOST, served, variables

if TYPE_CHECKING:
    from tests.conformance.certificates import Certificate
    from tests.standalone.isolation import Root

ALWAYS = {
    "/proc/self/exe",  # read as a link: where it is itself
    "/proc/sys/vm/overcommit_memory",  # mimalloc
    "/etc/localtime",  # musl, where TZ is not set
}
STORES = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"}
WITHOUT_HOME = {"/etc/passwd", "/nonexistent/.aws/config", "/nonexistent/.aws/credentials"}
OK = by_length(b"{}")
AT_HOME = {"/home/.aws/config", "/home/.aws/credentials"}


BOTO_2 = {"/etc/boto.cfg", "/home/.boto"}
"""Where botocore looks for credentials too, after AWS's files and before a container's."""


def test_without_a_reference(root: Root) -> None:
    assert root.trace(BUSYBOX, "true", environ={}).paths == {*ALWAYS, BUSYBOX}


def test_the_command_is_looked_for_where_path_says(root: Root) -> None:
    traced = root.trace("busybox", "true", environ={"PATH": "/bin:/usr/bin:/"})

    assert traced.paths == {*ALWAYS, "/bin/busybox", "/usr/bin/busybox", "//busybox"}


def test_outside_lambda_the_emulator_is_looked_for(root: Root) -> None:
    traced = root.trace("--rie-path", "/emulator", "--", BUSYBOX, environ={})

    assert (traced.ended.code, traced.paths) == (127, {*ALWAYS, BUSYBOX, "/emulator"})


def test_the_time_zone_is_looked_for_where_musl_has_it(root: Root) -> None:
    traced = root.trace(BUSYBOX, "true", environ={"TZ": "Europe/Berlin"})

    folders = {"/usr/share/zoneinfo", "/share/zoneinfo", "/etc/zoneinfo"}
    assert traced.paths - ALWAYS == {BUSYBOX, *(f"{folder}/Europe/Berlin" for folder in folders)}


@pytest.mark.parametrize(
    ("option", "more"),
    [
        ("--help", {EXECUTABLE}),
        ("--version", {EXECUTABLE}),
        ("--licenses", {EXECUTABLE}),
        ("--wrong", {EXECUTABLE}),
        ("--dry-run", {EXECUTABLE, BUSYBOX}),
    ],
)
def test_an_option(root: Root, option: str, more: set[str]) -> None:
    assert root.trace(option, *({BUSYBOX} & more), environ={}).paths == ALWAYS | more


def test_a_secret_from_an_address(root: Root, ca: Certificate) -> None:
    with served(ca, "127.0.0.1") as url:
        traced = root.trace(BUSYBOX, "true", environ=variables(url, "direct"))

    assert (traced.ended.code, traced.paths) == (0, {*ALWAYS, BUSYBOX, AUTHORITY})


def test_a_secret_from_a_name(root: Root, ca: Certificate) -> None:
    root.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
    with name_server({HOST: {"A": "127.0.0.1"}}), served(ca, "127.0.0.1", HOST) as url:
        traced = root.trace(BUSYBOX, "true", environ=variables(url, "direct"))

    names = {"/etc/hosts", "/etc/resolv.conf"}
    assert (traced.ended.code, traced.paths) == (0, {*ALWAYS, *names, BUSYBOX, AUTHORITY})


def test_without_home_botocore_reads_the_users_entry_and_no_relative_path(root: Root, ca: Certificate) -> None:
    with served(ca, "127.0.0.1") as url:
        traced = root.trace(BUSYBOX, "true", environ=variables(url, "botocore"))

    assert (traced.ended.code, traced.paths) == (0, {*ALWAYS, *WITHOUT_HOME, BUSYBOX, AUTHORITY, EXECUTABLE})


def test_without_home_and_without_an_entry_musl_asks_the_name_service_cache_too(root: Root, ca: Certificate) -> None:
    """As glibc does for the archive."""
    root.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
    with served(ca, "127.0.0.1") as url:
        traced = root.trace(BUSYBOX, "true", environ=variables(url, "botocore"))

    files = {*WITHOUT_HOME, "/var/run/nscd/socket"}
    assert (traced.ended.code, traced.paths) == (0, {*ALWAYS, *files, BUSYBOX, AUTHORITY, EXECUTABLE})


def test_with_home_botocore_reads_awss_files_there(root: Root, ca: Certificate) -> None:
    with served(ca, "127.0.0.1") as url:
        traced = root.trace(BUSYBOX, "true", environ=variables(url, "botocore", HOME="/home"))

    assert (traced.ended.code, traced.paths) == (0, {*ALWAYS, *AT_HOME, BUSYBOX, AUTHORITY, EXECUTABLE})


def test_a_profile_in_files_that_the_user_names(root: Root, ca: Certificate) -> None:
    keys = "aws_access_key_id = AKIA\naws_secret_access_key = key\n"
    root.write("/my/config", "[profile own]\nregion = eu-west-1\n")
    root.write("/my/credentials", f"[own]\n{keys}")
    named = {"AWS_CONFIG_FILE": "/my/config", "AWS_SHARED_CREDENTIALS_FILE": "/my/credentials", "HOME": "/home"}
    with served(ca, "127.0.0.1") as url:
        environ = variables(url, "botocore", **named, AWS_PROFILE="own")
        traced = root.trace(BUSYBOX, "true", environ=environ)

    files = {"/my/config", "/my/credentials"}
    assert (traced.ended.code, traced.paths) == (0, {*ALWAYS, *files, BUSYBOX, AUTHORITY, EXECUTABLE})


def test_credentials_of_a_container(root: Root, ca: Certificate) -> None:
    root.write("/token", "token")
    body = {"AccessKeyId": "AKIA", "SecretAccessKey": "key", "Token": "t", "Expiration": "2999-01-01T00:00:00Z"}
    with http_server(lambda _: by_length(json.dumps(body).encode())) as credentials, served(ca, "127.0.0.1") as url:
        more = {
            "AWS_ACCESS_KEY_ID": "",
            "AWS_SECRET_ACCESS_KEY": "",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{credentials.url}/role",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/token",
        }
        traced = root.trace(BUSYBOX, "true", environ=variables(url, "botocore", HOME="/home", **more))

    files = {*AT_HOME, *BOTO_2, "/token"}
    assert (traced.ended.code, traced.paths) == (0, {*ALWAYS, *files, BUSYBOX, AUTHORITY, EXECUTABLE})


def test_a_profile_with_single_sign_on_reads_its_cached_token(root: Root) -> None:
    account = "sso_account_id = 123456789012\nsso_role_name = role\n"
    session = "sso_region = eu-west-1\nsso_start_url = https://sso.test/start\n"
    root.write("/home/.aws/config", f"[profile own]\nsso_session = s\n{account}[sso-session s]\n{session}")
    keys = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "own", "HOME": "/home"}
    traced = root.trace(BUSYBOX, "true", environ=variables("https://127.0.0.1:1", "botocore", **keys))

    token = f"/home/.aws/sso/cache/{hashlib.sha1(b's').hexdigest()}.json"  # noqa: S324 - botocore's
    assert (traced.ended.code, traced.paths) == (125, {*ALWAYS, *AT_HOME, token, BUSYBOX, AUTHORITY, EXECUTABLE})


def test_a_certificate_that_is_not_trusted(root: Root, transport: str, ca: Certificate) -> None:
    with served(ca, "127.0.0.1") as url:
        traced = root.trace(BUSYBOX, "true", environ=variables(url, transport, AWS_CA_BUNDLE="", HOME="/home"))

    home = AT_HOME if transport == "botocore" else set()
    assert (traced.ended.code, traced.paths) == (125, {*ALWAYS, *home, *STORES, BUSYBOX, EXECUTABLE})


def test_stores_that_the_user_names(root: Root, transport: str, ca: Certificate) -> None:
    named = {"AWS_CA_BUNDLE": "", "SSL_CERT_FILE": "/my/file", "SSL_CERT_DIR": "/my/folder:/my/other", "HOME": "/home"}
    with served(ca, "127.0.0.1") as url:
        traced = root.trace(BUSYBOX, "true", environ=variables(url, transport, **named))

    home = AT_HOME if transport == "botocore" else set()
    stores = {"/my/file", "/my/folder", "/my/other"}
    assert (traced.ended.code, traced.paths) == (125, {*ALWAYS, *home, *stores, BUSYBOX, EXECUTABLE})


def test_a_failed_start_in_lambda(root: Root, transport: str) -> None:
    with http_server(lambda request: error(403, "AccessDeniedException") if request.path == "/" else OK) as server:
        more = {"AWS_LAMBDA_RUNTIME_API": f"localhost:{server.port}", "HOME": "/home"}
        environ = variables(f"http://localhost:{server.port}", transport, **more)
        traced = root.trace(BUSYBOX, "true", environ=environ)

    files = {"/etc/hosts", BUSYBOX, EXECUTABLE, *({*AT_HOME, AUTHORITY} if transport == "botocore" else ())}
    assert (server.requests[-1].path, traced.paths) == ("/2018-06-01/runtime/init/error", {*ALWAYS, *files})
