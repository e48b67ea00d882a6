"""What the scripts share. Ape leaves files that begin with an underscore alone."""

from ape.cli import ConnectedProviderCommand

from equipoise.commands import NamedErrors

__all__ = ["Command"]


class Command(NamedErrors, ConnectedProviderCommand):
    """A command on a network, `--network` as everywhere in ape; a refusal is one line, as in `equipoise`."""
