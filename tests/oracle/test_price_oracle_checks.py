"""The L2 sequencer's uptime and the cross-check against the real Uniswap V3 pool's mean price."""

from __future__ import annotations

from math import log

import pytest
from eth_abi import encode
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.artifacts import load_artifact
from equipoise.client.contract import Contract, create
from equipoise.errors import ContractRevert
from equipoise.units import DAY, WAD
from tests.fixtures.levered import Levered
from tests.fixtures.system import FUZZ, System, artifact_contract

SEQUENCER_DOWN, TWAP_FAILED, TWAP_DEVIATES = 7, 8, 9
GRACE = 3_600
WINDOW, BAND_BPS = 900, 2_000
MAX_TICK = 887_272
IN_KIND_ONLY = 3
NOBODY = "0x" + "0" * 40

# ------------------------------------------------------------------ sequencer


@pytest.fixture
def sequenced(system: System) -> tuple[System, Contract, Contract]:
    """The same feeds behind an oracle of an L2, and the L2's uptime feed."""
    s = system
    uptime = artifact_contract(s.chain, "OddFeed", 0, 0, sender=s.owner)
    uptime.send("set", 0, 1, sender=s.owner)
    listings = [
        (t, f, 90_000, 50, 1, 10**30)
        for t, f in zip([*s.tokens, s.cash], [*s.feeds, s.cash_feed], strict=True)
    ]
    artifact = load_artifact("PriceOracle")
    oracle = create(s.chain, artifact, s.owner, (uptime, GRACE, 1), listings, sender=s.owner)
    return s, oracle, uptime


def test_sequencer__down__no_price_counts(sequenced: tuple[System, Contract, Contract]) -> None:
    """EQ-46: down, or up but not yet for the grace period: every listed price is refused by name."""
    s, oracle, uptime = sequenced
    tokens = [*s.tokens, s.cash]
    assert oracle.call("faults", tokens) == [0] * 4
    uptime.send("set", 1, s.now(), sender=s.owner)
    assert oracle.call("faults", [*tokens, s.alice]) == [SEQUENCER_DOWN] * 4 + [1]
    assert oracle.call("answers", tokens) == [0] * 4
    for function, argument in (("quote", s.tokens[0]), ("quotes", tokens)):
        s.refuses("PriceOracle__SequencerDown", oracle, function, argument, sender=s.alice)


def test_sequencer__back__counts_after_the_grace_period(sequenced: tuple[System, Contract, Contract]) -> None:
    """EQ-46: who could not act while it was down has that long to act."""
    s, oracle, uptime = sequenced
    back = s.now()
    uptime.send("set", 0, back, sender=s.owner)
    revert = s.refuses("PriceOracle__SequencerDown", oracle, "quote", s.cash, sender=s.alice)
    assert revert.arguments[:2] == (back, GRACE)
    s.warp(back + GRACE - s.now())
    block = s.chain.request("eth_blockNumber")
    assert oracle.call("faults", [s.cash], block=block) == [SEQUENCER_DOWN]
    s.warp(1)
    assert oracle.call("faults", [s.cash]) == [0]
    assert tuple(oracle.call("chainConfig")) == (uptime.address, GRACE, 1)


@pytest.mark.parametrize(
    ("behaviour", "answer", "started_at"), [(1, 0, 1), (2, 0, 1), (3, 0, 1), (0, 0, 2**256 - 1), (0, -1, 1)]
)
def test_sequencer__a_broken_uptime_feed__counts_as_down(
    sequenced: tuple[System, Contract, Contract], behaviour: int, answer: int, started_at: int
) -> None:
    """EQ-46 EQ-41: it reverts, burns its gas, says nothing, or is of the future: a fault, no revert."""
    s, oracle, uptime = sequenced
    uptime.send("set", answer, started_at, sender=s.owner)
    uptime.send("setBehaviour", behaviour, b"", sender=s.owner)
    assert oracle.call("faults", s.tokens) == [SEQUENCER_DOWN] * 3


@pytest.mark.parametrize(("started_at", "expected"), [(0, SEQUENCER_DOWN), (1, 0)])
def test_sequencer__a_round_that_never_started__counts_as_down(
    sequenced: tuple[System, Contract, Contract], started_at: int, expected: int
) -> None:
    """EQ-46: Chainlink answers 0, which means up, in a round without a start too: it knows nothing."""
    s, oracle, uptime = sequenced
    answer = encode(["uint80", "int256", "uint256", "uint256", "uint80"], [1, 0, started_at, 1, 1])
    uptime.send("setBehaviour", 3, answer, sender=s.owner)
    assert oracle.call("faults", s.tokens) == [expected] * 3


def test_constructor__facts_of_the_chain_outside_their_range__are_refused(system: System) -> None:
    """EQ-43: grace period up to a day, block time from a second to a minute, a real uptime feed."""
    s = system
    for chain, error in (
        ((NOBODY, DAY + 1, 1), "ParameterOutOfRange"),
        ((NOBODY, 0, 0), "ParameterOutOfRange"),
        ((NOBODY, 0, 61), "ParameterOutOfRange"),
        ((s.alice, 0, 12), "PriceOracle__NotAContract"),
    ):
        with pytest.raises(ContractRevert) as caught:
            create(s.chain, load_artifact("PriceOracle"), s.owner, chain, [], sender=s.owner)
        assert caught.value.name == error


# ----------------------------------------------------------------------- TWAP


def check(s: Levered, index: int = 1, window: int = WINDOW, band_bps: int = BAND_BPS) -> Contract:
    """Have an asset's feed checked by its pool, whose memory already covers the window."""
    assert s.world
    pool = s.world.pools[s.symbols[index]]
    settle(s)
    s.price_oracle.send("setTwap", s.tokens[index], (pool, window, band_bps), sender=s.owner)
    return pool


def settle(s: Levered, seconds: int = 2 * WINDOW) -> None:
    """Pools at their feeds' prices for a while."""
    assert s.world
    s.world.align_pools()
    s.warp(seconds)
    s.refresh_prices()


def fault(s: Levered, index: int = 1) -> int:
    return int(s.price_oracle.call("faults", [s.tokens[index]])[0])


def twap(s: Levered, index: int = 1) -> float:
    """The oracle's mean price, read from the side of the quote that it moves."""
    quote, h = s.price_oracle.call("quote", s.tokens[index]), 0.005
    if quote.askWad / quote.midWad > 1 + h + 1e-9:
        return quote.askWad / WAD / (1 + h)
    return quote.bidWad / WAD / (1 - h)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_quote__pool_agrees__bid_and_ask_hold_both_prices(lending: Levered, index: int) -> None:
    """EQ-47: bid below and ask above both the feed and the pool's mean, on either side of a pool."""
    s = lending
    check(s, index)
    feed = s.price(index)
    for change in (0.0, 0.04, -0.04):
        s.set_price(index, feed * (1 + change))
        quote = s.price_oracle.call("quote", s.tokens[index])
        # the pool stands within its fee of the feed's first price
        low, high = min(feed, feed * (1 + change)), max(feed, feed * (1 + change))
        assert quote.midWad / WAD == pytest.approx(feed * (1 + change))
        assert quote.bidWad / WAD == pytest.approx(low * 0.995, rel=0.004)
        assert quote.askWad / WAD == pytest.approx(high * 1.005, rel=0.004)


@FUZZ
@given(change=st.floats(-0.6, 1.0), band_bps=st.integers(100, 5_000))
def test_quote__feed_beyond_the_band__is_refused(lending: Levered, change: float, band_bps: int) -> None:
    """EQ-47: |mean / feed - 1| above the band is a fault: prices close, the exit in kind does not."""
    with lending.scenario() as s:
        pool = check(s, band_bps=band_bps)
        mean = twap(s)
        s.set_price(1, s.price(1) * (1 + change))
        deviation = abs(mean / s.price(1) - 1)
        if abs(deviation - band_bps / 1e4) < 1e-4:
            return
        assert fault(s) == (TWAP_DEVIATES if deviation > band_bps / 1e4 else 0)
        if fault(s):
            error = "PriceOracle__TwapDeviates"
            revert = s.refuses(error, s.price_oracle, "quote", s.tokens[1], sender=s.alice)
            assert revert.arguments[3] == band_bps
            assert s.vault.call("mode") == IN_KIND_ONLY
        assert s.price_oracle.call("twapOf", s.tokens[1]) == (pool.address, WINDOW, band_bps)


def test_quote__after_the_window__the_pool_has_followed(lending: Levered) -> None:
    """EQ-47: a real fall closes prices until the mean has followed; the geometric mean says when."""
    s = lending
    check(s)
    assert s.world
    fall = 0.35
    s.set_price(1, s.price(1) * (1 - fall))
    s.world.align_pools()
    assert fault(s) == TWAP_DEVIATES
    # mean / feed = (1 / (1 - fall))^(1 - t / window) <= 1 + band
    opens = WINDOW * (1 - log(1 + BAND_BPS / 1e4) / -log(1 - fall))
    s.warp(int(opens) - 30)
    assert fault(s) == TWAP_DEVIATES
    s.warp(60)
    assert fault(s) == 0


def test_quote__cash_off_its_peg__is_converted(lending: Levered) -> None:
    """EQ-47: the pool counts in cash, and cash at 0.90 USD is no deviation of the asset."""
    s = lending
    check(s, band_bps=500)
    assert s.world
    s.set_price(None, 0.9)
    s.world.align_pools()
    s.warp(WINDOW + 1)
    s.refresh_prices()
    assert fault(s) == 0
    assert twap(s) == pytest.approx(s.price(1), rel=0.002)


@pytest.mark.parametrize("how", ["no code", "reverts", "garbage", "cash feed dead"])
def test_quote__no_mean_price__is_a_fault(lending: Levered, how: str) -> None:
    """EQ-47 EQ-41: a pool that cannot answer is a fault of its asset alone, never a revert of `faults`."""
    s = lending
    pool = check(s)
    if how == "no code":
        s.chain.request("anvil_setCode", pool.address, "0x")
    elif how == "reverts":
        s.chain.request("anvil_setCode", pool.address, "0x5f5ffd")
    elif how == "garbage":
        s.chain.request("anvil_setCode", pool.address, "0x" + "5f196000526101006000f3")  # 256 bytes
    else:
        s.set_price(None, 1.0, updated_at=1)
    assert fault(s) == TWAP_FAILED
    assert fault(s, 0) == 0
    s.refuses("PriceOracle__TwapFailed", s.price_oracle, "quote", s.tokens[1], sender=s.alice)
    assert s.vault.call("mode") == IN_KIND_ONLY
    assert s.price_oracle.call("answers", [s.tokens[1]])[0] > 0


@pytest.mark.parametrize(("beyond", "expected"), [(0, TWAP_DEVIATES), (1, TWAP_FAILED)])
@pytest.mark.parametrize("sign", [1, -1])
def test_quote__mean_of_no_tick__is_a_fault(lending: Levered, beyond: int, expected: int, sign: int) -> None:
    """EQ-47 EQ-41: Uniswap's last tick is a price, however absurd; one unit further it is none."""
    s = lending
    pool = check(s)
    change = sign * (MAX_TICK * WINDOW + beyond) % 2**256
    # offsets, two accumulators of ticks (now `change`, then 0), two of liquidity
    words = [64, 160, 2, 0, change, 2, 0, 0]
    stores = "".join(f"7f{word:064x}60{32 * i:02x}52" for i, word in enumerate(words))
    s.chain.request("anvil_setCode", pool.address, f"0x{stores}6101005ff3")
    assert fault(s) == expected
    assert fault(s, 0) == 0


def test_redeem_in_kind__with_a_pool_dead__still_pays(lending: Levered) -> None:
    """EQ-50: one asset's fault never blocks the exit."""
    s = lending
    s.deposit(s.alice, 100_000)
    pool = check(s)
    s.chain.request("anvil_setCode", pool.address, "0x")
    s.vault.send("redeemInKind", s.shares(s.alice), s.alice, s.alice, [], sender=s.alice)
    assert s.shares(s.alice) == 0


def test_set_twap__wrong_pool_window_or_band__is_refused(lending: Levered) -> None:
    """EQ-43 EQ-48: a pool of the token against a listed one, with a memory as long as the window."""
    s = lending
    settle(s)
    assert s.world
    eth, btc = s.world.pools["ETH"], s.world.pools["BTC"]

    def refused(error: str, token: object, pool: object, window: int, band: int) -> ContractRevert:
        return s.refuses(error, s.price_oracle, "setTwap", token, (pool, window, band), sender=s.owner)

    token = s.tokens[1]
    refused("PriceOracle__UnknownToken", s.alice, eth, WINDOW, BAND_BPS)
    refused("PriceOracle__NotAContract", token, s.alice, WINDOW, BAND_BPS)
    refused("PriceOracle__WrongPool", token, btc, WINDOW, BAND_BPS)
    for window, band in ((299, BAND_BPS), (DAY + 1, BAND_BPS), (WINDOW, 99), (WINDOW, 5_001)):
        refused("ParameterOutOfRange", token, eth, window, band)
    revert = refused("PriceOracle__CardinalityTooLow", token, eth, 1_812, BAND_BPS)
    assert revert.arguments[1:] == (151, 152)
    args = s.price_oracle, "setTwap", token, (eth, WINDOW, BAND_BPS)
    for sender in (s.guardian, s.mallory):
        s.refuses("OwnableUnauthorizedAccount", *args, sender=sender)


def test_set_twap__pool_against_an_unlisted_token__is_refused(lending: Levered) -> None:
    """EQ-48: its mean price could not be brought to USD."""
    s = lending
    assert s.world
    listing = (s.tokens[1], s.feeds[1], 90_000, 50, 10**12, 10**24)
    at = {"sender": s.owner}
    oracle = create(s.chain, load_artifact("PriceOracle"), s.owner, (NOBODY, 0, 12), [listing], **at)
    args = s.tokens[1], (s.world.pools["ETH"], WINDOW, BAND_BPS)
    with pytest.raises(ContractRevert) as caught:
        oracle.send("setTwap", *args, sender=s.owner)
    assert caught.value.name == "PriceOracle__WrongPool"


def test_set_twap__that_disagrees_now__is_refused(lending: Levered) -> None:
    """EQ-48: what cannot be read now is not listed."""
    s = lending
    settle(s)
    assert s.world
    s.set_price(1, s.price(1) * 2)
    args = s.tokens[1], (s.world.pools["ETH"], WINDOW, BAND_BPS)
    s.refuses("PriceOracle__TwapDeviates", s.price_oracle, "setTwap", *args, sender=s.owner)


def test_set_twap__taken_away__leaves_the_feed_alone(lending: Levered) -> None:
    """EQ-48: the zero address ends the check; listing the feed anew keeps it."""
    s = lending
    check(s)
    feed = s.price_oracle.call("feedOf", s.tokens[1])
    listing = (s.tokens[1], feed.feed, feed.heartbeat, 50, feed.minPriceWad, feed.maxPriceWad)
    s.price_oracle.send("setFeed", listing, sender=s.owner)
    s.set_price(1, s.price(1) * 2)
    assert fault(s) == TWAP_DEVIATES
    s.price_oracle.send("setTwap", s.tokens[1], (NOBODY, 0, 0), sender=s.owner)
    assert fault(s) == 0
    assert s.price_oracle.call("twapOf", s.tokens[1]) == (NOBODY, 0, 0)
