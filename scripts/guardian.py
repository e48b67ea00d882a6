"""`ape run guardian pause-increases --network NETWORK --account ALIAS`: tighten; `--print` for a multisig."""

import click

from equipoise.client.guardian import TIGHTENED, Guardian
from scripts._command import Command, act_options, load, sure


@click.group()
def cli():
    """What the guardian (and the owner) may do at once. Nothing here can loosen, or touch an exit."""


def act(function):
    """Make a subcommand of a function that gives the guardian's act."""

    def command(account, provider, only_print, yes, **arguments):
        chosen = function(Guardian(load(provider, account)), **arguments)
        click.echo(chosen.words)
        if only_print:
            return click.echo(f"to    {chosen.contract.address}\ndata  {chosen.data}")
        chosen.check(account.address)
        sure(yes)
        click.echo(f"done: {chosen.send(account.address).hash}")

    command.__click_params__ = list(getattr(function, "__click_params__", ()))
    named = cli.command(cls=Command, name=function.__name__.replace("_", "-"), help=function.__doc__)
    return named(act_options(command))


@act
def pause_increases(guardian):
    """Stop risk from rising."""
    return guardian.pause_increases()


@act
def pause_deposits(guardian):
    """Stop deposits."""
    return guardian.pause_deposits()


@act
@click.argument("signer")
def remove_signer(guardian, signer):
    """Remove the signer with this address, such as one whose key is no longer its own."""
    return guardian.remove_signer(signer)


@act
@click.argument("signer")
def cancel_signer(guardian, signer):
    """Withdraw the proposal of a signer."""
    return guardian.cancel_signer(signer)


@act
@click.argument("amount", type=float)
def cap(guardian, amount):
    """Lower the deposit cap to AMOUNT whole units of the deposit token."""
    return guardian.lower_cap(amount)


@act
@click.option("--target-volatility", type=float, help="A year, 0.1 for 10 %.")
@click.option("--max-leverage", type=float)
@click.option("--max-borrow-rate", type=float, help="A year, 0.1 for 10 %.")
@click.option("--loss-budget", type=float, help="Of NAV a day, 0.001 for 0.1 %.")
def tighten(guardian, **limits):
    """Lower limits of the auction."""
    return guardian.tighten({name: limits[name] for name in TIGHTENED if limits[name] is not None})


@act
@click.argument("operation")
def veto(guardian, operation):
    """Cancel the operation with this id, which waits in the timelock."""
    return guardian.veto(operation)
