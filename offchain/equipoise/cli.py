"""The command `equipoise`: reads arguments, calls the library, prints. Heavy modules load inside commands."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from equipoise import __version__
from equipoise.errors import EquipoiseError, InputError

if TYPE_CHECKING:
    from equipoise.estimation.ewma import Estimate
    from equipoise.solver.parity import ParitySolution


class _Commands(click.Group):
    """A group that prints a named error as one line and exits with code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EquipoiseError as error:
            click.echo(f"error: {' '.join(str(error).split())}", err=True)
            ctx.exit(2)


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

    names = None if assets is None else [name.strip() for name in assets.split(",") if name.strip()]
    frame = load_prices(prices, names)
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
