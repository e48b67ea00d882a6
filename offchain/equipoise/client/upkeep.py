"""What anybody may do for a vault by hand, as a keeper does by itself. Each refusal says what is not due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from eth_utils import is_address, to_checksum_address

from equipoise.client.deployment import Deployment
from equipoise.client.findings import span
from equipoise.errors import ContractRevert, InputError
from equipoise.units import WAD

__all__ = ["Filled", "Upkeep"]

_WHOLE_LOT = 2**256 - 1
_GAS_PER_TOKEN = 1_000_000
_PARTS = (1, 2, 4, 8)
_LEAST_PART = 1_000  # of NAV, that a lot must be


@dataclass(frozen=True)
class Filled:
    """A lot that a pool paid for: `profit` {smallest unit of the bought token} went to the sender."""

    words: str
    profit: int


class Upkeep:
    """One account, which needs gas only, and one deployment."""

    def __init__(self, deployment: Deployment, account: str) -> None:
        self.deployment = deployment
        self.account = str(account)

    def poke(self) -> list[str]:
        """Have the chain look at prices, and at the parity portfolio; what was done.

        Raises InputError when neither is due.
        """
        realized, done, reasons = self.deployment.realized_volatility, [], []
        now = self.deployment.chain.timestamp()
        for function, due in zip(("poke", "pokeParity"), realized.call("dueAt"), strict=True):
            if now < due:
                reasons.append(f"{function} is due in {span(due - now)}")
                continue
            try:
                realized.call(function, sender=self.account)
            except ContractRevert as revert:
                reasons.append(f"{function}: {revert}")
                continue
            realized.send(function, sender=self.account)
            done.append(function)
        if not done:
            raise InputError("; ".join(reasons))
        return done

    def open(self) -> int:
        """Open an auction; its number. Raises InputError when it may not be."""
        return self._start("open")

    def ripcord(self) -> int:
        """Pull it; the auction's number. Raises InputError when the health factor needs none."""
        return self._start("ripcord")

    def _start(self, function: str) -> int:
        auction = self.deployment.auction
        try:
            auction.call(function, sender=self.account)
        except ContractRevert as revert:
            raise InputError(_why_not(revert, self.deployment.chain.timestamp())) from revert
        auction.send(function, sender=self.account)
        return int(auction.call("current").id)

    def coordinates(self) -> None:
        """Have the chain solve for the parity coordinates. Raises InputError when they are in place."""
        oracle = self.deployment.volatility_oracle
        if oracle.call("reportTimes").hasCoordinates:
            raise InputError("verified coordinates are in place; nothing to do")
        oracle.send("solveCoordinates", sender=self.account)

    def accrue(self) -> None:
        """Mint the fee shares that are due."""
        self.deployment.vault.send("accrueFees", sender=self.account)

    def activate(self, signer: str) -> None:
        """Carry out a signer's proposal whose time has come."""
        oracle = self.deployment.volatility_oracle
        ready_at, now = oracle.call("proposalOf", signer).readyAt, self.deployment.chain.timestamp()
        if not ready_at:
            raise InputError(f"{signer} is not proposed as a signer; `ape run status` lists who is")
        if now < ready_at:
            raise InputError(f"{signer} may be activated in {span(ready_at - now)}")
        oracle.send("activateSigner", signer, sender=self.account)

    def collateral(self, symbol: str, use: bool) -> None:
        """Stop using a token as collateral whose LTV the venue has set to zero, or use it again.

        Parameters
        ----------
        symbol
            Of the basket; or the address of any other token of the venue, which somebody gave.

        Raises InputError when the lending account refuses, as while too little other collateral is left.
        """
        deployment = self.deployment
        if deployment.account is None:
            raise InputError("this vault does not borrow: nothing of it is collateral")
        if symbol in deployment.symbols:
            token = deployment.tokens[deployment.symbols.index(symbol)].address
        elif is_address(symbol):
            token = to_checksum_address(symbol)
        else:
            held = ", ".join(deployment.symbols)
            raise InputError(f"{symbol!r} is neither in the basket ({held}) nor an address of a token")
        function = "useAsCollateral" if use else "dropCollateral"
        try:
            deployment.account.call(function, token, sender=self.account)
        except ContractRevert as revert:
            raise InputError(f"{symbol}: {revert}; nothing was sent") from revert
        deployment.account.send(function, token, sender=self.account)

    # ------------------------------------------------------------------- fill

    def fill(self) -> list[Filled]:
        """What the pools pay for now of each lot, without capital. Raises InputError when that is nothing.

        A keeper does better: it waits for the second at which each pool pays.
        """
        auction, now = self.deployment.auction, self.deployment.chain.timestamp()
        current = auction.call("current")
        if not current.id or now > current.endsAt:
            raise InputError(
                "no auction is in course; `ape run keep open` or `ape run keep ripcord` starts one"
            )
        filled = list(self._ripcord(current.id) if current.ripcord else self._lots(current.id))
        if not filled:
            raise InputError(
                f"no pool pays at {auction.call('curveWad', now) / WAD:.4f} of mid; the price "
                f"falls, try again (the auction ends in {span(current.endsAt - now)})"
            )
        return filled

    def _ripcord(self, auction: int) -> Iterator[Filled]:
        """All tokens, else all but one that cannot be sold, else one alone: each whole, else in parts."""
        deployment, n = self.deployment, self.deployment.n
        try:
            lots = deployment.auction.call("quoteBasket", [_WHOLE_LOT] * n).sold[:n]
        except ContractRevert:
            return
        everything = set(range(n))
        without, alone = [everything - {i} for i in range(n)], [{i} for i in range(n)]
        for some in ([everything], without, alone):
            for part, which in product(_PARTS, some):
                # its lots shrink with every second: a little less is surely there
                amounts = [lot // part - lot // 10_000 if i in which else 0 for i, lot in enumerate(lots)]
                order = (auction, amounts, list(deployment.pool_fees), 0, self.account)
                try:
                    deployment.filler.call("fillBasket", order, sender=self.account)
                    receipt = deployment.filler.send(
                        "fillBasket", order, sender=self.account, gas=_GAS_PER_TOKEN * (n + 1)
                    )
                except ContractRevert:
                    continue
                (event,) = deployment.filler.events(receipt, "BasketFilled")
                sold = (deployment.symbols[i] for i, amount in enumerate(amounts) if amount)
                yield Filled(f"{', '.join(sold)} sold for debt", event.profit)
                return

    def _lots(self, auction: int) -> Iterator[Filled]:
        """Surpluses first: what they bring pays for the purchases."""
        deployment = self.deployment
        pairs = list(zip(deployment.symbols, deployment.tokens, deployment.pool_fees, strict=True))
        cash = deployment.cash.address
        for sells in (True, False):
            for symbol, token, fee in pairs:
                sell, buy = (token.address, cash) if sells else (cash, token.address)
                profit = self._lot(auction, sell, buy, fee)
                if profit is not None:
                    yield Filled(f"{symbol} {'sold' if sells else 'bought'}", profit)

    def _lot(self, auction: int, sell: str, buy: str, fee: int) -> int | None:
        """The whole lot, or the largest of a few parts that its pool pays for; None for none."""
        deployment = self.deployment
        try:
            quote = deployment.auction.call("quoteBid", sell, buy, _WHOLE_LOT)
        except ContractRevert:
            return None
        lot, cash = quote.sold, quote.bought if buy == deployment.cash.address else quote.sold
        if cash * _LEAST_PART < deployment.vault.call("totalAssets"):
            return None  # dust: the gas is worth more
        for part in _PARTS:
            order = (auction, sell, buy, fee, lot // part - lot // 10_000, 0, self.account)
            try:
                deployment.filler.call("fill", order, sender=self.account)
                receipt = deployment.filler.send("fill", order, sender=self.account, gas=2 * _GAS_PER_TOKEN)
            except ContractRevert:
                continue
            return int(deployment.filler.events(receipt, "Filled")[0].profit)
        return None


def _why_not(revert: ContractRevert, now: int) -> str:
    """A refusal of `open` or `ripcord` in words."""
    name = revert.name.removeprefix("RebalanceAuction__")
    numbers = [int(argument) for argument in revert.arguments if isinstance(argument, int)]
    if name == "WithinBands":
        gap, gap_band, volatility, target, band = (number / WAD for number in numbers)
        return (
            f"no band is left: parity gap {gap:.1%} of {gap_band:.1%}, volatility {volatility:.1%} for a "
            f"target of {target:.1%} within {band:.0%}; nothing to do"
        )
    if name == "RipcordNotDue":
        health, trigger = numbers
        factor = "there is no debt" if health >= 2**255 else f"the health factor is {health / WAD:.3f}"
        return f"{factor}, the ripcord is for less than {trigger / WAD:.2f}; nothing to do"
    if name == "AlreadyOpen":
        number, ends_at = numbers
        return f"no. {number} is in course for another {span(ends_at - now)}: ape run keep fill"
    if name == "EmptyVault":
        return "the vault holds nothing of value; there is nothing to trade"
    if name == "NoReports":
        return "there is no report or no coordinates yet; relay the signers' reports (ape run status)"
    return f"refused: {revert}"
