"""`ape run status --network NETWORK`: one screen about the vault deployed on this network."""

import click
from ape.cli import ConnectedProviderCommand

from equipoise.cli import NamedErrors
from equipoise.client.ape import ApeChain
from equipoise.client.deployment import Deployment
from equipoise.report.status import print_status


class Command(NamedErrors, ConnectedProviderCommand):
    """A refusal is one line, as in `equipoise`."""


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def cli(provider, as_json):
    """NAV, weights against targets, risk contributions, parity gap, mode and ages."""
    print_status(Deployment.load(ApeChain(provider)), as_json)
