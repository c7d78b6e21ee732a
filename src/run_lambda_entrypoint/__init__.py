"""Puts Secrets Manager entries into a Lambda function's environment, then becomes the wrapped command."""

__version__ = "0.1.0"
