"""Puts Secrets Manager entries into a Lambda function's environment, then becomes the wrapped command."""

__version__ = "0.1.0"
__build__ = "installed as a package"  # in an archive its commit, which build.py writes here
