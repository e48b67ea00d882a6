"""Deploy Equipoise: `ape run deploy --network NETWORK --account ALIAS --config scripts/configs/NAME.yaml`."""

import click
from rich.console import Console

from equipoise.client import RpcChain
from equipoise.client.ape import ApeChain, endpoint_of, unlock
from equipoise.client.explorer import publish
from equipoise.commands.deploy import choose_config, dry_run, run
from scripts._command import Command, account_option


@click.command(cls=Command)
@account_option()
@click.option("--config", "source", type=click.Path(exists=True, dir_okay=False), help="Configuration file.")
@click.option("--recorded", is_flag=True, help="Go on with the configuration that the record holds.")
@click.option("--restart", is_flag=True, help="Begin anew; a record of something else is kept aside.")
@click.option("--accept-warnings", is_flag=True, help="Do not ask about warnings.")
@click.option("--dry-run", "dry", is_flag=True, help="On a private fork: gas and cost of each step.")
@click.option("--second-rpc", help="Another endpoint of the network, to compare heads with.")
def cli(account, provider, source, recorded, restart, accept_warnings, dry, second_rpc):
    """Deploy a vault as a configuration file describes it, or go on where that was interrupted.

    The configuration is held against the chain before anything is sent. Addresses are kept in
    scripts/deployments/<chain id>.json; the same command resumes.
    """
    console = Console()
    chain, deployer = ApeChain(provider, [account]), str(account.address)
    config = choose_config(chain, source, recorded)
    if dry:
        dry_run(chain, endpoint_of(provider), deployer, config, console=console)
        return
    _, record = run(
        chain,
        deployer,
        config,
        console=console,
        restart=restart,
        accept_warnings=accept_warnings,
        second=RpcChain(second_rpc) if second_rpc else None,
        before_sending=lambda: unlock(account),
    )
    console.print(publish(provider, record.data["planned"], record.data["arguments"]), soft_wrap=True)
