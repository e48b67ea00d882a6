"""`ape run exit all --network NETWORK --account ALIAS`: out, whatever the vault's oracles say."""

import click

from equipoise.client.depositor import SHARE_DECIMALS, Depositor
from equipoise.units import from_token
from scripts._command import Command, against, depositor_options, load, sure


@click.command(cls=Command)
@click.argument("shares")
@click.option("--in-kind", is_flag=True, help="Take the tokens, and repay the shares' part of the debt.")
@click.option("--skip", multiple=True, metavar="SYMBOL", help="Forfeit a token that cannot be moved.")
@click.option("--keep", multiple=True, metavar="SYMBOL", help="Take a token instead of selling it.")
@depositor_options
def cli(provider, account, shares, in_kind, skip, keep, receiver, max_slippage, yes):
    """Leave with SHARES whole shares, or `all`: sold on Uniswap for the deposit token, or in kind.

    Neither needs a price of the vault's. The sale pays at least its quote less --max-slippage.
    """
    if in_kind and keep:
        raise click.UsageError("--keep is for the sale; --in-kind sells nothing")
    me = Depositor(load(provider, account), account.address)
    wanted = me.parse_shares(shares)
    leave = _in_kind if in_kind else _sold
    leave(me, wanted, {"skip": skip, "receiver": receiver}, keep, max_slippage, yes)


def _sold(me, shares, options, keep, max_slippage, yes):
    worth = me.worth(shares)
    words = "the vault has no prices now" if worth is None else f"worth {me.show(worth)} at mid prices"
    click.echo(f"exit with {from_token(shares, SHARE_DECIMALS):,.6f} shares, {words}")
    click.echo("the quote needs an approval of these shares to the ExitZap, which serves you alone")
    sure(yes, "Approve?")
    me.approve_exit(shares)
    quote = me.quote_exit(shares, max_slippage, keep=keep, **options)
    cost = "" if not quote.worth else f", {1 - quote.assets / quote.worth:.2%} less than at mid"
    click.echo(f"the exchange pays {me.show(quote.assets)} now{cost}; at least {me.show(quote.min_assets)}")
    sure(yes)
    paid = me.exit(quote, keep=keep, **options)
    click.echo(f"{me.show(paid)} received, {against(paid, quote.assets)}")


def _in_kind(me, shares, options, keep, max_slippage, yes):
    quote = me.quote_in_kind(shares, options["skip"])
    click.echo(f"exit in kind with {from_token(shares, SHARE_DECIMALS):,.6f} shares, for")
    _print(me, quote.amounts)
    if quote.debt:
        click.echo(f"repaying {me.show(quote.debt)} of the debt, a thousandth for interest included")
    sure(yes)
    done = me.exit_in_kind(quote, **options)
    click.echo(f"received, against {me.show(done.debt)} repaid:" if done.debt else "received:")
    _print(me, done.amounts)


def _print(me, amounts):
    tokens = dict(zip(me.deployment.symbols, me.deployment.tokens, strict=True))
    for symbol, amount in amounts.items():
        decimals = tokens[symbol].call("decimals") if symbol in tokens else me.cash_decimals
        click.echo(f"  {from_token(amount, decimals):>24,.8f} {symbol}")
