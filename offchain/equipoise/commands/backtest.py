"""The command `equipoise backtest`: reads options, runs a study, prints the table, writes the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from equipoise.commands import NamedErrors
from equipoise.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["backtest"]

_USUAL = ("BTC", "ETH", "LINK")
_LEVERAGE_DOC = "Basket over NAV at most; up to 1 does not borrow."


@click.command(cls=NamedErrors)
@click.option("--prices", type=click.Path(path_type=Path), help="CSV: `date` and a column an asset.")
@click.option("--assets", help="Columns, separated by commas.  [default: BTC,ETH,LINK where there, else all]")
@click.option("--start", help="First day, YYYY-MM-DD.  [default: the first with every asset]")
@click.option("--end", help="Last day, YYYY-MM-DD.  [default: the last with every asset]")
@click.option("--budgets", help="Share of variance of each asset, separated by commas; equal by default.")
@click.option("--target-vol", type=float, default=0.15, show_default=True, help="Volatility a year.")
@click.option("--max-leverage", type=float, default=3.0, show_default=True, help=_LEVERAGE_DOC)
@click.option("--parity-band", type=float, default=0.03, show_default=True, help="Parity gap left alone.")
@click.option("--vol-band", type=float, default=0.10, show_default=True, help="Volatility off its target.")
@click.option("--decay", type=float, default=0.94, show_default=True, help="Of the signers' EWMA, a day.")
@click.option("--fee-bps", type=float, default=30.0, show_default=True, help="Paid for each dollar traded.")
@click.option("--depth", type=float, default=20e6, show_default=True, help="USD that move a pool by 1 %.")
@click.option("--borrow-rate", type=float, default=0.04, show_default=True, help="Interest on debt a year.")
@click.option("--nav", type=float, default=1e6, show_default=True, help="USD in the vault at the start.")
@click.option("--gas-gwei", type=float, default=20.0, show_default=True, help="Gas price.")
@click.option("--mix", help="Weights of your own, restored monthly, in the place of 60/40: 0.6,0.3,0.1.")
@click.option("--sweep", multiple=True, metavar="NAME=V1,V2", help="Grid of a parameter; repeat for more.")
@click.option("--jobs", type=int, default=None, help="Processes of the sweep.  [default: one]")
@click.option("--out", type=click.Path(path_type=Path), help="Directory for study.html, PNGs, summary.json.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON instead of a table.")
def backtest(
    prices: Path | None,
    assets: str | None,
    start: str | None,
    end: str | None,
    budgets: str | None,
    target_vol: float,
    max_leverage: float,
    parity_band: float,
    vol_band: float,
    decay: float,
    fee_bps: float,
    depth: float,
    borrow_rate: float,
    nav: float,
    gas_gwei: float,
    mix: str | None,
    sweep: tuple[str, ...],
    jobs: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """The vault's policy over years of prices in seconds, beside traditional allocations.

    No chain: the same rules, costs as given. The others as they are and at the vault's volatility, with
    intervals from resampled blocks of days; and the sensitivity to the bands, or to the grid of --sweep.
    """
    from rich.console import Console

    from equipoise.client.config import AuctionConfig
    from equipoise.estimation.ewma import EstimationConfig
    from equipoise.report.study.table import held_on, render_equal_risk, render_study, render_sweep
    from equipoise.report.study.write import summarise_study, write_study
    from equipoise.report.summary import to_json
    from equipoise.report.write import check_directory
    from equipoise.simulation.allocations import MISSING_SKFOLIO
    from equipoise.simulation.backtest import BacktestConfig
    from equipoise.simulation.costs import CostModel
    from equipoise.simulation.study import run_study

    if out is not None:
        check_directory(out)
    console = Console(stderr=as_json)
    closes = _closes(prices, assets, start, end)
    config = BacktestConfig(
        auction=AuctionConfig(target_vol, max_leverage, parity_band, vol_band),
        estimation=EstimationConfig(volatility_decay=decay),
        budgets=None if budgets is None else _numbers("--budgets", budgets),
        thresholds=_thresholds(closes),
        costs=CostModel(fee_bps / 1e4, depth, borrow_rate, nav, gas_price_gwei=gas_gwei),
    )
    grid = {name: _numbers(f"--sweep {name}", values) for name, values in map(_parameter, sweep)}
    console.print(
        f"[dim]· {', '.join(map(str, closes.columns))}, {closes.index[0]:%F} to {closes.index[-1]:%F}[/]"
    )
    with console.status("") as status:
        study = run_study(
            closes,
            config,
            grid=grid or None,
            mix=None if mix is None else _numbers("--mix", mix),
            jobs=jobs,
            source=str(prices or "default"),
            on_stage=lambda text: status.update(f"{text} ..."),
        )
        status.update("the page is drawn ...")
        report = write_study(study, out) if out is not None else None
    if as_json:
        click.echo(to_json(summarise_study(study)), nl=False)
    else:
        tables = render_study(study), render_equal_risk(study), render_sweep(study)
        console.print(*tables, *held_on(study), sep="\n")
        if "mean_variance" not in study.held_on:
            console.print(MISSING_SKFOLIO)
    if report is not None:
        console.print(f"Study: {report.directory / 'study.html'}")


def _closes(prices: Path | None, assets: str | None, start: str | None, end: str | None) -> pd.DataFrame:
    """Checked closes: of the usual three where the file has them, on the days that all of them share."""
    from equipoise.marketdata.packages import default_prices
    from equipoise.marketdata.prices import column_names, common_span, load_prices

    names = None if assets is None else [name.strip() for name in assets.split(",") if name.strip()]
    if prices is None:
        return default_prices(names or _USUAL, start=start, end=end)
    if names is None and set(_USUAL) <= set(column_names(prices)):
        names = list(_USUAL)
    first, last = common_span(prices, names)
    return load_prices(prices, names, start or first, end or last)


def _thresholds(closes: pd.DataFrame) -> tuple[float, ...]:
    """Liquidation thresholds of the local world's lending market, for known and unknown assets."""
    from equipoise.world.assets import AssetSpec

    first = closes.bfill().iloc[0]
    return tuple(AssetSpec.of(str(name), float(price)).liquidation_threshold for name, price in first.items())


def _parameter(text: str) -> tuple[str, str]:
    name, equals, values = text.partition("=")
    if not equals:
        raise InputError(f"--sweep {text!r}: give NAME=V1,V2, such as parity_band=0.01,0.03")
    return name.strip(), values


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise InputError(
            f"{option} {text!r}: give numbers separated by commas, such as 0.4,0.3,0.3"
        ) from error
