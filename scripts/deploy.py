"""Deploy Equipoise: `ape run deploy --network NETWORK --account ALIAS --config scripts/configs/NAME.yaml`."""

import click
from ape.cli import ConnectedProviderCommand, account_option

from equipoise.cli import NamedErrors
from equipoise.client.ape import ApeChain
from equipoise.client.config import DeploymentConfig
from equipoise.client.deployment import deploy


class Command(NamedErrors, ConnectedProviderCommand):
    """A refusal is one line, as in `equipoise`."""


@click.command(cls=Command)
@account_option()
@click.option("--config", "source", required=True, type=click.Path(exists=True, dir_okay=False))
def cli(account, provider, source):
    """Deploy a vault as a configuration file describes it, and remember its addresses."""
    config = DeploymentConfig.from_yaml(source)
    chain = ApeChain(provider, [account])
    deployment = deploy(chain, str(account.address), config, progress=click.echo)
    path = deployment.save()
    click.echo(f"vault {deployment.vault.address}; addresses in {path}")
