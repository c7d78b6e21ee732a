"""`python -m tests.containers` (or `make test-containers`): the examples' images, built and run by a real engine."""
