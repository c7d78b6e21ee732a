"""The deployments: one statement for one secret, and three functions with the variable that refers to it."""

import re
from pathlib import Path
from typing import Any

import hcl2
import pytest
from cfnlint.decode import cfn_yaml

from layer import layer_path
from tests.conftest import ROOT

DEPLOY = ROOT / "examples/deploy"


IMAGES = {"PythonImage": "secret-reflector-python-distroless", "NodeImage": "secret-reflector-node"}
LAYER = layer_path(ROOT / "dist", "x86_64")
SAM_FUNCTIONS = [*IMAGES, "NodeWithLayer"]
TERRAFORM_FUNCTIONS = ["python_image", "node_image", "node_with_layer"]


@pytest.fixture(scope="module")
def sam() -> Any:
    """The SAM template."""
    return cfn_yaml.load(str(DEPLOY / "sam/template.yaml"))


@pytest.fixture(scope="module")
def template(sam: Any) -> Any:
    """Its resources."""
    return sam["Resources"]


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


def test_the_templates_functions_are_these(template: Any) -> None:
    functions = [name for name, it in template.items() if it["Type"] == "AWS::Serverless::Function"]

    assert functions == SAM_FUNCTIONS


@pytest.mark.parametrize("name", SAM_FUNCTIONS)
def test_a_function_of_the_template_has_no_other_policy_than_the_one_for_the_secret(template: Any, name: str) -> None:
    assert template[name]["Properties"]["Policies"] == [{"Ref": "ReadSecret"}]


def test_the_templates_policy_is_to_read_that_secret_and_nothing_else(template: Any) -> None:
    assert template["ReadSecret"]["Properties"]["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": {"Ref": "Secret"}}
    ]


def test_the_templates_functions_have_the_reference_and_a_variable_for_sam_local_to_set(sam: Any) -> None:
    variables = sam["Globals"]["Function"]["Environment"]["Variables"]

    assert variables == {"SECRETS_MANAGER_ARN": {"Ref": "Secret"}, "AWS_ENDPOINT_URL": ""}


def test_the_template_builds_what_is_deployed_unless_told_otherwise(sam: Any) -> None:
    assert sam["Parameters"]["BuildTarget"]["Default"] == "function"


@pytest.mark.parametrize("example", IMAGES.values())
def test_what_is_deployed_is_what_is_built_without_a_target(example: str) -> None:
    stages = re.findall(r"^FROM (\S+)", (ROOT / "examples" / example / "Dockerfile").read_text(), re.MULTILINE)

    assert stages[-1] == "function"


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_for_sam_local_has_another_tag_than_the_deployed_one(template: Any, name: str) -> None:
    assert "${BuildTarget}" in template[name]["Metadata"]["DockerTag"]["Fn::Sub"]


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_function_of_the_template_has_no_variable_more(template: Any, name: str) -> None:
    assert "Environment" not in template[name]["Properties"]


@pytest.mark.parametrize(("name", "example"), IMAGES.items())
def test_an_image_of_the_template_is_an_example(template: Any, name: str, example: str) -> None:
    metadata = template[name]["Metadata"]
    context = (DEPLOY / "sam" / metadata["DockerContext"]).resolve()

    assert (context, metadata["Dockerfile"]) == (ROOT, f"examples/{example}/Dockerfile")


@pytest.mark.parametrize("example", IMAGES.values())
def test_the_example_is_there(example: str) -> None:
    assert (ROOT / "examples" / example / "Dockerfile").is_file()


def test_the_templates_layer_is_the_one_that_is_made_here(template: Any) -> None:
    assert (DEPLOY / "sam" / template["Layer"]["Properties"]["ContentUri"]).resolve() == LAYER


def test_the_templates_function_with_the_layer_is_started_by_it(template: Any) -> None:
    properties = template["NodeWithLayer"]["Properties"]

    assert (properties["Layers"], properties["Environment"]["Variables"]) == (
        [{"Ref": "Layer"}],
        {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/run-lambda-entrypoint"},
    )


def test_the_templates_function_with_the_layer_has_its_handler(template: Any) -> None:
    properties = template["NodeWithLayer"]["Properties"]
    code = DEPLOY / "sam" / properties["CodeUri"] / "app.mjs"

    assert (properties["Handler"], "function handler(" in code.read_text()) == ("app.handler", True)


def test_the_templates_function_with_the_layer_brings_no_bootstrap(template: Any) -> None:
    code = DEPLOY / "sam" / template["NodeWithLayer"]["Properties"]["CodeUri"]

    assert not (code / "bootstrap").exists()  # the emulator would start it instead of the runtime's


def test_terraforms_functions_are_these(terraform: dict[str, Any]) -> None:
    kind = "aws_lambda_function."

    assert [name.removeprefix(kind) for name in terraform if name.startswith(kind)] == TERRAFORM_FUNCTIONS


@pytest.mark.parametrize("name", TERRAFORM_FUNCTIONS)
def test_a_function_of_terraforms_has_the_role(terraform: dict[str, Any], name: str) -> None:
    assert terraform[f"aws_lambda_function.{name}"]["role"] == "${aws_iam_role.this.arn}"


def test_terraforms_role_may_read_that_secret_and_nothing_else(terraform: dict[str, Any]) -> None:
    [statement] = terraform["aws_iam_policy_document.secret"]["statement"]

    assert (statement["actions"], statement["resources"]) == (
        ['"secretsmanager:GetSecretValue"'],
        ["${aws_secretsmanager_secret.this.arn}"],
    )


@pytest.mark.parametrize("name", ["python_image", "node_image"])
def test_an_image_function_of_terraforms_has_the_reference_alone(terraform: dict[str, Any], name: str) -> None:
    [environment] = terraform[f"aws_lambda_function.{name}"]["environment"]

    assert environment["variables"] == {"SECRETS_MANAGER_ARN": "${aws_secretsmanager_secret.this.arn}"}


def test_terraforms_function_with_the_layer_is_started_by_it(terraform: dict[str, Any]) -> None:
    function = terraform["aws_lambda_function.node_with_layer"]
    [environment] = function["environment"]

    assert (function["layers"], environment["variables"]) == (
        ["${aws_lambda_layer_version.this.arn}"],
        {
            "AWS_LAMBDA_EXEC_WRAPPER": '"/opt/run-lambda-entrypoint"',
            "SECRETS_MANAGER_ARN": "${aws_secretsmanager_secret.this.arn}",
        },
    )


def test_terraforms_layer_is_the_one_that_is_made_here(terraform: dict[str, Any]) -> None:
    filename = terraform["aws_lambda_layer_version.this"]["filename"].strip('"')

    assert Path(filename.replace("${path.module}", str(DEPLOY / "terraform"))).resolve() == LAYER


def test_terraform_never_has_the_secrets_value(terraform: dict[str, Any]) -> None:
    assert [name for name in terraform if name.startswith("aws_secretsmanager_secret_version")] == []
