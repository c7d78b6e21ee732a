"""Hypothesis as these tests use it: no example fails for the machine's being slow."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unit", deadline=None)
settings.load_profile("unit")
