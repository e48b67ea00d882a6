"""Commands that are long enough for a file of their own; what they need loads when they run."""

from __future__ import annotations

from typing import Any

import click

from equipoise.errors import EquipoiseError

__all__ = ["NamedErrors"]


class NamedErrors(click.Command):
    """A command that prints a named error as one line and exits with code 2; scripts of ape share it."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EquipoiseError as error:
            click.echo(f"error: {' '.join(str(error).split())}", err=True)
            ctx.exit(2)
