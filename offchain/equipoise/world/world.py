"""A local chain of real protocols: Uniswap V3, WETH9, tokens and price feeds, built in about a second."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from equipoise.client.abi import to_checksum_address
from equipoise.client.artifacts import load_artifact, load_npm_artifact
from equipoise.client.chain import Receipt
from equipoise.client.contract import Contract
from equipoise.errors import InputError, WorldError
from equipoise.units import USDC_DECIMALS, from_feed, to_feed
from equipoise.world.aave import Aave
from equipoise.world.anvil import Anvil
from equipoise.world.assets import CASH, DEFAULT_ASSETS, PLEDGE, PLEDGE_DECIMALS, AssetSpec, check_assets
from equipoise.world.builder import (
    DEPLOYER,
    PROVIDER,
    WETH,
    build_world,
    mint,
    provided,
    reference_x96,
    value_in_token1,
)
from equipoise.world.ticks import price_of
from equipoise.world.uniswap import Market, Uniswap

__all__ = ["World"]

DEFAULT_START = 1_577_836_800  # 2020-01-01 00:00 UTC
_FORMAT = 1


class World:
    """Use `World.build` or `World.load`, as a context manager: on exit the chain is gone.

    Attributes
    ----------
    chain
        `RpcChain` to the local node, on which every account is unlocked and gas is free.
    accounts
        Funded accounts of the well-known test mnemonic; the world itself uses none of them.
    assets
        The basket's `AssetSpec`, in its order.
    tokens, feeds, pools
        Contracts by symbol, USDC among the tokens and feeds.
    usdc, weth, factory, router, quoter, position_manager, arbitrageur
        Contracts.
    aave
        `Aave`, the lending market; None in a world without lending.
    """

    def __init__(self, anvil: Anvil, manifest: dict[str, Any]) -> None:
        self._anvil = anvil
        self._manifest = manifest
        self._saved: dict[str, dict[str, Market]] = {}
        self.chain = chain = anvil.chain
        self.accounts: list[str] = [to_checksum_address(a) for a in chain.request("eth_accounts")]
        self.assets = tuple(AssetSpec(**values) for values in manifest["assets"])
        self._uniswap = Uniswap.at(chain, **manifest["uniswap"])
        self.factory, self.router = self._uniswap.factory, self._uniswap.router
        self.quoter, self.position_manager = self._uniswap.quoter, self._uniswap.positions
        token, feed = load_artifact("TestToken"), load_artifact("TestAggregator")
        self.weth = Contract(chain, manifest["weth"], load_npm_artifact(WETH).abi, "WETH9")
        self.tokens = {
            symbol: self.weth if address == self.weth.address else Contract(chain, address, token.abi, symbol)
            for symbol, address in manifest["tokens"].items()
        }
        self.usdc = self.tokens[CASH]
        self.feeds = {s: Contract(chain, a, feed.abi, f"{s} feed") for s, a in manifest["feeds"].items()}
        self._batch = Contract(chain, manifest["batch"], load_artifact("FeedBatch").abi, "FeedBatch")
        self.arbitrageur = Contract(
            chain, manifest["arbitrageur"], load_artifact("Arbitrageur").abi, "Arbitrageur"
        )
        self._markets = {asset.symbol: self._market(asset) for asset in self.assets}
        self.pools = {symbol: market.pool for symbol, market in self._markets.items()}
        self._decimals = {self.tokens[a.symbol].address: a.decimals for a in self.assets}
        self._decimals[self.usdc.address] = USDC_DECIMALS
        self.aave = self._lending(manifest.get("aave"))

    def _lending(self, manifest: dict[str, Any] | None) -> Aave | None:
        if manifest is None:
            return None
        pledge = Contract(self.chain, manifest["pledge"], self.usdc.abi, PLEDGE)
        decimals = {symbol: self._decimals[token.address] for symbol, token in self.tokens.items()}
        return Aave(
            self.chain, manifest, {**self.tokens, PLEDGE: pledge}, {**decimals, PLEDGE: PLEDGE_DECIMALS}
        )

    # --- life

    @classmethod
    def build(
        cls,
        assets: Sequence[AssetSpec] = DEFAULT_ASSETS,
        start_timestamp: int = DEFAULT_START,
        accounts: int = 10,
        block_base_fee: int = 0,
        port: int = 0,
        lending: bool = False,
    ) -> World:
        """Start a chain and deploy everything.

        Parameters
        ----------
        assets
            1 to 8, with different symbols.
        start_timestamp
            Seconds since 1970 of the first block; later ones come a second apart, until `warp`.
        accounts
            How many funded accounts.
        block_base_fee
            Wei per gas; 0 makes gas free.
        port
            Of the HTTP endpoint on 127.0.0.1, for a console or a wallet; 0 takes any free one.
        lending
            Whether there is an Aave V3 market of every token; about half a second more.

        Raises
        ------
        InputError, ToolchainError, WorldError
        """
        specs = check_assets(assets)
        anvil = Anvil(start_timestamp, accounts, block_base_fee, port)
        try:
            return cls(anvil, build_world(anvil.chain, specs, lending))
        except BaseException:
            anvil.close()
            raise

    def dump(self, path: str | Path) -> Path:
        """Save the whole chain to a file."""
        manifest = {
            **self._manifest,
            "provided": provided(self._markets),
        }
        state = {
            "format": _FORMAT,
            "timestamp": self.chain.timestamp(),
            "accounts": len(self.accounts),
            "manifest": manifest,
            "state": self.chain.request("anvil_dumpState"),
        }
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(target.name + ".partial")
        partial.write_text(json.dumps(state))
        os.replace(partial, target)
        return target

    @classmethod
    def load(cls, path: str | Path, port: int = 0) -> World:
        """A new chain with a saved state, at the time at which it was saved.

        Raises InputError when the file is not one of `dump`'s.
        """
        try:
            saved = json.loads(Path(path).read_text())
            form, start, accounts = saved["format"], int(saved["timestamp"]), int(saved["accounts"])
            manifest, state = saved["manifest"], saved["state"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is not a saved world: {error!r}; make one with dump()") from error
        if form != _FORMAT:
            raise InputError(f"{path} has format {form}, this version reads {_FORMAT}: build it again")
        anvil = Anvil(start, accounts, port=port)
        try:
            anvil.chain.request("anvil_loadState", state)
            return cls(anvil, manifest)
        except BaseException:
            anvil.close()
            raise

    @property
    def pid(self) -> int:
        """Process id of the chain."""
        return self._anvil.pid

    def close(self) -> None:
        """End the chain. Harmless when called again."""
        self._anvil.close()

    def __enter__(self) -> World:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- time

    def warp(self, seconds: int) -> None:
        """Mine one block that many seconds, at least 1, after the latest one."""
        if seconds < 1:
            raise InputError(f"warp of {seconds} s: time only goes forward, by at least 1")
        self.warp_to(self.chain.timestamp() + int(seconds))

    def warp_to(self, timestamp: int) -> None:
        """Mine one block at that time (seconds since 1970), later than the latest block's."""
        latest = self.chain.timestamp()
        if timestamp <= latest:
            raise InputError(f"warp to {timestamp}: it must be later than the latest block, {latest}")
        self.chain.request("evm_setNextBlockTimestamp", int(timestamp))
        self.chain.request("evm_mine")

    def snapshot(self) -> str:
        """Remember this state; `revert` returns to it once."""
        snapshot = str(self.chain.request("evm_snapshot"))
        self._saved[snapshot] = dict(self._markets)
        return snapshot

    def revert(self, snapshot: str) -> None:
        """Return to a snapshot, which with every later one is then used up. Raises WorldError otherwise."""
        if snapshot not in self._saved or not self.chain.request("evm_revert", snapshot):
            raise WorldError(
                f"no snapshot {snapshot!r}: it never was, or was used; there are {[*self._saved]}"
            )
        self._markets = self._saved[snapshot]
        self._saved = {k: v for k, v in self._saved.items() if int(k, 16) < int(snapshot, 16)}

    # --- prices

    def set_prices(self, prices: Mapping[str, float]) -> Receipt:
        """Push a round to each named feed (USDC has one too) in one transaction, at its block's time.

        Parameters
        ----------
        prices
            USD per whole token by symbol; rounded to the feeds' 8 decimals, from 1e-8.
        """
        feeds = [self._named(self.feeds, symbol) for symbol in prices]
        answers = [to_feed(price) for price in prices.values()]
        gas = 1_000_000 + 200_000 * len(feeds)
        return self._batch.send("push", feeds, answers, sender=DEPLOYER, gas=gas)

    def push_round(self, symbol: str, answer: int, updated_at: int) -> Receipt:
        """Push any answer (8 decimals, also 0 or negative) with any time: a feed that fails."""
        feed = self._named(self.feeds, symbol)
        return self._batch.send("pushAt", feed, answer, updated_at, sender=DEPLOYER)

    def prices(self) -> dict[str, float]:
        """USD per whole token as the feeds say, by symbol."""
        return {symbol: from_feed(answer) for symbol, answer in self._answers().items()}

    def pool_price(self, symbol: str) -> float:
        """USDC per whole token in the asset's pool, before its fee."""
        market = self._named(self._markets, symbol)
        decimals = [self._decimals[token.address] for token in (market.token0, market.token1)]
        price = price_of(self._uniswap.sqrt_prices_x96([market])[0]) * 10.0 ** (decimals[0] - decimals[1])
        return price if market.token1.address == self.usdc.address else 1 / price

    def align_pools(self, symbols: Iterable[str] | None = None) -> Receipt:
        """One transaction of the arbitrageur: it swaps each pool to within its fee of its feed's price.

        A pool already that near, or whose feed has no positive answer, is left alone.
        """
        answers = {self.tokens[symbol].address: answer for symbol, answer in self._answers().items()}
        chosen = [self._named(self._markets, s) for s in (self._markets if symbols is None else symbols)]
        sound = [m for m in chosen if min(answers[m.token0.address], answers[m.token1.address]) > 0]
        references = [reference_x96(market, answers, self._decimals) for market in sound]
        pools = [market.pool for market in sound]
        return self.arbitrageur.send("align", pools, references, sender=DEPLOYER, gas=100_000_000)

    def recentre_liquidity(self, min_move: float = 0.01) -> Receipt | None:
        """The liquidity provider moves its ranges around every price that has moved, in one transaction.

        Parameters
        ----------
        min_move
            Relative change of the pool's price, since its ranges were last placed, from which it does; >= 0.

        Returns
        -------
        Receipt or None
            None when no pool had moved. The depth of the others in USD is then their `depth_usd` again.
        """
        if not min_move >= 0:
            raise InputError(f"min_move {min_move} must be at least 0")
        answers = {self.tokens[symbol].address: answer for symbol, answer in self._answers().items()}
        markets = list(self._markets.values())
        chosen: dict[str, int] = {}
        for asset, market, now in zip(
            self.assets, markets, self._uniswap.sqrt_prices_x96(markets), strict=True
        ):
            moved = abs(price_of(now) / price_of(market.centre_x96) - 1)
            if moved >= min_move and answers[market.token1.address] > 0:
                chosen[asset.symbol] = value_in_token1(market, asset.depth_usd, answers, self._decimals)
        if not chosen:
            return None
        moving = [self._markets[symbol] for symbol in chosen]
        placed, receipt = self._uniswap.provide(moving, list(chosen.values()), PROVIDER)
        self._markets |= dict(zip(chosen, placed, strict=True))
        return receipt

    # --- tokens

    def fund(self, symbol: str, account: str, amount: int) -> None:
        """Give an account tokens out of nothing: `amount` > 0 in the token's own decimals."""
        if amount <= 0 or amount != int(amount):
            raise InputError(f"amount {amount} of {symbol} must be a positive integer in its own decimals")
        mint(self.chain, self._named(self.tokens, symbol), account, int(amount))

    # --- internals

    def _market(self, asset: AssetSpec) -> Market:
        sides = sorted((self.tokens[asset.symbol], self.usdc), key=lambda token: int(token.address, 16))
        pool = self._uniswap.pool(self._manifest["pools"][asset.symbol])
        concentrated, centre = self._manifest["provided"][asset.symbol]
        market = Market(pool, sides[0], sides[1], asset.pool_fee)
        held = tuple((int(position), int(liquidity)) for position, liquidity in concentrated)
        return replace(market, concentrated=held, centre_x96=int(centre))

    def _answers(self) -> dict[str, int]:
        feeds = list(self.feeds.values())
        calls = [(feed.address, feed.encode("latestRoundData")) for feed in feeds]
        rounds = [feeds[0].decode("latestRoundData", data) for data in self.chain.call_many(calls)]
        return {symbol: last.answer for symbol, last in zip(self.feeds, rounds, strict=True)}

    def _named(self, known: Mapping[str, Any], symbol: str) -> Any:
        if symbol not in known:
            raise InputError(f"unknown symbol {symbol!r}; this world has {sorted(known)}")
        return known[symbol]
