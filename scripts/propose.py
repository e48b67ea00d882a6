"""`ape run propose budgets 0.4 0.3 0.3 --network NETWORK --account ALIAS`: show the effect, then propose."""

import click
import yaml
from rich.console import Console

from equipoise.client.config import AssetConfig, build_section
from equipoise.commands.govern import propose
from equipoise.governance import baskets, offices, templates
from scripts._command import Command, account_option, load


@click.group()
def cli():
    """Propose a change to the shareholders. Nothing is sent before the effect on a fork is shown."""


def template(function):
    """Make a subcommand of a function that drafts the proposal."""

    def command(account, provider, yes, simulate_only, **arguments):
        deployment = load(provider, account)
        draft = function(deployment, **arguments)
        options = {"yes": yes, "simulate_only": simulate_only}
        propose(deployment, draft, str(account.address), console=Console(), **options)

    command.__click_params__ = list(getattr(function, "__click_params__", ()))
    for option in (
        click.option("--yes", is_flag=True, help="Do not ask before sending."),
        click.option("--simulate-only", is_flag=True, help="Show the effect, send nothing."),
        account_option(),
    ):
        command = option(command)
    name = function.__name__.replace("_", "-")
    return cli.command(cls=Command, name=name, help=function.__doc__)(command)


SHARES = click.argument("shares", nargs=-1, type=float, required=True)


@template
@SHARES
def budgets(deployment, shares):
    """New risk budgets SHARES, one an asset in the basket's order, summing to 1."""
    return templates.budgets(deployment, shares)


@template
@click.argument("value", type=float)
def target_volatility(deployment, value):
    """The volatility a year that the vault aims at: 0.12 is 12 %."""
    return templates.target_volatility(deployment, value)


@template
@click.argument("key")
@click.argument("value", type=float)
@click.option("--token", help="Symbol, for a parameter of a feed or its pool; `cash` for the cash token.")
def parameter(deployment, key, value, token):
    """Any parameter by its KEY in contracts/README.md, such as guard.deleverAfter, in its unit there."""
    return templates.change(deployment, {key: value}, token)


@template
@click.argument("value", type=float)
def deposit_cap(deployment, value):
    """The NAV that deposits may reach, in whole units of the cash token."""
    return templates.deposit_cap(deployment, value)


@template
@click.option("--entry", type=float)
@click.option("--exit", type=float)
@click.option("--management", type=float, help="A year's.")
@click.option("--performance", type=float)
@click.option("--recipient", help="Who receives them.")
def fees(deployment, **changes):
    """Fees as fractions; what is not named stays."""
    return templates.fees(deployment, **changes)


@template
@click.option("--add", "new", help="Address of a signer that comes.")
@click.option("--remove", "replaces", help="Address of one that leaves.")
@click.option("--threshold", type=int, help="How many must sign; as it is by default.")
def signer(deployment, **changes):
    """A signer comes, leaves, or takes another's place."""
    return templates.signer(deployment, **changes)


@template
@click.argument("asset", type=click.File())
@SHARES
def add(deployment, asset, shares):
    """Add the asset in the YAML file ASSET (as under `assets` in a configuration); its share is the last."""
    section = build_section(AssetConfig, yaml.safe_load(asset), asset.name)
    return baskets.add_asset(deployment, section, shares)


@template
@click.argument("symbol")
@SHARES
def retire(deployment, symbol, shares):
    """Have auctions sell all of SYMBOL; SHARES are the budgets of the others."""
    return baskets.retire_asset(deployment, symbol, shares)


@template
@click.argument("symbol")
def delist(deployment, symbol):
    """Let the vault forget SYMBOL, which is retired and sold."""
    return baskets.delist_asset(deployment, symbol)


@template
@click.argument("contract")
@click.argument("function")
def abdicate(deployment, contract, function):
    """Give up FUNCTION of CONTRACT (such as vault setFees) for ever."""
    return templates.abdicate(deployment, contract, function)


@template
def unpause(deployment):
    """Lift the guardian's pauses."""
    return offices.unpause(deployment)


@template
@click.argument("address")
@click.option("--unpause", "lift", is_flag=True, help="Lift the pauses of the old one too.")
def guardian(deployment, address, lift):
    """Make ADDRESS the guardian; the old one keeps its veto until `remove-veto`."""
    return offices.guardian(deployment, address, lift=lift)


@template
@click.argument("address")
def remove_veto(deployment, address):
    """Take the veto from ADDRESS, who cannot veto that."""
    return offices.remove_veto(deployment, address)


@template
@click.argument("asset", type=click.File())
def feed(deployment, asset):
    """Another feed or other bounds of a listed token, from a YAML file as `add` reads it."""
    return offices.feed(deployment, build_section(AssetConfig, yaml.safe_load(asset), asset.name))
