"""docs/permissions.md: its policies are valid JSON, and allow what the program calls, and nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from run_lambda_entrypoint import references
from run_lambda_entrypoint.loading import parameter_store, secrets_manager
from tests.harness.entrypoint import Entrypoint, aws
from tests.harness.http_server import error, http_server

PAGE = (Path(__file__).parents[2] / "docs/permissions.md").read_text()
POLICIES = [json.loads(block) for block in re.findall(r"^ *```json\n(.*?)^ *```$", PAGE, re.DOTALL | re.MULTILINE)]
ACCOUNT = "eu-west-1:123456789012"
PARAMETER = f"arn:aws:ssm:{ACCOUNT}:parameter/prod/app/db-password"
REFERENCES = {
    "SECRETS_MANAGER_ARN": "prod/app",
    "LAMBDA_ENV_VALUE_FROM_NAME": PARAMETER,
    "LAMBDA_ENV_SSM_PATH_APP": "/prod/app/",
}


def statements(policy: Any) -> list[dict[str, Any]]:
    """Those of a policy, of a list of statements, or of a statement by itself."""
    return list(policy) if isinstance(policy, list) else list(policy.get("Statement", [policy]))


def called() -> set[str]:
    """The actions of the calls for a reference of each kind."""
    found = references.read(REFERENCES).references
    secrets = [each for each in found if each.kind == references.SECRET]
    calls = secrets_manager.plan(secrets, "eu-west-1") | parameter_store.plan(
        [each for each in found if each not in secrets], "eu-west-1"
    )
    return {f"{call.service.name}:{call.operation}" for call in calls.values()}


def test_the_policies_allow_what_the_program_calls_and_the_use_of_keys() -> None:
    allowed = {statement["Action"] for policy in POLICIES for statement in statements(policy)}
    assert allowed == called() | {"kms:Decrypt"}


def test_the_table_of_references_has_each_action_that_is_called() -> None:
    [header, _, *rows] = re.findall(r"^\|.*\|$", PAGE.split("## The role's policy")[1].split("\n\n- ")[0], re.MULTILINE)
    assert header == "| reference | action | resource |"
    assert {re.findall("`(.+?)`", row.split("|")[2])[0] for row in rows} == called()


def test_each_statement_has_an_effect_an_action_and_a_resource() -> None:
    found = [statement for policy in POLICIES for statement in statements(policy)]
    assert len(found) > 5
    assert [each for each in found if {"Effect", "Action", "Resource"} - each.keys()] == []


@pytest.mark.parametrize(
    ("variable", "reference", "resource"),
    [
        ("SECRETS_MANAGER_ARN", "prod/app", "prod/app"),
        ("LAMBDA_ENV_VALUE_FROM_NAME", PARAMETER, PARAMETER),
        ("LAMBDA_ENV_SSM_PATH_APP", "/prod/app/", f"arn:aws:ssm:{ACCOUNT}:parameter/prod/app"),
    ],
)
def test_the_statement_that_a_report_ends_with_is_in_the_roles_policy(
    entrypoint: Entrypoint, variable: str, reference: str, resource: str
) -> None:
    with http_server(
        lambda request: error(400, "AccessDeniedException", denied(request.operation, resource))
    ) as server:
        environ = aws(server.url, {variable: reference}, AWS_ENDPOINT_URL_SSM=server.url)
        report = entrypoint("true", environ=environ).err
    proposed = json.loads(report[report.index('{"Effect"') :])
    [same] = [each for each in statements(POLICIES[0]) if each["Action"] == proposed["Action"]]
    resources = proposed["Resource"] if isinstance(proposed["Resource"], list) else [proposed["Resource"]]
    assert set(resources) <= set(same["Resource"] if isinstance(same["Resource"], list) else [same["Resource"]])


def denied(operation: str, resource: str) -> str:
    service = "secretsmanager" if operation == "GetSecretValue" else "ssm"
    return (
        f"User: arn:aws:sts::123456789012:assumed-role/my-function-role/my-function is not authorized to perform: "
        f"{service}:{operation} on resource: {resource} because no identity-based policy allows the "
        f"{service}:{operation} action"
    )


def test_a_secret_through_ssm_is_refused_before_any_call(entrypoint: Entrypoint) -> None:
    [path] = re.findall(r"\(`(/aws/reference/.*?)`\)", PAGE)
    with http_server(lambda _: error(500, "InternalServiceError")) as server:
        reference = f"arn:aws:ssm:{ACCOUNT}:parameter{path}"
        environ = aws("", {"LAMBDA_ENV_VALUE_FROM_NAME": reference}, AWS_ENDPOINT_URL_SSM=server.url)
        ended = entrypoint("true", environ=environ)
    assert (ended.code, server.requests) == (125, [])
    assert "it refers to a secret of Secrets Manager" in ended.err
