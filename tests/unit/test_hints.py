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
