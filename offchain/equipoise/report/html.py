"""One self-contained HTML page: charts, tables and words; it loads nothing from anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from equipoise.report import format as fmt
from equipoise.report.table import (
    CRASH_HEADERS,
    HAND_HEADERS,
    NOTE,
    crash_rows,
    hand_rows,
    leverage_rows,
    result_headers,
    result_rows,
    share_headers,
    share_rows,
)
from equipoise.report.text import FORMULA, MEASURES, STYLE
from equipoise.report.theme import Chart, asset_colours, safe
from equipoise.simulation import Portfolio, ReplayResult, spans_year

__all__ = ["figure_html", "page", "render_page", "table_html"]

_FIGURE_CONFIG = {"responsive": True, "displaylogo": False, "plotlyServerURL": "", "showLink": False}


def render_page(
    result: ReplayResult,
    portfolios: Sequence[Portfolio],
    charts: Sequence[Chart],
    summary: Mapping[str, Any],
) -> str:
    """The page as a string.

    Parameters
    ----------
    result, portfolios
        The replay and `compare(result)`.
    charts
        `all_charts(result, portfolios)`.
    summary
        `summarise(result, portfolios)`.
    """
    first, last = f"{result.invested_from:%d %B %Y}", f"{result.days.index[-1]:%d %B %Y}"
    names = ", ".join(result.assets[:-1]) + f" and {result.assets[-1]}"
    body = [
        "<h1>Equipoise: risk parity, replayed on chain</h1>",
        f'<p class="lead">{safe(names)} from {first} to {last}: {summary["invested_days"]:,} invested days, '
        f"{summary['rebalances']:,} rebalances through open auctions, every step a transaction.</p>",
        _cards(summary, spans_year(portfolios)),
        "<h2>Results</h2>",
        table_html(result_headers(portfolios), result_rows(portfolios), bold_row=0),
        f'<p class="note">{safe(NOTE)}</p>',
        _rules(portfolios),
        "<h2>Who carried the risk</h2>",
        "<p>Share of the portfolio's variance that each asset contributed, by estimate (average over "
        "invested days):</p>",
        _shares(result, portfolios, ex_post=False),
        "<p>The same as it turned out, from realised returns:</p>",
        _shares(result, portfolios, ex_post=True),
        *(_leverage(result, portfolios) if result.levered else ()),
        "<h2>Charts</h2>",
        *(figure_html(chart) for chart in charts),
        f"<h2>How it works</h2>{FORMULA}",
        "<h2>How it is measured</h2><dl>",
        *(f"<dt>{safe(term)}</dt><dd>{safe(meaning)}</dd>" for term, meaning in MEASURES),
        "</dl><h2>Price latency and guard modes</h2>",
        _facts(summary),
        "<h2>Settings</h2>",
        _settings(summary),
        f"<footer>Replayed in {fmt.ratio(result.wall_s, 1)} s. Every figure of this page is in "
        "<code>summary.json</code> beside it. Past results say nothing certain about future ones.</footer>",
    ]
    return page("Equipoise: replay report", body)


def page(title: str, body: Sequence[str]) -> str:
    """A whole page in the house style with plotly inside."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{safe(title)}</title>'
        f"<style>{STYLE}</style><script>{get_plotlyjs()}</script></head>\n<body>\n" + "\n".join(body) + "\n"
        "</body></html>\n"
    )


def _cards(summary: Mapping[str, Any], annual: bool) -> str:
    vault, gap = summary["vault"], summary["parity_gap"]
    cards = (
        (fmt.change(_number(vault["return" if annual else "total_return"])), "return" + " a year" * annual),
        (
            fmt.percent(_number(vault["volatility"])),
            f"realised volatility (target {fmt.percent(summary['volatility']['target'])})",
        ),
        (fmt.percent(-vault["max_drawdown"]), "deepest drawdown"),
        (fmt.ratio(_number(vault["sharpe"])), "Sharpe ratio"),
        (f"{fmt.points(gap['mean'])} pts", f"mean parity gap (band {fmt.points(gap['band'])} pts)"),
        (
            f"{fmt.points(summary['largest_budget_deviation'])} pts",
            "largest average distance of a share of variance from its budget",
        ),
    )
    return (
        '<div class="cards">'
        + "".join(
            f'<div class="card"><b>{safe(value)}</b><span>{safe(label)}</span></div>'
            for value, label in cards
        )
        + "</div>"
    )


def table_html(headers: Sequence[str], rows: Iterable[Sequence[str]], *, bold_row: int | None = None) -> str:
    head = "".join(f"<th>{safe(header)}</th>" for header in headers)
    lines = []
    for i, row in enumerate(rows):
        mark = ' class="vault"' if i == bold_row else ""
        lines.append(f"<tr{mark}>" + "".join(f"<td>{safe(cell)}</td>" for cell in row) + "</tr>")
    return _wrap(head, lines)


def _wrap(head: str, lines: Sequence[str]) -> str:
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _shares(result: ReplayResult, portfolios: Sequence[Portfolio], *, ex_post: bool) -> str:
    colours = asset_colours(result.assets)
    lines = []
    for asset, *cells in share_rows(result, portfolios, ex_post=ex_post):
        swatch = f'<span class="swatch" style="background:{colours[asset]}"></span>'
        marks = ["", ' class="vault"', *[""] * len(cells)]
        lines.append(
            f"<tr><td>{swatch}{safe(asset)}</td>"
            + "".join(f"<td{mark}>{safe(cell)}</td>" for mark, cell in zip(marks, cells, strict=False))
            + "</tr>"
        )
    return _wrap("".join(f"<th>{safe(header)}</th>" for header in share_headers(portfolios)), lines)


def _leverage(result: ReplayResult, portfolios: Sequence[Portfolio]) -> Iterable[str]:
    """Debt, the same by hand, and the crash chapter."""
    yield "<h2>Leverage</h2>"
    yield table_html(("Vault", ""), leverage_rows(result))
    yield "<p>The same basket by hand: fixed weights and leverage on Aave, put right once a month:</p>"
    yield table_html(HAND_HEADERS, hand_rows(result, portfolios[0]), bold_row=0)
    if not result.crashes:
        return
    yield "<h2>Crashes</h2>"
    yield (
        "<p>Each crash hour by hour: the vault as it stood, and one that had borrowed to the limit of its "
        "health factor the evening before: with keepers, with none on the worst day, with silent signers.</p>"
    )
    yield table_html(CRASH_HEADERS, crash_rows(result))
    verdicts = (
        f"<li><b>{safe(r.event)}, {safe(r.variant)}.</b> {safe(r.verdict)}</li>" for r in result.crashes
    )
    yield f'<ul class="note">{"".join(verdicts)}</ul>'


def _rules(portfolios: Sequence[Portfolio]) -> str:
    items = "".join(f"<li><b>{safe(p.name)}.</b> {safe(p.rule)}</li>" for p in portfolios)
    return f'<ul class="note">{items}</ul>'


def figure_html(chart: Chart) -> str:
    figure = go.Figure(chart.figure)
    top = figure.layout.margin.t + (40 if figure.layout.showlegend else 20)
    figure.update_layout(width=None, autosize=True, margin={"t": top})
    drawing = figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        include_mathjax=False,
        config=_FIGURE_CONFIG,
        div_id=f"chart-{chart.key}",
        default_width="100%",
        default_height=f"{figure.layout.height}px",
    )
    words = f"<h3>{safe(chart.title)}</h3><figcaption>{safe(chart.subtitle)}</figcaption>"
    return f'<figure id="{chart.key}">{words}{drawing}</figure>'


def _facts(summary: Mapping[str, Any]) -> str:
    trips = summary["latency_round_trips"]
    modes = ", ".join(f"{mode} {days:,}" for mode, days in summary["mode_days"].items())
    if trips["attempts"]:
        latency = (
            f"{trips['attempts']:,} cash round trips tried to profit from an old price; the best of them "
            f"made {fmt.usd(_number(trips['max_profit_usd']))} "
            f"({fmt.ratio(_number(trips['max_profit_bps']), 1)} basis points)."
        )
    else:
        latency = "No round trip on an old price was attempted in this replay."
    return f"<p>{safe(latency)}</p><p>Days in each mode of the risk guard: {safe(modes)}.</p>"


def _settings(summary: Mapping[str, Any]) -> str:
    budgets = {asset: fmt.percent(share) for asset, share in summary["budgets"].items()}
    settings = {
        "budgets": ", ".join(f"{asset} {share}" for asset, share in budgets.items()),
        "target volatility": fmt.percent(summary["volatility"]["target"]),
        "band": f"{fmt.points(summary['parity_gap']['band'])} points of variance",
        "gas price": f"{fmt.ratio(summary['gas_price_gwei'], 1)} gwei",
        "seed": summary["seed"],
    } | dict(summary["config"])
    rows = []
    for key, value in settings.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        rows.append(f"<tr><td>{safe(key)}</td><td>{safe(text)}</td></tr>")
    return f'<table class="config"><tbody>{"".join(rows)}</tbody></table>'


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
