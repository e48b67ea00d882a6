"""`ape run veto latest --network NETWORK --account ALIAS`: the guardian cancels a queued proposal."""

import click
from rich.console import Console

from equipoise.commands.govern import tell
from scripts._command import Command, account_option, load, sure


@click.command(cls=Command)
@click.argument("proposal")
@click.option("--yes", is_flag=True, help="Do not ask before sending.")
@account_option()
def cli(account, provider, proposal, yes):
    """Veto PROPOSAL, an id (or its first digits) or `latest`; it cannot be queued again."""
    governance, found = tell(load(provider, account), proposal, Console())
    sure(yes, "veto it?")
    receipt = governance.veto(found, str(account.address))
    click.echo(f"vetoed in {receipt.hash}")
