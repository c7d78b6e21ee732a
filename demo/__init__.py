"""`python -m demo` (or `make demo`): a Lambda function gets its secrets, with no AWS account and no Docker."""
