"""`ape run status --network NETWORK`: one screen about the vault deployed on this network."""

import click

from equipoise.client.deployment import deployment_path
from equipoise.client.logs import first_block
from scripts._command import Command, load


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a screen.")
@click.option("--keeper", envvar="EQUIPOISE_KEEPER", help="Base URL of a keeper, asked for its health.")
@click.option("--relay", envvar="EQUIPOISE_RELAY", help="Base URL of a relay, asked for its health.")
@click.option("--since", type=int, help="First block to look for events in; that of the deployment.")
def cli(provider, as_json, keeper, relay, since):
    """Value, risk against targets, the mode and why, what waits, and what to do next."""
    from equipoise.report.status import print_status

    deployment = load(provider)
    if since is None:
        since = first_block(deployment_path(deployment.chain.chain_id))
    services = {kind: url for kind, url in (("keeper", keeper), ("relay", relay)) if url}
    print_status(deployment, as_json, services=services, since=since)
