"""What a report advises: for each failure its remedy, for names and ARNs, in any partition."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from run_lambda_entrypoint.aws.replies import refusal
from run_lambda_entrypoint.errors import (
    CertificateError,
    ConfigurationError,
    DeadlineError,
    DocumentError,
    EntrypointError,
    FetchError,
    NetworkError,
)
from run_lambda_entrypoint.references import SECRET, Reference
from run_lambda_entrypoint.remedies import remedy

REGION = "eu-west-1"
NAME = "prod/app"
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/app-AbCdEf"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
USER = "User: arn:aws:sts::123456789012:assumed-role/role/function is not authorized to perform: "
ROUTE = (
    "is there a way to that host? A function in a VPC reaches it through a VPC endpoint for the service or a NAT "
    "gateway, with a security group that lets HTTPS out"
)
REFUSED = "these credentials are wrong, expired, or for another partition; get new ones"


def advice(error: EntrypointError, secret: str = NAME, region: str = REGION) -> str:
    return remedy(error, Reference("SECRETS_MANAGER_ARN", SECRET, secret, None), region)


def service(code: str, text: str = "", status: int = 400, date: str = "") -> EntrypointError:
    """An error as AWS reports it."""
    return refusal(code, text, status, date)


def statement(text: str, secret: str = NAME, region: str = REGION) -> dict[str, Any]:
    """The IAM statement that is advised when access is denied with this message."""
    words, _, found = advice(service("AccessDeniedException", text), secret, region).partition(": ")
    assert words == "allow it in the role's policy"
    parsed: dict[str, Any] = json.loads(found)
    return parsed


def allows(action: str, resource: str) -> dict[str, str]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


READ, DECRYPT = "secretsmanager:GetSecretValue", "kms:Decrypt"


@pytest.mark.parametrize(
    ("text", "secret", "region", "expected"),
    [
        pytest.param(
            "",
            NAME,
            REGION,
            allows(READ, "arn:aws:secretsmanager:eu-west-1:ACCOUNT:secret:prod/app-??????"),
            id="a name",
        ),
        pytest.param("", ARN, REGION, allows(READ, ARN), id="an ARN"),
        pytest.param(
            "",
            NAME,
            "cn-north-1",
            allows(READ, "arn:aws-cn:secretsmanager:cn-north-1:ACCOUNT:secret:prod/app-??????"),
            id="a name in China",
        ),
        pytest.param(
            "",
            NAME,
            "us-gov-west-1",
            allows(READ, "arn:aws-us-gov:secretsmanager:us-gov-west-1:ACCOUNT:secret:prod/app-??????"),
            id="a name in GovCloud",
        ),
        pytest.param(
            "",
            NAME,
            "nowhere",
            allows(READ, "arn:aws:secretsmanager:nowhere:ACCOUNT:secret:prod/app-??????"),
            id="a name in a region of no partition",
        ),
        pytest.param(
            f"{USER}{READ} on resource: {ARN} because no identity-based policy allows it",
            NAME,
            REGION,
            allows(READ, ARN),
            id="a name, with the ARN in the message",
        ),
        pytest.param(
            f"{USER}{READ} on resource: {ARN}.",
            NAME,
            REGION,
            allows(READ, ARN),
            id="a name, with the ARN at the message's end",
        ),
        pytest.param(
            f"{USER}{READ} on resource: {NAME} because no identity-based policy allows it",
            NAME,
            REGION,
            allows(READ, "arn:aws:secretsmanager:eu-west-1:ACCOUNT:secret:prod/app-??????"),
            id="a name, with only the user's ARN in the message",
        ),
        pytest.param(
            f"{USER}{READ} on resource: {NAME}".replace("role/role", "role/kms-reader"),
            NAME,
            REGION,
            allows(READ, "arn:aws:secretsmanager:eu-west-1:ACCOUNT:secret:prod/app-??????"),
            id="a role whose name only sounds like KMS",
        ),
        pytest.param("", ARN[:-7], REGION, allows(READ, f"{ARN[:-7]}-??????"), id="an ARN without its end"),
        pytest.param(
            f"{USER}{READ} on resource: {ARN}".replace(
                "role/role/function", f"{64 * 'r'}/{64 * 'f'}" + 400 * "x"
            ),
            NAME,
            REGION,
            allows(READ, ARN),
            id="a message so long that it is nearly cut",
        ),
        pytest.param(
            "Access to KMS is not allowed",
            ARN,
            REGION,
            allows(DECRYPT, "THE ARN OF THE KEY"),
            id="KMS, and the message does not say which key",
        ),
        pytest.param(
            f"{USER}{DECRYPT} on resource: {KEY} because no identity-based policy allows it",
            ARN,
            REGION,
            allows(DECRYPT, KEY),
            id="KMS, and the message names the key",
        ),
    ],
)
def test_denied_access_advises_the_statement_that_is_missing(
    text: str, secret: str, region: str, expected: dict[str, str]
) -> None:
    assert statement(text, secret, region) == expected


def test_an_explicit_deny_is_not_mended_by_an_allow() -> None:
    text = f"{USER}{READ} on resource: {NAME} with an explicit deny in an identity-based policy"
    actual = advice(service("AccessDeniedException", text))
    assert actual == "a policy denies it explicitly: that Deny has to go, an Allow does not help"


CHECK = "check name, region and account"


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        (NAME, f"it was asked for in region eu-west-1, the account of the credentials; {CHECK}"),
        (
            ARN,
            (
                f"it was asked for in region eu-west-1, account 123456789012; {CHECK}; an ARN without its six random "
                "characters is not found if the name itself ends in a hyphen and six characters: write the full ARN"
            ),
        ),
    ],
)
def test_a_secret_that_is_not_found_advises_where_it_was_looked_for(secret: str, expected: str) -> None:
    actual = advice(service("ResourceNotFoundException", "can't find it"), secret)
    assert actual == expected


def test_a_secret_scheduled_for_deletion_advises_to_restore_it() -> None:
    # As AWS words it.
    text = "You can't perform this operation on the secret because it was marked for deletion."
    actual = advice(service("InvalidRequestException", text))
    assert actual == "restore it: aws secretsmanager restore-secret --region eu-west-1 --secret-id prod/app"


def test_a_failed_decryption_advises_to_look_at_the_key() -> None:
    actual = advice(service("DecryptionFailure", "can't decrypt"))
    assert actual == "is its KMS key enabled, and may the role use it (kms:Decrypt)?"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NetworkError("no answer", passing=True), ROUTE),
        (DeadlineError("too late", NetworkError("no answer")), ROUTE),
        (
            CertificateError("not trusted"),
            "set AWS_CA_BUNDLE to a PEM file with the authority behind it, or put that into the image's store",
        ),
        (
            service("UnrecognizedClientException", "The security token included in the request is invalid."),
            REFUSED,
        ),
        (service("ExpiredTokenException", "The security token included in the request is expired"), REFUSED),
        (service("InvalidSignatureException", "The request signature does not match"), REFUSED),
        (
            DeadlineError("too late", refusal("ThrottlingException", "Rate exceeded", 400)),
            "AWS limits how often it may be asked; have fewer functions start at once, or raise the timeout",
        ),
        (
            DeadlineError("too late", refusal("HTTP 429", "", 429)),
            "AWS limits how often it may be asked; have fewer functions start at once, or raise the timeout",
        ),
        (DeadlineError("too late", refusal("InternalServiceError", "", 500)), ""),
        (service("InvalidParameterException", "no"), ""),
        (service("BrandNewException", "no"), ""),
        (FetchError("cut short", passing=True), ""),
        (DocumentError("the secret is not JSON; store an object"), ""),
        (ConfigurationError("set both"), ""),
    ],
    ids=str,
)
def test_each_failure_has_its_remedy(error: EntrypointError, expected: str) -> None:
    assert advice(error) == expected


DATE = "Mon, 23 Nov 2026 10:00:00 GMT"
DATES = re.compile(r"set the clock: this machine's says (.*), AWS's (.*)")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (
            "InvalidSignatureException",
            "Signature expired: 20261123T090000Z is now earlier than 20261123T095500Z",
        ),
        ("InvalidSignatureException", "Signature not yet current: 20261123T110000Z is still later than ..."),
        (
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
        ("RequestExpired", ""),
    ],
)
def test_a_wrong_clock_advises_to_set_it_and_tells_both_times(code: str, text: str) -> None:
    found = DATES.fullmatch(advice(service(code, text, 403, DATE)))
    assert found
    time.strptime(found[1], "%a, %d %b %Y %H:%M:%S GMT")
    assert found[2] == DATE


@pytest.mark.parametrize(("date", "shown"), [("", "is not known"), ("\x1b[31m\n", r"\x1b[31m\n")])
def test_a_wrong_clock_is_told_whatever_date_the_reply_has(date: str, shown: str) -> None:
    found = DATES.fullmatch(advice(service("RequestExpired", "", 403, date)))
    assert found
    assert found[2] == shown


@given(
    st.sampled_from(
        ["AccessDeniedException", "ResourceNotFoundException", "InvalidRequestException", "RequestExpired"]
    ),
    st.text() | st.sampled_from(["deletion", "kms", "arn:aws:kms:", "arn:aws:secretsmanager:::"]),
    st.text(),
)
def test_whatever_a_server_says_a_remedy_is_one_printable_line(code: str, text: str, date: str) -> None:
    assert advice(service(code, text, 400, date)).isprintable()
