"""Where a service is asked: as botocore does, or left to botocore."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from run_lambda_entrypoint.aws import endpoints
from tests.transports.oracle import Sent, sent

SERVICES = ("secretsmanager", "ssm")
FIPS, DUAL_STACK = "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"
VARIANTS: tuple[dict[str, str], ...] = ({}, {FIPS: "true"}, {DUAL_STACK: "true"}, {FIPS: "true", DUAL_STACK: "true"})


def _data(name: str) -> Any:
    return json.loads(files("botocore").joinpath(f"data/{name}.json").read_text())["partitions"]


PARTITIONS: dict[str, set[str]] = {partition["id"]: set(partition["regions"]) for partition in _data("partitions")}
"""The regions of each partition; with those that older data alone knows, as `us-east-1-fips`."""
for _partition in _data("endpoints"):
    PARTITIONS[_partition["partition"]] |= set(_partition["regions"])
    for _service in SERVICES:
        PARTITIONS[_partition["partition"]] |= set(_partition["services"].get(_service, {}).get("endpoints", {}))
REGIONS = sorted(set().union(*PARTITIONS.values()))
PLAIN_REGIONS = {  # where a function runs; "aws-global" and "us-east-1-fips" are names for other purposes
    name: sorted(region for region in regions if "fips" not in region and "global" not in region)
    for name, regions in PARTITIONS.items()
}
FIPS_REGIONS = [*PLAIN_REGIONS["aws"], *PLAIN_REGIONS["aws-us-gov"]]
NEWER_REGIONS = ("eu-north-7", "mx-central-2", "cn-south-9", "us-gov-central-3", "us-iso-south-4", "eusc-de-south-2")

URLS = (
    "http://localhost:4566",
    "http://127.0.0.1:4566/",
    "https://localhost",
    "https://localhost:443",
    "http://localhost:80",
    "https://localhost:80",
    "https://vpce-0a1b-2c3d.secretsmanager.eu-west-1.vpce.amazonaws.com",
    "https://example.com/path",
    "https://example.com/path/",
    "https://example.com/one/two",
    "https://example.com/~path",
    "http://[::1]:4566",
    "https://[fe80::1]",
    "https://[::1]/path",
    "HTTPS://example.com",
    "https://EXAMPLE.com",
    "https://example.com:",
    "https://example.com/a//b",
    "https://example.com/a/./b",
    "https://example.com/a/../b",
    "https://example.com//",
    "https://example.com/a!b",
    "https://example.com/a:b",
    "https://example.com/a=b",
    "https://example.com/a%20b",
    "https://example.com/ä",
    "https://bücher.example",
    "https://user:word@example.com",
    "https://example.com?query=1",
    "https://example.com/?query=1",
    "https://example.com/#part",
    "https://exa mple.com",
    " https://example.com",
    "https://example.com ",
    "https://example.com\n",
    "https://example.com\r\nX-Header: 1",
    "https://exam_ple.com",
    "https://-example.com",
    "https://example.com.",
    "https://example..com",
    "https://example.com:0",
    "https://example.com:65536",
    "https://example.com:٤٤٣",
    "https://example.com:port",
    "https://[::1",
    "https://::1",
    "https://::1:443",
    "https://[::1%25eth0]",
    "https:///path",
    "https://",
    "https:example.com",
    "//example.com",
    "example.com",
    "example.com:4566",
    "ftp://example.com",
    "unix:///run/socket",
    "word",
)
"""What people may write into an endpoint variable. The first dozen are good."""
GOOD_URLS = URLS[:14]


def resolved(service: str, region: str, environ: dict[str, str]) -> Sent | None:
    """What the direct transport would send; None where only botocore can say."""
    found = endpoints.resolve(service, region, environ)
    if found is None:
        return None
    return Sent("https" if found.secure else "http", found.host, found.port, found.path, region, service)


@pytest.mark.parametrize("variant", VARIANTS, ids=("plain", "fips", "dual-stack", "fips and dual-stack"))
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("service", SERVICES)
def test_every_region_is_asked_where_botocore_asks_it(service: str, region: str, variant: dict[str, str]) -> None:
    ours = resolved(service, region, variant)
    assert ours is None or ours == sent(service, region, variant)


@pytest.mark.parametrize("region", sorted(set().union(*PLAIN_REGIONS.values())))
@pytest.mark.parametrize("service", SERVICES)
def test_no_region_needs_botocore(service: str, region: str) -> None:
    assert endpoints.resolve(service, region, {}) is not None


@pytest.mark.parametrize("region", FIPS_REGIONS)
@pytest.mark.parametrize("service", SERVICES)
def test_fips_in_the_commercial_and_govcloud_partitions_does_not_need_botocore(service: str, region: str) -> None:
    assert endpoints.resolve(service, region, {FIPS: "true"}) is not None


@pytest.mark.parametrize("variant", VARIANTS, ids=("plain", "fips", "dual-stack", "fips and dual-stack"))
@pytest.mark.parametrize("region", NEWER_REGIONS)
@pytest.mark.parametrize("service", SERVICES)
def test_a_region_newer_than_the_data_is_asked_where_botocore_asks_it(
    service: str, region: str, variant: dict[str, str]
) -> None:
    ours = resolved(service, region, variant)
    assert ours is None or ours == sent(service, region, variant)


@pytest.mark.parametrize("region", NEWER_REGIONS)
def test_a_region_newer_than_the_data_does_not_need_botocore(region: str) -> None:
    assert endpoints.resolve("secretsmanager", region, {}) is not None


@pytest.mark.parametrize(
    "region",
    ["", "eu-west", "moon-west-1", "eu-west-1\n", "eu-wést-1", "EU-WEST-1", "eu-west-1.example.com", "us-east-1/../x"],
)
def test_a_strange_region_is_asked_where_botocore_asks_it_or_left_to_botocore(region: str) -> None:
    ours = resolved("secretsmanager", region, {})
    assert ours is None or ours == sent("secretsmanager", region, {})


@pytest.mark.parametrize("url", URLS)
def test_an_endpoint_variable_is_read_as_botocore_reads_it_or_left_to_botocore(url: str) -> None:
    environ = {"AWS_ENDPOINT_URL": url}
    ours = resolved("ssm", "eu-west-1", environ)
    assert ours is None or ours == sent("ssm", "eu-west-1", environ)


@pytest.mark.parametrize("url", GOOD_URLS)
def test_a_usual_endpoint_variable_does_not_need_botocore(url: str) -> None:
    assert endpoints.resolve("ssm", "eu-west-1", {"AWS_ENDPOINT_URL": url}) is not None


@pytest.mark.parametrize(
    "environ",
    [
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


@pytest.mark.parametrize("variant", VARIANTS[1:], ids=("fips", "dual-stack", "fips and dual-stack"))
def test_an_endpoint_variable_with_fips_or_dual_stack_is_read_as_botocore_reads_it(variant: dict[str, str]) -> None:
    environ = {"AWS_ENDPOINT_URL": "http://localhost:4566", **variant}
    ours = resolved("ssm", "eu-west-1", environ)
    assert ours is None or ours == sent("ssm", "eu-west-1", environ)
