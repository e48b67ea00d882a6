"""`ape run execute latest --network NETWORK --account ALIAS`: carry out a proposal whose delay is over."""

import click
from rich.console import Console

from equipoise.commands.govern import tell
from scripts._command import Command, account_option, load


@click.command(cls=Command)
@click.argument("proposal")
@account_option()
def cli(account, provider, proposal):
    """Execute PROPOSAL, an id (or its first digits) or `latest`. Anybody may."""
    governance, found = tell(load(provider, account), proposal, Console())
    receipt = governance.execute(found, str(account.address))
    click.echo(f"executed in {receipt.hash} for {receipt.gas_used:,} gas")
