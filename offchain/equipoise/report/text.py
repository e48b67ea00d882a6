"""The words of the page: what the vault does, and how each figure is measured. Trusted HTML."""

from __future__ import annotations

__all__ = ["FORMULA", "MEASURES", "STYLE"]

FORMULA = """
<p>A vault that holds equal <em>money</em> in bitcoin and in the S&amp;P 500 carries almost only bitcoin
<em>risk</em>. Equipoise holds a basket in which each asset adds its budgeted share of the portfolio's
variance instead: little of what moves a lot, much of what moves a little, less of what moves together.</p>
<p class="formula"><i>x<sub>i</sub></i> (<b>C</b> <i>x</i>)<sub><i>i</i></sub> = <i>b<sub>i</sub></i>
&emsp;&emsp; exposure<sub><i>i</i></sub> = <i>&sigma;*</i> <i>x<sub>i</sub></i> /
<i>&sigma;<sub>i</sub></i></p>
<p><b>C</b> is the matrix of correlations, <i>b<sub>i</sub></i> the budget of asset <i>i</i>,
<i>&sigma;<sub>i</sub></i> its volatility and <i>&sigma;*</i> the target volatility of the vault. The first
equation has exactly one positive solution <i>x</i>, the <em>parity coordinates</em>; it depends on
correlations and budgets only. Divide by volatility, and every asset contributes exactly its budget. The
contract does not trust a solver: anybody may post <i>x</i>, and the contract checks the equation. Where
exposures would sum to more than the vault may hold, all shrink alike, which leaves the shares of variance
as they are.</p>
<p>Prices move every day, so the shares drift. The <em>parity gap</em> is the largest distance of any share
from its budget; when it leaves its band anybody may open an auction, and the vault trades back to its
target.</p>
"""

MEASURES = (
    (
        "Value per share",
        "Net asset value at mid prices over shares, in USDC, at the end of each day. Deposits and "
        "redemptions do not change it except by their fees, so it measures the vault and not its "
        "flows.",
    ),
    (
        "Start",
        "Every portfolio is in cash the day before the vault's first investment and invests on that "
        "day's prices, so the cost of getting in is counted for all.",
    ),
    (
        "Return, volatility, Sharpe",
        "Compound return to 365 days; standard deviation of daily simple returns times the root of "
        "the days a year; mean daily return a year over volatility, with a risk-free rate of 0.",
    ),
    (
        "Drawdown",
        "Distance of the value per share below its highest value so far.",
    ),
    (
        "Turnover, trading cost",
        "Dollars sold (which equal dollars bought) over NAV, a year; value given away in those trades "
        "against mid prices: pool fees, slippage and the fillers' reward. A benchmark pays the "
        "vault's average cost for each dollar it trades.",
    ),
    (
        "Gas",
        "The vault: every transaction of the vault, its oracle and its keepers. A benchmark: the "
        "vault's average gas per fill, for each fill. Gas is paid in ether by whoever sends, not out "
        "of the value per share.",
    ),
    (
        "Share of variance, by estimate",
        "exposure times its covariance with the portfolio, over the portfolio's variance, from the "
        "numbers that the signers knew that evening; averaged over invested days. This is what the "
        "vault steers.",
    ),
    (
        "Share of variance, as realised",
        "Covariance of an asset's daily contribution (yesterday's weight times today's return) with "
        "the portfolio's return, over its variance, from what happened afterwards. Nobody can steer "
        "this; it shows whether the estimates were honest.",
    ),
    (
        "Health factor",
        "Aave's: collateral times liquidation thresholds over debt; below 1 it liquidates. While there is "
        "debt every hour is looked at, on model paths between the closes: a true low may be deeper.",
    ),
    (
        "Price latency",
        "Attempts to deposit on an old price and redeem on the new one. The spread and the fees are "
        "there to make each of them lose.",
    ),
)

STYLE = """
:root { --ink: #16202b; --muted: #5c6875; --line: #e4e8ed; --soft: #f5f7f9; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1200px; padding: 2.2rem 1.6rem 4rem; color: var(--ink); background:
  #fff; font: 16px/1.55 Lato, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.35rem; margin: 3rem 0 .6rem; padding-top: .8rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1.12rem; margin: 2.4rem 0 .1rem; }
.lead, .note, figcaption { color: var(--muted); }
.lead { font-size: 1.08rem; margin: 0 0 1.6rem; }
.note { font-size: .9rem; max-width: 62rem; }
p { max-width: 50rem; }
figure { margin: 0; overflow-x: auto; }
.plotly-graph-div { min-width: 760px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: .8rem; margin:
  1.4rem 0; }
.card { background: var(--soft); border-radius: 6px; padding: .8rem 1rem; }
.card b { display: block; font-size: 1.55rem; line-height: 1.25; }
.card span { color: var(--muted); font-size: .88rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .45rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space:
  nowrap; }
th { color: var(--muted); font-weight: 600; font-size: .88rem; vertical-align: bottom; white-space:
  normal; }
thead th { border-bottom: 1.5px solid var(--ink); }
th:first-child, td:first-child { text-align: left; }
tr.vault td, td.vault { font-weight: 700; background: var(--soft); }
.swatch { display: inline-block; width: .75em; height: .75em; border-radius: 2px; margin-right: .5em; }
.formula { font-size: 1.3rem; font-family: Georgia, "Times New Roman", serif; background: var(--soft);
  padding: .9rem 1.2rem; border-radius: 6px; }
dt { font-weight: 700; margin-top: .8rem; }
dd { margin: 0; max-width: 50rem; }
table.config { width: auto; }
table.config td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
table.config td:first-child { overflow-wrap: normal; vertical-align: top; }
footer { margin-top: 3rem; color: var(--muted); font-size: .88rem; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } figure, table, .cards {
  break-inside: avoid; } h2, h3 { break-after: avoid; } .modebar { display: none; } }
"""
