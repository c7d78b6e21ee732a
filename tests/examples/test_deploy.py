"""The deployments: one statement for one secret, and the variable that refers to it."""

from typing import Any

import hcl2
import pytest
from cfnlint.decode import cfn_yaml

from tests.conftest import ROOT

DEPLOY = ROOT / "examples/deploy"


@pytest.fixture(scope="module")
def template() -> Any:
    """The SAM template's resources."""
    return cfn_yaml.load(str(DEPLOY / "sam/template.yaml"))["Resources"]


@pytest.fixture(scope="module")
def terraform() -> dict[str, Any]:
    """Terraform's blocks by "TYPE.NAME"."""
    with (DEPLOY / "terraform/main.tf").open() as file:
        parsed = hcl2.load(file)
    blocks = parsed["resource"] + parsed["data"]
    return {
        f"{kind}.{name}".replace('"', ""): body
        for block in blocks
        for kind, named in block.items()
        for name, body in named.items()
    }


def test_the_templates_function_may_read_that_secret_and_nothing_else(template: Any) -> None:
    [policy] = template["Function"]["Properties"]["Policies"]

    assert policy["Statement"] == [
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": "Secret"}}
    ]


def test_the_templates_function_has_the_reference_alone(template: Any) -> None:
    variables = template["Function"]["Properties"]["Environment"]["Variables"]

    assert variables == {"SECRETS_MANAGER_ARN": {"Ref": "Secret"}}


def test_the_templates_image_is_the_distroless_example(template: Any) -> None:
    metadata = template["Function"]["Metadata"]
    context = (DEPLOY / "sam" / metadata["DockerContext"]).resolve()

    assert (context, (context / metadata["Dockerfile"]).is_file()) == (ROOT, True)


def test_terraforms_function_may_read_that_secret_and_nothing_else(terraform: dict[str, Any]) -> None:
    [statement] = terraform["aws_iam_policy_document.secret"]["statement"]

    assert (statement["actions"], statement["resources"]) == (
        ['"secretsmanager:GetSecretValue"'],
        ["${aws_secretsmanager_secret.this.arn}"],
    )


def test_terraforms_function_has_the_reference_alone(terraform: dict[str, Any]) -> None:
    [environment] = terraform["aws_lambda_function.this"]["environment"]

    assert environment["variables"] == {"SECRETS_MANAGER_ARN": "${aws_secretsmanager_secret.this.arn}"}


def test_terraform_never_has_the_secrets_value(terraform: dict[str, Any]) -> None:
    assert [name for name in terraform if name.startswith("aws_secretsmanager_secret_version")] == []
