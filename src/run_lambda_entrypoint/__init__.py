"""Loads secrets into the environment of a Lambda function, then executes the wrapped command."""

__version__ = "0.1.0"
__build__ = "installed as a package"  # in an archive its commit, which build.py writes here
