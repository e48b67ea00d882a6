"""What the scripts share. Ape leaves files that begin with an underscore alone."""

import click
from ape.cli import account_option

from equipoise.client.ape import ApeChain
from equipoise.client.deployment import Deployment
from equipoise.commands.ape import ApeCommand as Command

__all__ = ["Command", "account_option", "act_options", "against", "depositor_options", "load", "sure"]


def load(provider, account=None):
    """The deployment on this network; `account`, one of ape's, may send."""
    return Deployment.load(ApeChain(provider, [account] if account else []))


def sure(yes, question="Go on?"):
    """Ask, unless `--yes` was given."""
    if not yes:
        click.confirm(question, abort=True)


def against(got, expected):
    """What came of a quote."""
    off = got / expected - 1 if expected else 0.0
    return "as quoted" if abs(off) < 1e-6 else f"{off:+.4%} against the quote"


def _with(*options):
    def decorate(command):
        for option in options:
            command = option(command)
        return command

    return decorate


_YES = click.option("--yes", is_flag=True, help="Do not ask before sending.")
depositor_options = _with(
    _YES,
    click.option(
        "--max-slippage",
        type=float,
        default=0.005,
        show_default=True,
        help="Fraction by which the outcome may be worse than the quote.",
    ),
    click.option("--receiver", help="Who gets it; the account itself by default."),
    account_option(),
)
act_options = _with(
    _YES,
    click.option("--print", "only_print", is_flag=True, help="Print target and call data, send nothing."),
    account_option(),
)
