"""Which transport is chosen, and why; about proxies, what botocore itself would do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from botocore.utils import get_environ_proxies
from hypothesis import given, settings
from hypothesis import strategies as st

from run_lambda_entrypoint.aws import credentials, endpoints
from run_lambda_entrypoint.aws.choose import choose
from run_lambda_entrypoint.aws.services import SECRETS_MANAGER
from run_lambda_entrypoint.errors import EntrypointError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEYS = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
PLAIN = {"AWS_REGION": "eu-west-1", **KEYS, "HOME": "/nonexistent"}
"""What Lambda sets."""
LOCAL = {**PLAIN, "AWS_ENDPOINT_URL": "http://localhost:4566"}
PROXY = "http://proxy:3128"
NO_REGION, NO_KEYS = "AWS_REGION is not set", "AWS_ACCESS_KEY_ID is not set"
UNKNOWN = "only botocore knows the endpoint of secretsmanager in "


def chosen(environ: Mapping[str, str], requested: str = "auto", *regions: str) -> tuple[str, str]:
    """The transport for one secret in each of `regions`, or in the function's own, and the reason."""
    where = regions or [endpoints.default_region(environ)]
    with patch.dict(os.environ, environ, clear=True):  # "~" is expanded by it
        resolved = {("secretsmanager", region): endpoints.resolve(SECRETS_MANAGER, region, environ) for region in where}
        return choose(environ, resolved, requested)


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in PLAIN.items() if name not in names}


def difference(environ: Mapping[str, str] | str) -> str:
    """The id of a case: what `environ` has that PLAIN has not, and the other way round."""
    if isinstance(environ, str):
        return environ
    more = [f"{name}={value}" for name, value in environ.items() if PLAIN.get(name) != value]
    return " ".join([*more, *(f"no {name}" for name in PLAIN if name not in environ)])


@pytest.mark.parametrize(
    "environ",
    [
        PLAIN,
        LOCAL,
        {**PLAIN, "AWS_SESSION_TOKEN": "token"},
        {**without("AWS_REGION"), "AWS_DEFAULT_REGION": "eu-west-1"},
        {**PLAIN, "AWS_USE_FIPS_ENDPOINT": "true"},
        {**PLAIN, "AWS_USE_DUALSTACK_ENDPOINT": "false"},
        {**PLAIN, "AWS_PROFILE": "", "AWS_DEFAULT_PROFILE": ""},
        {**PLAIN, "AWS_CONFIG_FILE": "", "AWS_SHARED_CREDENTIALS_FILE": ""},
        {**PLAIN, "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"},
        {**PLAIN, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/"},
        {**PLAIN, "AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn"},
        {**PLAIN, "http_proxy": PROXY},
        {**LOCAL, "https_proxy": PROXY},
        {**PLAIN, "https_proxy": "", "HTTPS_PROXY": ""},
        {**PLAIN, "https_proxy": PROXY, "no_proxy": "amazonaws.com"},
        without("HOME"),
    ],
    ids=difference,
)
def test_direct_where_all_settings_come_from_environment_variables(environ: dict[str, str]) -> None:
    assert chosen(environ) == ("direct", "all settings come from environment variables")


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        (without(*KEYS), NO_KEYS),
        ({**PLAIN, **dict.fromkeys(KEYS, "")}, NO_KEYS),
        (without("AWS_ACCESS_KEY_ID"), NO_KEYS),
        (without("AWS_REGION"), NO_REGION),
        ({**PLAIN, "AWS_REGION": ""}, NO_REGION),
        ({**PLAIN, "AWS_REGION": "moon-west-1"}, f"{UNKNOWN}moon-west-1"),
        ({**PLAIN, "AWS_USE_DUALSTACK_ENDPOINT": "true"}, f"{UNKNOWN}eu-west-1"),
        ({**LOCAL, "AWS_USE_FIPS_ENDPOINT": "true"}, f"{UNKNOWN}eu-west-1"),
        ({**PLAIN, "AWS_PROFILE": "work"}, "AWS_PROFILE is set"),
        ({**PLAIN, "AWS_DEFAULT_PROFILE": "work"}, "AWS_DEFAULT_PROFILE is set"),
        ({**PLAIN, "AWS_CONFIG_FILE": "/etc/passwd"}, "/etc/passwd exists"),
        ({**PLAIN, "AWS_SHARED_CREDENTIALS_FILE": "/etc/passwd"}, "/etc/passwd exists"),
        ({**PLAIN, "https_proxy": PROXY}, "https_proxy is set"),
        ({**PLAIN, "HTTPS_PROXY": PROXY}, "HTTPS_PROXY is set"),
        ({**LOCAL, "http_proxy": PROXY}, "http_proxy is set"),
        ({**LOCAL, "HTTP_PROXY": PROXY}, "HTTP_PROXY is set"),
        ({**PLAIN, "https_proxy": PROXY, "no_proxy": "example.com"}, "https_proxy is set"),
    ],
    ids=difference,
)
def test_botocore_where_there_is_more(environ: dict[str, str], reason: str) -> None:
    assert chosen(environ) == ("botocore", reason)


@pytest.mark.parametrize("name", ["config", "credentials"])
def test_botocore_where_home_has_a_shared_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / ".aws" / name
    file.parent.mkdir()
    file.touch()
    assert chosen({**PLAIN, "HOME": str(tmp_path)}) == ("botocore", f"{file} exists")


def test_botocore_where_one_region_of_several_needs_it() -> None:
    assert chosen(PLAIN, "auto", "eu-west-1", "moon-west-1") == ("botocore", f"{UNKNOWN}moon-west-1")


def test_the_functions_region_is_not_needed_where_each_reference_names_its_own() -> None:
    assert chosen(without("AWS_REGION"), "auto", "eu-west-1")[0] == "direct"


@pytest.mark.parametrize("secret", [{}, {"AWS_SECRET_ACCESS_KEY": ""}], ids=["missing", "empty"])
def test_a_key_id_without_its_secret_is_an_error(secret: dict[str, str]) -> None:
    with pytest.raises(EntrypointError, match="AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not"):
        credentials.check({**without("AWS_SECRET_ACCESS_KEY"), **secret})


@pytest.mark.parametrize("requested", ["direct", "botocore"])
@pytest.mark.parametrize("more", [{}, {"AWS_PROFILE": "work"}, {"https_proxy": PROXY}], ids=str)
def test_a_request_is_granted(more: dict[str, str], requested: str) -> None:
    assert chosen({**PLAIN, **more}, requested) == (requested, "requested by LAMBDA_ENV_TRANSPORT")


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        (without(*KEYS), NO_KEYS),
        (without("AWS_REGION"), NO_REGION),
        ({**PLAIN, "AWS_USE_DUALSTACK_ENDPOINT": "true"}, UNKNOWN),
    ],
    ids=["credentials", "Region", "dual-stack"],
)
def test_a_request_that_cannot_be_granted_is_an_error(environ: dict[str, str], reason: str) -> None:
    with pytest.raises(EntrypointError, match=f"LAMBDA_ENV_TRANSPORT is direct, but {reason}"):
        chosen(environ, "direct")


def test_the_tokens_old_name_comes_first_as_with_botocore() -> None:
    assert credentials.read({**PLAIN, "AWS_SECURITY_TOKEN": "old", "AWS_SESSION_TOKEN": "new"}).token == "old"


# -- Proxies

HOST = "secretsmanager.eu-west-1.amazonaws.com"
NO_PROXIES = (
    *("*", "amazonaws.com", ".amazonaws.com", HOST, HOST.upper(), f"{HOST}:443", f"{HOST}:444"),
    *("eu-west-1.amazonaws.com, localhost", " , amazonaws.com ,", "azonaws.com", "com", "example.com"),
    *("*.amazonaws.com", "127.0.0.1", "127.0.0.0/8", "localhost", "localhost:4566", "::1", "[::1]", "<local>"),
    *("", " ", ","),
)
URLS = (
    *("", "http://localhost:4566", "https://localhost:4566", "http://127.0.0.1:4566", "http://[::1]:4566"),
    f"https://{HOST}:444",
)
PROXY_NAMES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "Https_Proxy")


def endpoint_at(url: str) -> dict[str, str]:
    return {**PLAIN, "AWS_ENDPOINT_URL": url} if url else PLAIN


def proxied(environ: dict[str, str]) -> bool:
    """Whether botocore would use a proxy for the endpoint."""
    url = environ.get("AWS_ENDPOINT_URL", "https://secretsmanager.eu-west-1.amazonaws.com")
    with patch.dict(os.environ, environ, clear=True):
        return url.partition(":")[0] in get_environ_proxies(url)


@pytest.mark.parametrize("url", URLS)
def test_an_exception_from_the_proxy_counts_as_with_botocore(url: str) -> None:
    proxies = {**endpoint_at(url), "http_proxy": PROXY, "https_proxy": PROXY}
    environs = {no_proxy: {**proxies, "no_proxy": no_proxy} for no_proxy in NO_PROXIES}
    expected = {no_proxy: "botocore" if proxied(environ) else "direct" for no_proxy, environ in environs.items()}
    assert {no_proxy: chosen(environ)[0] for no_proxy, environ in environs.items()} == expected


@settings(deadline=None)
@given(
    proxies=st.dictionaries(st.sampled_from(PROXY_NAMES), st.sampled_from(["", PROXY])),
    exceptions=st.dictionaries(st.sampled_from(["no_proxy", "NO_PROXY"]), st.sampled_from(NO_PROXIES)),
    url=st.sampled_from(URLS),
)
def test_botocore_wherever_it_would_use_a_proxy(proxies: dict[str, str], exceptions: dict[str, str], url: str) -> None:
    environ = {**endpoint_at(url), **proxies, **exceptions}
    assert not (chosen(environ)[0] == "direct" and proxied(environ))
