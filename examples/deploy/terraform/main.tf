# One secret, and three functions that get it as variables: two images and one with the layer. The secret's value never
# comes near Terraform, whose state would keep it: see the README.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
    archive = {
      source  = "hashicorp/archive"
      version = ">= 2.0"
    }
  }
}

variable "python_image_uri" {
  description = "The image of secret-reflector-python-distroless in ECR, preferably by digest"
  type        = string
}

variable "node_image_uri" {
  description = "The image of secret-reflector-node in ECR, preferably by digest"
  type        = string
}

variable "name" {
  description = "The secret's name, and the start of the functions' names"
  type        = string
  default     = "secret-reflector"
}

resource "aws_secretsmanager_secret" "this" {
  name        = var.name
  description = "What the functions of ${var.name} get as variables"
}

resource "aws_lambda_function" "python_image" {
  function_name = "${var.name}-python-image"
  package_type  = "Image"
  image_uri     = var.python_image_uri
  architectures = ["x86_64"]
  role          = aws_iam_role.this.arn
  memory_size   = 256
  timeout       = 10

  environment {
    variables = {
      SECRETS_MANAGER_ARN = aws_secretsmanager_secret.this.arn
    }
  }

  depends_on = [aws_iam_role_policy.secret]
}

resource "aws_lambda_function" "node_image" {
  function_name = "${var.name}-node-image"
  package_type  = "Image"
  image_uri     = var.node_image_uri
  architectures = ["x86_64"]
  role          = aws_iam_role.this.arn
  memory_size   = 256
  timeout       = 10

  environment {
    variables = {
      SECRETS_MANAGER_ARN = aws_secretsmanager_secret.this.arn
    }
  }

  depends_on = [aws_iam_role_policy.secret]
}

resource "aws_lambda_function" "node_with_layer" {
  function_name    = "${var.name}-node-with-layer"
  runtime          = "nodejs24.x"
  handler          = "app.handler"
  filename         = data.archive_file.app.output_path
  source_code_hash = data.archive_file.app.output_base64sha256
  layers           = [aws_lambda_layer_version.this.arn]
  architectures    = ["x86_64"]
  role             = aws_iam_role.this.arn
  memory_size      = 256
  timeout          = 10

  environment {
    variables = {
      AWS_LAMBDA_EXEC_WRAPPER = "/opt/run-lambda-entrypoint"
      SECRETS_MANAGER_ARN     = aws_secretsmanager_secret.this.arn
    }
  }

  depends_on = [aws_iam_role_policy.secret]
}

resource "aws_lambda_layer_version" "this" {
  layer_name               = "run-lambda-entrypoint"
  filename                 = "${path.module}/../../../dist/run-lambda-entrypoint-layer-x86_64.zip"
  source_code_hash         = filebase64sha256("${path.module}/../../../dist/run-lambda-entrypoint-layer-x86_64.zip")
  compatible_architectures = ["x86_64"]
}

data "archive_file" "app" {
  type        = "zip"
  source_file = "${path.module}/../../secret-reflector-node-aws-base/app.mjs"
  output_path = "${path.module}/.terraform/app.zip"
}

resource "aws_iam_role" "this" {
  name               = var.name
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role_policy" "secret" {
  name   = "read-its-secret"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.secret.json
}

data "aws_iam_policy_document" "secret" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.this.arn]
  }
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.this.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

output "function_names" {
  value = [
    aws_lambda_function.python_image.function_name,
    aws_lambda_function.node_image.function_name,
    aws_lambda_function.node_with_layer.function_name,
  ]
}

output "secret_arn" {
  value = aws_secretsmanager_secret.this.arn
}
