# The example secret-reflector-python-distroless with one secret. The secret's value never comes near Terraform, whose
# state would keep it: see the README.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "image_uri" {
  description = "The image in ECR, best by its digest"
  type        = string
}

variable "name" {
  description = "The function's name, and the secret's"
  type        = string
  default     = "secret-reflector"
}

resource "aws_secretsmanager_secret" "this" {
  name        = var.name
  description = "What the function ${var.name} gets as variables"
}

resource "aws_lambda_function" "this" {
  function_name = var.name
  package_type  = "Image"
  image_uri     = var.image_uri
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

output "function_name" {
  value = aws_lambda_function.this.function_name
}

output "secret_arn" {
  value = aws_secretsmanager_secret.this.arn
}
