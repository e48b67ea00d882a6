"""A configuration is held against the chain before anything is sent, and every finding told at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from equipoise.client.config import ChecksConfig, DeploymentConfig
from equipoise.client.contract import create, load_artifact
from equipoise.client.deploy import deploy
from equipoise.client.deploy.create2 import FACTORY
from equipoise.client.deploy.plan import make_plan
from equipoise.client.preflight import Findings, estimated_gas, inspect, refuse
from equipoise.errors import InputError
from equipoise.world import World
from tests.fixtures.deploying import Killed, Liar, Mortal

Change = Callable[[DeploymentConfig], DeploymentConfig]


@pytest.fixture
def look(venue: World, governed_config: DeploymentConfig) -> Callable[..., Findings]:
    """What `inspect` finds after a change of the configuration."""

    def found(change: Change = lambda c: c, chain: Any = venue.chain, sender: int = 0) -> Findings:
        config, deployer = change(governed_config), venue.accounts[sender]
        return inspect(chain, deployer, config, make_plan(venue.chain, deployer, config))

    return found


def asset(config: DeploymentConfig, index: int, **changes: Any) -> DeploymentConfig:
    assets = list(config.assets)
    assets[index] = replace(assets[index], **changes)
    return replace(config, assets=tuple(assets))


def oracle(config: DeploymentConfig, **changes: Any) -> DeploymentConfig:
    return replace(config, oracle=replace(config.oracle, **changes))


def only(findings: Findings, level: str) -> str:
    """The one finding, which has that level."""
    assert [finding.level for finding in findings] == [level], [str(finding) for finding in findings]
    return str(findings[0])


def test_inspect__sound_configuration__finds_nothing(look: Callable[..., Findings]) -> None:
    assert look() == []
    refuse(look())


def test_inspect__many_errors__are_all_told_at_once(look: Callable[..., Findings], venue: World) -> None:
    """EQ-171"""
    nowhere = "0x" + "77" * 20

    def spoil(config: DeploymentConfig) -> DeploymentConfig:
        config = asset(asset(config, 0, feed=nowhere), 1, max_price=1.0)
        config = oracle(config, threshold=2)
        return replace(config, cash_decimals=8, swap_router=nowhere, guardian=venue.accounts[0])

    findings = look(spoil)
    subjects = [finding.subject for finding in findings.errors]
    symbols = [spec.symbol for spec in venue.assets]
    for subject in (
        f"{symbols[0]}.feed",
        f"{symbols[1]}.feed",
        "oracle.threshold",
        "cash_decimals",
        "swap_router",
    ):
        assert subject in subjects
    assert [finding.subject for finding in findings.warnings] == ["guardian"]
    with pytest.raises(InputError) as refused:
        refuse(findings)
    assert all(str(finding) in str(refused.value) for finding in findings.errors)


def test_inspect__another_chain__is_refused_before_anything_else(look: Callable[..., Findings]) -> None:
    """EQ-174"""
    with pytest.raises(InputError, match=r"is for chain 1, this is chain 31337: choose its --network"):
        look(lambda config: replace(config, chain_id=1))
    assert look(lambda config: replace(config, chain_id=31337)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda c, _: oracle(c, signers=("0x" + "00" * 19 + "05", *c.oracle.signers[1:])),
            "is a placeholder",
        ),
        (
            lambda c, _: replace(c, fee_recipient="0x" + "00" * 19 + "08"),
            "fee_recipient: .* is a placeholder",
        ),
        (lambda c, _: oracle(c, signers=(*c.oracle.signers[:4], c.oracle.signers[0])), "stand there twice"),
        (lambda c, _: oracle(c, threshold=2), "2 of 5 is no majority: give 3 to 5"),
        (lambda c, _: oracle(c, threshold=6), "6 of 5 is no majority"),
        (lambda c, w: oracle(c, signers=(w.accounts[0], *c.oracle.signers[1:])), "is the deployer too"),
        (lambda c, _: oracle(c, signers=(c.guardian, *c.oracle.signers[1:])), "is the guardian too"),
        (lambda c, w: replace(c, governance=None, owner=c.guardian), "guardian: .* is the owner too"),
    ],
)
def test_inspect__people__each_mistake_is_an_error(
    look: Callable[..., Findings], venue: World, change: Callable[[DeploymentConfig, World], Any], said: str
) -> None:
    """EQ-171"""
    assert re.search(said, only(look(lambda config: change(config, venue)), "error"))


def test_inspect__public_chain__knows_the_keys_that_everybody_knows(
    look: Callable[..., Findings], venue: World
) -> None:
    """EQ-171"""
    findings = look(chain=Liar(venue.chain, web3_clientVersion=lambda _: "Geth/v1.14"))
    assert [finding.subject for finding in findings.errors] == ["guardian", "fee_recipient"]
    assert "a test account whose key everybody knows" in str(findings[0])


def test_inspect__owner_is_a_plain_account__is_a_warning_on_a_public_chain(
    look: Callable[..., Findings], venue: World
) -> None:
    """EQ-171"""
    plain = "0x" + "5a" * 20
    public = Liar(venue.chain, web3_clientVersion=lambda _: "Geth/v1.14")
    for chain, count in ((venue.chain, 0), (public, 1)):
        findings = look(lambda config: replace(config, governance=None, owner=plain), chain=chain)
        assert [str(finding) for finding in findings.warnings if finding.subject == "owner"] == [
            f"owner: {plain} is a plain account: one key changes every parameter at once"
        ] * count


def test_inspect__unfunded_deployer__says_how_much_is_missing(
    look: Callable[..., Findings], venue: World
) -> None:
    """EQ-174"""
    priced = Liar(venue.chain, eth_gasPrice=lambda _: hex(20 * 10**9))
    assert look(chain=priced) == []
    venue.chain.request("anvil_setBalance", venue.accounts[0], hex(10**17))
    said = only(look(chain=priced), "error")
    assert "has 0.1 ETH" in said
    assert "at 20 gwei cost" in said
    assert "send it 0." in said


def test_estimated_gas__against_what_is_used__is_a_little_more(
    venue: World, governed_config: DeploymentConfig
) -> None:
    deployer, used = venue.accounts[0], []
    plan = make_plan(venue.chain, deployer, governed_config)
    before = estimated_gas(plan)
    deploy(
        venue.chain, deployer, governed_config, lambda s: used.append(s.receipt.gas_used if s.receipt else 0)
    )
    assert sum(used) < before < 1.25 * sum(used)
    assert estimated_gas(plan) == 0


def test_inspect__half_deployed__costs_what_is_left(venue: World, governed_config: DeploymentConfig) -> None:
    deployer = venue.accounts[0]
    plan = make_plan(venue.chain, deployer, governed_config)
    costs = [estimated_gas(plan)]
    for fatal in (7, 12):
        with pytest.raises(Killed):
            deploy(Mortal(venue.chain, fatal), deployer, governed_config)
        costs.append(estimated_gas(plan))
        assert inspect(venue.chain, deployer, governed_config, plan) == []
    assert costs[0] > costs[1] > costs[2] > 0


def test_inspect__no_create2_factory__is_an_error(look: Callable[..., Findings], venue: World) -> None:
    """EQ-171"""
    venue.chain.request("anvil_setCode", FACTORY, "0x")
    assert "has no CREATE2 factory" in only(look(), "error")


@pytest.mark.parametrize("key", ["uniswap_factory", "swap_router", "aave_pool"])
def test_inspect__no_contract_there__is_an_error(look: Callable[..., Findings], key: str) -> None:
    """EQ-171"""
    nowhere = "0x" + "77" * 20
    findings = look(lambda config: replace(config, **{key: nowhere}))
    assert str(findings[0]) == f"{key}: no contract at {nowhere} on chain 31337: correct the address"
    assert findings[0].level == "error"


def test_inspect__swap_router_of_the_second_kind__says_what_to_do(
    look: Callable[..., Findings], venue: World
) -> None:
    """EQ-171: anything with code that lacks the first router's function."""
    wrong = venue.quoter.address
    said = only(look(lambda config: replace(config, swap_router=wrong)), "error")
    assert "lacks exactInputSingle with a deadline (SwapRouter02?)" in said
    assert "give `weth`" in said
    fine = look(lambda config: replace(config, swap_router=None, weth=venue.weth.address))
    assert fine == []


def test_inspect__cash_decimals__must_be_the_chains(look: Callable[..., Findings]) -> None:
    """EQ-171"""
    findings = look(lambda config: replace(config, cash_decimals=18, deposit_cap=0.001))
    assert "cash_decimals: 18 in the configuration, 6 on the chain: correct it" in map(str, findings.errors)


def test_inspect__token_that_is_none__is_an_error(look: Callable[..., Findings], venue: World) -> None:
    """EQ-171"""
    findings = look(lambda config: asset(config, 0, token=venue.factory.address))
    assert any("is no ERC-20 with decimals" in str(finding) for finding in findings.errors)


def test_inspect__one_feed_for_two_assets__is_an_error(
    look: Callable[..., Findings], governed_config: DeploymentConfig
) -> None:
    """EQ-171"""
    first, second = governed_config.assets[:2]
    findings = look(lambda config: asset(config, 1, feed=first.feed))
    assert f"{first.symbol}.feed: {first.feed} is that of {second.symbol} too" in map(str, findings.errors)


def odd_feed(venue: World, answer: int, updated_at: int | None = None) -> str:
    feed = create(venue.chain, load_artifact("OddFeed"), 8, answer, sender=venue.accounts[0])
    if updated_at is not None:
        feed.send("set", answer, updated_at, sender=venue.accounts[0])
    return feed.address


def test_inspect__stale_feed__is_an_error(look: Callable[..., Findings], venue: World) -> None:
    """EQ-171"""
    venue.warp(100_000)
    findings = look()
    assert len(findings.errors) == len(venue.assets) + 1
    assert all("s old, over the heartbeat of 90000" in str(finding) for finding in findings.errors)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"min_price": 1e8, "max_price": 1e9}, r"outside \[1e\+08, 1e\+09\]: correct the bounds or the feed"),
        ({"max_price": 1.0}, r"outside \[1e-08, 1\]"),
    ],
)
def test_inspect__answer_out_of_bounds__is_an_error(
    look: Callable[..., Findings], changes: dict[str, float], said: str
) -> None:
    """EQ-171"""
    assert re.search(said, only(look(lambda config: asset(config, 0, **changes)), "error"))


def test_inspect__negative_answer__is_an_error(look: Callable[..., Findings], venue: World) -> None:
    """EQ-171"""
    feed = odd_feed(venue, -1)
    assert "answers -1, no price" in only(look(lambda config: asset(config, 0, feed=feed)), "error")


def test_inspect__contract_that_is_no_feed__is_an_error(look: Callable[..., Findings], venue: World) -> None:
    """EQ-171"""
    findings = look(lambda config: asset(config, 0, feed=venue.factory.address))
    assert "does not answer as a Chainlink feed" in only(findings, "error")


@pytest.mark.parametrize(
    ("factor", "level"), [(1.01, None), (1.1, "warning"), (1.5, "error"), (0.5, "error")]
)
def test_inspect__feed_against_the_pool__warns_then_refuses(
    look: Callable[..., Findings], venue: World, factor: float, level: str | None
) -> None:
    """EQ-171"""
    symbol = venue.assets[0].symbol
    venue.set_prices({symbol: venue.prices()[symbol] * factor})
    findings = look()
    if level is None:
        assert findings == []
    else:
        assert "is it the right feed and the right pool?" in only(findings, level)
    assert look(lambda config: replace(config, checks=ChecksConfig(max_deviation=10.0))).errors == []


def test_inspect__no_pool_of_that_fee__is_an_error_unless_none_is_asked_for(
    look: Callable[..., Findings],
) -> None:
    """EQ-171"""
    change: Change = lambda config: asset(config, 0, pool_fee=100)  # noqa: E731
    assert "no Uniswap V3 pool against USDC with a fee of 0.01%" in only(look(change), "error")
    lax = ChecksConfig(require_pools=False)
    assert "no Uniswap V3 pool" in only(look(lambda config: replace(change(config), checks=lax)), "warning")


def test_inspect__pool_too_shallow_for_the_cap__is_an_error(look: Callable[..., Findings]) -> None:
    """EQ-171: the quote is Uniswap's own."""

    def deep(cap: float, fraction: float) -> Findings:
        checks = ChecksConfig(trade_fraction=fraction, max_slippage=0.01)
        return look(lambda c: replace(c, deposit_cap=cap, checks=checks))

    assert deep(1e6, 0.001).errors == []
    errors = [str(finding) for finding in deep(1e9, 0.1).errors]
    assert any("of the deposit cap) costs" in error and "more than 1.00%" in error for error in errors)


def test_inspect__short_memory_of_the_pool__says_how_to_lengthen_it(look: Callable[..., Findings]) -> None:
    """EQ-171"""
    assert look(lambda config: asset(config, 0, twap_window=1_800)) == []
    said = only(look(lambda config: asset(config, 0, twap_window=7_200)), "error")
    assert "the pool remembers" in said
    assert "increaseObservationCardinalityNext(601)" in said
