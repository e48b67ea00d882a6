"""The command `equipoise evaluate`: which volatility forecast was best, and by more than chance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from equipoise.commands import NamedErrors
from equipoise.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from equipoise.estimation.implied import ImpliedVolatility
    from equipoise.estimation.models import VolatilityModel

__all__ = ["evaluate"]


@click.command(cls=NamedErrors)
@click.option(
    "--prices", required=True, type=click.Path(path_type=Path), help="CSV: `date` and columns of closes."
)
@click.option("--assets", help="Columns, separated by commas; all by default.")
@click.option("--implied", type=click.Path(path_type=Path), help="CSV of implied volatilities in percent.")
@click.option("--implied-columns", help="ASSET=COLUMN, separated by commas; by default of the same name.")
@click.option("--horizons", default="1,7,30", show_default=True, help="Days ahead, separated by commas.")
@click.option("--start", help="First day that counts, YYYY-MM-DD.  [default: the first with every model]")
@click.option("--jobs", type=int, default=None, help="Processes.  [default: one]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def evaluate(
    prices: Path,
    assets: str | None,
    implied: Path | None,
    implied_columns: str | None,
    horizons: str,
    start: str | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Rank volatility forecasts of each asset on what happened after them.

    Every forecast of a day is made from closes up to that day. A star says that the mean loss (QLIKE) differs
    from the EWMA's beyond chance, by the test of Diebold and Mariano at 5 %.
    """
    import pandas as pd
    from rich.console import Console
    from rich.progress import track

    from equipoise.estimation.implied import load_implied
    from equipoise.evaluation.rolling import compare_models
    from equipoise.marketdata.prices import column_names, common_span, load_prices

    names = [n.strip() for n in assets.split(",") if n.strip()] if assets else list(column_names(prices))
    ahead = _days(horizons)
    columns = dict(map(_pair, implied_columns.split(","))) if implied_columns else None
    quotes = load_implied(implied, columns) if implied is not None else None
    console = Console(stderr=as_json)
    found = {}
    cases = [(name, days) for name in names for days in ahead]
    for name, days in track(cases, "forecasts", console=console, transient=True):
        closes = load_prices(prices, [name], *common_span(prices, [name]))[name]
        first = pd.Timestamp(start) if start else None
        found[name, days] = compare_models(closes, _models(name, quotes), days, first, jobs=jobs)
    if as_json:
        rows = [
            {"asset": name, "horizon_days": days, "model": model, **figures}
            for (name, days), table in found.items()
            for model, figures in table.to_dict(orient="index").items()
        ]
        click.echo(json.dumps(rows, indent=1))
    else:
        console.print(*(_table(name, days, table) for (name, days), table in found.items()))


def _models(asset: str, implied: ImpliedVolatility | None) -> list[VolatilityModel]:
    """The reference first."""
    from equipoise.estimation.blend import BlendConfig
    from equipoise.estimation.garch_model import GarchModel
    from equipoise.estimation.har import HarModel
    from equipoise.estimation.models import BlendModel, EwmaModel, ImpliedModel

    ewma, garch = EwmaModel(), GarchModel()
    alone: list[VolatilityModel] = [ewma, EwmaModel(0.97), garch, GarchModel(asymmetric=True), HarModel()]
    default = BlendConfig()
    if implied is None or asset not in implied.values:
        share = default.ewma / (default.ewma + default.garch)
        return [*alone, BlendModel([ewma, garch], [share, 1 - share], "Default blend")]
    quoted = ImpliedModel(implied, asset)
    weights = [default.ewma, default.garch, default.implied]
    return [*alone, quoted, BlendModel([ewma, garch, quoted], weights, "Default blend")]


def _table(asset: str, days: int, table: pd.DataFrame) -> Table:
    from rich import box
    from rich.table import Table

    title = f"{asset}, {days} {'day' if days == 1 else 'days'} ahead, {int(table['days'].iloc[0]):,} days"
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("Model", min_width=14)
    for header in ("QLIKE", "of EWMA's", "p", "MSE", "Forecast / realised"):
        made.add_column(header, justify="right")
    reference = table.loc["EWMA 0.94", "qlike"]
    for model, row in table.iterrows():
        star = "*" if row["p_value"] < 0.05 else " "
        made.add_row(
            str(model),
            f"{row['qlike']:.4f}",
            f"{row['qlike'] / reference:.1%}",
            "" if model == "EWMA 0.94" else f"{row['p_value']:.3f}{star}",
            f"{row['mse']:.4f}",
            f"{row['bias']:.2f}",
        )
    return made


def _days(text: str) -> list[int]:
    try:
        days = [int(part) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise InputError(f"--horizons {text!r}: give whole days, separated by commas, as 1,7,30") from error
    if not days or min(days) < 1:
        raise InputError(f"--horizons {text!r}: give days >= 1, separated by commas, as 1,7,30")
    return days


def _pair(text: str) -> tuple[str, str]:
    asset, equals, column = text.partition("=")
    if not equals:
        raise InputError(f"--implied-columns {text!r}: give ASSET=COLUMN, such as BTC=btc_close")
    return asset.strip(), column.strip()
