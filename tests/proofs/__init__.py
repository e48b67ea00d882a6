"""Symbolic proofs: `python -m tests.proofs`, which `make prove` calls."""
