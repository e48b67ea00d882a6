"""The deployer's transactions that are sent and not mined: an interrupted deployment leaves one behind."""

from __future__ import annotations

import time
from typing import Any

from equipoise.client.chain import Chain, RevertedCall, RpcError
from equipoise.errors import InputError

__all__ = ["wait_for_pending"]

PATIENCE_SECONDS = 180.0
_PAUSE_SECONDS = 1.0


def wait_for_pending(chain: Chain, deployer: str, patience: float = PATIENCE_SECONDS) -> None:
    """Until everything that the deployer has sent is mined.

    Raises InputError when it is not within `patience` seconds, or waits behind a gap of nonces: then the next
    transaction would take the gap's number and set loose what waits behind it.
    """
    deadline = time.monotonic() + patience
    while True:
        mined, sent = (_count(chain, deployer, tag) for tag in ("latest", "pending"))
        queued = [nonce for nonce in _queued(chain, deployer) if nonce >= sent]
        if sent <= mined and not queued:
            return
        if time.monotonic() >= deadline:
            break
        time.sleep(min(_PAUSE_SECONDS, patience))
    if queued:
        raise InputError(
            f"transactions of {deployer} with nonces {queued} wait behind a gap (its next nonce is "
            f"{mined}): cancel "
            f"them, or send one with each nonce from {mined} to {queued[0] - 1}, then run the same "
            "command again"
        )
    raise InputError(
        f"transactions of {deployer} with nonces {mined} to {sent - 1} are sent and not mined: wait, "
        "or replace "
        "them (same nonce, higher fee), then run the same command again; nothing is lost"
    )


def _count(chain: Chain, deployer: str, tag: str) -> int:
    return int(chain.request("eth_getTransactionCount", deployer, tag), 16)


def _queued(chain: Chain, deployer: str) -> list[int]:
    """Nonces behind a gap, where the node tells (public ones seldom do)."""
    try:
        content: Any = chain.request("txpool_contentFrom", deployer)
    except (RpcError, RevertedCall):
        try:
            inspected = chain.request("txpool_inspect")
        except (RpcError, RevertedCall):
            return []
        by_sender = {sender.lower(): nonces for sender, nonces in (inspected.get("queued") or {}).items()}
        content = {"queued": by_sender.get(deployer.lower(), {})}
    return sorted(int(nonce) for nonce in content.get("queued") or {})
