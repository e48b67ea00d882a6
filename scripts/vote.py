"""`ape run vote latest for --network NETWORK --account ALIAS`: cast all votes of an account."""

import click
from rich.console import Console

from equipoise.commands.govern import tell
from equipoise.governance import Support
from scripts._command import Command, account_option, load, sure


@click.command(cls=Command)
@click.argument("proposal")
@click.argument("choice", type=click.Choice([support.name.lower() for support in Support]))
@click.option("--reason", default="", help="Stands on chain beside the vote.")
@click.option("--yes", is_flag=True, help="Do not ask before sending.")
@account_option()
def cli(account, provider, proposal, choice, reason, yes):
    """Vote CHOICE on PROPOSAL, an id (or its first digits) or `latest`. A vote is final."""
    governance, found = tell(load(provider, account), proposal, Console())
    sure(yes, f"vote {choice}?")
    votes = governance.vote(found, str(account.address), Support[choice.upper()], reason)
    click.echo(f"counted: {votes / 1e18:,.6g} votes {choice}")
