"""Aave's reserves are looked at before a vault relies on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from equipoise.client.config import DeploymentConfig
from equipoise.client.deploy.plan import make_plan
from equipoise.client.preflight import Findings, inspect
from equipoise.world import World


@pytest.fixture
def look(venue: World, governed_config: DeploymentConfig) -> Callable[..., Findings]:
    def found(cap: float = 1_000_000.0) -> Findings:
        config, deployer = replace(governed_config, deposit_cap=cap), venue.accounts[0]
        return inspect(venue.chain, deployer, config, make_plan(venue.chain, deployer, config))

    return found


def told(findings: Findings) -> list[tuple[str, str]]:
    return [(finding.level, str(finding)) for finding in findings]


def test_inspect__sound_reserves__finds_nothing(look: Callable[..., Findings]) -> None:
    assert look() == []


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (lambda aave, symbol: aave.pause(symbol), "Aave's reserve is paused: wait, or leave it out"),
        (lambda aave, symbol: aave.freeze(symbol), "Aave's reserve is frozen: wait, or leave it out"),
        (
            lambda aave, symbol: (aave.pause(symbol), aave.freeze(symbol)),
            "Aave's reserve is frozen and paused",
        ),
        (lambda aave, symbol: aave.set_terms(symbol, 0, 0.7, 0.05), "lends nothing against it (LTV 0)"),
        (lambda aave, symbol: aave.set_caps(symbol, supply=1), "no room under Aave's supply cap"),
    ],
)
def test_inspect__reserve_of_an_asset__its_state_is_told(
    look: Callable[..., Findings], venue: World, state: Callable[..., None], said: str
) -> None:
    """EQ-171"""
    assert venue.aave
    symbol = venue.assets[0].symbol
    state(venue.aave, symbol)
    ((level, message),) = told(look())
    assert level == "error"
    assert message.startswith(f"{symbol}.token: ")
    assert said in message


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (lambda aave: aave.pause("USDC"), "USDC.token: Aave's reserve is paused"),
        (
            lambda aave: aave.configurator.send(
                "setReserveBorrowing", aave.tokens["USDC"], False, sender=aave.admin
            ),
            "USDC.token: Aave does not lend it (borrowing is disabled): set max_leverage to at most 1",
        ),
        (lambda aave: aave.set_utilisation("USDC", 1.0), "USDC.token: no room under Aave's liquidity"),
    ],
)
def test_inspect__reserve_of_the_cash__must_lend(
    look: Callable[..., Findings], venue: World, state: Callable[..., None], said: str
) -> None:
    """EQ-171"""
    state(venue.aave)
    ((level, message),) = told(look())
    assert level == "error"
    assert message.startswith(said)


def test_inspect__little_room__is_a_warning(look: Callable[..., Findings]) -> None:
    """EQ-171: a full vault would not find it all."""
    findings = look(cap=200_000_000.0)
    assert any("leaves room for" in str(finding) and finding.level == "warning" for finding in findings)


def test_inspect__aave_pool_that_is_none__is_told_once(
    venue: World, governed_config: DeploymentConfig
) -> None:
    """EQ-171"""
    deployer, config = venue.accounts[0], replace(governed_config, aave_pool=venue.factory.address)
    findings = inspect(venue.chain, deployer, config, make_plan(venue.chain, deployer, config))
    assert [finding.subject for finding in findings] == ["aave_pool"]
    assert "is no Aave V3 pool" in findings[0].message


def test_inspect__token_that_aave_does_not_list__is_an_error(
    look: Callable[..., Findings], venue: World, governed_config: DeploymentConfig
) -> None:
    """EQ-171: Aave's test tokens are not those of others."""
    deployer = venue.accounts[0]
    assets = (
        replace(governed_config.assets[0], token=governed_config.aave_pool),
        *governed_config.assets[1:],
    )
    config = replace(governed_config, assets=assets)
    findings = inspect(venue.chain, deployer, config, make_plan(venue.chain, deployer, config))
    assert any(
        "is not listed by the Aave pool: its own token?" in str(finding) for finding in findings.errors
    )
