"""The host of a service in a Region: botocore's own, or left to botocore."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from run_lambda_entrypoint.aws import endpoints
from run_lambda_entrypoint.aws.services import SECRETS_MANAGER, SSM
from tests.transports.oracle import Sent, sent

SERVICES = ("secretsmanager", "ssm")
FIPS, DUAL_STACK = "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"
VARIANTS = {
    "plain": {},
    "fips": {FIPS: "true"},
    "dual-stack": {DUAL_STACK: "true"},
    "fips-and-dual-stack": {FIPS: "true", DUAL_STACK: "true"},
}
BY_NAME = {service.name: service for service in (SECRETS_MANAGER, SSM)}


def _data(name: str) -> Any:
    return json.loads(files("botocore").joinpath(f"data/{name}.json").read_text())["partitions"]


PARTITIONS: dict[str, set[str]] = {partition["id"]: set(partition["regions"]) for partition in _data("partitions")}
"""The Regions of each partition, with those that only older data has, such as `us-east-1-fips`."""
for _partition in _data("endpoints"):
    PARTITIONS[_partition["partition"]] |= set(_partition["regions"])
    for _service in SERVICES:
        PARTITIONS[_partition["partition"]] |= set(_partition["services"].get(_service, {}).get("endpoints", {}))
NEWER_REGIONS = {"eu-north-7", "mx-central-2", "cn-south-9", "us-gov-central-3", "us-iso-south-4", "eusc-de-south-2"}
"""Regions that no data has yet."""
STRANGE_REGIONS = {
    *("", "eu-west", "moon-west-1", "eu-west-1\n", "eu-wést-1", "EU-WEST-1", "eu-west-1.example.com", "us-east-1/../x")
}
GROUPS = {**PARTITIONS, "newer": NEWER_REGIONS, "strange": STRANGE_REGIONS}
ALWAYS_DIRECT = {"plain": [*PARTITIONS, "newer"], "fips": ["aws", "aws-us-gov"]}
"""The groups of Regions that never need botocore."""

GOOD_URLS = (
    *("http://localhost:4566", "http://127.0.0.1:4566/", "https://localhost", "https://localhost:443"),
    *("http://localhost:80", "https://localhost:80"),
    *("https://vpce-0a1b-2c3d.secretsmanager.eu-west-1.vpce.amazonaws.com", "https://example.com/path"),
    *("https://example.com/path/", "https://example.com/one/two", "https://example.com/~path", "http://[::1]:4566"),
    *("https://[fe80::1]", "https://[::1]/path"),
)
URLS = (
    *GOOD_URLS,
    *("HTTPS://example.com", "https://EXAMPLE.com", "https://example.com:", "https://example.com/a//b"),
    *("https://example.com/a/./b", "https://example.com/a/../b", "https://example.com//", "https://example.com/a!b"),
    *("https://example.com/a:b", "https://example.com/a=b", "https://example.com/a%20b", "https://example.com/ä"),
    *("https://bücher.example", "https://user:word@example.com", "https://example.com?query=1"),
    *("https://example.com/?query=1", "https://example.com/#part", "https://exa mple.com", " https://example.com"),
    *("https://example.com ", "https://example.com\n", "https://example.com\r\nX-Header: 1", "https://exam_ple.com"),
    *("https://-example.com", "https://example.com.", "https://example..com", "https://example.com:0"),
    *("https://example.com:65536", "https://example.com:٤٤٣", "https://example.com:port", "https://[::1"),
    *("https://::1", "https://::1:443", "https://[::1%25eth0]", "https:///path", "https://", "https:example.com"),
    *("//example.com", "example.com", "example.com:4566", "ftp://example.com", "unix:///run/socket", "word"),
)
"""What people may write into an endpoint variable."""


def resolved(service: str, region: str, environ: dict[str, str]) -> Sent | None:
    """What the direct transport would send; None where only botocore can say."""
    found = endpoints.resolve(BY_NAME[service], region, environ)
    if found is None:
        return None
    return Sent("https" if found.secure else "http", found.host, found.port, found.path, region, service)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("service", SERVICES)
def test_requests_go_where_botocore_sends_them(service: str, group: str, variant: str) -> None:
    environ = VARIANTS[variant]
    ours = {region: resolved(service, region, environ) for region in GROUPS[group]}
    theirs = {region: sent(service, region, environ) for region, found in ours.items() if found}
    assert {region: found for region, found in ours.items() if found} == theirs


@pytest.mark.parametrize(("variant", "group"), [(v, group) for v, groups in ALWAYS_DIRECT.items() for group in groups])
@pytest.mark.parametrize("service", SERVICES)
def test_no_ordinary_region_needs_botocore(service: str, variant: str, group: str) -> None:
    # "aws-global" and "us-east-1-fips" are names for other purposes.
    regions = {region for region in GROUPS[group] if "fips" not in region and "global" not in region}
    assert {region for region in regions if resolved(service, region, VARIANTS[variant]) is None} == set()


@pytest.mark.parametrize("url", URLS)
def test_an_endpoint_variable_is_read_as_botocore_reads_it_or_left_to_botocore(url: str) -> None:
    environ = {"AWS_ENDPOINT_URL": url}
    ours = resolved("ssm", "eu-west-1", environ)
    assert ours is None or ours == sent("ssm", "eu-west-1", environ)


@pytest.mark.parametrize("url", GOOD_URLS)
def test_a_usual_endpoint_variable_does_not_need_botocore(url: str) -> None:
    assert resolved("ssm", "eu-west-1", {"AWS_ENDPOINT_URL": url}) is not None


@pytest.mark.parametrize(
    "environ",
    [
        {"AWS_ENDPOINT_URL": ""},
        {"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "", "AWS_ENDPOINT_URL_SSM": ""},
        {"AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://one"},
        {"AWS_ENDPOINT_URL_SSM": "http://one"},
        {"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://one"},
        {"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_SSM": "http://one"},
        {"AWS_ENDPOINT_URL": "http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
        {"AWS_ENDPOINT_URL_SSM": "http://one", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE"},
        {"AWS_ENDPOINT_URL": "http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"},
        {"AWS_ENDPOINT_URL": "http://all", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "1"},
        {"AWS_ENDPOINT_URL": "http://all", FIPS: "false", DUAL_STACK: "False"},
        {"AWS_ENDPOINT_URL": "http://all", FIPS: "1", DUAL_STACK: "yes"},
        {FIPS: "True"},
    ],
    ids=lambda environ: " ".join(f"{name}={value}" for name, value in environ.items()),
)
@pytest.mark.parametrize("service", SERVICES)
def test_the_endpoint_variables_rank_as_with_botocore(service: str, environ: dict[str, str]) -> None:
    assert resolved(service, "eu-west-1", environ) == sent(service, "eu-west-1", environ)


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_endpoint_variable_with_fips_or_dual_stack_is_read_as_botocore_reads_it(variant: str) -> None:
    environ = {"AWS_ENDPOINT_URL": "http://localhost:4566", **VARIANTS[variant]}
    ours = resolved("ssm", "eu-west-1", environ)
    assert ours is None or ours == sent("ssm", "eu-west-1", environ)
