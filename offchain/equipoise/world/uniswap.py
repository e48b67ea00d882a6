"""The real Uniswap V3 from its npm packages, and a liquidity provider who keeps its pools deep."""

from __future__ import annotations

from dataclasses import dataclass, replace

from equipoise.client.artifacts import Artifact, load_npm_artifact
from equipoise.client.chain import Receipt
from equipoise.client.contract import Contract, create
from equipoise.client.rpc import RpcChain
from equipoise.world.ticks import TICK_SPACING, position_amounts, tick_at, tick_range

__all__ = ["RANGES", "Market", "Uniswap"]

RANGES: tuple[tuple[float | None, float], ...] = ((0.02, 0.25), (0.10, 0.30), (0.50, 0.25), (None, 0.20))
"""Nested ranges of liquidity: half-width around the price (None: everywhere), share of the pool's depth."""

_ZERO = "0x" + "00" * 20
_DEADLINE = 2**63
_MAX_UINT128 = 2**128 - 1
_MINT_GAS = 20_000_000


def _core(name: str) -> Artifact:
    return load_npm_artifact(f"@uniswap/v3-core/artifacts/contracts/{name}.sol/{name}")


def _periphery(name: str, folder: str = "") -> Artifact:
    return load_npm_artifact(f"@uniswap/v3-periphery/artifacts/contracts/{folder}{name}.sol/{name}")


@dataclass(frozen=True)
class Market:
    """A pool, the provider's concentrated positions in it, and the price that they were placed around."""

    pool: Contract
    token0: Contract
    token1: Contract
    fee: int
    concentrated: tuple[int, ...] = ()
    centre_x96: int = 0

    def sqrt_price_x96(self) -> int:
        return int(self.pool.call("slot0").sqrtPriceX96)


class Uniswap:
    """Factory, routers and positions; `deployer` deploys, `provider` owns all liquidity."""

    def __init__(
        self, chain: RpcChain, factory: Contract, router: Contract, quoter: Contract, positions: Contract
    ) -> None:
        self.chain = chain
        self.factory = factory
        self.router = router
        self.quoter = quoter
        self.positions = positions

    @classmethod
    def deploy(cls, chain: RpcChain, deployer: str, weth: str) -> Uniswap:
        factory = create(chain, _core("UniswapV3Factory"), sender=deployer)
        at = factory.address, weth
        return cls(
            chain,
            factory,
            create(chain, _periphery("SwapRouter"), *at, sender=deployer),
            create(chain, _periphery("QuoterV2", "lens/"), *at, sender=deployer),
            create(chain, _periphery("NonfungiblePositionManager"), *at, _ZERO, sender=deployer),
        )

    @classmethod
    def at(cls, chain: RpcChain, factory: str, router: str, quoter: str, positions: str) -> Uniswap:
        return cls(
            chain,
            _handle(chain, factory, _core("UniswapV3Factory")),
            _handle(chain, router, _periphery("SwapRouter")),
            _handle(chain, quoter, _periphery("QuoterV2", "lens/")),
            _handle(chain, positions, _periphery("NonfungiblePositionManager")),
        )

    def pool(self, address: str) -> Contract:
        return _handle(self.chain, address, _core("UniswapV3Pool"))

    def create_pool(self, a: Contract, b: Contract, fee: int, sqrt_x96: int, sender: str) -> Market:
        """Create and initialise; `sqrt_x96` is the price of the lower address in the higher."""
        token0, token1 = sorted((a, b), key=lambda token: int(token.address, 16))
        self.positions.send(
            "createAndInitializePoolIfNecessary", token0, token1, fee, sqrt_x96, sender=sender
        )
        address = self.factory.call("getPool", token0, token1, fee)
        return Market(self.pool(address), token0, token1, fee)

    def provide(self, market: Market, value1: int, provider: str) -> tuple[Market, Receipt]:
        """Move the concentrated ranges around the pool's price, worth `value1` raw token1 in all.

        The first call mints the full range too. One transaction; the provider must hold and have approved
        the tokens.
        """
        sqrt_x96 = market.sqrt_price_x96()
        centre, spacing = tick_at(sqrt_x96), TICK_SPACING[market.fee]
        calls = [call for position in market.concentrated for call in self._withdrawal(position, provider)]
        minted = 0
        for width, share in RANGES:
            if width is None and market.concentrated:
                continue
            ticks = tick_range(centre, width, spacing)
            amounts = position_amounts(sqrt_x96, ticks, int(value1 * share))
            tokens = market.token0.address, market.token1.address
            mint = (*tokens, market.fee, *ticks, *amounts, 0, 0, provider, _DEADLINE)
            calls.append(self.positions.encode("mint", mint))
            minted += width is not None
        receipt = self.positions.send("multicall", calls, sender=provider, gas=_MINT_GAS)
        created = [event.tokenId for event in self.positions.events(receipt, "IncreaseLiquidity")]
        return replace(market, concentrated=tuple(created[:minted]), centre_x96=sqrt_x96), receipt

    def _withdrawal(self, position: int, provider: str) -> list[bytes]:
        liquidity = self.positions.call("positions", position).liquidity
        return [
            self.positions.encode("decreaseLiquidity", (position, liquidity, 0, 0, _DEADLINE)),
            self.positions.encode("collect", (position, provider, _MAX_UINT128, _MAX_UINT128)),
            self.positions.encode("burn", position),
        ]


def _handle(chain: RpcChain, address: str, artifact: Artifact) -> Contract:
    return Contract(chain, address, artifact.abi, artifact.name)
