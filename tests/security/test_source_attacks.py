"""Every source of numbers gone stale, frozen, wrong, destroyed or upgraded: what a thief makes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from equipoise.client.artifacts import load_artifact
from equipoise.client.contract import Contract
from equipoise.errors import ContractRevert
from tests.fixtures.attacks import Heist, Ledger, measured
from tests.fixtures.levered import Levered
from tests.fixtures.system import MAX, System, artifact_contract
from tests.fixtures.trading import fund_usd

HOUR, DAY = 3_600, 86_400
BTC, ETH, SPX = range(3)
WINDOW, BAND_BPS = 900, 2_000
NOTHING, BURNER = "0x", "0xfe"


def try_everything(s: System, thief: str) -> None:
    """Enter, open, bid both ways, redeem, leave in kind; each refusal is an answer."""
    calls = [
        (s.vault, "deposit", (s.units(20_000), thief)),
        (s.auction, "open", ()),
        *((s.auction, "bid", (s.auction.call("current").id, t, s.cash, MAX, MAX, thief)) for t in s.tokens),
        *((s.auction, "bid", (s.auction.call("current").id, s.cash, t, MAX, MAX, thief)) for t in s.tokens),
    ]
    for contract, function, args in calls:
        try_once(contract, function, args, thief)
    if s.shares(thief):
        try_once(s.vault, "redeem", (s.shares(thief), thief, thief), thief)
    if s.shares(thief):
        s.vault.send("redeemInKind", s.shares(thief), thief, thief, [], sender=thief)


def try_once(contract: object, function: str, args: tuple[object, ...], sender: str) -> bool:
    try:
        contract.send(function, *args, sender=sender)  # type: ignore[attr-defined]
    except ContractRevert:
        return False
    return True


# ------------------------------------------------------------------ of one block


def old_feed(s: System) -> None:
    s.set_price(0, s.price(0), s.now() - 26 * HOUR)


def old_cash_feed(s: System) -> None:
    s.set_price(None, 1.0, s.now() - 26 * HOUR)


def dead_feed(s: System) -> None:
    s.feeds[1].send("setBehaviour", 1, b"", sender=s.keeper)


def burning_feed(s: System) -> None:
    s.feeds[1].send("setBehaviour", 2, b"", sender=s.keeper)


def short_feed(s: System) -> None:
    s.feeds[1].send("setBehaviour", 3, b"\1" * 64, sender=s.keeper)


def destroyed_feed(s: System) -> None:
    s.chain.request("anvil_setCode", s.feeds[2].address, NOTHING)


def upgraded_feed(s: System) -> None:
    """Answers, and out of its bounds."""
    s.set_price(2, 1e10)


def old_volatilities(s: System) -> None:
    s.warp(37 * HOUR)


def silent_signers(s: System) -> None:
    s.warp(5 * DAY)


def old_correlations(s: System) -> None:
    s.warp(22 * DAY)
    s.post_volatilities()


FAULTS = [
    *(old_feed, old_cash_feed, dead_feed, burning_feed, short_feed, destroyed_feed, upgraded_feed),
    *(old_volatilities, silent_signers, old_correlations),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__.replace("_", " "))
def test_source__out_of_order__opens_nothing_to_a_thief(
    invested: System, attack: Ledger, fault: Callable[[System], None]
) -> None:
    """EQ-40 EQ-85 EQ-100: prices stand as they were, reports are silent: no way in or out that pays.

    Measured at the prices before the fault; holders leave in kind all the same.
    """
    s = invested
    s.move([0.3, -0.1, 0.0])
    fair = [s.price(i) for i in range(s.n)]
    code = s.chain.request("eth_getCode", s.feeds[2].address, "latest")
    s.deposit(s.keeper, 1_000)
    with measured(s, s.keeper) as score:
        fault(s)
        try_everything(s, s.keeper)
        s.vault.send("redeemInKind", s.shares(s.alice) // 2, s.alice, s.alice, [], sender=s.alice)
        s.chain.request("anvil_setCode", s.feeds[2].address, code)
        for i, price in enumerate(fair):
            s.set_price(i, price)
    attack(f"source: {fault.__name__.replace('_', ' ')}", score.profit, score.loss, why="exits in kind open")


@pytest.mark.parametrize("change", [-0.1, 0.1])
def test_sequencer__back_with_old_prices__gives_nobody_a_start(
    make_system: Callable[..., System], heist: Heist, change: float
) -> None:
    """EQ-46: prices of before count neither while it is down nor in the hour after; exits in kind do."""
    s = make_system(sequencer=True)
    s.deposit(s.alice, 100_000)
    s.rebalance()
    s.deposit(s.mallory, 20_000)
    address = s.price_oracle.call("chainConfig").sequencerFeed
    uptime = Contract(s.chain, address, load_artifact("OddFeed").abi, "uptime")
    name = f"source: sequencer back, market {change:+.0%}"
    with heist(name, s, s.mallory, why="an hour of grace; exits in kind open"):
        uptime.send("set", 1, s.now(), sender=s.owner)
        s.warp(4 * HOUR)
        uptime.send("set", 0, s.now(), sender=s.owner)
        assert not try_once(s.vault, "deposit", (s.units(20_000), s.mallory), s.mallory)
        assert not try_once(s.vault, "redeem", (s.shares(s.mallory) // 2, *[s.mallory] * 2), s.mallory)
        try_everything(s, s.mallory)
        s.move([change] * s.n)


# -------------------------------------------------------------- frozen, checked


@pytest.fixture
def checked(levered: Levered) -> Levered:
    """Every feed checked by its pool; mallory has a fortune and bob 100,000 in shares."""
    s = levered
    assert s.world
    s.deposit(s.bob, 100_000)
    s.world.align_pools()
    s.warp(2 * WINDOW)
    s.refresh_prices()
    for symbol, token in zip(s.symbols, s.tokens, strict=True):
        s.price_oracle.send("setTwap", token, (s.world.pools[symbol], WINDOW, BAND_BPS), sender=s.owner)
    fund_usd(s, s.mallory, 1_000_000)
    return s


def market_moves(s: Levered, change: float) -> tuple[list[float], list[float]]:
    """The market of every asset moves and its feed does not, inside its heartbeat: (frozen, true) prices."""
    assert s.world
    frozen = [s.price(i) for i in range(s.n)]
    true = [price * (1 + change) for price in frozen]
    s.world.set_prices(dict(zip(s.symbols, true, strict=True)))
    s.world.align_pools()
    s.world.set_prices(dict(zip(s.symbols, frozen, strict=True)))
    s.warp(WINDOW + 60)
    return frozen, true


@pytest.mark.parametrize("change", [-0.3, -0.15, 0.15, 0.3])
def test_feed__frozen_while_its_market_moves__is_priced_by_its_pool(
    checked: Levered, heist: Heist, change: float
) -> None:
    """EQ-47: inside the band entries pay the dearer and exits get the cheaper price, beyond it neither."""
    s = checked
    shares = s.deposit(s.mallory, 50_000)
    _, true = market_moves(s, change)
    way = "deposit, exit in kind" if change > 0 else "redeem"
    with heist(f"feeds frozen, market {change:+.0%}: {way}", s, s.mallory) as score:
        if change > 0:  # in at the old price
            try_once(s.vault, "deposit", (s.units(100_000), s.mallory), s.mallory)
            s.vault.send("redeemInKind", s.shares(s.mallory), s.mallory, s.mallory, [], sender=s.mallory)
        else:  # out at the old price
            most = min(shares, s.vault.call("maxRedeem", s.mallory))
            assert bool(most) == (change > -0.2)
            try_once(s.vault, "redeem", (most, s.mallory, s.mallory), s.mallory)
        assert s.world
        s.world.set_prices(dict(zip(s.symbols, true, strict=True)))
        score.why = "closed beyond the band" if abs(change) > 0.2 else "bid and ask span both prices"


def test_feed__frozen_inside_the_band_during_an_auction__is_the_bidders_gain(
    checked: Levered, heist: Heist
) -> None:
    """EQ-82: a bid pays the feed's mid, and the pool's opinion closes prices only beyond its band.

    Known limit: without a rival the first bidder gains what the feed lags.
    """
    s, change = checked, 0.05
    s.post_volatilities([v * 1.5 for v in s.vols])
    _, true = market_moves(s, change)
    s.open()
    s.to_curve(1.0)
    with heist(f"feeds frozen, market {change:+.0%}: bid at mid, no rival", s, s.keeper) as score:
        bids = s.auction.events(s.bid_basket(), "Bid")
        sold = sum(bid.sellValueWad for bid in bids) / 1e18
        assert s.world
        s.world.set_prices(dict(zip(s.symbols, true, strict=True)))
        score.bound = sold * (change + 0.001)
        score.why = f"known limit: {change:.0%} of {sold:,.0f} USD, the first bidder's"


# ---------------------------------------------------------------------- lender


def test_aave_oracle__far_too_low__sells_at_our_prices(levered: Levered, heist: Heist) -> None:
    """EQ-130: the venue's oracle is captured: the ripcord is due, and sells at our mid less its discount."""
    s = levered
    sources = [s.aave.oracle.call("getSourceOfAsset", token) for token in s.tokens]
    true = [s.price(i) for i in range(s.n)]
    fakes = [artifact_contract(s.chain, "TestAggregator", "fake", 8, s.owner, sender=s.owner) for _ in true]
    for fake, price in zip(fakes, true, strict=True):
        fake.send("push", round(price * 0.75 * 10**8), s.now(), sender=s.owner)
    with heist("Aave's oracle 25 % too low, ripcord", s, s.keeper) as score:
        assets = [token.address for token in s.tokens]
        hostile = ("setAssetSources", assets, [fake.address for fake in fakes])
        s.aave.oracle.send(*hostile, sender=s.aave.admin)
        assert [s.price(i) for i in range(s.n)] == true
        s.pull()
        s.warp(900)
        bids = s.auction.events(s.bid_basket(), "Bid")
        sold = sum(bid.sellValueWad for bid in bids) / 1e18
        s.aave.oracle.send("setAssetSources", assets, sources, sender=s.aave.admin)
        score.bound = sold * 0.03
        score.why = f"EQ-130: 3 % of {sold:,.0f} USD, after 15 minutes without a rival"


@pytest.mark.parametrize("code", [NOTHING, BURNER], ids=["destroyed", "upgraded to burn gas"])
def test_aave_oracle__gone__leaves_nothing_to_take(levered: Levered, attack: Ledger, code: str) -> None:
    """EQ-100: the health factor cannot be told: no trade, no entry; exits wait for Aave as its own do."""
    s = levered
    before = s.chain.request("eth_getCode", s.aave.oracle.address, "latest")
    with measured(s, s.mallory) as score:
        s.chain.request("anvil_setCode", s.aave.oracle.address, code)
        assert s.vault.call("mode") == 3
        assert s.vault.call("maxDeposit", s.mallory) == 0
        try_everything(s, s.mallory)
        s.chain.request("anvil_setCode", s.aave.oracle.address, before)
    what = "destroyed" if code == NOTHING else "upgraded to burn gas"
    attack(f"dependency: Aave's oracle {what}", score.profit, score.loss, why="nothing moves")


@pytest.mark.parametrize("code", [NOTHING, BURNER], ids=["destroyed", "upgraded to burn gas"])
def test_aave_pool__gone__holds_everything_fast(levered: Levered, attack: Ledger, code: str) -> None:
    """EQ-121: known limit: without the pool nobody can tell what the receipts are worth: all stands still.

    Nothing is sold, bought or taken meanwhile, idle cash included, and all goes on when it is back.
    """
    s = levered
    before = s.chain.request("eth_getCode", s.aave.pool.address, "latest")
    with measured(s, s.mallory) as score:
        s.chain.request("anvil_setCode", s.aave.pool.address, code)
        try_everything(s, s.mallory)
        skip = [token.address for token in s.tokens]
        args = (s.shares(s.alice) // 2, s.alice, s.alice, skip)
        assert not try_once(s.vault, "redeemInKind", args, s.alice)
        s.chain.request("anvil_setCode", s.aave.pool.address, before)
        assert s.vault.call("mode") == 0
    what = "destroyed" if code == NOTHING else "upgraded to burn gas"
    attack(f"dependency: Aave's pool {what}", score.profit, score.loss, why="nothing moves until it is back")


@pytest.mark.parametrize("code", [NOTHING, BURNER], ids=["destroyed", "upgraded to burn gas"])
def test_basket_token__gone__is_skipped(invested: System, attack: Ledger, code: str) -> None:
    """EQ-50: it cannot be sold or bought; whoever leaves skips it and gains nothing by it."""
    s = invested
    s.deposit(s.mallory, 20_000)
    before = s.chain.request("eth_getCode", s.tokens[0].address, "latest")
    with measured(s, s.mallory) as score:
        s.chain.request("anvil_setCode", s.tokens[0].address, code)
        args = (s.shares(s.mallory), s.mallory, s.mallory)
        assert not try_once(s.vault, "redeemInKind", (*args, []), s.mallory)
        s.vault.send("redeemInKind", *args, [s.tokens[0]], sender=s.mallory)
        s.chain.request("anvil_setCode", s.tokens[0].address, before)
    what = "destroyed" if code == NOTHING else "upgraded to burn gas"
    attack(f"dependency: a basket token {what}", score.profit, score.loss, why="its part stays")


def test_pool__that_checks_a_feed_destroyed__closes_prices(checked: Levered, heist: Heist) -> None:
    """EQ-47: a check that cannot be read is a fault, not a pass."""
    s = checked
    assert s.world
    with heist("dependency: a checking pool destroyed", s, s.mallory, why="no price, no trade"):
        s.chain.request("anvil_setCode", s.world.pools["ETH"].address, NOTHING)
        assert s.vault.call("mode") == 3
        try_everything(s, s.mallory)
