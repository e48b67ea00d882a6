"""Static analysis: `python -m tests.static`, which `make lint` calls."""
