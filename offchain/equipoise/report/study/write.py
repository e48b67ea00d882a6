"""study.html, summary.json and the charts as PNGs: all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from equipoise import __version__
from equipoise.report import format as fmt
from equipoise.report.html import figure_html, page, table_html
from equipoise.report.study.charts import study_charts
from equipoise.report.study.table import HEADERS, caption, held_on, study_rows
from equipoise.report.summary import to_json
from equipoise.report.theme import Chart, safe
from equipoise.report.write import check_directory, write_files
from equipoise.simulation import Portfolio
from equipoise.simulation.bootstrap import Uncertainty
from equipoise.simulation.study import Study

__all__ = ["StudyReport", "render_study_page", "summarise_study", "write_study"]

_READING = """
<p>Every portfolio starts in cash on the day before the vault's first investment, invests at the next close
and pays by the same cost model. Nothing is seen before its day: estimates and weights of a day use closes up
to that day, and trades are made at that close.</p>
<p>The vault holds a volatility, so in a rising market it earns less than those who held more risk. The first
table is what each holder would have lived through; there compare Sharpe ratios and drawdowns, not returns.
The second gives every mix the vault's own steering, so that only the weights differ; there returns compare
too. Mind the intervals in both: where the interval of a difference covers 0, these years do not tell the two
apart.</p>
"""

_EQUAL_RISK = """
<p>The same mixes, each scaled up or down to the vault's target volatility by the vault's estimates, when its
volatility leaves the vault's band; under the same caps of leverage and health factor, with debt at the same
rate.</p>
"""

_ASSUMED = (
    ("Prices", "Daily closes; what happened between them is not seen. A closed market repeats its close."),
    ("Costs", "A fraction of each dollar traded, the price impact of a pool of that depth, interest on debt. "
     "Gas is paid by keepers and stands beside the value per share, not in it."),
    ("Cash", "Earns nothing, though a vault calmer than its market is mostly cash; "
     "the risk-free rate of the Sharpe ratio is 0 too."),
    ("Agreement", "From February to May 2020 this backtest and the replay of the real contracts "
     "differed by at most 0.7 % of NAV on any day and 0.2 % at its end; tests/e2e/test_backtest.py holds "
     "them to 1 % and 0.5 %."),
    ("Intervals", "Stationary bootstrap (Politis and Romano 1994), blocks by Politis and White (2004). "
     "It has seen what happened: a crash that these years lack is in no interval."),
    ("Choice", "The assets are those of today's choosing: one that died before the last day is not among "
     "them, and that flatters every portfolio on this page."),
)  # fmt: skip

_SIXTY_FORTY = (
    "60/40",
    "There are no bonds in a basket of crypto-assets: the calmest asset takes their part, and falls with the "
    "others.",
)


@dataclass(frozen=True)
class StudyReport:
    """A written study: its directory and files, and its figures."""

    directory: Path
    files: tuple[Path, ...]
    summary: dict[str, Any]


def write_study(study: Study, out_dir: str | Path) -> StudyReport:
    """Write the page, the summary and the charts; InputError where `out_dir` cannot be made or written."""
    target = check_directory(out_dir)
    charts, summary = study_charts(study), summarise_study(study)
    texts = {"study.html": render_study_page(study, charts), "summary.json": to_json(summary)}
    return StudyReport(target, write_files(target, charts, texts), summary)


def summarise_study(study: Study) -> dict[str, Any]:
    """Every figure of the page as JSON values."""
    uncertainty = study.uncertainty
    return {
        "version": __version__,
        "source": study.source,
        "first": f"{study.vault.nav.index[0]:%Y-%m-%d}",
        "last": f"{study.vault.nav.index[-1]:%Y-%m-%d}",
        "rebalances": study.backtest.rebalances,
        "gas": int(study.vault.gas.sum()),
        "gas_usd": float(study.vault.gas_usd.sum()),
        "portfolios": _figures(study.portfolios, uncertainty),
        "sharpe_gain": _gains(uncertainty),
        "equal_risk": {
            "portfolios": _figures(study.equal_risk, study.equal_risk_uncertainty),
            "sharpe_gain": _gains(study.equal_risk_uncertainty),
        },
        "held_on_months": dict(study.held_on),
        "bootstrap": {name: getattr(uncertainty, name) for name in ("level", "resamples", "seed", "block")},
        "sweep": study.sweep.to_dict(orient="records"),
        "config": asdict(study.backtest.config),
    }


def _figures(portfolios: Sequence[Portfolio], uncertainty: Uncertainty) -> dict[str, Any]:
    return {
        p.key: asdict(p.statistics)
        | {"name": p.name, "rule": p.rule}
        | {"intervals": {k: [v.low, v.high] for k, v in uncertainty.figures[p.key].items()}}
        for p in portfolios
    }


def _gains(uncertainty: Uncertainty) -> dict[str, list[float]]:
    return {key: [gain.low, gain.high] for key, gain in uncertainty.sharpe_gain.items()}


def render_study_page(study: Study, charts: Sequence[Chart]) -> str:
    """The page as a string."""
    vault = study.vault
    names = [str(name) for name in vault.weights.columns]
    first, last = vault.nav.index[0], vault.nav.index[-1]
    rules = "".join(f"<li><b>{safe(p.name)}.</b> {safe(p.rule)}</li>" for p in study.portfolios)
    notes = "".join(f"<li>{safe(line)}</li>" for line in held_on(study))
    assumed = [*_ASSUMED, *([_SIXTY_FORTY] if "sixty_forty" in study.held_on else [])]
    body = [
        "<h1>Risk parity beside traditional allocation</h1>",
        f'<p class="lead">{safe(", ".join(names[:-1]))} and {safe(names[-1])} from {first.day} {first:%B %Y} '
        f"to {last.day} {last:%B %Y}: {len(vault.nav) - 1:,} days by the vault's own policy, "
        f"{study.backtest.rebalances:,} rebalances.</p>",
        _cards(study),
        "<h2>Results</h2>",
        table_html(HEADERS, study_rows(study.portfolios, study.uncertainty), bold_row=0),
        f'<p class="note">{safe(caption(study))}</p>',
        f'<ul class="note">{rules}{notes}</ul>',
        f"<h2>At equal risk</h2>{_EQUAL_RISK}",
        table_html(HEADERS, study_rows(study.equal_risk, study.equal_risk_uncertainty), bold_row=0),
        f"<h2>How to read it</h2>{_READING}",
        "<h2>Charts</h2>",
        *(figure_html(chart) for chart in charts),
        "<h2>What is assumed</h2><dl>",
        *(f"<dt>{safe(term)}</dt><dd>{safe(meaning)}</dd>" for term, meaning in assumed),
        "</dl><h2>Settings</h2>",
        _settings(study),
        "<footer>Every figure of this page is in <code>summary.json</code> beside it. Past results say "
        "nothing certain about future ones.</footer>",
    ]
    return page("Equipoise: backtest study", body)


def _cards(study: Study) -> str:
    figures, target = study.vault.statistics, study.backtest.config.auction.target_volatility
    cards = (
        (fmt.change(figures.annual_return), "return a year"),
        (fmt.percent(figures.volatility), f"realised volatility (target {fmt.percent(target)})"),
        (fmt.percent(-figures.max_drawdown), "deepest drawdown"),
        (fmt.ratio(figures.sharpe), "Sharpe ratio"),
        (fmt.percent(figures.trading_cost, 2), "trading cost a year"),
        (fmt.usd(float(study.vault.gas_usd.sum())), "gas, paid by keepers"),
    )
    inner = "".join(f'<div class="card"><b>{safe(v)}</b><span>{safe(t)}</span></div>' for v, t in cards)
    return f'<div class="cards">{inner}</div>'


def _settings(study: Study) -> str:
    settings = {
        "equipoise": __version__,
        "prices": study.source,
        **asdict(study.backtest.config),
        "sweep": study.grid,
        "bootstrap": summarise_study(study)["bootstrap"],
    }
    rows = "".join(
        f"<tr><td>{safe(key)}</td><td>{safe(_written(value))}</td></tr>" for key, value in settings.items()
    )
    return f'<table class="config"><tbody>{rows}</tbody></table>'


def _written(value: Any) -> str:
    """A setting as words: `name value` of a group, a dash where the default holds."""
    if isinstance(value, dict):
        return "; ".join(f"{name} {_written(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_written, value))
    if value is None:
        return "equal"
    return value if isinstance(value, str) else f"{value:,.12g}"
