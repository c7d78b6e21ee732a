"""What a report suggests: a hint for each kind of failure, for names and ARNs, in any partition."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint import errors
from run_lambda_entrypoint.aws.call import Call
from run_lambda_entrypoint.aws.classify import service_error
from run_lambda_entrypoint.aws.services import SECRETS_MANAGER
from run_lambda_entrypoint.errors import EntrypointError
from run_lambda_entrypoint.loading.secrets_manager import resources
from run_lambda_entrypoint.references import SECRET, Reference
from run_lambda_entrypoint.reporting.hints import HINTS, hint

if TYPE_CHECKING:
    from collections.abc import Mapping

REGION = "eu-west-1"
NAME = "prod/app"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/app-AbCdEf"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
USER = "User: arn:aws:sts::123456789012:assumed-role/role/function is not authorized to perform: "
READ, DECRYPT = "secretsmanager:GetSecretValue", "kms:Decrypt"
NO_POLICY = "because no identity-based policy allows it"


def hint_for(
    error: EntrypointError, secret: str = NAME, region: str = REGION, environ: Mapping[str, str] | None = None
) -> str:
    reference = Reference("SECRETS_MANAGER_ARN", SECRET, secret)
    call = Call(SECRETS_MANAGER, "GetSecretValue", {"SecretId": secret}, region)
    return hint(error, reference, call, resources(reference), environ or {})


def statement(text: str, secret: str, region: str) -> dict[str, Any]:
    """The IAM statement that is suggested when access is denied with this message."""
    words, _, found = hint_for(service_error("AccessDeniedException", text, 400), secret, region).partition(": ")
    assert words == "allow it in the role's policy"
    parsed: dict[str, Any] = json.loads(found)
    return parsed


def named(partition: str, region: str) -> str:
    return f"arn:{partition}:secretsmanager:{region}:ACCOUNT:secret:{NAME}-??????"


OURS = named("aws", REGION)
LONG = f"{USER}{READ} on resource: {ARN}".replace("role/role/function", f"{64 * 'r'}/{64 * 'f'}{400 * 'x'}")
KMS_IN_THE_ROLE = f"{USER}{READ} on {NAME}".replace("role/", "kms-")


@pytest.mark.parametrize(
    ("text", "secret", "region", "action", "resource"),
    [
        pytest.param("", NAME, REGION, READ, OURS, id="name"),
        pytest.param("", NAME, "cn-north-1", READ, named("aws-cn", "cn-north-1"), id="China"),
        pytest.param("", NAME, "us-gov-west-1", READ, named("aws-us-gov", "us-gov-west-1"), id="GovCloud"),
        pytest.param("", NAME, "nowhere", READ, named("aws", "nowhere"), id="Region of no partition"),
        pytest.param("", ARN, REGION, READ, ARN, id="ARN"),
        pytest.param("", ARN[:-7], REGION, READ, f"{ARN[:-7]}-??????", id="partial ARN"),
        pytest.param(f"{USER}{READ} on resource: {ARN} {NO_POLICY}", NAME, REGION, READ, ARN, id="ARN in the message"),
        pytest.param(f"{USER}{READ} on resource: {ARN}.", NAME, REGION, READ, ARN, id="ARN at the end"),
        pytest.param(LONG, NAME, REGION, READ, ARN, id="ARN at the end of a long message"),
        pytest.param(f"{USER}{READ} on resource: {NAME} {NO_POLICY}", NAME, REGION, READ, OURS, id="user's ARN only"),
        pytest.param(KMS_IN_THE_ROLE, NAME, REGION, READ, OURS, id="role like KMS"),
        pytest.param("Access to KMS is not allowed", ARN, REGION, DECRYPT, "THE ARN OF THE KEY", id="unknown KMS key"),
        pytest.param(f"{USER}{DECRYPT} on resource: {KEY} {NO_POLICY}", ARN, REGION, DECRYPT, KEY, id="KMS key"),
    ],
)
def test_denied_access_suggests_the_missing_statement(
    text: str, secret: str, region: str, action: str, resource: str
) -> None:
    assert statement(text, secret, region) == {"Effect": "Allow", "Action": action, "Resource": resource}


CHECK = "check name, Region and account"
PARTIAL = (
    "a partial ARN (without its six random characters) is not found if the name itself ends in a hyphen and six "
    "characters: use the full ARN"
)


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        (NAME, f"looked in Region eu-west-1, in the caller's account; {CHECK}"),
        (ARN, f"looked in Region eu-west-1, in account 123456789012; {CHECK}; {PARTIAL}"),
    ],
)
def test_a_secret_that_is_not_found_has_where_it_was_looked_for(secret: str, expected: str) -> None:
    assert hint_for(service_error("ResourceNotFoundException", "can't find it", 400), secret) == expected


def test_a_secret_marked_for_deletion_has_the_command_that_restores_it() -> None:
    # As AWS words it.
    text = "You can't perform this operation on the secret because it was marked for deletion."
    actual = hint_for(service_error("InvalidRequestException", text, 400))
    assert actual == "restore it: aws secretsmanager restore-secret --region eu-west-1 --secret-id prod/app"


# -- Hosts

OWN_HOST = "no answer from secretsmanager.eu-west-1.amazonaws.com; nothing was sent"
VPC = (
    "check network access to that host: a function in a VPC needs a VPC endpoint for the service or a NAT gateway, and "
    "a security group that allows outbound HTTPS"
)
FIPS, DUAL_STACK = "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"
URL, URL_OF_SERVICE = "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER"


def named_by(setting: str) -> str:
    return f"check {setting}, which names that host, and network access to it"


def variant(variables: str, region: str = REGION) -> str:
    check = f"check that the service has such a host in {region}, or unset the variable"
    return f"{variables} selects that host: {check}; {VPC}"


@pytest.mark.parametrize(
    ("environ", "region", "expected"),
    [
        ({}, REGION, VPC),
        ({}, "", VPC),
        ({URL: "http://one"}, REGION, named_by(URL)),
        ({URL: "http://one", URL_OF_SERVICE: "http://two"}, REGION, named_by(URL_OF_SERVICE)),
        ({URL: "http://one", FIPS: "true"}, REGION, named_by(URL)),
        ({URL: "http://one", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, REGION, VPC),
        ({DUAL_STACK: "true"}, REGION, variant(DUAL_STACK)),
        ({FIPS: "true", DUAL_STACK: "true"}, REGION, variant(f"{FIPS} and {DUAL_STACK}")),
        ({DUAL_STACK: "false"}, REGION, VPC),
        ({}, "eu-west-2", named_by("the profile (endpoint_url, use_fips_endpoint, use_dualstack_endpoint)")),
    ],
    ids=str,
)
def test_a_host_that_is_unreachable_has_the_setting_that_names_it(
    environ: dict[str, str], region: str, expected: str
) -> None:
    assert hint_for(EntrypointError(errors.UNREACHABLE, OWN_HOST), NAME, region, environ) == expected


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("eu-centra-1", "which is not a known Region; did you mean eu-central-1?"),
        ("us-gov-wset-1", "which is not a known Region; did you mean us-gov-west-1?"),
        ("frankfurt", "which is not a known Region; check its name"),
        ("us-east-1a", "which is a zone; set the Region: us-east-1"),
        ("us-west-2-lax-1a", "which is a zone; set the Region: us-west-2"),
        ("sa-east-11", "which is not a known Region; did you mean sa-east-1?"),
    ],
)
def test_an_unknown_region_has_the_nearest_one(region: str, expected: str) -> None:
    error = EntrypointError(errors.UNREACHABLE, f"could not connect to secretsmanager.{region}.amazonaws.com: x")
    actual = hint_for(error, NAME, region, {"AWS_REGION": region})
    assert actual == f"AWS_REGION is {region}, {expected}"


@pytest.mark.parametrize(
    ("secret", "environ", "where"),
    [
        (NAME, {"AWS_REGION": "eu-centra-1"}, "AWS_REGION"),
        (NAME, {"AWS_DEFAULT_REGION": "eu-centra-1"}, "AWS_DEFAULT_REGION"),
        (NAME, {}, "the profile's region"),
        (ARN.replace(REGION, "eu-centra-1"), {"AWS_REGION": REGION}, "the ARN's Region"),
    ],
)
def test_an_unknown_region_has_where_it_was_read_from(secret: str, environ: dict[str, str], where: str) -> None:
    error = EntrypointError(errors.UNREACHABLE, "the name of secretsmanager.eu-centra-1.amazonaws.com could not be")
    actual = hint_for(error, secret, "eu-centra-1", environ)
    assert actual == f"{where} is eu-centra-1, which is not a known Region; did you mean eu-central-1?"


ANOTHER = "find out what answers in its place: a proxy that inspects TLS, for instance, or a wrong DNS record"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({}, ANOTHER), ({URL: "https://one"}, f"check {URL}, which names that host, and {ANOTHER}")],
    ids=str,
)
def test_a_certificate_of_another_host_has_the_setting_that_names_the_host(
    environ: dict[str, str], expected: str
) -> None:
    error = EntrypointError(errors.CERTIFICATE_OF_ANOTHER_HOST, OWN_HOST)
    assert hint_for(error, environ=environ) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (errors.CERTIFICATE_EXPIRED, "whoever runs that host has to renew it, unless the clock is wrong"),
        (errors.CERTIFICATE_NOT_YET_VALID, "set the clock"),
    ],
)
def test_a_certificate_at_the_wrong_time_has_this_machines(kind: errors.Kind, expected: str) -> None:
    words, _, now = hint_for(EntrypointError(kind, "")).partition(": this machine's time is ")
    assert words == expected
    time.strptime(now, "%a, %d %b %Y %H:%M:%S GMT")


@pytest.mark.parametrize("kind", [kind for kind, found in HINTS.items() if isinstance(found, str)])
def test_other_kinds_have_a_fixed_hint(kind: errors.Kind) -> None:
    assert hint_for(EntrypointError(kind, "what happened")) == HINTS[kind]


@pytest.mark.parametrize("kind", [errors.UNAVAILABLE, errors.INVALID_SECRET, errors.INVALID_AWS_CONFIGURATION])
def test_a_failure_that_says_what_to_do_has_none(kind: errors.Kind) -> None:
    assert hint_for(EntrypointError(kind, "what happened")) == ""


@pytest.mark.parametrize(
    ("date", "shown"), [("Mon, 23 Nov 2026 10:00:00 GMT",) * 2, ("", "unknown"), ("\x1b[31m\n", r"\x1b[31m\n")]
)
def test_a_wrong_clock_has_both_times(date: str, shown: str) -> None:
    actual = hint_for(service_error("RequestExpired", "", 403, date))
    found = re.fullmatch(r"set the clock: this machine's time is (.*), AWS's is (.*)", actual)
    assert found
    time.strptime(found[1], "%a, %d %b %Y %H:%M:%S GMT")
    assert found[2] == shown


@given(
    st.sampled_from(
        [f"{code}Exception" for code in ("AccessDenied", "ResourceNotFound", "InvalidRequest")] + ["RequestExpired"]
    ),
    st.text() | st.sampled_from(["deletion", "kms", "arn:aws:kms:", "arn:aws:secretsmanager:::"]),
    st.text(),
)
def test_whatever_a_server_says_a_hint_is_one_printable_line(code: str, text: str, date: str) -> None:
    assert hint_for(service_error(code, text, 400, date)).isprintable()
