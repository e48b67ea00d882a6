"""`ape run queue latest --network NETWORK --account ALIAS`: hand a proposal that passed to the timelock."""

import click
from rich.console import Console

from equipoise.commands.govern import tell
from scripts._command import Command, account_option, load


@click.command(cls=Command)
@click.argument("proposal")
@account_option()
def cli(account, provider, proposal):
    """Queue PROPOSAL, an id (or its first digits) or `latest`. Anybody may."""
    governance, found = tell(load(provider, account), proposal, Console())
    governance.queue(found, str(account.address))
    click.echo(f"queued; {governance.next_step(found)}")
