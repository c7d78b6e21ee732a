"""Builds the executable that brings its own interpreter: `make standalone`. CONTRIBUTING.md describes how."""
