"""`ape run redeem 1000 --network NETWORK --account ALIAS`: cash out of what is idle."""

import click

from equipoise.client.depositor import SHARE_DECIMALS, Depositor
from equipoise.units import from_token
from scripts._command import Command, against, depositor_options, load, sure


@click.command(cls=Command)
@click.argument("amount")
@depositor_options
def cli(provider, account, amount, receiver, max_slippage, yes):
    """Redeem shares for AMOUNT whole units of the deposit token, such as 1000, or `all` shares.

    It pays from the vault's idle cash, and says how much there is. For more, see `ape run exit`.
    """
    me = Depositor(load(provider, account), account.address)
    quote = me.quote_redeem(None if amount == "all" else me.parse_cash(amount, 0))
    shares = from_token(quote.shares, SHARE_DECIMALS)
    cost = 1 - quote.assets / quote.worth if quote.worth else 0.0
    click.echo(f"redeem {shares:,.6f} shares for {me.show(quote.assets)}")
    click.echo(f"at mid prices they are worth {me.show(quote.worth)}: spread and fee cost {cost:.2%}")
    sure(yes)
    assets, _ = me.redeem(quote, receiver, max_slippage)
    click.echo(f"{me.show(assets)} received, {against(assets, quote.assets)}")
