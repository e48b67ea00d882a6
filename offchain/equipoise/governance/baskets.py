"""An asset comes into the basket by one proposal and leaves by two: retired, then delisted when sold."""

from __future__ import annotations

from collections.abc import Sequence

from eth_utils import to_checksum_address

from equipoise.client.artifacts import load_npm_artifact
from equipoise.client.config import AssetConfig
from equipoise.client.contract import Contract
from equipoise.client.deployment import Deployment
from equipoise.errors import ContractRevert, InputError
from equipoise.governance.draft import Call, Draft
from equipoise.governance.templates import active_symbols, budgets_word, token_of
from equipoise.units import LANE_SCALE, MAX_ASSETS, MIN_ASSETS, WAD, unpack_lanes

__all__ = ["add_asset", "delist_asset", "retire_asset"]

_FACTORY = "@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory"
MAX_DUST = 1e-4
"""Of the NAV: what may be left of an asset when it leaves; the vault's own bound."""


def add_asset(deployment: Deployment, asset: AssetConfig, shares: Sequence[float]) -> Draft:
    """List an asset's feed (checked by its pool when it has a `twap_window`) and take it into the basket.

    Parameters
    ----------
    asset
        As in a deployment's configuration.
    shares
        Budgets of all assets, the new one last, summing to 1.

    Raises
    ------
    InputError
        Already there, no code at an address, no pool or no reserve where one is needed, or bad budgets.
    """
    chain, vault = deployment.chain, deployment.vault
    token = to_checksum_address(asset.token)
    symbols = active_symbols(deployment)
    if token in (t.address for t in (*deployment.tokens, deployment.cash)) or asset.symbol in symbols:
        raise InputError(f"{asset.symbol} ({token}) is in the vault already")
    if len(deployment.tokens) >= MAX_ASSETS:
        raise InputError(f"the vault deals in {len(deployment.tokens)} tokens, the most: remove one first")
    for what, address in (("token", token), ("feed", asset.feed)):
        if not chain.code(address):
            raise InputError(f"there is no code at {address}, the {what} of {asset.symbol}")
    _check_reserve(deployment, asset.symbol, token)
    calls = [Call(deployment.price_oracle, "setFeed", (asset.listing(),))]
    if asset.twap_window:
        calls.append(Call(deployment.price_oracle, "setTwap", (token, asset.twap(_pool(deployment, asset)))))
    active = [*_active(deployment), token]
    word = budgets_word([*symbols, asset.symbol], shares)
    calls += _basket_calls(deployment, active, _retiring(deployment), word)
    text = f"{_lines([*symbols, asset.symbol], word)}\n\nFeed {asset.feed}, heartbeat {asset.heartbeat} s, "
    text += (
        f"half spread {asset.half_spread_bps} bps; {vault.name} buys it through auctions once signers report."
    )
    return Draft(f"Add {asset.symbol} to the basket", tuple(calls), text)


def retire_asset(deployment: Deployment, symbol: str, shares: Sequence[float]) -> Draft:
    """Take an asset out of the oracle's basket, so that auctions sell what the vault holds of it.

    `shares` are the budgets of the others in their order. Raises InputError for an asset that is not in the
    basket, the last but one, or bad budgets.
    """
    token, symbols = token_of(deployment, symbol), active_symbols(deployment)
    if symbol not in symbols:
        raise InputError(f"{symbol} is not among the assets {', '.join(symbols)}; it may be retired already")
    if len(symbols) <= MIN_ASSETS:
        raise InputError(f"a basket has at least {MIN_ASSETS} assets: {symbol} cannot be retired")
    rest = [s for s in symbols if s != symbol]
    word = budgets_word(rest, shares)
    active = [t for t in _active(deployment) if t != token]
    calls = _basket_calls(deployment, active, [*_retiring(deployment), token], word)
    text = f"{_lines(rest, word)}\n\nAuctions sell {symbol}; when it is sold, a second proposal delists it."
    return Draft(f"Retire {symbol}", tuple(calls), text)


def delist_asset(deployment: Deployment, symbol: str) -> Draft:
    """Let the vault forget a retired asset that is sold.

    Raises InputError while it is not retired, or while more than 1e-4 of the NAV is left of it.
    """
    token, retiring = token_of(deployment, symbol), _retiring(deployment)
    if token not in retiring:
        raise InputError(f"{symbol} is not being retired: propose that first (`ape run propose retire`)")
    book = deployment.vault.call("portfolio")
    left = book.valuesWad[list(book.tokens).index(token)] / WAD
    limit = MAX_DUST * book.navWad / WAD
    if left > limit:
        raise InputError(
            f"the vault still holds {left:,.2f} USD of {symbol}, and at most {limit:,.2f} may be left: let "
            "auctions sell it first"
        )
    tokens = [*_active(deployment), *(t for t in retiring if t != token)]
    call = Call(deployment.vault, "setBasket", (tokens,))
    return Draft(f"Delist {symbol}", (call,), f"{left:,.2f} USD of it is left and written off.")


def _check_reserve(deployment: Deployment, symbol: str, token: str) -> None:
    account = deployment.account
    if account is None:
        return
    try:  # as the vault would, without doing it
        account.call("list", token, sender=deployment.vault.address)
    except ContractRevert as revert:
        raise InputError(
            f"the lending venue has no reserve of {symbol}, so it could be no collateral ({revert})"
        ) from revert


def _active(deployment: Deployment) -> list[str]:
    return list(deployment.volatility_oracle.call("assets"))


def _retiring(deployment: Deployment) -> list[str]:
    active = set(_active(deployment))
    return [t for t in deployment.vault.call("holdings").tokens[:-1] if t not in active]


def _basket_calls(deployment: Deployment, active: list[str], retiring: list[str], budgets: int) -> list[Call]:
    """The oracle goes first: the others check themselves against it."""
    return [
        Call(deployment.volatility_oracle, "setBasket", (active, budgets)),
        Call(deployment.realized_volatility, "setBasket", (active,)),
        Call(deployment.vault, "setBasket", ([*active, *retiring],)),
    ]


def _lines(symbols: Sequence[str], word: int) -> str:
    lanes = unpack_lanes(word, len(symbols))
    return "\n".join(f"- {s}: budget {lane / LANE_SCALE:.2%}" for s, lane in zip(symbols, lanes, strict=True))


def _pool(deployment: Deployment, asset: AssetConfig) -> str:
    abi = load_npm_artifact(_FACTORY).abi
    factory = Contract(deployment.chain, deployment.filler.call("factory"), abi, "UniswapV3Factory")
    pool = factory.call("getPool", asset.token, deployment.cash.address, asset.pool_fee)
    if int(pool, 16) == 0:
        raise InputError(
            f"{asset.symbol} has no Uniswap V3 pool against cash with a fee of {asset.pool_fee}; correct the "
            "fee, or set twap_window to 0"
        )
    return str(pool)
