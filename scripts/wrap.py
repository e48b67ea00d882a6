"""`ape run wrap 1000 --network NETWORK --account ALIAS`: turn vault shares into votes, or back."""

import click

from equipoise.governance import Governance
from equipoise.units import to_wad
from scripts._command import Command, account_option, load


@click.command(cls=Command)
@click.argument("shares", type=float)
@click.option("--back", is_flag=True, help="Take vault shares back instead.")
@account_option()
def cli(account, provider, shares, back):
    """Wrap SHARES for voting, delegated to the account itself unless it delegates already."""
    governance, holder = Governance(load(provider, account)), str(account.address)
    (governance.unwrap if back else governance.wrap)(holder, to_wad(shares))
    votes = governance.votes.call("getVotes", holder)
    click.echo(f"{holder} has {votes / 1e18:,.6g} votes")
