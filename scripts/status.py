"""`ape run status --network NETWORK`: one screen about the vault deployed on this network."""

import click

from equipoise.client.ape import ApeChain
from equipoise.client.deployment import Deployment
from scripts._command import Command


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a screen.")
@click.option("--keeper", envvar="EQUIPOISE_KEEPER", help="Base URL of a keeper, asked for its health.")
@click.option("--relay", envvar="EQUIPOISE_RELAY", help="Base URL of a relay, asked for its health.")
@click.option("--since", type=int, default=0, help="First block to look for events in; 0: the first of all.")
def cli(provider, as_json, keeper, relay, since):
    """Value, risk against targets, the mode and why, what waits, and what to do next."""
    from equipoise.report.status import print_status

    services = {kind: url for kind, url in (("keeper", keeper), ("relay", relay)) if url}
    print_status(Deployment.load(ApeChain(provider)), as_json, services=services, since=since)
