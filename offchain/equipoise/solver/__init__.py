"""Parity coordinates and weights, each with its certificate. NumPy only: no pandas, no files."""
