"""The real Uniswap V3 from its npm packages, and a liquidity provider who keeps its pools deep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from equipoise.client.artifacts import Artifact, load_npm_artifact
from equipoise.client.chain import Receipt
from equipoise.client.contract import Contract, create
from equipoise.client.rpc import RpcChain
from equipoise.world.ticks import TICK_SPACING, position_amounts, tick_at, tick_range

__all__ = ["OBSERVATIONS", "RANGES", "Market", "Uniswap"]

RANGES: tuple[tuple[float | None, float], ...] = ((0.02, 0.25), (0.10, 0.30), (0.50, 0.25), (None, 0.20))
"""Nested ranges of liquidity: half-width around the price (None: everywhere), share of the pool's depth."""

OBSERVATIONS = 151
"""A pool's memory: half an hour of blocks twelve seconds apart, and one."""

_ZERO = "0x" + "00" * 20
_DEADLINE = 2**63
_MAX_UINT128 = 2**128 - 1
_PROVIDE_GAS = 100_000_000


def _core(name: str) -> Artifact:
    return load_npm_artifact(f"@uniswap/v3-core/artifacts/contracts/{name}.sol/{name}")


def _periphery(name: str, folder: str = "") -> Artifact:
    return load_npm_artifact(f"@uniswap/v3-periphery/artifacts/contracts/{folder}{name}.sol/{name}")


@dataclass(frozen=True)
class Market:
    """A pool and the provider's concentrated positions in it.

    `concentrated` holds token id and liquidity of each position, `centre_x96` the price that they surround.
    """

    pool: Contract
    token0: Contract
    token1: Contract
    fee: int
    concentrated: tuple[tuple[int, int], ...] = ()
    centre_x96: int = 0


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

    def create_pool(self, token0: Contract, token1: Contract, fee: int, sqrt_x96: int, sender: str) -> Market:
        """Create and initialise; token0 has the lower address, `sqrt_x96` is its price in token1."""
        create_call = "createAndInitializePoolIfNecessary"
        self.positions.send(create_call, token0, token1, fee, sqrt_x96, sender=sender)
        pool = self.pool(self.factory.call("getPool", token0, token1, fee))
        # the next trade or mint makes room for them
        pool.send("increaseObservationCardinalityNext", OBSERVATIONS, sender=sender)
        return Market(pool, token0, token1, fee)

    def provide(
        self, markets: Sequence[Market], values1: Sequence[int], provider: str
    ) -> tuple[list[Market], Receipt]:
        """Move the concentrated ranges of each market around its pool's price, in one transaction.

        Depths are `values1`, raw token1. A market without ranges gets the full range too. The provider must
        hold the tokens and have approved them.
        """
        prices = self.sqrt_prices_x96(markets)
        calls: list[bytes] = []
        concentrated: list[list[bool]] = []  # of each market's mints, in order
        for market, value1, sqrt_x96 in zip(markets, values1, prices, strict=True):
            for position in market.concentrated:
                calls += self._withdrawal(*position, provider)
            ranges = [r for r in RANGES if r[0] is not None or not market.concentrated]
            calls += [self._mint(market, *r, sqrt_x96, value1, provider) for r in ranges]
            concentrated.append([width is not None for width, _ in ranges])
        receipt = self.positions.send("multicall", calls, sender=provider, gas=_PROVIDE_GAS)
        minted = iter(self.positions.events(receipt, "IncreaseLiquidity"))
        moved = []
        for market, flags, sqrt_x96 in zip(markets, concentrated, prices, strict=True):
            held = [(event.tokenId, event.liquidity) for flag in flags for event in [next(minted)] if flag]
            moved.append(replace(market, concentrated=tuple(held), centre_x96=sqrt_x96))
        return moved, receipt

    def sqrt_prices_x96(self, markets: Sequence[Market]) -> list[int]:
        """Current prices of several pools, in one exchange."""
        answers = self.chain.call_many([(m.pool.address, m.pool.encode("slot0")) for m in markets])
        return [int.from_bytes(answer[:32]) for answer in answers]

    def _mint(
        self, market: Market, width: float | None, share: float, sqrt_x96: int, value1: int, provider: str
    ) -> bytes:
        ticks = tick_range(tick_at(sqrt_x96), width, TICK_SPACING[market.fee])
        amounts = position_amounts(sqrt_x96, ticks, int(value1 * share))
        tokens = market.token0.address, market.token1.address
        return self.positions.encode(
            "mint", (*tokens, market.fee, *ticks, *amounts, 0, 0, provider, _DEADLINE)
        )

    def _withdrawal(self, position: int, liquidity: int, provider: str) -> list[bytes]:
        return [
            self.positions.encode("decreaseLiquidity", (position, liquidity, 0, 0, _DEADLINE)),
            self.positions.encode("collect", (position, provider, _MAX_UINT128, _MAX_UINT128)),
            self.positions.encode("burn", position),
        ]


def _handle(chain: RpcChain, address: str, artifact: Artifact) -> Contract:
    return Contract(chain, address, artifact.abi, artifact.name)
