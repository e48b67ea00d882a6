"""Equipoise: an on-chain risk-parity vault and the Python tooling around it."""

__version__ = "0.1.0"
