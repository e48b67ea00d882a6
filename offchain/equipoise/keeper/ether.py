"""What an ether is worth, for gas in dollars."""

from __future__ import annotations

import logging

from equipoise.client.artifacts import load_artifact
from equipoise.client.chain import Chain, RpcError
from equipoise.client.contract import Contract
from equipoise.errors import ContractRevert, InputError

__all__ = ["EtherPrice"]

_LOG = logging.getLogger(__name__)


class EtherPrice:
    """A Chainlink-style feed, or a price from the configuration while there is none or it does not answer.

    Parameters
    ----------
    fallback
        USD per ether, > 0: rather too high than too low, it only makes the keeper more careful.
    feed
        Address of the aggregator.
    """

    def __init__(self, chain: Chain, fallback: float, feed: str | None = None) -> None:
        if not 0 < fallback < 1e9:
            raise InputError(f"eth_usd is {fallback}; give dollars for an ether, such as 3000")
        self._fallback = fallback
        self._feed = Contract(chain, feed, load_artifact("IAggregatorV3").abi, "feed") if feed else None
        self._decimals: int | None = None

    def usd(self) -> float:
        """USD per ether."""
        if self._feed is None:
            return self._fallback
        try:
            if self._decimals is None:
                self._decimals = int(self._feed.call("decimals"))
            answer = self._feed.call("latestRoundData").answer
        except (ContractRevert, RpcError, InputError) as error:
            _LOG.warning("no price of ether: %s", error)
            return self._fallback
        return float(answer) / 10**self._decimals if answer > 0 else self._fallback
