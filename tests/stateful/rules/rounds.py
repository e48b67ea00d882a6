"""A thief's round trips within one block, tried in every state that a life reaches, and undone."""

from __future__ import annotations

from hypothesis import strategies as st

from equipoise.errors import ContractRevert
from tests.stateful.base import Base
from tests.stateful.model.prices import portion
from tests.stateful.steps import action

MOVES = ("deposit", "mint", "withdraw", "redeem", "redeemInKind", "accrueFees", "gift")
MOVE = st.tuples(st.sampled_from(MOVES), st.integers(0, 2 * 10**12), st.floats(0, 1))
SHARE = 10**12


class Rounds(Base):
    """The thief is the keeper: rich, and never a holder outside a round trip."""

    @action(moves=st.lists(MOVE, min_size=1, max_size=5))
    def no_round_trip_profits(self, moves: list[tuple[str, int, float]]) -> None:
        """In any order, at prices that stand still, whatever the state: in the end it has no more."""
        s, thief = self.s, self.s.keeper
        assert s.shares(thief) == 0
        snapshot = self.world.snapshot()
        try:
            before = self._wealth(thief)
            entered = self._move("deposit", 1 + moves[0][1], 1.0)
            for move, amount, part in moves if entered else []:
                self._move(move, amount, part)
            if entered and (shares := s.shares(thief)):
                left = self._exit(shares)
                if not left:
                    return
            profit = self._wealth(thief) - before
            if entered:
                self.did()
        finally:
            self.world.revert(snapshot)
        # a unit of each token an action: Aave's rounding
        assert profit <= self.dust() * (len(moves) + 2), f"a profit of {profit} units of cash"

    def _exit(self, shares: int) -> bool:
        try:
            self.s.vault.send("redeemInKind", shares, self.s.keeper, self.s.keeper, [], sender=self.s.keeper)
        except ContractRevert:
            # Aave lets no debtor out below a health factor of 1
            if self.view.debt == 0 or (self.view.health or 0) > 1.001 * 10**18:
                raise
            return False
        return True

    def _move(self, move: str, amount: int, part: float) -> bool:
        """Whether the vault took it."""
        vault, thief = self.s.vault, self.s.keeper
        shares = portion(self.s.shares(thief), part)
        args = {
            "deposit": (amount, thief),
            "mint": (amount * SHARE, thief),
            "withdraw": (amount, thief, thief),
            "redeem": (shares, thief, thief),
            "redeemInKind": (shares, thief, thief, []),
            "accrueFees": (),
        }
        try:
            if move == "gift":
                self.s.cash.send("transfer", vault, amount, sender=thief)
            else:
                vault.send(move, *args[move], sender=thief)
        except ContractRevert as revert:
            self.outcomes.append(revert.name)
            return False
        return True

    def _wealth(self, who: str) -> int:
        """Smallest units of cash at the model's mid prices; receipts count as their tokens."""
        *basket, cash = self.feeds
        total = int(self.s.cash.call("balanceOf", who))
        for i, feed in enumerate(basket):
            held = self.s.tokens[i].call("balanceOf", who)
            if self.levered:
                held += self.s.aave.a_tokens[self.names[i]].call("balanceOf", who)
            total += held * feed.mid * cash.unit // (feed.unit * max(1, cash.mid))
        return total
