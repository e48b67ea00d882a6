"""Random changes of the basket between trades, moves, deposits and exits: a share never feels them."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from equipoise.units import WAD
from tests.fixtures.basket import Asset, assets_of, change_basket, list_asset
from tests.fixtures.system import FUZZ, System

QUIET = (*("RebalanceAuction__WithinBands", "RebalanceAuction__AlreadyOpen", "RebalanceAuction__EmptyVault"),)
DROP = 1e-4


@dataclass(frozen=True)
class Change:
    """Which of five assets are active, by a permutation and a count; sold ones are dropped or kept listed."""

    order: tuple[int, ...]
    count: int
    drop: bool


CHANGES = st.builds(Change, st.permutations(range(5)).map(tuple), st.integers(2, 4), st.booleans())
MOVES = st.lists(st.floats(-0.4, 0.6), min_size=5, max_size=5)
STEPS = st.lists(
    st.one_of(
        CHANGES,
        MOVES,
        st.tuples(st.just("deposit"), st.integers(1_000, 50_000)),
        st.tuples(st.just("exit"), st.integers(1, 9)),
        st.just("rebalance"),
    ),
    min_size=4,
    max_size=9,
)


def rebalance(s: System) -> None:
    """One auction filled at mid, if one may open; mid for mid, a share keeps its value."""
    if s.attempt(s.auction, "open", sender=s.keeper, unless=QUIET) is None:
        return
    s.to_curve(1.0)
    with s.one_block():
        before = s.share_price()
        s.fill_all()
        assert s.share_price() >= before * (1 - 2e-4)
    s.warp(s.auction.call("params").duration)


def change(s: System, pool: list[Asset], step: Change) -> System:
    """Governance's three calls, then reports; what is held and not active is retired."""
    book = s.vault.call("portfolio")
    worth = dict(zip(book.tokens, book.valuesWad, strict=True))
    active = [pool[i] for i in step.order[: step.count]]
    names = {asset.token.address for asset in active}
    least = DROP * 0.9 * book.navWad if step.drop else -1
    retired = [
        asset
        for asset in pool
        if asset.token.address not in names and worth.get(asset.token.address, -2) > least
    ]
    before, supply = s.share_price(), s.vault.call("totalSupply")
    changed = change_basket(s, active, retired)
    lost = 1 - changed.share_price() / before
    assert -1e-15 <= lost <= 3 * DROP
    assert s.vault.call("totalSupply") == supply
    s.warp(60)
    changed.post_reports()
    return changed


@FUZZ
@given(steps=STEPS)
def test_basket__any_sequence_of_changes__no_share_feels_it(system: System, steps: list[object]) -> None:
    """EQ-94 EQ-95 EQ-96 EQ-61: books stay backed, targets reached, and everybody can leave at the end."""
    with system.scenario():
        s: System = system
        pool = [*assets_of(s), list_asset(s, 50.0, 18, 0.5, "N1"), list_asset(s, 7.0, 8, 0.3, "N2")]
        s.deposit(s.alice, 100_000)
        rebalance(s)
        for step in steps:
            if isinstance(step, Change):
                s = change(s, pool, step)
            elif isinstance(step, list):
                for asset, by in zip(pool, step, strict=True):
                    price = asset.feed.call("answer")
                    asset.feed.send("set", max(1, round(price * (1 + by))), 0, sender=s.keeper)
            elif step == "rebalance":
                rebalance(s)
            elif isinstance(step, tuple) and step[0] == "deposit":
                s.attempt(
                    *(s.vault, "deposit", s.units(step[1]), s.alice),
                    sender=s.alice,
                    unless=["RiskParityVault__DepositCapExceeded"],
                )
            elif isinstance(step, tuple):
                shares = s.shares(s.alice) * step[1] // 10
                s.vault.send("redeemInKind", shares, s.alice, s.alice, [], sender=s.alice)
            held = s.vault.call("holdings")
            for token, balance in zip([*s.tokens, s.cash], held.balances, strict=True):
                assert token.call("balanceOf", s.vault) >= balance
        rebalance(s)
        state = s.auction.call("riskState")
        assert state.leverageWad <= 1.001 * WAD
        for retired in range(len(s.signers[0].domain.assets), len(s.tokens)):
            assert state.targetsWad[retired] == 0
        s.vault.send("redeemInKind", s.shares(s.alice), s.alice, s.alice, [], sender=s.alice)
