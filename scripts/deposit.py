"""`ape run deposit 1000 --network NETWORK --account ALIAS`: cash in, shares out."""

import click

from equipoise.client.depositor import SHARE_DECIMALS, Depositor
from equipoise.units import from_token
from scripts._command import Command, depositor_options, load, sure


@click.command(cls=Command)
@click.argument("amount")
@depositor_options
def cli(provider, account, amount, receiver, max_slippage, yes):
    """Deposit AMOUNT whole units of the deposit token, such as 1000, or `all`."""
    me = Depositor(load(provider, account), account.address)
    quote = me.quote_deposit(me.parse_cash(amount, me.cash()), receiver)
    shares = from_token(quote.shares, SHARE_DECIMALS)
    click.echo(f"deposit {me.show(quote.assets)} for {shares:,.6f} shares at {quote.share_price:,.6f}")
    click.echo(f"fee {me.show(quote.fee)}; in and out again at once would cost {quote.round_trip:.2%}")
    sure(yes)
    assets, received = me.deposit(quote, receiver, max_slippage)
    got = from_token(received, SHARE_DECIMALS)
    click.echo(
        f"{got:,.6f} shares for {me.show(assets)}, {received / quote.shares - 1:+.4%} against the quote"
    )
