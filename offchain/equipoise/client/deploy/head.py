"""Whether a node tells the truth about the head of its chain, as far as one can ask."""

from __future__ import annotations

import time

from equipoise.client.chain import Chain, RpcError

__all__ = ["HeadWatch", "is_local"]

MAX_REORG_BLOCKS = 3
"""A head may fall back so far: reorgs, and nodes behind one balancer."""

MAX_LAG_BLOCKS = 20
"""Two honest endpoints may lie so far apart."""

MAX_CLOCK_SECONDS = 900
"""The latest block may be so far from now."""

_DEVELOPMENT_NODES = ("anvil", "hardhat", "ganache", "ethereumjs", "eth-tester")
_ADVICE = "nothing is lost: use another endpoint, and run the same command again"


def is_local(chain: Chain) -> bool:
    """Whether this is a development node or a fork on one: its clock and its keys are not the world's."""
    return str(chain.request("web3_clientVersion")).lower().startswith(_DEVELOPMENT_NODES)


class HeadWatch:
    """Remembers the highest block seen, and asks before each step.

    Parameters
    ----------
    chain
        The endpoint that is used.
    second
        Another endpoint of the same network to compare with, if there is one.
    """

    def __init__(self, chain: Chain, second: Chain | None = None) -> None:
        self._chain = chain
        self._second = second
        self._local = is_local(chain)
        self._highest = 0

    def check(self) -> int:
        """Number of the latest block.

        Raises RpcError when the node contradicts itself, the clock or the other endpoint.
        """
        head = int(self._chain.request("eth_blockNumber"), 16)
        if head < self._highest - MAX_REORG_BLOCKS:
            raise RpcError(
                f"the node's head went back from block {self._highest} to {head}, more than any reorg "
                f"({MAX_REORG_BLOCKS}): {_ADVICE}"
            )
        block = self._chain.request("eth_getBlockByNumber", "latest", False)
        number, timestamp = int(block["number"], 16), int(block["timestamp"], 16)
        if abs(number - head) > MAX_REORG_BLOCKS:
            raise RpcError(
                f"the node says block {head} is its head, but gives {number} as the latest: {_ADVICE}"
            )
        behind = time.time() - timestamp
        if not self._local and abs(behind) > MAX_CLOCK_SECONDS:
            raise RpcError(
                f"the latest block {number} is of {abs(behind):.0f} s "
                f"{'ago' if behind > 0 else 'from now'}, more "
                f"than {MAX_CLOCK_SECONDS}: the node is not synchronised (or this computer's clock is "
                f"wrong); {_ADVICE}"
            )
        self._highest = max(self._highest, head)
        if self._second is not None:
            self._compare(self._second, number)
        return number

    def _compare(self, second: Chain, number: int) -> None:
        if second.chain_id != self._chain.chain_id:
            raise RpcError(
                f"the second endpoint is of chain {second.chain_id}, the first of "
                f"{self._chain.chain_id}: name "
                "another"
            )
        other = int(second.request("eth_blockNumber"), 16)
        if abs(other - number) > MAX_LAG_BLOCKS:
            raise RpcError(
                f"the endpoints' heads are {number} and {other}, more than {MAX_LAG_BLOCKS} blocks "
                f"apart: {_ADVICE}"
            )
        settled = hex(max(0, min(number, other) - MAX_REORG_BLOCKS))
        first_hash, second_hash = (
            chain.request("eth_getBlockByNumber", settled, False)["hash"] for chain in (self._chain, second)
        )
        if first_hash != second_hash:
            raise RpcError(
                f"the endpoints disagree about block {int(settled, 16)} ({first_hash}, "
                f"{second_hash}): one follows "
                f"another chain; {_ADVICE}"
            )
