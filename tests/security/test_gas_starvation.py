"""Choosing the gas of a call so that an inner one fails (63/64), to profit from the branch taken then.

Every amount of gas is tried. What succeeds must have done what plenty of gas does: an inner call that is
starved leaves a 64th, too little for anything that follows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from eth_utils import keccak

from equipoise.client.chain import RevertedCall
from equipoise.client.contract import Contract
from equipoise.errors import ContractRevert
from tests.fixtures.attacks import Heist
from tests.fixtures.levered import Levered
from tests.fixtures.system import MAX

LITTLE, PLENTY = 30_000, 4_000_000
IN_KIND_ONLY = 3
STEPS = 300


def call(contract: Contract, function: str, args: tuple[Any, ...], sender: str, gas: int) -> bytes:
    """The answer to a call with so much gas."""
    data = "0x" + contract.encode(function, *args).hex()
    transaction = {"from": sender, "to": contract.address, "data": data, "gas": hex(gas)}
    return bytes.fromhex(contract.chain.request("eth_call", transaction, "latest")[2:])


def ask(contract: Contract, function: str, args: tuple[Any, ...], sender: str, gas: int) -> bytes | None:
    """The same, None when it reverts."""
    try:
        return call(contract, function, args, sender, gas)
    except RevertedCall:
        return None


def least(contract: Contract, function: str, args: tuple[Any, ...], sender: str) -> int:
    """The least gas that succeeds, to 100, as far as halving tells."""
    low, high = LITTLE, PLENTY
    assert ask(contract, function, args, sender, high) is not None
    while high - low > 100:
        middle = (low + high) // 2
        if ask(contract, function, args, sender, middle) is None:
            low = middle
        else:
            high = middle
    return high


def answers(
    contract: Contract, function: str, args: tuple[Any, ...], sender: str
) -> Iterator[tuple[int, bytes]]:
    """Every answer that some gas below the needed gives; the gas with it."""
    need = least(contract, function, args, sender)
    for gas in range(LITTLE, need + 20_000, (need + 20_000 - LITTLE) // STEPS):
        answer = ask(contract, function, args, sender, gas)
        if answer is not None:
            yield gas, answer


# ---------------------------------------------------------------------- views


@pytest.mark.parametrize("view", ["mode", "maxDeposit", "maxWithdraw", "totalAssets", "sharePriceWad"])
def test_view__with_any_gas__tells_the_truth_or_nothing(levered: Levered, heist: Heist, view: str) -> None:
    """EQ-100 EQ-55: an integrator that is called with little gas is not told that the vault is closed."""
    s = levered
    args = (s.alice,) if view.startswith("max") else ()
    with heist(f"gas: {view} starved", s, s.mallory, why="the truth, or no answer"):
        truth = ask(s.vault, view, args, s.mallory, PLENTY)
        assert {answer for _, answer in answers(s.vault, view, args, s.mallory)} == {truth}


def test_mode__venue_that_burns_all_it_gets__is_in_kind_only(levered: Levered) -> None:
    """EQ-100: a venue that is dead at any price is still told apart from one that was starved."""
    s = levered
    s.chain.request("anvil_setCode", s.aave.oracle.address, "0xfe")
    assert s.vault.call("mode") == IN_KIND_ONLY
    assert int.from_bytes(call(s.vault, "mode", (), s.mallory, PLENTY), "big") == IN_KIND_ONLY
    with pytest.raises(RevertedCall) as caught:
        call(s.vault, "mode", (), s.mallory, PLENTY // 2)
    assert caught.value.data[:4] == keccak(text="RiskParityVault__TooLittleGas(uint256,uint256)")[:4]


# -------------------------------------------------------------------- actions


def purchase(s: Levered) -> tuple[Contract, str, tuple[Any, ...], str]:
    """Aave's supply fails: the token bought would stay idle, and back no debt."""
    s.deposit(s.bob, 500_000)
    s.open()
    s.to_curve(1.0)
    args = (s.auction.call("current").id, s.cash, s.tokens[0], s.units(10_000), MAX, s.mallory)
    return s.auction, "bid", args, s.keeper


def sale(s: Levered) -> tuple[Contract, str, tuple[Any, ...], str]:
    """Aave's repayment or withdrawal fails: somebody would go unpaid."""
    s.crash(-0.22)
    s.pull()
    s.warp(300)
    lots = s.auction.call("quoteBasket", [MAX] * s.n).sold[: s.n]
    args = (s.auction.call("current").id, [lot // 2 for lot in lots], MAX, s.mallory)
    return s.auction, "bidBasket", args, s.keeper


def exit_in_kind(s: Levered) -> tuple[Contract, str, tuple[Any, ...], str]:
    """Aave's withdrawal fails: receipts instead of tokens, by who has the owner's allowance."""
    s.vault.send("approve", s.mallory, s.shares(s.alice) // 3, sender=s.alice)
    return s.vault, "redeemInKind", (s.shares(s.alice) // 3, s.alice, s.alice, []), s.mallory


@pytest.mark.parametrize("action", [purchase, sale, exit_in_kind])
def test_action__with_any_gas__is_done_whole_or_not_at_all(
    levered: Levered, heist: Heist, action: Callable[[Levered], tuple[Contract, str, tuple[Any, ...], str]]
) -> None:
    """EQ-123 EQ-121: Aave's refusals are caught; that it ran out of gas is never taken for one."""
    s = levered
    contract, function, args, sender = action(s)
    with heist(f"gas: {action.__name__} starved", s, s.mallory, why="a 64th is too little to go on"):
        enough, done = min(gas for gas, _ in answers(contract, function, args, sender)), 0
        for gas in range(enough, enough + 100_000, 1_000):  # a transaction's block is later than a call's
            with s.scenario():
                try:
                    receipt = contract.send(function, *args, sender=sender, gas=gas)
                except ContractRevert:
                    continue
                assert not s.account.events(receipt, "KeptIdle")
                assert not s.account.events(receipt, "PaidInReceipts")
                assert all(token.call("balanceOf", s.account) == 0 for token in [*s.tokens, s.cash])
            done += 1
            if done == 3:
                break
        assert done == 3


def test_poke__with_any_gas__sees_every_price(levered: Levered, heist: Heist) -> None:
    """EQ-141: a feed that is starved would count as unchanged, and a move be missing from the floors."""
    s = levered
    s.warp(2 * 3_600)
    s.crash(-0.1)
    target = s.realized_volatility
    with heist("gas: poke starved", s, s.mallory, why="a 64th does not pay for what is written"):
        for gas, _ in [*answers(target, "poke", (), s.mallory)][:3]:
            with s.scenario():
                receipt = target.send("poke", sender=s.mallory, gas=gas)
                assert target.events(receipt, "Poked")[0].used == 2**s.n - 1
