"""What a depositor does: cash in, cash out of what is idle, and the two exits that are always there.

Every step is quoted first. A quote that cannot be had says why, and what can be done instead. Amounts are in
the smallest units of the deposit token (`assets`) and of the share (`shares`, 18 decimals).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.client.deployment import Deployment
from equipoise.client.facts import read_status
from equipoise.errors import ContractRevert, InputError
from equipoise.units import WAD, from_token, to_token, to_wad

__all__ = ["CashQuote", "DepositQuote", "Depositor", "ExitQuote", "InKindQuote"]

SHARE_DECIMALS = 18
DEADLINE_SECONDS = 600
_INTEREST_MARGIN = 1_000  # of the debt, for the interest until the exit is mined
_GAS_PER_TOKEN = 600_000  # an estimate can be too low where the lending account catches a refusal


@dataclass(frozen=True)
class DepositQuote:
    """`shares` for `assets` now, `fee` of them {assets}; `round_trip` is what depositing and redeeming at
    once would cost, as a fraction; `share_price` in whole units of the deposit token."""

    assets: int
    shares: int
    fee: int
    share_price: float
    round_trip: float


@dataclass(frozen=True)
class CashQuote:
    """`assets` of idle cash for `shares` now; `worth` {assets} of those shares at mid, before spread, fee."""

    shares: int
    assets: int
    worth: int


@dataclass(frozen=True)
class ExitQuote:
    """`assets` that the exchange would pay now through the ExitZap, and the least that is accepted.

    `worth` {assets} at the vault's own mid prices, None while there are none: then nothing but the pools
    tells whether the quote is good.
    """

    shares: int
    assets: int
    min_assets: int
    worth: int | None


@dataclass(frozen=True)
class InKindQuote:
    """Amounts by symbol {smallest unit of each} for `shares`, against `debt` {assets} of the caller's own."""

    shares: int
    amounts: Mapping[str, int]
    debt: int


class Depositor:
    """One holder's account. It needs gas, and its own tokens.

    Parameters
    ----------
    deployment
        The vault and its satellites.
    account
        Who sends, and whose shares are meant.
    """

    def __init__(self, deployment: Deployment, account: str) -> None:
        self.deployment = deployment
        self.account = str(account)
        self.cash_decimals = int(deployment.cash.call("decimals"))
        self.cash_symbol = str(deployment.cash.call("symbol"))

    # --------------------------------------------------------------- balances

    def cash(self) -> int:
        return int(self.deployment.cash.call("balanceOf", self.account))

    def shares(self) -> int:
        return int(self.deployment.vault.call("balanceOf", self.account))

    def parse_cash(self, text: str, everything: int) -> int:
        """Whole units of the deposit token, such as ``1000`` or ``0.5``, or ``all``. Raises InputError."""
        return _amount(text, self.cash_decimals, everything, self.cash_symbol)

    def parse_shares(self, text: str) -> int:
        """Whole shares, or ``all`` of them. Raises InputError."""
        held = self.shares()
        if held == 0:
            raise InputError(f"{self.account} holds no shares of this vault; deposit first")
        wanted = _amount(text, SHARE_DECIMALS, held, "shares")
        if wanted > held:
            have = from_token(held, SHARE_DECIMALS)
            raise InputError(f"{text} shares are more than the {have:,.6f} held; give less, or `all`")
        return wanted

    def show(self, assets: int) -> str:
        return f"{from_token(assets, self.cash_decimals):,.{min(2, self.cash_decimals)}f} {self.cash_symbol}"

    # ---------------------------------------------------------------- deposit

    def quote_deposit(self, assets: int, receiver: str | None = None) -> DepositQuote:
        """Raises InputError with the reason when the vault would not take it."""
        vault = self.deployment.vault
        if assets > self.cash():
            raise InputError(f"{self.show(assets)} is more than the {self.show(self.cash())} held; give less")
        room = int(vault.call("maxDeposit", receiver or self.account))
        if assets > room:
            raise InputError(self._no_deposit(room))
        shares = int(vault.call("previewDeposit", assets))
        if shares == 0:
            raise InputError(f"{self.show(assets)} is too little for a share; give more")
        fee = -(-assets * int(vault.call("fees").entryFeeWad) // WAD)
        # what the new shares would be paid for at the prices of now
        back = int(vault.call("previewRedeem", shares))
        price = int(vault.call("sharePriceWad")) / WAD
        return DepositQuote(assets, shares, fee, price, 1 - back / assets)

    def deposit(
        self, quote: DepositQuote, receiver: str | None = None, max_slippage: float = 0.005
    ) -> tuple[int, int]:
        """Approve exactly the amount, deposit; (assets, shares) of it.

        Raises InputError when the shares have become fewer than the quote less `max_slippage` meanwhile:
        looked at just before sending, since a deposit knows no minimum on chain.
        """
        vault = self.deployment.vault
        self._approve(self.deployment.cash, vault.address, quote.assets)
        _check_slippage(quote.shares, int(vault.call("previewDeposit", quote.assets)), max_slippage)
        receipt = vault.send("deposit", quote.assets, receiver or self.account, sender=self.account)
        (event,) = vault.events(receipt, "Deposit")
        return event.assets, event.shares

    def _no_deposit(self, room: int) -> str:
        if room:
            return f"the deposit cap leaves room for {self.show(room)}; give at most that, or wait"
        facts = read_status(self.deployment)
        closing = ("DeleverOnly", "InKindOnly")
        for finding in facts["findings"]:
            if finding["mode"] in closing or finding["code"] == "deposits-paused":
                return f"deposits are closed: {finding['text']}; wait until that is over (ape run status)"
        return f"the deposit cap of {facts['deposit_cap_cash']:,.0f} {self.cash_symbol} is reached; wait"

    # ----------------------------------------------------------------- redeem

    def quote_redeem(self, assets: int | None = None) -> CashQuote:
        """Cash from what is idle: `assets`, or for None all shares' worth.

        Raises InputError with the reason, and what is possible instead.
        """
        vault = self.deployment.vault
        if self.shares() == 0:
            raise InputError(f"{self.account} holds no shares of this vault; deposit first")
        try:
            everything = int(vault.call("previewRedeem", self.shares()))
        except ContractRevert as revert:
            raise InputError(
                f"no cash redemption without prices ({revert}); `ape run exit all` sells on the exchange, "
                "`ape run exit all --in-kind` takes the tokens, and neither needs a price"
            ) from revert
        wanted, idle = everything if assets is None else assets, int(vault.call("holdings").balances[-1])
        if wanted > everything:
            raise InputError(f"{self.show(wanted)} is more than all shares pay, {self.show(everything)}")
        if wanted > idle:
            raise InputError(
                f"{self.show(wanted)} is more than the idle cash, {self.show(idle)}; redeem at most that, "
                "and the rest by `ape run exit`, which sells on the exchange"
            )
        if wanted == 0:
            raise InputError("these shares are worth less than the smallest unit of cash: nothing to redeem")
        if assets is None:
            shares = self.shares()
        else:  # rounding up may ask for a unit more than there is
            shares = min(vault.call("previewWithdraw", assets), vault.call("maxRedeem", self.account))
        paid, worth = vault.call("previewRedeem", shares), vault.call("convertToAssets", shares)
        return CashQuote(shares, int(paid), int(worth))

    def redeem(
        self, quote: CashQuote, receiver: str | None = None, max_slippage: float = 0.005
    ) -> tuple[int, int]:
        """Redeem the quote's shares; (assets, shares) of it. Raises InputError as `deposit` does."""
        vault, to = self.deployment.vault, receiver or self.account
        _check_slippage(quote.assets, int(vault.call("previewRedeem", quote.shares)), max_slippage)
        receipt = vault.send("redeem", quote.shares, to, self.account, sender=self.account)
        (event,) = vault.events(receipt, "Withdraw")
        return event.assets, event.shares

    # ------------------------------------------------------------------- exit

    def worth(self, shares: int) -> int | None:
        """At the vault's mid prices {assets}, None while there are none."""
        try:
            return int(self.deployment.vault.call("convertToAssets", shares))
        except ContractRevert:
            return None

    def approve_exit(self, shares: int) -> None:
        """Let the zap take these shares: without it nobody can tell what it would pay. It only serves the
        owner of the shares, so the approval gives nobody else anything."""
        self._approve(self.deployment.vault, self.deployment.zap.address, shares)

    def quote_exit(
        self,
        shares: int,
        max_slippage: float = 0.005,
        skip: Sequence[str] = (),
        keep: Sequence[str] = (),
        receiver: str | None = None,
    ) -> ExitQuote:
        """What selling everything pays now, by a call of the zap itself, once the shares are approved.

        Parameters
        ----------
        max_slippage
            Fraction by which the exit may pay less than this quote, in [0, 1).
        skip, keep
            Symbols to forfeit, and symbols to take as tokens instead of selling them.

        Raises
        ------
        InputError
            No exchange pays for it now; with what is possible instead.
        """
        if not 0 <= max_slippage < 1:
            raise InputError(f"--max-slippage is {max_slippage}; give a fraction in [0, 1), 0.005 for 0.5 %")
        arguments = self._zap(shares, 0, skip, keep, receiver)
        try:
            paid = int(self.deployment.zap.call("exit", *arguments, sender=self.account))
        except ContractRevert as revert:
            raise InputError(self._no_exit(revert)) from revert
        return ExitQuote(shares, paid, int(paid * (1 - max_slippage)), self.worth(shares))

    def exit(
        self,
        quote: ExitQuote,
        skip: Sequence[str] = (),
        keep: Sequence[str] = (),
        receiver: str | None = None,
    ) -> int:
        """Cash paid {assets}: at least the quote's minimum, or nothing happens (ContractRevert)."""
        zap = self.deployment.zap
        arguments = self._zap(quote.shares, quote.min_assets, skip, keep, receiver)
        receipt = zap.send("exit", *arguments, sender=self.account, gas=self._gas())
        return int(zap.events(receipt, "Zapped")[0].assets)

    def _zap(
        self, shares: int, least: int, skip: Sequence[str], keep: Sequence[str], receiver: str | None
    ) -> tuple[Any, ...]:
        kept = self._tokens(keep)
        fees = [
            0 if token.address in kept else fee
            for token, fee in zip(self.deployment.tokens, self.deployment.pool_fees, strict=True)
        ]
        deadline = self.deployment.chain.timestamp() + DEADLINE_SECONDS
        return shares, least, fees, self._tokens(skip), receiver or self.account, deadline

    # ---------------------------------------------------------------- in kind

    def quote_in_kind(self, shares: int, skip: Sequence[str] = ()) -> InKindQuote:
        """The tokens for these shares and the part of the debt that the caller repays. Needs no price.

        Raises InputError when the caller's cash is less than that part.
        """
        amounts, debt = self.deployment.vault.call("previewRedeemInKind", shares)
        debt += -(-debt // _INTEREST_MARGIN)
        if debt > self.cash():
            raise InputError(
                f"the shares' part of the debt is {self.show(debt)}, more than the {self.show(self.cash())} "
                "held: bring it, exit with fewer shares, or let a flash loan pay it: `ape run exit` without "
                "--in-kind"
            )
        skipped = set(skip)
        self._tokens(skip)
        symbols = (*self.deployment.symbols, self.cash_symbol)
        given = {s: a for s, a in zip(symbols, amounts, strict=True) if s not in skipped}
        return InKindQuote(shares, given, debt)

    def exit_in_kind(
        self, quote: InKindQuote, skip: Sequence[str] = (), receiver: str | None = None
    ) -> InKindQuote:
        """Approve the debt (and a thousandth for its interest), redeem in kind; what was paid and repaid.

        Raises InputError when the lending venue refuses a token, naming it.
        """
        vault = self.deployment.vault
        if quote.debt:
            self._approve(self.deployment.cash, vault.address, quote.debt)
        arguments = quote.shares, receiver or self.account, self.account, self._tokens(skip)
        try:
            receipt = vault.send("redeemInKind", *arguments, sender=self.account, gas=self._gas())
        except ContractRevert as revert:
            raise InputError(self._no_exit(revert)) from revert
        (event,) = vault.events(receipt, "RedeemedInKind")
        symbols = (*self.deployment.symbols, self.cash_symbol)
        paid = {s: a for s, a in zip(symbols, event.amounts, strict=True) if s not in set(skip)}
        return InKindQuote(event.shares, paid, event.debtRepaid)

    # -------------------------------------------------------------- internals

    def _gas(self) -> int:
        return _GAS_PER_TOKEN * (len(self.deployment.tokens) + 1)

    def _approve(self, token: Any, spender: str, amount: int) -> None:
        allowed = int(token.call("allowance", self.account, spender))
        if allowed < amount:
            if allowed:  # some tokens change an allowance by way of zero only
                token.send("approve", spender, 0, sender=self.account)
            token.send("approve", spender, amount, sender=self.account)

    def _tokens(self, symbols: Sequence[str]) -> list[str]:
        known = {s: t.address for s, t in zip(self.deployment.symbols, self.deployment.tokens, strict=True)}
        for symbol in symbols:
            if symbol not in known:
                raise InputError(f"{symbol!r} is not in the basket; it holds {', '.join(known)}")
        return [known[symbol] for symbol in symbols]

    def _symbol(self, address: object) -> str:
        known = {t.address: s for s, t in zip(self.deployment.symbols, self.deployment.tokens, strict=True)}
        return known.get(str(address), str(address))

    def _no_exit(self, revert: ContractRevert) -> str:
        """A refusal of the exit, and the exit that is left."""
        if revert.name == "ExitZap__PaidInReceipts":
            token = self._symbol(revert.arguments[0])
            return (
                f"the lending venue cannot pay {token} out now; `ape run exit --in-kind` gives its receipts "
                f"(aTokens), `--skip {token}` forfeits it"
            )
        if revert.name == "LendingAccount__Refused":
            token = self._symbol(revert.arguments[1])
            return (
                f"the lending venue refuses to move {token} ({revert}); wait, or forfeit it: --skip {token}"
            )
        return (
            f"the exchange does not pay for it now ({revert}); take a token that a pool refuses as it is "
            "(--keep SYMBOL), or all of them (--in-kind)"
        )


def _amount(text: str, decimals: int, everything: int, unit: str) -> int:
    if text == "all":
        amount = everything
    else:
        try:
            amount = to_token(_decimal(text), decimals)
        except InputError as error:
            raise InputError(
                f"{text!r} is no amount of {unit}; give a number such as 1000, or all"
            ) from error
    if amount >= 2**128:
        raise InputError(f"{text!r} is no amount of {unit} that there is; give a number such as 1000, or all")
    if amount <= 0:
        raise InputError(f"{text} {unit} is nothing; give more than 0")
    return amount


def _decimal(text: str) -> Any:
    from decimal import Decimal, InvalidOperation

    try:
        return Decimal(text.replace(",", "").replace("_", ""))
    except InvalidOperation as error:
        raise InputError(f"{text!r} is no number") from error


def _check_slippage(expected: int, now: int, max_slippage: float) -> None:
    if not 0 <= max_slippage < 1:
        raise InputError(f"--max-slippage is {max_slippage}; give a fraction in [0, 1), 0.005 for 0.5 %")
    if now * WAD < expected * (WAD - to_wad(max_slippage)):
        lost = 1 - now / expected
        raise InputError(
            f"the price moved by {lost:.2%} since the quote, more than {max_slippage:.2%}; look again"
        )
