"""`ape run keep open --network NETWORK --account ALIAS`: what a keeper does, by hand. Anybody may."""

import click

from equipoise.client.upkeep import Upkeep
from scripts._command import Command, account_option, load


@click.group()
def cli():
    """Chores that need no power over the vault, only gas."""


def chore(function):
    """Make a subcommand of a function that does one chore and tells what it did."""

    def command(account, provider, **arguments):
        upkeep = Upkeep(load(provider, account), account.address)
        click.echo(function(upkeep, **arguments))

    # not functools.wraps: ape looks at the signature to know that the provider is wanted
    command.__click_params__ = list(getattr(function, "__click_params__", ()))
    named = cli.command(cls=Command, name=function.__name__, help=function.__doc__)
    return named(account_option()(command))


@chore
def poke(upkeep):
    """Have the chain measure volatility from its own prices."""
    return f"done: {', '.join(upkeep.poke())}"


@chore
def open(upkeep):
    """Open a rebalancing auction, where a band is left."""
    return f"auction no. {upkeep.open()} is open"


@chore
def fill(upkeep):
    """Fill what the pools pay for now of the auction in course; what is left over is yours."""
    return "\n".join(f"{lot.words}; {lot.profit} smallest units left over" for lot in upkeep.fill())


@chore
def ripcord(upkeep):
    """Start the fast sale that restores the health factor."""
    return f"ripcord no. {upkeep.ripcord()} is pulled; `ape run keep fill` sells as soon as the pools pay"


@chore
def coordinates(upkeep):
    """Have the chain solve for the parity coordinates, after a change of budgets."""
    upkeep.coordinates()
    return "coordinates are in place"


@chore
def accrue(upkeep):
    """Mint the fee shares that are due."""
    upkeep.accrue()
    return "fees are accrued"


@chore
@click.argument("signer")
def activate(upkeep, signer):
    """Carry out the proposal of a signer whose time has come."""
    upkeep.activate(signer)
    return f"{signer} signs from now on"


@chore
@click.argument("symbol")
@click.option(
    "--drop/--use", required=True, help="When its LTV has become 0 or somebody gave it; when it is back."
)
def collateral(upkeep, symbol, drop):
    """Stop using SYMBOL, or the token of an address, as collateral at the venue, or use it again."""
    upkeep.collateral(symbol, use=not drop)
    return f"{symbol} is {'no collateral any more' if drop else 'collateral again'}"
