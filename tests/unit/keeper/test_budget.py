"""What a keeper may spend: each limit by name, a purse apart for protection, a day that rolls."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.client.dispatch import CLEARING
from equipoise.client.outbox import Outbox, Posting
from equipoise.client.signing import Fees
from equipoise.errors import BudgetError, InputError
from equipoise.keeper.budget import Budget, Limits
from equipoise.units import DAY

ETHER, GWEI = 10**18, 10**9
LIMITS = Limits(
    per_day=0.01,
    per_transaction=0.006,
    gas_price=50.0,
    protection_per_day=0.1,
    protection_per_transaction=0.05,
    protection_gas_price=500.0,
)


class Purse:
    def __init__(self, folder: Path) -> None:
        self.now, self.balance = 1_000_000, ETHER
        self.outbox = Outbox(folder / "o.sqlite", "test")
        self.budget = Budget(LIMITS, self.outbox, lambda: self.now, lambda: self.balance)
        self._nonce = 0

    def spend(self, kind: str, wei: int, *, mined: bool = True, failed: bool = False) -> Posting:
        self._nonce += 1
        posting = Posting(kind, self._nonce, self._nonce, f"0x{self._nonce:x}", b"", None, wei, self.now)
        self.outbox.intend(posting)
        if failed:
            self.outbox.forget(posting, posting.hash, wei, self.now)
        elif mined:
            self.outbox.landed(posting, 7, posting.hash, wei, self.now)
        return posting

    def allow(self, kind: str, gas: int, gwei: float) -> None:
        self.budget.allow(kind, gas, Fees(0, int(gwei * GWEI)))


@pytest.fixture
def purse(tmp_path: Path) -> Purse:
    return Purse(tmp_path)


@pytest.mark.parametrize(
    ("gas", "gwei", "words"),
    [(21_000, 50.1, "gas_price allows 50"), (200_000, 31.0, "per_transaction allows 0.006")],
)
def test_allow__above_a_limit__names_it_and_the_vaults_protection_may(
    purse: Purse, gas: int, gwei: float, words: str
) -> None:
    """EQ-183: the ripcord's purse is larger."""
    with pytest.raises(BudgetError, match=words):
        purse.allow("fill", gas, gwei)
    purse.allow("ripcord", gas, gwei)
    purse.allow("basket", gas, gwei)
    purse.allow("corrections", gas, gwei)
    purse.allow(CLEARING, gas, gwei)


def test_allow__over_the_day__is_refused_until_the_day_has_rolled(purse: Purse) -> None:
    """EQ-183: spent 0.008 of 0.01; 0.003 more are too much until a day later."""
    purse.spend("fill", 8 * ETHER // 1000)
    purse.allow("fill", 50_000, 40.0)
    with pytest.raises(BudgetError, match="per_day"):
        purse.allow("fill", 75_000, 40.0)
    purse.now += DAY - 1
    with pytest.raises(BudgetError, match="per_day"):
        purse.allow("fill", 75_000, 40.0)
    purse.now += 1
    purse.allow("fill", 75_000, 40.0)


def test_spent__what_failed_and_what_is_on_its_way__counts(purse: Purse) -> None:
    """EQ-183: a failure with its fee, the other with the most that it may cost."""
    purse.spend("fill", 1_000, failed=True)
    flying = purse.spend("open", 5_000, mined=False)
    assert purse.budget.spent() == 6_000
    assert purse.budget.left() == ETHER // 100 - 6_000
    purse.outbox.landed(flying, 9, flying.hash, 3_000, purse.now)
    assert purse.budget.spent() == 4_000
    purse.outbox.landed(flying, None)  # a reorganisation took it back: it may cost again
    assert purse.budget.spent() == 6_000


def test_spent__of_protection__is_apart(purse: Purse) -> None:
    purse.spend("ripcord", 2_000)
    purse.spend("fill", 500)
    assert (purse.budget.spent(), purse.budget.spent(protection=True)) == (500, 2_000)


def test_allow__more_than_the_account_holds__says_how_much(purse: Purse) -> None:
    """EQ-186"""
    purse.balance = 10**12
    with pytest.raises(BudgetError, match="the account holds 1e-06"):
        purse.allow("poke", 100_000, 1.0)


def test_contradiction__of_the_defaults__names_how_far_they_reach() -> None:
    """EQ-182: three assets' fills at the highest price of gas, not eight's."""
    assert Limits().contradiction(3) is None
    words = Limits().contradiction(8)
    assert words
    assert "protection_per_transaction is 3 ether" in words
    assert "up to 483 gwei, not protection_gas_price = 1000; give 6.21 or more" in words
    assert "protection_per_day" in (Limits(protection_per_day=1.0).contradiction(3) or "")
    assert Limits(protection_gas_price=480.0).contradiction(8) is None


@pytest.mark.parametrize("wrong", [{"per_day": 0}, {"gas_price": -1.0}, {"per_transaction": 1e10}])
def test_limits__out_of_range__are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=f"limits: {next(iter(wrong))}"):
        Limits(**wrong)
