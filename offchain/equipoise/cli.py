"""The command `equipoise`: reads arguments, calls the library, prints. Heavy modules load inside commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from equipoise import __version__
from equipoise.commands import NamedErrors
from equipoise.commands.backtest import backtest
from equipoise.commands.evaluate import evaluate
from equipoise.commands.keeper import keeper
from equipoise.errors import InputError
from equipoise.interrupts import interruptible

if TYPE_CHECKING:
    from equipoise.estimation.ewma import Estimate
    from equipoise.solver import ParitySolution

_APE_PORT = 8545  # where ape looks for a running chain


class _Commands(click.Group):
    command_class = NamedErrors


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Risk parity, on chain and off."""


@main.command()
@click.option("--input", "source", required=True, help="JSON file, or - for standard input.")
def solve(source: str) -> None:
    """Parity weights of a covariance matrix.

    The input holds `covariance` (n rows of n numbers) and may hold `budgets` (n numbers > 0 with sum 1; equal
    by default). Prints JSON: contributions sum to the volatility, shares to 1; max_error is the largest
    distance of a share from its budget.
    """
    from equipoise.solver.parity import solve_parity

    case = _read_json(source)
    if not isinstance(case, dict) or "covariance" not in case:
        raise InputError(
            f"{source} has no key `covariance`; give a JSON object with it, and `budgets` if unequal"
        )
    click.echo(json.dumps(_solution(solve_parity(case["covariance"], case.get("budgets"))), indent=2))


@main.command()
@click.option("--prices", required=True, help="CSV file: `date` and one column of daily closes an asset.")
@click.option("--assets", help="Columns to use, separated by commas; all by default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def estimate(prices: str, assets: str | None, as_json: bool) -> None:
    """Volatilities, correlations and parity weights at the last day of a price file."""
    from equipoise.estimation.ewma import estimate as estimate_prices
    from equipoise.marketdata.prices import load_prices
    from equipoise.solver.parity import solve_parity

    frame = load_prices(prices, _names(assets))
    result = estimate_prices(frame)
    covariance = result.correlation * result.vol_ann[:, None] * result.vol_ann[None, :]
    solution = solve_parity(covariance)
    labels = [str(name) for name in frame.columns]
    if as_json:
        head = {
            "assets": labels,
            "observed_at": result.observed_at.isoformat(),
            "observations": result.observations,
            "vol_ann": result.vol_ann.tolist(),
            "correlation": result.correlation.tolist(),
        }
        click.echo(json.dumps({**head, **_solution(solution)}, indent=2))
    else:
        _print_estimate(labels, result, solution)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM unwind everything, then end with 130: no process and no half-written file stays."""
    try:
        with interruptible():
            yield
    except KeyboardInterrupt:
        click.echo("interrupted: the local chain is stopped, no half-written report is left", err=True)
        sys.exit(130)


@main.command()
@click.option("--days", type=int, help="Replay only the first so many days (at least 60).")
@click.option(
    "--prices", type=click.Path(path_type=Path), help="CSV of your own: `date` and a column an asset."
)
@click.option("--assets", help="2 to 8 columns, separated by commas.")
@click.option("--budgets", help="Share of variance of each asset, separated by commas; equal by default.")
@click.option("--target-vol", type=float, default=0.15, show_default=True, help="Volatility a year.")
@click.option(
    "--max-leverage",
    type=float,
    default=3.0,
    show_default=True,
    help="Basket over NAV at most, borrowed from Aave V3; up to 1 is a vault that does not borrow.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Of users and signers' price sources.")
@click.option("--out", default="build/demo", show_default=True, help="Directory of the report.")
@_interruptible()
def demo(
    days: int | None,
    prices: Path | None,
    assets: str | None,
    budgets: str | None,
    target_vol: float,
    max_leverage: float,
    seed: int,
    out: str,
) -> None:
    """Replay real prices against the real contracts on a local chain, and write a report.

    Depositors, signers, an arbitrageur and a keeper meet a vault on Uniswap V3, one day after another; at the
    end stands a table of the vault beside simpler portfolios, and report.html, PNGs and summary.json.
    """
    from rich.console import Console

    from equipoise.report import check_directory, render, write_report
    from equipoise.report.progress import DemoProgress
    from equipoise.simulation.demo import DemoOptions, run_demo
    from equipoise.simulation.replay import ReplayConfig

    check_directory(out)  # before the replay: nobody waits for minutes to hear of a typo
    names = _names(assets)
    shares = None if budgets is None else _fractions(budgets)
    options = DemoOptions(days, prices, names, shares, target_vol, max_leverage, ReplayConfig(seed=seed))
    console = Console()
    with DemoProgress(console) as progress:
        result = run_demo(options, progress.day, progress.stage)
        progress.stage("the report is drawn")
        report = write_report(result, out)
    console.print(render(result, report.portfolios))
    console.print(f"Report: {report.directory / 'report.html'}")


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=_APE_PORT, show_default=True)
@_interruptible()
def world(port: int) -> None:
    """Keep a local chain with a living vault on it, for `ape console` and `ape run`, until Ctrl-C."""
    import signal

    from equipoise.simulation.demo import DemoOptions, living_world

    with living_world(DemoOptions(), port) as staged:
        path = staged.deployment.save()
        try:
            endpoint = f"http://127.0.0.1:{port}"
            click.echo(f"{endpoint} until Ctrl-C; vault {staged.deployment.vault.address}")
            prefix = "" if port == _APE_PORT else f"APE_FOUNDRY_HOST={endpoint} "
            click.echo(f"in another terminal: {prefix}ape console")
            signal.pause()
        finally:
            path.unlink(missing_ok=True)


@main.command()
@click.argument("config", type=click.Path(path_type=Path))
def signer(config: Path) -> None:
    """Run one signer of the volatility oracle, by a YAML file such as scripts/configs/signer.yaml.

    It serves its signed estimates over HTTP, with /health and /metrics, until Ctrl-C. Its key comes from the
    ape account that the file names.
    """
    from equipoise.oracle.settings import SignerSettings, run_signer

    run_signer(SignerSettings.from_yaml(config))


@main.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--once", is_flag=True, help="Do what is due now, then end.")
def relay(config: Path, once: bool) -> None:
    """Bring the signers' reports to the chain, by a YAML file such as scripts/configs/relay.yaml."""
    import logging

    from equipoise.oracle.settings import RelaySettings, run_relay

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    run_relay(RelaySettings.from_yaml(config), once)


main.add_command(backtest)
main.add_command(evaluate)
main.add_command(keeper)


def _names(assets: str | None) -> list[str] | None:
    return None if assets is None else [name.strip() for name in assets.split(",") if name.strip()]


def _fractions(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InputError(
            f"--budgets {text!r}: give numbers separated by commas, such as 0.4,0.3,0.3"
        ) from error


def _read_json(source: str) -> Any:
    try:
        return json.loads(sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{source} cannot be read ({error.strerror}); give a JSON file, or -") from error
    except ValueError as error:
        raise InputError(f"{source} is not JSON ({error})") from error


def _solution(solution: ParitySolution) -> dict[str, Any]:
    return {
        "weights": solution.weights.tolist(),
        "coordinates": solution.coordinates.tolist(),
        "volatility": solution.volatility,
        "contributions": solution.contributions.tolist(),
        "shares": (solution.contributions / solution.volatility).tolist(),
        "max_error": solution.max_error,
        "iterations": solution.iterations,
    }


def _print_estimate(assets: list[str], result: Estimate, solution: ParitySolution) -> None:
    from rich.console import Console
    from rich.table import Table

    title = f"At {result.observed_at}, from {result.observations} returns"
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.caption = f"volatility of these weights {solution.volatility:.1%} a year"
    table.add_column("asset")
    for column in ("volatility", "coordinate", "weight", *assets):
        table.add_column(column, justify="right")
    for i, asset in enumerate(assets):
        risk = f"{result.vol_ann[i]:.1%}", f"{solution.coordinates[i]:.4f}", f"{solution.weights[i]:.2%}"
        table.add_row(asset, *risk, *(f"{c:.2f}" for c in result.correlation[i]))
    console = Console()
    if not console.is_terminal:
        console.width = 140
    console.print(table)


if __name__ == "__main__":
    main()
