"""`ape run demo`: the same demo as `equipoise demo`, with the same options."""

from equipoise.cli import demo as cli

__all__ = ["cli"]
