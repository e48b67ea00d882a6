"""Who calls is who is meant: never the account that signed the transaction, which may call a stranger."""

from __future__ import annotations

from typing import Any

import pytest

from equipoise.client.abi import to_checksum_address
from equipoise.client.contract import Contract
from equipoise.errors import ContractRevert
from tests.fixtures.system import MAX, System, artifact_contract


@pytest.fixture
def proxy(system: System) -> Contract:
    """A contract that makes whatever call it is told to."""
    return artifact_contract(system.chain, "Hostile", sender=system.mallory)


@pytest.fixture
def invested_alice(system: System) -> System:
    system.deposit(system.alice, 1_000)
    return system


def through(proxy: Contract, contract: Contract, function: str, *args: Any, signer: str) -> Any:
    """The call made by `proxy`, in a transaction of `signer`; gives its receipt."""
    return proxy.send("forward", contract.address, contract.encode(function, *args), sender=signer)


def invested(s: System, proxy: Contract) -> int:
    """Shares of the proxy."""
    s.cash.send("mint", proxy.address, s.units(50_000), sender=s.owner)
    through(proxy, s.cash, "approve", s.vault.address, MAX, signer=s.alice)
    through(proxy, s.vault, "deposit", s.units(50_000), proxy.address, signer=s.alice)
    return s.shares(proxy.address)


def test_deposit__by_a_contract__is_paid_by_it_and_told_as_its(system: System, proxy: Contract) -> None:
    """EQ-60, EQ-61."""
    s = system
    cash = s.cash_of(s.alice)
    s.cash.send("mint", proxy.address, s.units(100), sender=s.owner)
    through(proxy, s.cash, "approve", s.vault.address, MAX, signer=s.alice)
    receipt = through(proxy, s.vault, "deposit", s.units(100), s.bob, signer=s.alice)
    (event,) = s.vault.events(receipt, "Deposit")
    assert (event.sender, event.owner) == (proxy.address, to_checksum_address(s.bob))
    assert (s.cash_of(proxy.address), s.cash_of(s.alice)) == (0, cash)


@pytest.mark.parametrize("function", ["redeem", "redeemInKind"])
def test_exit__by_a_contract__is_of_its_shares_and_told_as_its(
    system: System, proxy: Contract, function: str
) -> None:
    """EQ-51, EQ-61."""
    s = system
    shares = invested(s, proxy)
    rest = ([],) if function == "redeemInKind" else ()
    receipt = through(proxy, s.vault, function, shares // 2, s.bob, proxy.address, *rest, signer=s.alice)
    name = "RedeemedInKind" if rest else "Withdraw"
    (event,) = s.vault.events(receipt, name)
    assert tuple(event)[:3] == (proxy.address, to_checksum_address(s.bob), proxy.address)
    assert s.shares(proxy.address) == shares - shares // 2


@pytest.mark.parametrize("function", ["redeem", "withdraw", "redeemInKind"])
def test_exit__of_the_signers_shares_by_a_contract_it_calls__is_refused(
    invested_alice: System, proxy: Contract, function: str
) -> None:
    """EQ-62: alice signs, a stranger's contract calls."""
    s = invested_alice
    amount = s.shares(s.alice) if function != "withdraw" else s.units(10)
    rest = ([],) if function == "redeemInKind" else ()
    before = s.fingerprint()
    with pytest.raises(ContractRevert):
        through(proxy, s.vault, function, amount, proxy.address, s.alice, *rest, signer=s.alice)
    assert s.fingerprint() == before


def tighter(s: System) -> list[tuple[Contract, str, tuple[Any, ...]]]:
    """What a guardian may do; the owner may too."""
    params = s.auction.call("params")
    return [
        (s.guard, "pauseIncreases", ()),
        (s.guard, "pauseDeposits", ()),
        (s.vault, "setDepositCap", (s.vault.call("depositCap") - 1,)),
        (s.auction, "setParams", (params._replace(lossBudgetWad=params.lossBudgetWad - 1),)),
        (s.volatility_oracle, "removeSigner", (s.signers[0].address,)),
    ]


@pytest.mark.parametrize("role", ["guardian", "owner"])
def test_power__of_a_signer__is_not_lent_to_a_contract_that_it_calls(
    system: System, proxy: Contract, role: str
) -> None:
    """EQ-98, EQ-101."""
    s = system
    for contract, function, args in tighter(s):
        before = s.fingerprint()
        with pytest.raises(ContractRevert):
            through(proxy, contract, function, *args, signer=getattr(s, role))
        assert s.fingerprint() == before, function


@pytest.mark.parametrize("role", ["guardian", "owner"])
def test_power__of_a_contract__is_its_own_whoever_signs(system: System, proxy: Contract, role: str) -> None:
    """EQ-98, EQ-101: a guardian or an owner may be a multisig."""
    s = system
    for contract in (s.guard, s.vault, s.auction, s.volatility_oracle):
        if role == "owner":
            contract.send("transferOwnership", proxy.address, sender=s.owner)
            through(proxy, contract, "acceptOwnership", signer=s.mallory)
        elif contract in (s.guard, s.volatility_oracle):
            contract.send("setGuardian", proxy.address, sender=s.owner)
    for contract, function, args in tighter(s):
        receipt = through(proxy, contract, function, *args, signer=s.mallory)
        if function.startswith("pause"):
            (event,) = contract.events(receipt, function.removeprefix("pause") + "Paused")
            assert (event.by, event.paused) == (proxy.address, True)
    if role == "owner":
        receipt = through(proxy, s.guard, "unpause", signer=s.mallory)
        for name in ("IncreasesPaused", "DepositsPaused"):
            (event,) = s.guard.events(receipt, name)
            assert (event.by, event.paused) == (proxy.address, False)
    assert s.guard.call("increasesPaused") == (role == "guardian")


def test_auction__opened_and_filled_by_a_contract__is_paid_by_it_and_told_as_its(
    invested_alice: System, proxy: Contract
) -> None:
    """EQ-80, EQ-82."""
    s = invested_alice
    receipt = through(proxy, s.auction, "open", signer=s.mallory)
    (event,) = s.auction.events(receipt, "AuctionOpened")
    assert event.opener == proxy.address
    token = s.tokens[0]
    token.send("mint", proxy.address, 10**24, sender=s.owner)
    through(proxy, token, "approve", s.vault.address, MAX, signer=s.mallory)
    s.to_curve(1.0)
    args = (s.auction.call("current").id, s.cash, token, MAX, MAX, s.bob)
    receipt = through(proxy, s.auction, "bid", *args, signer=s.keeper)
    (bid,) = s.auction.events(receipt, "Bid")
    assert (bid.bidder, bid.receiver) == (proxy.address, to_checksum_address(s.bob))
    assert token.call("balanceOf", proxy) == 10**24 - bid.buyAmount
