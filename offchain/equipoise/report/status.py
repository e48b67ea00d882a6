"""One screen about a live vault, for a terminal of 80 columns, or the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from equipoise.client.deployment import Deployment
from equipoise.client.facts import read_status
from equipoise.client.findings import span
from equipoise.report import format as fmt

__all__ = ["WIDTH", "print_status", "render_status"]

WIDTH = 80
_STYLES = {"Normal": "bold green", "NoIncrease": "bold yellow", "DeleverOnly": "bold red"}
_STYLES |= {"InKindOnly": "bold red", "error": "red", "warning": "yellow", "info": ""}
_MEANING = {
    "Normal": "everything is open",
    "NoIncrease": "deposits and exits; bids only bring cash",
    "DeleverOnly": "exits; bids only bring cash; no deposits",
    "InKindOnly": "the exit in kind alone is open",
}
_UNKNOWN = "-"
_COLUMNS = ("Price USD", "Weight", "Target", "Risk", "Budget", "Vol./y", "Floor/y")
_SYMBOL_CELLS, _PRICE_CELLS, _FIGURE_CELLS, _LABEL_CELLS = 12, 14, 7, 11

Facts = Mapping[str, Any]
Row = tuple[str, Text | str]


def print_status(
    deployment: Deployment,
    as_json: bool = False,
    console: Console | None = None,
    services: Mapping[str, str] | None = None,
    since: int = 0,
) -> None:
    """Print `read_status` as one screen, or as JSON. See there for `services` and `since`."""
    facts = read_status(deployment, services, since)
    console = console or Console()
    if as_json:
        console.print_json(json.dumps(facts))
    else:
        console.print(render_status(facts), width=min(WIDTH, console.width))


def render_status(facts: Facts) -> RenderableType:
    """The screen, from facts alone. No line is wider than 80 cells on a console of at least that width."""
    head = Table.grid(expand=True)
    head.add_column(no_wrap=True, overflow="ellipsis")
    head.add_column(no_wrap=True, justify="right")
    at = datetime.fromtimestamp(facts["timestamp"], UTC)
    head.add_row(
        Text(f"{facts['name']} ({facts['symbol']})", style="bold"),
        Text(f"  chain {facts['chain_id']}, {at:%Y-%m-%d %H:%M} UTC", style="dim"),
    )
    head.add_row(Text(facts["vault"], style="dim"), "")
    blocks = (_verdict(facts), _money(facts), _risk(facts), _rest(facts))
    grids = [_grid(list(block)) for block in blocks]
    return Group(head, grids[0], Text(), grids[1], Text(), _assets(facts), Text(), grids[2], grids[3])


def _grid(rows: list[Row]) -> Table:
    """Labels beside text that folds under itself."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=_LABEL_CELLS, style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    previous = ""
    for label, value in rows:
        grid.add_row("" if label == previous else label, value if isinstance(value, Text) else Text(value))
        previous = label
    return grid


# ------------------------------------------------------------------------ blocks


def _verdict(facts: Facts) -> Iterator[Row]:
    mode = facts["mode"]
    yield "Mode", Text.assemble((mode, _STYLES[mode]), (f"  {_MEANING[mode]}", "dim"))
    for finding in facts["findings"]:
        if finding["mode"]:
            yield "Why", Text(finding["text"], style=_STYLES[finding["severity"]])
    for finding in facts["findings"]:
        if not finding["mode"]:
            yield "Also", Text(finding["text"], style=_STYLES[finding["severity"]])
    step = next((finding for finding in facts["findings"] if finding["remedy"]), None)
    if step is not None:
        yield "Next", Text(step["remedy"], style="bold")
    elif any(finding["severity"] == "error" for finding in facts["findings"]):
        yield "Next", "see offchain/RUNBOOK.md"


def _money(facts: Facts) -> Iterator[Row]:
    cash = facts["cash_symbol"]
    price = _if(facts["share_price"], lambda v: f", {v:,.6f} {cash} a share")
    total = _if(facts["total_assets_cash"], lambda v: f" ({v:,.2f} {cash})")
    yield "NAV", _known(facts["nav_usd"], lambda v: f"${v:,.2f}") + total + price
    room, cap = facts["deposit_room_cash"], facts["deposit_cap_cash"]
    state = "paused" if facts["deposits_paused"] else f"room for {room:,.0f} of {cap:,.0f} {cash}"
    yield "Deposits", f"{state}; idle cash {facts['idle_cash']:,.0f}"
    yield "Debt", _debt(facts)
    if facts["levered"]:
        yield "Health", _health(facts)


def _debt(facts: Facts) -> str:
    if not facts["levered"]:
        return "none: this vault does not borrow"
    rate = _if(facts["borrow_rate_ann"], lambda v: f" at {fmt.percent(v)} a year")
    limit = f" (no more above {fmt.percent(facts['max_borrow_rate_ann'])})"
    return _known(facts["debt_cash"], lambda v: f"{v:,.2f} {facts['cash_symbol']}") + rate + limit


def _health(facts: Facts) -> Text:
    health, trigger, increase = facts["health_factor"], facts["trigger_health"], facts["increase_health"]
    limits = f"  ripcord < {trigger:.2f}, no increase < {increase:.2f}, target {facts['target_health']:.2f}"
    if health is None:
        return Text(("no debt" if facts["venue_answers"] else "unknown") + limits)
    style = "red" if health < trigger else "yellow" if health < increase else "green"
    return Text.assemble((f"{health:.2f}", style), limits)


def _risk(facts: Facts) -> Iterator[Row]:
    band = f"band {fmt.percent(facts['parity_band'])}"
    yield "Parity gap", f"{_percent(facts['parity_gap'])}, {band}"
    yield (
        "Volatility",
        f"{_percent(facts['volatility_ann'])}, target {_percent(facts['target_volatility_ann'])} "
        f"of {_percent(facts['wanted_volatility_ann'])} wanted, band {_percent(facts['volatility_band'])}",
    )
    yield (
        "Leverage",
        f"{_ratio(facts['leverage'])}, target {_ratio(facts['target_leverage'])}, "
        f"at most {_ratio(facts['max_leverage'])}",
    )
    used = f"{_percent(facts['loss_budget_used'], 2)} of {_percent(facts['loss_budget'], 2)} a day used"
    yield "Loss budget", used
    yield "Reports", _report(facts, "volatilities")
    yield "Reports", _report(facts, "correlations")
    if facts["settles_in_s"]:
        yield "Reports", f"the last post counts in {span(facts['settles_in_s'])}"
    yield "Realised", _realised(facts)
    yield "Auction", _auction(facts)


def _report(facts: Facts, kind: str) -> str:
    age = facts[f"{kind}_age_s"]
    fresh = span(facts[f"{kind}_fresh_for_s"])
    limit, lever = span(facts[f"{kind}_delever_after_s"]), "no leverage"
    told = "never" if age is None else f"{span(age)} ago"
    return f"{kind} {told}, fresh for {fresh}, {lever} after {limit}"


def _realised(facts: Facts) -> str:
    ratio = facts["parity_ratio"]
    if ratio is None:
        return "not known yet: `ape run keep poke` has not gathered enough"
    return f"the parity portfolio moves {ratio:.2f} times as much as reported"


def _auction(facts: Facts) -> str:
    auction = facts["auction"]
    kind = "ripcord" if auction["ripcord"] else "auction"
    if auction["open"]:
        now = f"{auction['curve']:.4f} of mid now, ends in {span(auction['ends_in_s'])}"
        return f"{kind} no. {auction['id']} in course: {now}"
    last = f"; the last was no. {auction['id']}" if auction["id"] else ""
    return f"none in course{last}"


def _assets(facts: Facts) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("Asset", no_wrap=True, overflow="ellipsis", max_width=_SYMBOL_CELLS)
    for name in _COLUMNS:
        cells = _PRICE_CELLS if name == _COLUMNS[0] else _FIGURE_CELLS
        table.add_column(name, justify="right", no_wrap=True, overflow="ellipsis", max_width=cells)
    for symbol, row in facts["assets"].items():
        name = facts["cash_symbol"] if symbol == "cash" else symbol
        price = (
            Text(row["price_fault"], style="red") if row["price_fault"] else Text(_price(row["price_usd"]))
        )
        keys = ("weight", "target", "risk_share", "budget", "volatility_ann", "floor_ann")
        table.add_row(Text(name), price, *(Text(_percent(row[key])) for key in keys))
    return table


def _rest(facts: Facts) -> Iterator[Row]:
    for proposal in facts["signer_proposals"] or ():
        who = _short(proposal["signer"]) if proposal["signer"] else "nobody"
        leaves = f" for {_short(proposal['replaces'])}" if proposal["replaces"] else ""
        when = _when(proposal["ready_in_s"])
        yield "Signers", f"{who} joins{leaves}, threshold {proposal['threshold']}, {when}"
    for operation in facts["timelock_operations"] or ():
        calls = "; ".join(operation["calls"])
        yield "Timelock", f"{operation['id'][:10]} {_when(operation['ready_in_s'])}: {calls}"
    for proposal in facts["governance_proposals"] or ():
        votes = f"for {proposal['for_votes']:,.0f}, against {proposal['against_votes']:,.0f}"
        ends = f", ends in {span(proposal['ends_in_s'])}" if proposal["state"] == "Active" else ""
        yield "Proposals", f"{proposal['id'][:8]} {proposal['state']} ({votes}{ends}): {proposal['title']}"
    quorum = f"{facts['threshold']} of {len(facts['signers'])} sign"
    yield "Oracle", quorum
    if not facts["services"]:
        yield "Services", Text("not asked: --keeper URL, --relay URL", style="dim")
    for service in facts["services"]:
        word = ("well", "green") if service["ok"] else ("not well", "red")
        yield service["kind"].capitalize(), Text.assemble(word, f"  {service['url']}")


# ----------------------------------------------------------------------- figures


def _when(seconds: int) -> str:
    return f"ready in {span(seconds)}" if seconds else "ready"


def _short(address: str) -> str:
    return f"{address[:8]}…{address[-4:]}"


def _known(value: float | None, show: Any) -> str:
    return "unknown" if value is None else str(show(value))


def _if(value: float | None, show: Any) -> str:
    return "" if value is None else str(show(value))


def _percent(value: float | None, digits: int = 1) -> str:
    if value is None:
        return _UNKNOWN
    return fmt.percent(value, digits if abs(value) < 10 else 0)


def _ratio(value: float | None) -> str:
    return _UNKNOWN if value is None else fmt.ratio(value)


def _price(value: float | None) -> str:
    if value is None:
        return _UNKNOWN
    if value >= 1e9:
        return f"{value:.4g}"
    return f"{value:,.{0 if value >= 1e5 else 2 if value >= 10 else 4}f}" if value >= 0.01 else f"{value:.4g}"
