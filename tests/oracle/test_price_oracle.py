"""Feeds: what is refused, and that being told never reverts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.client.contract import Contract
from equipoise.client.rpc import RpcChain
from tests.fixtures.system import FUZZ, System, artifact_contract

NONE, UNKNOWN, FAILED, NON_POSITIVE, FUTURE, STALE, OUT_OF_BOUNDS = range(7)
HEARTBEAT = 90_000
REVERTS, BURNS, RAW = 1, 2, 3


def word(value: int) -> bytes:
    return (value % 2**256).to_bytes(32, "big")


def fault(s: System, index: int = 0) -> int:
    return int(s.price_oracle.call("faults", [s.tokens[index]])[0])


def listing(s: System, **changes: object) -> tuple[object, ...]:
    config = {
        "token": s.tokens[0],
        "feed": s.feeds[0],
        "heartbeat": 3_600,
        "half_spread_bps": 50,
        "min": 10**12,
        "max": 10**24,
    }
    return tuple({**config, **changes}.values())


def test_quote__sound_feed__is_the_answer_in_wad(system: System) -> None:
    """EQ-40: mid, bid, ask and unit of each token, in order."""
    quotes = system.price_oracle.call("quotes", [*system.tokens, system.cash])
    assert [q.midWad for q in quotes] == [p * 10**18 for p in (2_000, 30_000, 400, 1)]
    assert [q.unit for q in quotes] == [10**18, 10**8, 10**6, 10**6]
    assert [q.bidWad for q in quotes] == [q.midWad * 995 // 1000 for q in quotes[:3]] + [10**18]
    assert [q.askWad for q in quotes] == [q.midWad * 1005 // 1000 for q in quotes[:3]] + [10**18]
    assert system.price_oracle.call("quote", system.tokens[1]) == quotes[1]


@pytest.mark.parametrize("decimals", [0, 6, 8, 18])
def test_quote__feed_of_any_decimals__is_scaled(system: System, node: RpcChain, decimals: int) -> None:
    """EQ-40: 25 USD are 25e18, however the feed writes them."""
    feed = artifact_contract(node, "OddFeed", decimals, 25 * 10**decimals, sender=system.owner)
    system.price_oracle.send("setFeed", listing(system, feed=feed), sender=system.owner)
    assert system.price_oracle.call("quote", system.tokens[0]).midWad == 25 * 10**18


CASES = [
    ("PriceOracle__NonPositivePrice", NON_POSITIVE, 0, 0),
    ("PriceOracle__NonPositivePrice", NON_POSITIVE, -(2**255), 0),
    ("PriceOracle__PriceFromTheFuture", FUTURE, 10**8, 2**256 - 1),
    ("PriceOracle__PriceFromTheFuture", FUTURE, 10**8, 4_000_000_000),
    ("PriceOracle__StalePrice", STALE, 10**8, 1),
    ("PriceOracle__PriceOutOfBounds", OUT_OF_BOUNDS, 1, 0),
    ("PriceOracle__PriceOutOfBounds", OUT_OF_BOUNDS, 2**255 - 1, 0),
    ("PriceOracle__PriceOutOfBounds", OUT_OF_BOUNDS, 2**128, 0),
    ("PriceOracle__PriceOutOfBounds", OUT_OF_BOUNDS, 1002 * 10**14, 0),
]


@pytest.mark.parametrize(("error", "expected", "answer", "updated_at"), CASES)
def test_quote__unusable_answer__is_refused_by_name(
    system: System, error: str, expected: int, answer: int, updated_at: int
) -> None:
    """EQ-40: each fault has its error, and `faults` tells the same without reverting."""
    s = system
    s.feeds[0].send("set", answer, updated_at, sender=s.keeper)
    assert fault(s) == expected
    s.refuses(error, s.price_oracle, "quote", s.tokens[0], sender=s.keeper)
    s.refuses(error, s.price_oracle, "quotes", [s.tokens[1], s.tokens[0]], sender=s.keeper)
    assert s.vault.call("mode") == 3


def test_quote__at_the_heartbeat__is_still_fresh(system: System) -> None:
    """EQ-40: an answer as old as the heartbeat counts; a second older does not."""
    at = system.now()
    system.feeds[0].send("set", 2_000 * 10**8, at, sender=system.keeper)
    system.warp(at + HEARTBEAT - system.now())
    block = system.chain.request("eth_blockNumber")
    assert system.price_oracle.call("faults", [system.tokens[0]], block=block) == [NONE]
    system.warp(1)
    assert fault(system) == STALE


def test_quote__at_its_bounds__is_accepted(system: System) -> None:
    """EQ-40: the bounds themselves are prices; they are kept within 0.2 %, outwards."""
    s = system
    s.price_oracle.send("setFeed", listing(s, min=1_900 * 10**18, max=2_100 * 10**18), sender=s.owner)
    for usd, expected in ((1_900, NONE), (2_100, NONE), (1_896.1, OUT_OF_BOUNDS), (2_104.3, OUT_OF_BOUNDS)):
        s.set_price(0, usd)
        assert fault(s) == expected


def test_quote__at_its_bounds_as_stored__is_accepted(system: System, node: RpcChain) -> None:
    """EQ-40: to the unit: the bound is a price, what lies beyond it none."""
    s = system
    feed: Contract = artifact_contract(node, "OddFeed", 18, 2_000 * 10**18, sender=s.owner)
    args = listing(s, feed=feed, min=1_900 * 10**18, max=2_100 * 10**18)
    s.price_oracle.send("setFeed", args, sender=s.owner)
    stored = s.price_oracle.call("feedOf", s.tokens[0])
    low, high = stored.minPriceWad, stored.maxPriceWad
    for answer, expected in ((low, NONE), (high, NONE), (low - 1, OUT_OF_BOUNDS), (high + 1, OUT_OF_BOUNDS)):
        feed.send("set", answer, 0, sender=s.keeper)
        assert fault(s) == expected


def test_quote__unlisted_token__is_refused(system: System) -> None:
    """EQ-40: a token without a feed has no price."""
    stranger = system.alice
    system.refuses("PriceOracle__UnknownToken", system.price_oracle, "quote", stranger, sender=stranger)
    assert system.price_oracle.call("faults", [stranger]) == [UNKNOWN]


@pytest.mark.parametrize(
    ("behaviour", "raw"),
    [
        (REVERTS, b""),
        (BURNS, b""),
        (RAW, b""),
        (RAW, word(1) * 4),
        (RAW, word(1) * 4 + b"\x00" * 31),
    ],
    ids=["reverts", "burns its gas", "nothing", "four words", "a byte short"],
)
def test_faults__broken_feed__says_so(system: System, behaviour: int, raw: bytes) -> None:
    """EQ-41: no answer is a fault, not a revert, and `quote` names the feed."""
    system.feeds[0].send("setBehaviour", behaviour, raw, sender=system.keeper)
    assert fault(system) == FAILED
    error = "PriceOracle__FeedFailed"
    revert = system.refuses(error, system.price_oracle, "quote", system.tokens[0], sender=system.keeper)
    assert revert.arguments[1] == system.feeds[0].address


def test_faults__feed_without_code__says_so(system: System) -> None:
    """EQ-41: a feed that destroyed itself."""
    system.chain.request("anvil_setCode", system.feeds[0].address, "0x")
    assert fault(system) == FAILED
    assert system.vault.call("mode") == 3


def test_faults__every_feed_burns_its_gas__still_answers(system: System) -> None:
    """EQ-41: none of them can starve the others, even inside one transaction."""
    for feed in [*system.feeds, system.cash_feed]:
        feed.send("setBehaviour", BURNS, b"", sender=system.keeper)
    everything = [*system.tokens, system.cash]
    assert system.price_oracle.call("faults", everything) == [FAILED] * 4
    system.price_oracle.send("faults", everything, sender=system.keeper, gas=8_000_000)
    assert system.lens.call("dashboard", system.auction).mode == 3


def test_faults__a_flood_of_answer__costs_no_more(system: System) -> None:
    """EQ-41: of 128 KiB of zeros only five words are copied."""
    push_size_push_zero_return = "0x620200006000f3"
    system.chain.request("anvil_setCode", system.feeds[0].address, push_size_push_zero_return)
    assert fault(system) == NON_POSITIVE
    receipt = system.price_oracle.send("faults", [system.tokens[0]], sender=system.keeper)
    assert receipt.gas_used < 100_000


@FUZZ
@given(
    raw=st.one_of(
        st.binary(max_size=400),
        st.lists(st.integers(0, 2**256 - 1), max_size=6).map(lambda words: b"".join(map(word, words))),
    )
)
def test_faults__any_bytes__never_revert(system: System, raw: bytes) -> None:
    """EQ-41: whatever a feed answers, the mode can be told."""
    with system.scenario():
        system.feeds[1].send("setBehaviour", RAW, raw, sender=system.keeper)
        assert 0 <= fault(system, 1) <= 6
        system.vault.call("mode")
        system.vault.call("maxDeposit", system.bob)


@pytest.mark.parametrize(
    "changes",
    [
        {"heartbeat": 59},
        {"heartbeat": 7 * 86_400 + 1},
        {"half_spread_bps": 501},
        {"max": 1},
        {"max": 10**30 + 1},
        {"min": 0},
        {"min": 10**24},
    ],
    ids=str,
)
def test_set_feed__parameter_outside_its_range__is_refused(system: System, changes: dict[str, int]) -> None:
    """EQ-43: every parameter of a feed has its range."""
    args = listing(system, **changes)
    system.refuses("ParameterOutOfRange", system.price_oracle, "setFeed", args, sender=system.owner)


def test_set_feed__at_the_ends__is_accepted(system: System) -> None:
    """EQ-43: the ranges are closed."""
    for changes in (
        {"heartbeat": 60, "half_spread_bps": 0, "min": 1},
        {"half_spread_bps": 500, "max": 10**30},
    ):
        system.price_oracle.send("setFeed", listing(system, **changes), sender=system.owner)


@pytest.mark.parametrize("kind", ["OddFeed", "OddToken"])
def test_set_feed__more_than_18_decimals__is_refused(system: System, node: RpcChain, kind: str) -> None:
    """EQ-42: decimals come from the chain, and 19 are too many."""
    first: object = 19 if kind == "OddFeed" else "TOO MANY"
    odd = artifact_contract(node, kind, first, 10**8 if kind == "OddFeed" else 19, sender=system.owner)
    args = listing(system, **{"feed" if kind == "OddFeed" else "token": odd})
    revert = system.refuses("ParameterOutOfRange", system.price_oracle, "setFeed", args, sender=system.owner)
    assert revert.arguments[1:] == (19, 0, 18)


def test_set_feed__no_contract__is_refused(system: System) -> None:
    """EQ-42: neither a token nor a feed is a person."""
    for key in ("token", "feed"):
        args = listing(system, **{key: system.alice})
        system.refuses("PriceOracle__NotAContract", system.price_oracle, "setFeed", args, sender=system.owner)


def test_set_feed__no_usable_price__is_refused(system: System, node: RpcChain) -> None:
    """EQ-42: what cannot be read now is not listed."""
    dead: Contract = artifact_contract(node, "OddFeed", 8, 0, sender=system.owner)
    args = listing(system, feed=dead)
    error = "PriceOracle__NonPositivePrice"
    system.refuses(error, system.price_oracle, "setFeed", args, sender=system.owner)
    args = listing(system, min=2_005 * 10**18)
    error = "PriceOracle__PriceOutOfBounds"
    system.refuses(error, system.price_oracle, "setFeed", args, sender=system.owner)


def test_set_feed__not_the_owner__is_refused(system: System) -> None:
    """EQ-42: the guardian lists nothing."""
    for sender in (system.guardian, system.mallory):
        args = listing(system)
        system.refuses("OwnableUnauthorizedAccount", system.price_oracle, "setFeed", args, sender=sender)


def test_set_feed__listed__is_told_as_stored(system: System) -> None:
    """EQ-42: decimals of token and feed were read from the chain."""
    receipt = system.price_oracle.send("setFeed", listing(system, heartbeat=86_400), sender=system.owner)
    feed = system.price_oracle.call("feedOf", system.tokens[0])
    assert (feed.feedDecimals, feed.tokenDecimals, feed.heartbeat) == (8, 18, 86_400)
    assert system.price_oracle.events(receipt, "FeedSet")[0].feed == feed
