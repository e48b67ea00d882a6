"""Another basket of realised volatilities: what stays keeps its memory, what is new gathers its own."""

from __future__ import annotations

from math import exp, sqrt

import numpy as np
import pytest

from equipoise.client.artifacts import load_artifact
from equipoise.client.config import RealizedConfig
from equipoise.client.contract import Contract, create
from equipoise.errors import ContractRevert
from equipoise.units import DAY, YEAR
from tests.fixtures.basket import Asset, assets_of, change_basket, list_asset, send_changes
from tests.fixtures.system import System

SPACING = DAY // 2
WARM = 40  # pokes of half a day: more than the warm-up


def lanes(word: int, n: int) -> list[int]:
    return [word >> 32 * i & 0xFFFFFFFF for i in range(n)]


def signed(word: int, n: int) -> list[int]:
    return [lane - 2**32 if lane >= 2**31 else lane for lane in lanes(word, n)]


def walk(s: System, feeds: list[Contract], sigmas: list[float], count: int, seed: int = 1) -> None:
    """Independent random walks, poked at each step."""
    rng = np.random.default_rng(seed)
    prices = [feed.call("answer") for feed in feeds]
    for _ in range(count):
        for i, shock in enumerate(rng.standard_normal(len(feeds))):
            prices[i] *= exp(sigmas[i] * sqrt(SPACING / YEAR) * shock)
            feeds[i].send("set", round(prices[i]), 0, sender=s.keeper)
        s.warp(SPACING - len(feeds) - 1)
        s.realized_volatility.send("poke", sender=s.mallory)


def raw(s: System, n: int) -> list[float]:
    return [lane / 1e8 for lane in lanes(s.realized_volatility.call("rawVolatilities"), n)]


def floors(s: System, n: int) -> list[int]:
    return lanes(s.realized_volatility.call("floors").volatilities, n)


@pytest.fixture
def warm(system: System) -> System:
    walk(system, system.feeds, [0.8, 0.5, 0.2], WARM)
    assert all(floors(system, 3))
    return system


def test_setBasket__kept_assets__take_their_lanes_along(warm: System) -> None:
    """EQ-92: volatility, settled and pending logs move with their asset; the new one starts at its price."""
    s, new = warm, list_asset(warm, price=20.0)
    before = raw(s, 3)
    settled, pending = (signed(word, 3) for word in s.realized_volatility.call("logs"))
    first, _, third = assets_of(s)
    send_changes(s, [third, new, first])
    assert raw(s, 3) == [before[2], 0.0, before[0]]
    now = s.realized_volatility.call("logs")
    start = round(np.log(20.0) * 1e7)
    for old, word in ((settled, now.settled), (pending, now.pending)):
        lane = signed(word, 3)
        assert (lane[0], lane[2]) == (old[2], old[0])
        assert lane[1] == pytest.approx(start, abs=1)
    assert [t.lower() for t in s.realized_volatility.call("assets")] == [
        asset.token.address.lower() for asset in (third, new, first)
    ]


def test_setBasket__kept_assets__go_on_as_if_nothing_had_happened(warm: System) -> None:
    """EQ-92: the same prices give the same volatilities with and without the change."""
    s, new = warm, list_asset(warm)
    first, second, third = assets_of(s)
    with s.scenario():
        walk(s, s.feeds, [0.8, 0.5, 0.2], 5, seed=2)
        expected = raw(s, 3)
    send_changes(s, [second, first, third, new])
    walk(s, s.feeds, [0.8, 0.5, 0.2], 5, seed=2)
    got = raw(s, 4)
    assert got[:3] == pytest.approx([expected[1], expected[0], expected[2]], rel=1e-3)


def test_new_asset__until_it_is_warm_itself__has_no_floor(warm: System) -> None:
    """EQ-92 EQ-143: then an unbiased one: the time before it was listed is not counted as calm."""
    s, new = warm, list_asset(warm)
    send_changes(s, [*assets_of(s), new])
    feeds = [*s.feeds, new.feed]
    walk(s, feeds, [0.8, 0.5, 0.2, 0.6], 6, seed=3)
    found = floors(s, 4)
    assert all(found[:3])
    assert found[3] == 0
    # after a few returns the estimate is already of the right size
    assert 0.2 < raw(s, 4)[3] < 1.4
    walk(s, feeds, [0.8, 0.5, 0.2, 0.6], WARM, seed=4)
    assert floors(s, 4)[3] / 1e8 == pytest.approx(0.6, rel=0.35)


def test_new_asset__whose_price_stands_still__has_not_begun(warm: System) -> None:
    """EQ-92: a feed that has not moved since the listing says nothing about calm."""
    s, new = warm, list_asset(warm)
    send_changes(s, [*assets_of(s), new])
    walk(s, s.feeds, [0.8, 0.5, 0.2], WARM, seed=5)
    assert floors(s, 4)[3] == 0
    walk(s, [*s.feeds, new.feed], [0.8, 0.5, 0.2, 0.6], 10, seed=6)
    assert 0.3 < raw(s, 4)[3] < 1.1


def test_new_asset__first_bad_print__is_judged_as_in_a_cold_series(warm: System) -> None:
    """EQ-142 EQ-92: at no volatility yet, an ordinary return that half comes back is not a spike."""
    s, new = warm, list_asset(warm)
    send_changes(s, [*assets_of(s), new])
    for usd in (50.0, 50.6, 50.1, 50.1):
        new.feed.send("set", round(usd * 10**8), 0, sender=s.keeper)
        s.warp(SPACING)
        s.realized_volatility.send("poke", sender=s.mallory)
    assert raw(s, 4)[3] > 0.2


def test_new_asset__without_a_price__is_refused(warm: System) -> None:
    """EQ-92: by the price oracle's own error, which names it."""
    s, new = warm, list_asset(warm)
    unlisted = Asset(s.impostor, new.feed, 0.5, 18)  # type: ignore[arg-type]
    assets = [*assets_of(s), unlisted]
    send_changes(s, assets, only=["volatility_oracle"])
    tokens = [asset.token.address for asset in assets]
    s.refuses("PriceOracle__UnknownToken", s.realized_volatility, "setBasket", tokens, sender=s.owner)
    dead = [*assets_of(s), new]
    send_changes(s, dead, only=["volatility_oracle"])
    new.feed.send("setBehaviour", 1, b"", sender=s.keeper)
    tokens = [asset.token.address for asset in dead]
    s.refuses("PriceOracle__FeedFailed", s.realized_volatility, "setBasket", tokens, sender=s.owner)


def test_kept_asset__without_a_price__does_not_hinder(warm: System) -> None:
    """EQ-92: only what is new must be priced now."""
    s, new = warm, list_asset(warm)
    s.feeds[0].send("setBehaviour", 1, b"", sender=s.keeper)
    send_changes(s, [*assets_of(s), new], only=["volatility_oracle", "realized_volatility"])
    assert raw(s, 4)[3] == 0.0


def test_setBasket__another_than_the_oracles__is_refused(warm: System) -> None:
    """EQ-92 EQ-147: the lanes are the oracle's, which goes first."""
    s, new = warm, list_asset(warm)
    tokens = [asset.token.address for asset in (*assets_of(s), new)]
    for wrong in (tokens, tokens[:3][::-1]):
        error = "RealizedVolatility__BasketMismatch"
        s.refuses(error, s.realized_volatility, "setBasket", wrong, sender=s.owner)
    for sender in (s.guardian, s.mallory):
        error = "OwnableUnauthorizedAccount"
        s.refuses(error, s.realized_volatility, "setBasket", tokens[:3], sender=sender)


def test_setBasket__too_many__is_refused(system: System) -> None:
    """EQ-92: before an oracle is named, the count is its own."""
    s = system
    params = RealizedConfig().params()
    tokens = [t.address for t in s.tokens]
    made = create(
        s.chain, load_artifact("RealizedVolatility"), s.owner, s.price_oracle, tokens, params, sender=s.owner
    )
    for wrong in ([], tokens * 3):
        with pytest.raises(ContractRevert, match="RealizedVolatility__AssetCountOutOfRange"):
            made.send("setBasket", wrong, sender=s.owner)
    made.send("setBasket", tokens[:1], sender=s.owner)
    assert list(made.call("assets")) == tokens[:1]


def test_parity__across_the_change__counts_no_return(warm: System) -> None:
    """EQ-92 EQ-145: ratio and weight stay; the next return begins at the next poke, of the new portfolio."""
    s, new = warm, list_asset(warm)
    s.volatility_oracle.send("setParams", (DAY, *s.volatility_oracle.call("params")[1:]), sender=s.owner)
    s.post_reports()
    realized = s.realized_volatility
    realized.send("pokeParity", sender=s.mallory)
    walk(s, s.feeds, [0.8, 0.5, 0.2], 4, seed=7)
    s.post_reports()
    realized.send("pokeParity", sender=s.mallory)
    known = realized.call("clock")
    assert known.parityRatio > 0
    changed = change_basket(s, [*assets_of(s)[1:], new])
    with pytest.raises(ContractRevert, match="RealizedVolatility__NoPortfolio"):
        realized.send("pokeParity", sender=s.mallory)
    # everything doubles over the change: no portfolio held it
    changed.move([1.0] * 3)
    walk(changed, changed.feeds, [0.0] * 3, 2)
    changed.post_reports()
    realized.send("pokeParity", sender=s.mallory)
    after = realized.call("clock")
    assert (after.parityRatio, after.parityWeight) == (known.parityRatio, known.parityWeight)
    walk(changed, changed.feeds, [0.5, 0.2, 0.5], 4, seed=8)
    realized.send("pokeParity", sender=s.mallory)
    assert realized.call("clock").parityRatio != known.parityRatio
