"""What the owner, the guardian and strangers cannot do; what constructors refuse."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.client.artifacts import load_artifact
from equipoise.client.config import AuctionConfig, FeesConfig, GuardConfig
from equipoise.client.contract import create
from equipoise.errors import ContractRevert
from tests.fixtures.basket import list_asset
from tests.fixtures.system import System

NOBODY = "0x" + "00" * 20
SHARE = 10**18


@pytest.mark.parametrize("who", ["owner", "guardian", "treasury", "keeper", "mallory"])
def test_exchange__anyone_but_the_auction__is_refused(invested: System, who: str) -> None:
    """EQ-52: only the auction settles, whoever else asks."""
    sender = getattr(invested, who)
    args = (invested.alice, sender, [0, 0, 0, 10**6], 0, 0, 0)
    invested.refuses("RiskParityVault__OnlyAuction", invested.vault, "exchange", *args, sender=sender)


def test_set_auction__twice__is_refused(invested: System) -> None:
    """EQ-52: once and for ever, also for the owner."""
    s = invested
    revert = s.refuses("RiskParityVault__AuctionAlreadySet", s.vault, "setAuction", s.owner, sender=s.owner)
    assert revert.arguments == (s.auction.address,)
    s.refuses("RiskParityVault__ZeroAddress", s.vault, "setAuction", NOBODY, sender=s.owner)
    s.refuses("OwnableUnauthorizedAccount", s.vault, "setAuction", s.mallory, sender=s.mallory)


def test_owner__at_its_worst__cannot_move_funds_nor_block_an_exit(invested: System) -> None:
    """EQ-62: every lever pulled to its hard bound: the exit in kind costs the exit fee's cap, no more."""
    s = invested
    shares, supply, books = s.shares(s.alice), s.vault.call("totalSupply"), s.balances()
    s.vault.send("setFees", FeesConfig(0.01, 0.01, 0.02, 0.2).params(), s.owner, sender=s.owner)
    s.vault.send("setDepositCap", 0, sender=s.owner)
    s.guard.send("setParams", GuardConfig(600, 600, 3_600).params(), sender=s.owner)
    s.guard.send("pauseIncreases", sender=s.owner)
    s.guard.send("pauseDeposits", sender=s.owner)
    s.auction.send("setParams", AuctionConfig(0.01, 0.1).params(), sender=s.owner)
    for signer in s.signers:
        s.volatility_oracle.send("removeSigner", signer.address, sender=s.owner)
    for token, feed in zip(s.tokens, s.feeds, strict=True):
        s.price_oracle.send("setFeed", (token, feed, 60, 500, 1, 10**30), sender=s.owner)
    junk = list_asset(s).token
    junk.send("setBlocked", s.vault, True, sender=s.owner)
    for token in s.tokens:
        rest = [junk, *(other for other in s.tokens if other is not token)]
        s.refuses("RiskParityVault__NotSold", s.vault, "setBasket", rest, sender=s.owner)
    s.vault.send("setBasket", [junk, *s.tokens[::-1]], sender=s.owner)
    s.kill_feeds()
    s.vault.send("redeemInKind", shares, s.alice, s.alice, [], sender=s.alice)
    for token, book in zip(s.tokens, books, strict=False):
        assert token.call("balanceOf", s.alice) >= book * shares * 989 // (supply * 1_000) - 1


def test_privileged__abi_of_the_core__has_no_other_lever(system: System) -> None:
    """EQ-62: the list of state-changing functions; a new one must be judged here first."""
    known = {
        "RiskParityVault": {
            *("deposit", "mint", "withdraw", "redeem", "redeemInKind", "exchange", "accrueFees"),
            *("approve", "transfer", "transferFrom"),
            *("setAuction", "setFees", "setDepositCap", "setBasket"),
            *("transferOwnership", "acceptOwnership", "renounceOwnership"),
        },
        "RebalanceAuction": {
            *("open", "bid", "bidBasket", "ripcord", "setParams"),
            *("transferOwnership", "acceptOwnership", "renounceOwnership"),
        },
        "RiskGuard": {
            *("pauseIncreases", "pauseDeposits", "unpause", "setParams", "setGuardian"),
            *("transferOwnership", "acceptOwnership", "renounceOwnership"),
        },
        "AaveV3Account": {
            *("bind", "supply", "withdraw", "release", "borrow", "repay"),
            *("dropCollateral", "useAsCollateral", "list"),
        },
        "PriceOracle": {
            *("setFeed", "setTwap"),
            *("transferOwnership", "acceptOwnership", "renounceOwnership"),
        },
        "RealizedVolatility": {
            *("poke", "pokeParity", "setVolatilityOracle", "setBasket", "setParams"),
            *("transferOwnership", "acceptOwnership", "renounceOwnership"),
        },
        "VolatilityOracle": {
            *("postVolatilities", "postCorrelations", "postCoordinates", "solveCoordinates"),
            *("setBasket", "setBudgets", "setGuardian", "setParams", "raiseThreshold"),
            *("proposeSigner", "activateSigner", "cancelProposal", "removeSigner"),
            *("transferOwnership", "acceptOwnership", "renounceOwnership"),
        },
    }
    for name, expected in known.items():
        abi = load_artifact(name).abi
        writing = {
            e["name"]
            for e in abi
            if e["type"] == "function" and e["stateMutability"] in ("nonpayable", "payable")
        }
        assert writing == expected, name


def test_ownership__moves_in_two_steps(system: System) -> None:
    """EQ-62: a slip of the pen gives nothing away."""
    s = system
    for owned in (s.vault, s.guard, s.auction, s.price_oracle, s.realized_volatility):
        owned.send("transferOwnership", s.bob, sender=s.owner)
        assert owned.call("owner").lower() == s.owner
        s.refuses("OwnableUnauthorizedAccount", owned, "acceptOwnership", sender=s.mallory)
        owned.send("acceptOwnership", sender=s.bob)
        assert owned.call("owner").lower() == s.bob


def refuses_to_build(s: System, error: str, name: str, *args: Any) -> None:
    with pytest.raises(ContractRevert) as caught:
        create(s.chain, load_artifact(name), *args, sender=s.owner)
    assert caught.value.name == error, caught.value


def test_vault__bad_basket__is_not_built(system: System) -> None:
    """EQ-43: 2 to 8 distinct listed tokens, none of them the cash; real oracles."""
    s = system

    def build(error: str, basket: list[Any], oracle: Any = s.price_oracle, guard: Any = s.guard) -> None:
        args = ("name", "symbol", s.owner, s.cash, basket, oracle, guard, NOBODY)
        refuses_to_build(s, error, "RiskParityVault", *args)

    a, b, c = s.tokens
    build("RiskParityVault__BadBasketSize", [a])
    build("RiskParityVault__BadBasketSize", [a, b, c] * 3)
    build("RiskParityVault__BadToken", [a, b, a])
    build("RiskParityVault__BadToken", [a, s.cash])
    build("PriceOracle__UnknownToken", [a, s.impostor])
    build("RiskParityVault__ZeroAddress", [a, b], oracle=NOBODY)
    build("RiskParityVault__ZeroAddress", [a, b], guard=NOBODY)


def test_auction__for_another_basket__is_not_built(system: System) -> None:
    """EQ-81: the reports must be about the vault's tokens, in its order."""
    s = system
    a, b, c = s.tokens
    args = ("name", "symbol", s.owner, s.cash, [b, a, c], s.price_oracle, s.guard, NOBODY)
    other = create(s.chain, load_artifact("RiskParityVault"), *args, sender=s.owner)
    params = AuctionConfig().params()
    oracle = s.volatility_oracle
    refuses_to_build(
        s, "RebalanceAuction__BasketMismatch", "RebalanceAuction", s.owner, other, oracle, params
    )
    for vault, reports in ((NOBODY, oracle), (s.vault, NOBODY)):
        args = (s.owner, vault, reports, params)
        refuses_to_build(s, "RebalanceAuction__ZeroAddress", "RebalanceAuction", *args)


def test_guard__without_an_oracle__is_not_built(system: System) -> None:
    """EQ-100: a mode of nothing."""
    args = (system.owner, system.guardian, NOBODY, GuardConfig().params())
    refuses_to_build(system, "RiskGuard__ZeroAddress", "RiskGuard", *args)


def test_periphery__without_its_parts__is_not_built(system: System) -> None:
    """EQ-110: neither a filler nor a zap without a core and an exchange."""
    s = system
    refuses_to_build(s, "UniswapV3Filler__ZeroAddress", "UniswapV3Filler", NOBODY, s.auction)
    refuses_to_build(s, "UniswapV3Filler__ZeroAddress", "UniswapV3Filler", s.impostor, NOBODY)
    refuses_to_build(s, "ExitZap__ZeroAddress", "ExitZap", NOBODY, s.impostor, NOBODY)
    refuses_to_build(s, "ExitZap__ZeroAddress", "ExitZap", s.vault, NOBODY, NOBODY)
