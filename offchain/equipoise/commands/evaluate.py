"""The command `equipoise evaluate`: which volatility forecast was best, and by more than chance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from equipoise.commands import NamedErrors
from equipoise.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from equipoise.estimation.implied import ImpliedVolatility
    from equipoise.estimation.models import VolatilityModel
    from equipoise.evaluation.split import WeightChoice

__all__ = ["evaluate"]


@click.command(cls=NamedErrors)
@click.option(
    "--prices", required=True, type=click.Path(path_type=Path), help="CSV: `date` and columns of closes."
)
@click.option("--assets", help="Columns, separated by commas; all by default.")
@click.option("--implied", type=click.Path(path_type=Path), help="CSV of implied volatilities in percent.")
@click.option("--implied-columns", help="ASSET=COLUMN, separated by commas; by default of the same name.")
@click.option("--ohlc", type=click.Path(path_type=Path), help="CSV of daily bars, for ranges.")
@click.option("--ohlc-columns", help="ASSET=PREFIX of its open, high, low, close; none for a single asset.")
@click.option("--horizons", default="1,7,30", show_default=True, help="Days ahead, separated by commas.")
@click.option("--start", help="First day that counts, YYYY-MM-DD.  [default: the first with every model]")
@click.option(
    "--choose-weights",
    metavar="SPLIT",
    help="Choose the blend's weights before a day (or fraction of the days), judge after it.",
)
@click.option("--jobs", type=int, default=None, help="Processes.  [default: one]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def evaluate(
    prices: Path,
    assets: str | None,
    implied: Path | None,
    implied_columns: str | None,
    ohlc: Path | None,
    ohlc_columns: str | None,
    horizons: str,
    start: str | None,
    choose_weights: str | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Rank volatility forecasts of each asset on what happened after them.

    Every forecast of a day is made from closes up to that day. A star says that the mean loss (QLIKE) differs
    from the EWMA's beyond chance, by the test of Diebold and Mariano at 5 %. With --choose-weights a table of
    weights chosen on the days before SPLIT and judged on those after it instead.
    """
    from rich.console import Console
    from rich.progress import track

    from equipoise.estimation.implied import load_implied
    from equipoise.evaluation.rolling import forecast_table, rank_forecasts
    from equipoise.evaluation.split import choose_weights as choose
    from equipoise.evaluation.split import split_day
    from equipoise.marketdata.prices import column_names, common_span, load_prices

    names = [n.strip() for n in assets.split(",") if n.strip()] if assets else list(column_names(prices))
    ahead = _days(horizons)
    columns = _pairs("--implied-columns", implied_columns, "BTC=btc_close")
    quotes = load_implied(implied, columns) if implied is not None else None
    bars = _bars(ohlc, ohlc_columns, names)
    first = _day(start)
    console = Console(stderr=as_json)
    found: dict[tuple[str, int], pd.DataFrame] = {}
    chosen: dict[tuple[str, int], WeightChoice] = {}
    cases = [(name, days) for name in names for days in ahead]
    for name, days in track(cases, "forecasts", console=console, transient=True):
        closes = load_prices(prices, [name], *common_span(prices, [name]))[name]
        parts, weights = _blended(name, quotes)
        if choose_weights is not None:
            table = forecast_table(closes, parts, days, first, jobs=jobs)
            usual = dict(zip((part.name for part in parts), weights, strict=True))
            split = split_day(table.index, choose_weights)
            chosen[name, days] = choose(table.drop(columns="realised"), table["realised"], split, days, usual)
        else:
            models = [*_alone(name, parts, bars), _default(parts, weights)]
            found[name, days] = rank_forecasts(forecast_table(closes, models, days, first, jobs=jobs), days)
    if not as_json:
        console.print(*(_table(name, days, table) for (name, days), table in found.items()))
        if chosen:
            console.print(_choices(chosen))
        return
    rows: list[dict[str, Any]] = [
        {"asset": name, "horizon_days": days, "model": model}
        | {str(name): figure for name, figure in figures.items()}
        for (name, days), table in found.items()
        for model, figures in table.to_dict(orient="index").items()
    ]
    rows += [
        {"asset": name, "horizon_days": days, **asdict(choice), "split": f"{choice.split:%Y-%m-%d}"}
        for (name, days), choice in chosen.items()
    ]
    click.echo(json.dumps(rows, indent=1))


def _blended(
    asset: str, implied: ImpliedVolatility | None
) -> tuple[Sequence[VolatilityModel], Sequence[float]]:
    """The default blend's models, the reference of the tests first, and its weights."""
    from equipoise.estimation.blend import BlendConfig
    from equipoise.estimation.garch_model import GarchModel
    from equipoise.estimation.models import EwmaModel, ImpliedModel

    parts: list[VolatilityModel] = [EwmaModel(), GarchModel()]
    default = BlendConfig()
    if implied is None or asset not in implied.values:
        share = default.ewma / (default.ewma + default.garch)
        return parts, [share, 1 - share]
    return [*parts, ImpliedModel(implied, asset)], [default.ewma, default.garch, default.implied]


def _alone(
    asset: str, parts: Sequence[VolatilityModel], bars: Mapping[str, pd.DataFrame]
) -> list[VolatilityModel]:
    """The blend's models and those that are not in it."""
    from equipoise.estimation.garch_model import GarchModel
    from equipoise.estimation.har import HarModel
    from equipoise.estimation.models import EwmaModel
    from equipoise.estimation.range_based import ESTIMATORS
    from equipoise.estimation.yang_zhang import YangZhangModel

    models = [*parts, EwmaModel(0.97), GarchModel(asymmetric=True), HarModel()]
    if asset in bars:
        models += [HarModel(estimator(bars[asset])) for estimator in ESTIMATORS.values()]
        models.append(YangZhangModel(bars[asset]))
    return models


def _default(parts: Sequence[VolatilityModel], weights: Sequence[float]) -> VolatilityModel:
    from equipoise.estimation.models import BlendModel

    return BlendModel(parts, weights, "Default blend")


def _bars(path: Path | None, columns: str | None, assets: Sequence[str]) -> Mapping[str, pd.DataFrame]:
    """Asset -> its bars."""
    from equipoise.estimation.range_based import load_ohlc

    prefixes = _pairs("--ohlc-columns", columns, "BTC=btc_")
    if path is None:
        if prefixes:
            raise InputError("--ohlc-columns names columns of no file; give --ohlc too")
        return {}
    if prefixes is None:
        if len(assets) != 1:
            raise InputError(
                f"--ohlc has the bars of one asset, but there are {', '.join(assets)}; say whose columns are "
                "whose by --ohlc-columns, such as BTC=btc_"
            )
        prefixes = {assets[0]: ""}
    if unknown := set(prefixes) - set(assets):
        raise InputError(
            f"--ohlc-columns names {', '.join(sorted(unknown))}; the assets are {', '.join(assets)}"
        )
    return {name: load_ohlc(path, prefix) for name, prefix in prefixes.items()}


def _choices(chosen: Mapping[tuple[str, int], WeightChoice]) -> Table:
    """Weights that the first part chose, and their losses on the second."""
    from rich import box
    from rich.table import Table

    splits = sorted(f"{choice.split:%Y-%m-%d}" for choice in chosen.values())
    when = splits[0] if splits[0] == splits[-1] else f"{splits[0]} to {splits[-1]}"
    made = Table(title=f"Weights chosen before {when}, judged after it: mean QLIKE", title_justify="left")
    made.box, made.pad_edge, made.caption_justify = box.SIMPLE_HEAD, False, "left"
    most = max(chosen.values(), key=lambda choice: len(choice.weights))
    models = ", ".join(most.weights)
    made.caption = f"Weights of {models}. p: of a difference by chance (Diebold-Mariano), from the chosen."
    made.add_column("Asset, days", no_wrap=True)
    for header in ("Weights, %", "Days", "Chosen", "Default", "p", "EWMA", "p"):
        made.add_column(header, justify="right", no_wrap=True)
    for (name, days), choice in chosen.items():
        losses = choice.qlike
        made.add_row(
            f"{name}, {days}",
            "/".join(f"{100 * weight:.0f}" for weight in choice.weights.values()),
            f"{choice.second_days:,}",
            f"{losses['chosen']:.3f}",
            f"{losses['default']:.3f}",
            f"{choice.p_default:.3f}",
            f"{losses['reference']:.3f}",
            f"{choice.p_reference:.3f}",
        )
    return made


def _table(asset: str, days: int, table: pd.DataFrame) -> Table:
    from rich import box
    from rich.table import Table

    title = f"{asset}, {days} {'day' if days == 1 else 'days'} ahead, {int(table['days'].iloc[0]):,} days"
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("Model", no_wrap=True)
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


def _day(text: str | None) -> pd.Timestamp | None:
    import pandas as pd

    try:
        return pd.Timestamp(text) if text else None
    except ValueError as error:
        raise InputError(f"--start {text!r} is not a date; write YYYY-MM-DD") from error


def _pairs(option: str, text: str | None, example: str) -> dict[str, str] | None:
    """ASSET=COLUMN, separated by commas."""
    if not text:
        return None
    found = {}
    for part in text.split(","):
        asset, equals, column = part.partition("=")
        if not equals:
            raise InputError(f"{option} {part!r}: give ASSET=NAME, such as {example}")
        found[asset.strip()] = column.strip()
    return found
