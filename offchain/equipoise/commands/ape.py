"""The click command behind `ape run …`: what ape refuses is told in one line, with the way to go on."""

from __future__ import annotations

import re
from typing import Any

import click
from ape.cli import ConnectedProviderCommand
from ape.exceptions import ApeException, ProviderError

from equipoise.commands import NamedErrors

__all__ = ["ApeCommand"]

_MISSING = re.compile(r"No (?:provider|ecosystem) named '([\w-]+)'")
_ENDPOINT = "name an endpoint by --network ECOSYSTEM:NETWORK:URL, or under `node` in ape-config.yaml"


class ApeCommand(NamedErrors, ConnectedProviderCommand):
    """A refusal is one line and exit code 2, as in `equipoise`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return list(super().parse_args(ctx, args))
        except click.BadParameter as error:
            if missing := _MISSING.search(error.message):
                error.message += (
                    f"\nIf it is a plugin's: `ape plugins install {missing[1]}`, then run the same "
                    "command again."
                )
            raise

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ApeException as error:
            remedy = f"; {_ENDPOINT}" if isinstance(error, ProviderError) else ""
            click.echo(f"error: {' '.join(str(error).split())}{remedy}; nothing is lost", err=True)
            ctx.exit(2)
