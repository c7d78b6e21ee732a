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
from run_lambda_entrypoint.aws.services import SECRETS_MANAGER, SSM
from run_lambda_entrypoint.errors import EntrypointError
from run_lambda_entrypoint.loading import parameter_store
from run_lambda_entrypoint.loading.secrets_manager import resources
from run_lambda_entrypoint.references import PARAMETER, SECRET, Reference, arn_region, read
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
ROLE = "arn:aws:iam::123456789012:role/role"
ROLES_POLICY = "the role's policy"


def hint_for(
    error: EntrypointError, secret: str = NAME, region: str = REGION, environ: Mapping[str, str] | None = None
) -> str:
    reference = Reference("SECRETS_MANAGER_ARN", SECRET, secret, arn_region(secret))
    call = Call(SECRETS_MANAGER, "GetSecretValue", {"SecretId": secret}, region)
    return hint(error, reference, call, resources(reference), environ or {})


def denied(text: str, secret: str = NAME, region: str = REGION) -> str:
    """What is suggested when access is denied with this message."""
    return hint_for(service_error("AccessDeniedException", text, 400), secret, region)


def statement(text: str, secret: str = NAME, region: str = REGION, place: str = ROLES_POLICY) -> dict[str, Any]:
    """The IAM statement that is suggested."""
    words, _, found = denied(text, secret, region).partition(": ")
    assert words == f"allow it in {place}"
    parsed: dict[str, Any] = json.loads(found)
    return parsed


def named(partition: str, region: str, account: str = "ACCOUNT") -> str:
    return f"arn:{partition}:secretsmanager:{region}:{account}:secret:{NAME}-??????"


OURS = named("aws", REGION)
CALLERS = named("aws", REGION, "123456789012")
PARTIAL_ARN = ARN[:-7]
LONG = f"{USER}{READ} on resource: {ARN}".replace("role/role/function", f"{64 * 'r'}/{64 * 'f'}{400 * 'x'}")
KMS_IN_THE_ROLE = f"{USER}{READ} on {NAME}".replace("role/", "kms-")


@pytest.mark.parametrize(
    ("text", "secret", "region", "action", "resource"),
    [
        pytest.param("", NAME, REGION, READ, OURS, id="name"),
        pytest.param("", NAME, "cn-north-1", READ, named("aws-cn", "cn-north-1"), id="China"),
        pytest.param("", NAME, "us-gov-west-1", READ, named("aws-us-gov", "us-gov-west-1"), id="GovCloud"),
        pytest.param("", NAME, "nowhere", READ, named("aws", "nowhere"), id="Region of no partition"),
        pytest.param("", PARTIAL_ARN, REGION, READ, f"{PARTIAL_ARN}-??????", id="partial ARN"),
        pytest.param(f"{USER}{READ} on resource: {ARN} {NO_POLICY}", NAME, REGION, READ, ARN, id="ARN in the message"),
        pytest.param(f"{USER}{READ} on resource: {ARN}.", NAME, REGION, READ, ARN, id="ARN at the end"),
        pytest.param(LONG, NAME, REGION, READ, ARN, id="ARN at the end of a long message"),
        pytest.param(f"{USER}{READ} on resource: {NAME} {NO_POLICY}", NAME, REGION, READ, CALLERS, id="caller's ARN"),
        pytest.param(KMS_IN_THE_ROLE, NAME, REGION, READ, CALLERS, id="role like KMS"),
        pytest.param("Access to KMS is not allowed", ARN, REGION, DECRYPT, "THE ARN OF THE KEY", id="unknown KMS key"),
        pytest.param(f"{USER}{DECRYPT} on resource: {KEY} {NO_POLICY}", ARN, REGION, DECRYPT, KEY, id="KMS key"),
    ],
)
def test_denied_access_suggests_the_missing_statement(
    text: str, secret: str, region: str, action: str, resource: str
) -> None:
    assert statement(text, secret, region) == {"Effect": "Allow", "Action": action, "Resource": resource}


def test_an_arn_that_may_be_partial_is_allowed_with_and_without_its_six_characters() -> None:
    place = f"{ROLES_POLICY} (both Resources, since the ARN may lack its six random characters)"
    assert statement("", f"{PARTIAL_ARN}-secret", place=place)["Resource"] == [
        f"{PARTIAL_ARN}-secret",
        f"{PARTIAL_ARN}-secret-??????",
    ]


# -- Which policy denies it, in AWS's words


def no(policy: str, action: str = READ, resource: str = ARN) -> str:
    return f"{USER}{action} on resource: {resource} because no {policy} allows the {action} action"


def explicit_deny(policy: str, action: str = READ, resource: str = ARN) -> str:
    return f"{USER}{action} on resource: {resource} with an explicit deny in {policy}"


BOUNDARY = "the role's permissions boundary, which an administrator of the role's account can change"
SCP = "a service control policy (SCP), which an administrator of the AWS organization can change"
RCP = "a resource control policy (RCP), which an administrator of the AWS organization can change"
SESSION = "the session policy, which whoever assumes the role with it can change"
ENDPOINT = "the policy of the VPC endpoint, which the owner of the VPC can change"
OF_THE_SECRET = "the resource policy of the secret, which its owner can change"
OF_THE_KEY = "the policy of the KMS key, which its owner can change"


@pytest.mark.parametrize(
    ("text", "place", "principal", "action", "resource"),
    [
        (no("identity-based policy"), ROLES_POLICY, None, READ, ARN),
        (no("resource-based policy"), OF_THE_SECRET, {"AWS": ROLE}, READ, "*"),
        (no("VPC endpoint policy"), ENDPOINT, "*", READ, ARN),
        (no("identity-based policy", DECRYPT, KEY), ROLES_POLICY, None, DECRYPT, KEY),
        (no("resource-based policy", DECRYPT, KEY), OF_THE_KEY, {"AWS": ROLE}, DECRYPT, "*"),
        (no("VPC endpoint policy", DECRYPT, KEY), ENDPOINT, "*", DECRYPT, KEY),
    ],
)
def test_a_policy_that_can_grant_access_has_the_statement(
    text: str, place: str, principal: object, action: str, resource: str
) -> None:
    expected = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    assert statement(text, place=place) == {name: value for name, value in expected.items() if value}


@pytest.mark.parametrize(
    ("policy", "place"),
    [
        ("permissions boundary", BOUNDARY),
        ("service control policy", SCP),
        ("session policy", SESSION),
        ("VPC endpoint policy transitively through a service control policy", SCP),
    ],
)
@pytest.mark.parametrize(("action", "resource"), [(READ, ARN), (DECRYPT, KEY)])
def test_a_policy_that_only_limits_access_is_named_with_who_can_change_it(
    policy: str, place: str, action: str, resource: str
) -> None:
    expected = f"allow {action} in {place}; adding it to the role's policy has no effect"
    assert denied(no(policy, action, resource)) == expected


@pytest.mark.parametrize(
    ("policy", "place"),
    [
        ("an identity-based policy", ROLES_POLICY),
        ("an identity-based policy, with policy ARN: arn:aws:iam::123456789012:policy/deny", ROLES_POLICY),
        ("a resource-based policy", OF_THE_SECRET),
        ("a VPC endpoint policy", ENDPOINT),
        ("a permissions boundary: arn:aws:iam::123456789012:policy/boundary", BOUNDARY),
        ("a service control policy", SCP),
        ("a resource control policy", RCP),
        *((f"a {word} policy", SESSION) for word in ("session", "sessions")),
        ("a VPC endpoint policy transitively through a service control policy", SCP),
    ],
)
def test_an_explicit_deny_names_the_policy_and_who_can_change_it(policy: str, place: str) -> None:
    expected = f"remove the Deny from {place}; adding an Allow has no effect"
    assert denied(explicit_deny(policy)) == expected


def test_an_explicit_deny_of_the_key_is_in_the_keys_policy() -> None:
    expected = f"remove the Deny from {OF_THE_KEY}; adding an Allow has no effect"
    assert denied(explicit_deny("a resource-based policy", DECRYPT, KEY)) == expected


@pytest.mark.parametrize("clause", ["", " in a policy", " in the role trust policy", " in a brand-new policy"])
def test_an_explicit_deny_in_an_unknown_policy_names_none(clause: str) -> None:
    actual = denied(f"{USER}{READ} on resource: {ARN} with an explicit deny{clause}")
    assert actual == "a policy explicitly denies it: remove the Deny; adding an Allow has no effect"


@pytest.mark.parametrize("resource", ["resource: " + KEY, "the resource associated with this ciphertext"])
def test_a_key_that_the_role_cannot_see_has_the_statement_for_its_policy(resource: str) -> None:
    text = (
        f"{USER}{DECRYPT} on {resource} because the resource does not exist in this Region, no resource-based policies "
        "allow access, or a resource-based policy explicitly denies access"
    )
    expected = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": DECRYPT, "Resource": "*"}
    assert statement(text, place=OF_THE_KEY) == expected


def test_an_unknown_policy_has_the_statement_for_the_roles() -> None:
    assert statement(no("brand-new policy"), ARN[:-1], place=ROLES_POLICY)["Resource"] == f"{ARN[:-1]}-??????"


@pytest.mark.parametrize(
    ("caller", "principal"),
    [
        ("arn:aws-cn:sts::123456789012:assumed-role/a-role/a-session", "arn:aws-cn:iam::123456789012:role/a-role"),
        ("arn:aws:iam::123456789012:user/team/somebody", "arn:aws:iam::123456789012:user/team/somebody"),
        ("arn:aws:iam::123456789012:role/path/a-role", "arn:aws:iam::123456789012:role/path/a-role"),
    ],
)
def test_the_principal_of_a_resource_policy_is_the_callers_role(caller: str, principal: str) -> None:
    text = no("resource-based policy").replace("arn:aws:sts::123456789012:assumed-role/role/function", caller)
    assert statement(text, place=OF_THE_SECRET)["Principal"] == {"AWS": principal}


def test_without_the_callers_arn_the_principal_is_to_be_filled_in() -> None:
    text = f"because no resource-based policy allows the {READ} action"
    assert statement(text, place=OF_THE_SECRET)["Principal"] == {"AWS": "THE ARN OF THE ROLE"}


def test_the_resource_policy_of_a_parameter_names_it() -> None:
    target = "arn:aws:ssm:eu-west-1:123456789012:parameter/app/p1"
    reference = Reference("LAMBDA_ENV_VALUE_FROM_A", PARAMETER, target, REGION, name="A")
    call = Call(SSM, "GetParameters", {}, REGION)
    error = service_error("AccessDeniedException", no("resource-based policy", "ssm:GetParameters", target), 400)
    actual = hint(error, reference, call, parameter_store.resources(reference), {})
    assert json.loads(actual.partition(": ")[2]) == {
        "Effect": "Allow",
        "Principal": {"AWS": ROLE},
        "Action": "ssm:GetParameters",
        "Resource": target,
    }


MISLEADING = [
    "kms-Decrypt",
    "kms.Decrypt/Access_to_KMS",
    "because_no_session_policy_allows",
    "explicit_deny_in_a_policy",
]
MISLEADING += [
    "marked_for_deletion",
    "marked-deleted",
    "the_specified_secret_value",
    "VersionStage_that_is_not_associated",
]


@pytest.mark.parametrize("name", MISLEADING)
def test_no_name_of_a_secret_misleads(name: str) -> None:
    assert statement(no("identity-based policy", resource=name), name)["Action"] == READ
    actual = hint_for(service_error("ResourceNotFoundException", f"no such secret: {name}", 400), name)
    assert actual == f"looked in Region eu-west-1, in the caller's account; {CHECK}"
    assert service_error("InvalidRequestException", f"about {name}", 400).kind is errors.UNAVAILABLE


@pytest.mark.parametrize(
    "text", ["The ciphertext refers to a customer master key that does not exist", "Access to KMS is not allowed"]
)
def test_what_kms_says_without_its_action_is_about_the_key(text: str) -> None:
    assert statement(text)["Action"] == DECRYPT


# -- Names as parameters have them


PARAMETER_HINT = "it was requested as a secret; if it is a parameter, write "
PARAMETER_OF = "arn:aws:ssm:eu-west-1:{}:parameter/app/p1"
OTHER = "arn:aws:ssm:us-east-1:210987654321:parameter/x"


@pytest.mark.parametrize(
    ("code", "text", "others", "account"),
    [
        ("ResourceNotFoundException", "", {}, "ACCOUNT"),
        ("ResourceNotFoundException", "", {"LAMBDA_ENV_VALUE_FROM_B": OTHER}, "210987654321"),
        ("ResourceNotFoundException", "", {"SECRETS_MANAGER_ARN": ARN, "LAMBDA_ENV_VALUE_FROM_B": OTHER}, "ACCOUNT"),
        ("AccessDeniedException", no("identity-based policy", resource="/app/p1"), {}, "123456789012"),
        ("AccessDeniedException", f"{USER}{READ} with an explicit deny", {}, "123456789012"),
    ],
)
def test_a_name_with_a_slash_in_front_may_be_a_parameters(
    code: str, text: str, others: dict[str, str], account: str
) -> None:
    variable = "LAMBDA_ENV_VALUE_FROM_A"
    references = read({variable: "/app/p1", **others}).references
    [reference] = [each for each in references if each.variable == variable]
    call = Call(SECRETS_MANAGER, "GetSecretValue", {"SecretId": "/app/p1"}, REGION)
    actual = hint(service_error(code, text, 400), reference, call, resources(reference), {}, references)
    rest = {"ResourceNotFoundException": "looked in "}.get(code, "if it is a secret, ")
    assert actual.startswith(f"{PARAMETER_HINT}{PARAMETER_OF.format(account)}; {rest}")


def test_where_no_parameter_can_be_referred_to_the_variable_is_named_too() -> None:
    actual = hint_for(service_error("ResourceNotFoundException", "", 400), "/app/p1")
    assert actual.startswith(f"{PARAMETER_HINT}LAMBDA_ENV_VALUE_FROM_NAME={PARAMETER_OF.format('ACCOUNT')}; looked in")


@pytest.mark.parametrize("name", ["app/p1", "/app/p+1", "/aws/reference/secretsmanager/a", "/a@b"])
def test_a_name_that_is_no_parameters_is_not_taken_for_one(name: str) -> None:
    assert hint_for(service_error("ResourceNotFoundException", "", 400), name).startswith("looked in")


# -- Not found


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


NOT_ASSOCIATED = "You provided a VersionStage that is not associated to the provided VersionId."
NO_VALUE = "Secrets Manager can't find the specified secret value for "
ID = "11111111-2222-3333-4444-555555555555"
LIST = "list those it has: aws secretsmanager list-secret-version-ids --region eu-west-1 --secret-id prod/app"


def hint_for_version(code: str, text: str, stage: str = "", version: str = "", name: str = NAME) -> str:
    [reference] = read({"SECRETS_MANAGER_ARN": f"{name}::{stage}:{version}"}).references
    call = Call(SECRETS_MANAGER, "GetSecretValue", {"SecretId": name}, REGION)
    return hint(service_error(code, text, 400), reference, call, resources(reference), {})


@pytest.mark.parametrize("stage", ["", "AWSCURRENT"])
def test_a_secret_without_a_value_has_the_command_that_stores_one(stage: str) -> None:
    actual = hint_for_version("ResourceNotFoundException", f"{NO_VALUE}staging label: AWSCURRENT", stage)
    put = "aws secretsmanager put-secret-value --region eu-west-1 --secret-id prod/app --secret-string file://FILE"
    assert actual == f"the secret exists but has no value; store one: {put}"


@pytest.mark.parametrize(
    ("code", "text", "stage", "version", "requested"),
    [
        ("ResourceNotFoundException", f"{NO_VALUE}staging label: BLUE", "BLUE", "", "STAGE"),
        ("ResourceNotFoundException", f"{NO_VALUE}VersionId: {ID}", "", ID, "VERSION"),
        ("ResourceNotFoundException", f"{NO_VALUE}VersionId: {ID}", "AWSCURRENT", ID, "STAGE and VERSION"),
        ("InvalidRequestException", NOT_ASSOCIATED, "BLUE", ID, "STAGE and VERSION"),
    ],
)
def test_a_version_that_does_not_exist_has_the_command_that_lists_them(
    code: str, text: str, stage: str, version: str, requested: str
) -> None:
    actual = hint_for_version(code, text, stage, version)
    assert actual == f"the secret exists but has no version with this {requested}; {LIST}"


@pytest.mark.parametrize("stage", ["", "BLUE"])
def test_a_secret_that_exists_is_not_taken_for_a_parameter(stage: str) -> None:
    text = f"{NO_VALUE}staging label: {stage or 'AWSCURRENT'}"
    assert hint_for_version("ResourceNotFoundException", text, stage, name="/prod/app").startswith("the secret exists ")


def test_a_secret_whose_key_is_denied_is_not_taken_for_a_parameter() -> None:
    assert statement("Access to KMS is not allowed", "/prod/app")["Action"] == DECRYPT


@pytest.mark.parametrize("selector", ["3", "stable"])
@pytest.mark.parametrize("code", ["ParameterNotFound", "ParameterVersionNotFound"])
def test_a_parameters_version_or_label_has_the_command_that_lists_them(selector: str, code: str) -> None:
    arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/app/p1"
    [reference] = read({"LAMBDA_ENV_VALUE_FROM_A": f"{arn}:{selector}"}).references
    actual = hint(service_error(code, "", 400), reference, Call(SSM, "GetParameters", {}, REGION), [], {})
    assert actual == (
        f"looked in Region eu-west-1, in account 123456789012; {CHECK}, or the version or label: "
        f"aws ssm get-parameter-history --region eu-west-1 --name {arn} --query 'Parameters[].[Version,Labels]'"
    )


@pytest.mark.parametrize(
    "text",
    [
        "You can't perform this operation on the secret because it was marked for deletion.",
        "You can't perform this operation on the secret because it was scheduled for deletion.",
        "You tried to                 perform the operation on a secret that's currently marked deleted.",  # moto's
    ],
)
def test_a_secret_marked_for_deletion_has_the_command_that_restores_it(text: str) -> None:
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


SOURCE = (
    "check network access to that host, and what names it: a variable (AWS_CONTAINER_CREDENTIALS_*, AWS_ENDPOINT_URL), "
    "or the profile"
)


def named_by(setting: str) -> str:
    return f"check {setting}, which names that host, and network access to it"


def variant(variables: str, region: str = REGION) -> str:
    check = f"check that the service has such a host in {region}, or unset {variables}"
    return f"that host is selected by {variables}: {check}; {VPC}"


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
        ("EU-WEST-1", "which is not a known Region; did you mean eu-west-1?"),
        ("global", "which is not a known Region; check its name"),
        ("aws-global", "which is not a known Region; check its name"),
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


def test_the_region_of_a_path_may_be_its_arns() -> None:
    arn = "arn:aws:ssm:eu-centra-1:123456789012:parameter/app/"
    [reference] = read({"LAMBDA_ENV_SSM_PATH_A": arn}).references
    error = EntrypointError(errors.UNREACHABLE, "the name of ssm.eu-centra-1.amazonaws.com could not be resolved")
    call = Call(SSM, "GetParametersByPath", {}, "eu-centra-1")
    actual = hint(error, reference, call, [], {"AWS_REGION": REGION})
    assert actual == "the ARN's Region is eu-centra-1, which is not a known Region; did you mean eu-central-1?"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (
            "sts.eu-centra-1.amazonaws.com",
            "AWS_REGION is eu-centra-1, which is not a known Region; did you mean eu-central-1?",
        ),
        ("127.0.0.1", SOURCE),
    ],
)
def test_a_source_of_credentials_that_is_unreachable_has_what_names_it(host: str, expected: str) -> None:
    error = EntrypointError(errors.CREDENTIALS_UNREACHABLE, f"could not connect to {host} (source of the credentials)")
    assert hint_for(error, NAME, "eu-centra-1", {"AWS_REGION": "eu-centra-1"}) == expected


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


@pytest.mark.parametrize("role", ["the proxy that https_proxy names", "source of the credentials"])
def test_a_setting_of_the_service_does_not_name_another_host(role: str) -> None:
    error = EntrypointError(
        errors.CERTIFICATE_OF_ANOTHER_HOST, f"the certificate of host ({role}) is not trusted: hostname mismatch"
    )
    assert hint_for(error, environ={URL: "https://one"}) == ANOTHER


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


PIECES = ["User: arn:aws:", "sts", "::123456789012:", "assumed-role", "/", " is not authorized", "arn:aws:kms:", " "]
PIECES += ["because no resource-based policy", "with an explicit deny in a session policy", READ, DECRYPT, "\udc80"]


@given(
    st.sampled_from(
        [f"{code}Exception" for code in ("AccessDenied", "ResourceNotFound", "InvalidRequest")] + ["RequestExpired"]
    ),
    st.text()
    | st.sampled_from(["deletion", "kms", "arn:aws:kms:", "arn:aws:secretsmanager:::"])
    | st.lists(st.sampled_from(PIECES)).map("".join),
    st.text(),
)
def test_whatever_a_server_says_a_hint_is_one_printable_line(code: str, text: str, date: str) -> None:
    assert hint_for(service_error(code, text, 400, date)).isprintable()
