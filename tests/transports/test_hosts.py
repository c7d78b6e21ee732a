"""A host that cannot be reached is reported with what names it: a variable, a Region, a profile, or it is a proxy."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.harness.emulator import free_port
from tests.harness.entrypoint import Entrypoint, aws
from tests.harness.http_server import CLOSE, Reply, http_server, listening, secret
from tests.transports.runs import SHORT, messages, run

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping
    from pathlib import Path

LATE = "not fetched within N s; the last error: "


# -- Endpoints


def test_a_name_that_is_not_resolved_has_no_port(entrypoint: Entrypoint, transport: str) -> None:
    ended = run(entrypoint, transport, "http://nowhere.invalid:4566", seconds=SHORT[transport])
    message = messages(ended, "nowhere.invalid")["name"]
    name, _, rest = message.removeprefix(LATE).partition(" could not be resolved (")
    _, _, hint = rest.partition("); ")
    assert (name, hint) == (
        "the name of HOST",
        "check AWS_ENDPOINT_URL_SECRETS_MANAGER, which names that host, and network access to it",
    )


REGIONS = {
    "AWS_REGION": ({"AWS_REGION": "eu-centra-1"}, "name", "AWS_REGION is eu-centra-1", "eu-central-1"),
    "AWS_DEFAULT_REGION": (
        {"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-centra-1"},
        "name",
        "AWS_DEFAULT_REGION is eu-centra-1",
        "eu-central-1",
    ),
    "ARN": (
        {"AWS_REGION": "eu-west-1"},
        "arn:aws:secretsmanager:us-eats-1:123456789012:secret:name-AbCdEf",
        "the ARN's Region is us-eats-1",
        "us-east-1",
    ),
}


@pytest.mark.parametrize("case", REGIONS)
def test_a_misspelled_region_is_reported_with_the_nearest_one(
    entrypoint: Entrypoint, transport: str, case: str
) -> None:
    variables, reference, region, nearest = REGIONS[case]
    ended = failed(entrypoint, transport, variables, reference)
    assert ended.endswith(f"; {region}, which is not a known Region; did you mean {nearest}?\n")


def test_a_zone_is_reported_with_its_region(entrypoint: Entrypoint) -> None:
    ended = failed(entrypoint, "botocore", {"AWS_REGION": "us-east-1a"}, "name")
    assert ended.endswith("; AWS_REGION is us-east-1a, which is a zone; set the Region: us-east-1\n")


def failed(entrypoint: Entrypoint, transport: str, variables: Mapping[str, str], reference: str) -> str:
    """The report on a secret in a Region that has no host, wherever names are resolved or not."""
    more = {"LAMBDA_ENV_TRANSPORT": transport, "LAMBDA_ENV_TIMEOUT_SECONDS": str(SHORT[transport])}
    ended = entrypoint("true", environ=aws("", {"SECRETS_MANAGER_ARN": reference}, **{**more, **variables}))
    assert ended.code == 125
    return ended.err


def test_a_host_that_a_profile_names_is_reported_as_such(entrypoint: Entrypoint, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(f"[default]\nendpoint_url = http://127.0.0.1:{free_port()}\n")
    variables = {"AWS_CONFIG_FILE": f"{tmp_path}/config"}
    report = failed(entrypoint, "botocore", variables, "name")
    assert report.endswith(
        "Connection refused; check the profile (endpoint_url, use_fips_endpoint, use_dualstack_endpoint), which names "
        "that host, and network access to it\n"
    )


# -- Sources of credentials


def test_a_source_of_credentials_that_is_unreachable_is_no_matter_of_the_service(entrypoint: Entrypoint) -> None:
    host = f"127.0.0.1:{free_port()}"
    none = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    variables = {**none, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{host}/x"}
    ended = run(entrypoint, "botocore", "http://127.0.0.1:9", seconds=SHORT["botocore"], **variables)
    assert messages(ended, host)["name"] == (
        f"{LATE}could not connect to HOST (source of the credentials): Connection refused; check network access to "
        "that host, and what names it: a variable (AWS_CONTAINER_CREDENTIALS_*, AWS_ENDPOINT_URL), or the profile"
    )


# -- Proxies, which only botocore uses

PASSWORD = "hunter2"
HINT = (
    "check that the proxy runs and permits that host, and the variable that names it; no_proxy lists hosts that are "
    "reached without it"
)


def through(entrypoint: Entrypoint, proxy: str, variable: str = "https_proxy", *, seconds: float = 60) -> str:
    """The message on a secret that is requested through a proxy."""
    url = f"http://user:{PASSWORD}@{proxy}"
    scheme, _, _ = variable.lower().partition("_")
    ended = run(entrypoint, "botocore", f"{scheme}://secrets.example", seconds=seconds, **{variable: url})
    assert (ended.code, PASSWORD in ended.err) == (125, False)
    return messages(ended, proxy)["name"]


@contextmanager
def answering(reply: bytes) -> Iterator[str]:
    """A proxy that replies so to everything."""
    with http_server(lambda _: Reply(reply, CLOSE)) as proxy:
        yield proxy.address


@pytest.mark.parametrize("variable", ["https_proxy", "http_proxy"])
def test_a_proxy_that_refuses_the_connection_is_named_with_its_variable(entrypoint: Entrypoint, variable: str) -> None:
    message = through(entrypoint, f"127.0.0.1:{free_port()}", variable, seconds=SHORT["botocore"])
    assert message == (f"{LATE}could not connect to HOST (the proxy that {variable} names): Connection refused; {HINT}")


def test_a_proxy_whose_name_is_not_resolved_is_named(entrypoint: Entrypoint) -> None:
    message = through(entrypoint, "nowhere.invalid:3128", seconds=SHORT["botocore"]).removeprefix(LATE)
    expected = "the name of nowhere.invalid (the proxy that https_proxy names) could not be resolved"
    assert (message.startswith(f"{expected} ("), message.endswith(HINT)) == (True, True)


REFUSALS = {403: "", 407: ", so its URL needs a valid user and password: http://USER:PASSWORD@HOST:PORT"}


@pytest.mark.parametrize(("status", "variable"), [(403, "https_proxy"), (407, "HTTPS_PROXY")])
def test_a_proxy_that_refuses_to_connect_is_named_with_its_status(
    entrypoint: Entrypoint, status: int, variable: str
) -> None:
    with answering(f"HTTP/1.1 {status} {PASSWORD}\r\nContent-Length: 0\r\n\r\n".encode()) as proxy:
        message = through(entrypoint, proxy, variable)
    refused = f"HOST (the proxy that {variable} names) refused to connect to secrets.example: HTTP"
    assert message == f"{refused} {status}{REFUSALS[status]}; {HINT}"


def test_a_proxy_that_cannot_connect_is_asked_again(entrypoint: Entrypoint) -> None:
    with answering(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n") as proxy:
        message = through(entrypoint, proxy, seconds=SHORT["botocore"])
    assert message == (
        f"{LATE}HOST (the proxy that https_proxy names) refused to connect to secrets.example: HTTP 502; {HINT}"
    )


@pytest.mark.parametrize("reply", [b"", b"SSH-2.0-OpenSSH_9.9\r\n"], ids=["nothing", "no HTTP"])
def test_what_is_no_proxy_is_named_as_one(entrypoint: Entrypoint, reply: bytes) -> None:
    with answering(reply) as proxy:
        message = through(entrypoint, proxy, seconds=SHORT["botocore"])
    assert "HOST (the proxy that https_proxy names)" in message
    assert message.endswith(HINT)


def test_a_mute_proxy_is_named_at_the_deadline(entrypoint: Entrypoint) -> None:
    def mute(connection: socket.socket) -> None:
        while connection.recv(65_536):
            continue

    with listening(mute) as port:
        message = through(entrypoint, f"127.0.0.1:{port}", seconds=SHORT["botocore"])
    assert message == (
        "not fetched within N s: no answer from secrets.example through HOST (the proxy that https_proxy names); "
        f"nothing was sent; {HINT}"
    )


def test_a_good_proxy_is_used(entrypoint: Entrypoint) -> None:
    with http_server(lambda _: secret('{"A": "1"}')) as proxy:
        ended = run(entrypoint, "botocore", "http://secrets.example", http_proxy=proxy.url)
    assert (ended.environ.get("A"), ended.err) == ("1", "")
