"""One screen of 80 columns about a vault, in every state that an operator meets."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from equipoise.client.facts import read_status
from equipoise.report.status import print_status, render_status
from tests.fixtures.levered import Levered
from tests.fixtures.market import Market
from tests.fixtures.system import System

LONG = "WRAPPEDSTAKEDETHERRESTAKED"
WIDE = "比特幣現貨指數基金代幣"
DAY = 86_400


def shown(facts: Any, width: int = 80) -> str:
    screen = io.StringIO()
    Console(file=screen, width=width).print(render_status(facts), width=80)
    return screen.getvalue()


def printed(deployment: Any, as_json: bool = False) -> str:
    screen = io.StringIO()
    print_status(deployment, as_json, Console(file=screen, width=200))
    return screen.getvalue()


@contextmanager
def healthy(s: Levered) -> Iterator[None]:
    yield


@contextmanager
def stale(s: Levered) -> Iterator[None]:
    s.warp(50 * 3_600)
    s.refresh_prices()
    yield


@contextmanager
def silent(s: Levered) -> Iterator[None]:
    s.warp(6 * DAY)
    s.refresh_prices()
    yield


@contextmanager
def dead_feeds(s: Levered) -> Iterator[None]:
    s.kill_feeds()
    yield


@contextmanager
def paused(s: Levered) -> Iterator[None]:
    s.guard.send("pauseIncreases", sender=s.guardian)
    s.guard.send("pauseDeposits", sender=s.guardian)
    s.volatility_oracle.send("proposeSigner", s.bob, s.signers[0].address, 3, sender=s.owner)
    yield


@contextmanager
def crashed(s: Levered) -> Iterator[None]:
    s.crash(-0.25)
    yield


@contextmanager
def ripcord(s: Levered) -> Iterator[None]:
    s.crash(-0.25)
    s.pull()
    s.warp(300)
    yield


@contextmanager
def budgets_changed(s: Levered) -> Iterator[None]:
    s.volatility_oracle.send("setBudgets", 2 * 10**7 | (3 * 10**7) << 32 | (5 * 10**7) << 64, sender=s.owner)
    yield


STATES = (healthy, stale, silent, dead_feeds, paused, crashed, ripcord, budgets_changed)
MODES = {
    "healthy": ("Normal", "everything is open"),
    "stale": ("NoIncrease", "fresh for 36 h"),
    "silent": ("DeleverOnly", "more than 4 d"),
    "dead_feeds": ("InKindOnly", "price not positive"),
    "paused": ("NoIncrease", "increases are paused by the guardian"),
    "crashed": ("DeleverOnly", "below the ripcord's trigger 1.30"),
    "ripcord": ("DeleverOnly", "of mid now, ends in"),
    "budgets_changed": ("NoIncrease", "no verified coordinates"),
}


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_print_status__every_state__fits_80_columns_and_says_why(
    levered: Levered, state: Callable[[Levered], Any]
) -> None:
    """EQ-190: it answers in every mode, and names what the mode comes from."""
    with state(levered):
        text = printed(levered.contracts)
    assert max(map(cell_len, text.splitlines())) <= 80
    assert len(text.splitlines()) <= 34
    mode, reason = MODES[state.__name__]
    assert re.search(rf"^Mode +{mode} ", text, re.M)
    assert reason in text
    for word in ("NAV", "Health", "Parity gap", "Loss budget", "Reports", "Floor/y", *levered.symbols):
        assert word in text, word
    assert ("Next" in text) == (state is not healthy)


@pytest.mark.parametrize("name", [LONG, WIDE], ids=["long", "wide"])
def test_print_status__eight_assets_with_long_symbols__no_row_wraps(market: Market, name: str) -> None:
    market.deposit(market.alice, 100_000)
    market.rebalance()
    symbols = tuple(f"{name}{i}" for i in range(8))
    text = printed(replace(market.contracts, symbols=symbols))
    lines = text.splitlines()
    assert max(map(cell_len, lines)) <= 80
    rows = [line for line in lines if line.startswith(name[:5])]
    assert len(rows) == 8
    assert all("…" in row and row.count("%") == 5 for row in rows)


def test_render_status__extreme_figures__stay_in_their_columns(levered: Levered) -> None:
    facts = read_status(levered.contracts)
    row = facts["assets"]["BTC"]
    row |= {
        "price_usd": 1.2e27,
        "weight": 1234.5,
        "target": -12.3,
        "volatility_ann": 40.0,
        "risk_share": -3.2,
    }
    facts["assets"]["ETH"]["price_usd"] = 1.234e-9
    facts |= {"nav_usd": 1e15, "total_assets_cash": 1e15, "name": "A very long name " * 9, "symbol": "X" * 40}
    text = shown(facts)
    assert max(map(cell_len, text.splitlines())) <= 80
    assert "4,000\N{NO-BREAK SPACE}%" in text
    assert "1.234e-09" in text


def test_render_status__symbols_with_markup__are_shown_as_they_are(levered: Levered) -> None:
    facts = read_status(levered.contracts)
    facts["assets"] = {"[red]X[/]": facts["assets"]["BTC"], "cash": facts["assets"]["cash"]}
    assert "[red]X[/]" in shown(facts)


def test_print_status__without_leverage__says_so(invested: System) -> None:
    text = printed(invested.contracts)
    assert "this vault does not borrow" in text
    assert "ripcord" not in text


def test_print_status__before_any_report__waits_in_cash(make_system: Any) -> None:
    text = printed(make_system(reports=False).contracts)
    assert "no volatilities were ever posted" in text
    assert "volatilities never, fresh for" in text
    assert "equipoise relay" in text


def test_print_status__json__is_what_the_facts_say(invested: System) -> None:
    told = json.loads(printed(invested.contracts, as_json=True))
    facts = json.loads(json.dumps(read_status(invested.contracts)))
    clock = {"head_age_s": 0}  # the one figure that is not the chain's
    assert told | clock == facts | clock


def test_render_status__services_operations_and_proposals__have_their_lines(levered: Levered) -> None:
    facts = read_status(levered.contracts, {"keeper": "http://127.0.0.1:9", "relay": "nonsense"})
    call = "vault.setDepositCap(1000000000000)"
    facts["timelock_operations"] = [{"id": "0x" + "ab" * 32, "calls": [call] * 3, "ready_in_s": 7 * 3_600}]
    facts["governance_proposals"] = [
        {"id": "1" * 70, "title": "Less risk " * 30, "state": "Active", "for_votes": 12_345.0}
        | {"against_votes": 1.0, "ends_in_s": 3 * DAY}
    ]
    text = shown(facts)
    assert max(map(cell_len, text.splitlines())) <= 80
    assert "Keeper      not well  http://127.0.0.1:9" in text
    assert "keeper http://127.0.0.1:9: unreachable" in text
    assert f"0xabababab ready in 7 h: {call}" in text
    assert "Active (for 12,345, against 1, ends in 3 d)" in text
