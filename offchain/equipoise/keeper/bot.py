"""The keeper as a silverback bot: a step for every block, and one a minute where no block comes.

    EQUIPOISE_KEEPER=keeper.yaml silverback run equipoise.keeper.bot --network ethereum:local:foundry \\
        --account keeper-1

The network and the account are silverback's; all else is the file's. It is a shell over `KeeperService`: the
same ledger serves it and `equipoise keeper`, but never both at once. Where the network has a websocket
silverback listens for blocks; its polling ends when a local chain is silent for ten seconds. It hears SIGTERM
at the next block or minute.
"""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import replace
from typing import Any

from ape import chain
from silverback import SilverbackBot
from silverback.settings import Settings

from equipoise.errors import EquipoiseError, InputError
from equipoise.keeper.app import keeper_app
from equipoise.keeper.service import KeeperService
from equipoise.keeper.settings import KeeperSettings
from equipoise.oracle.running import load_key, serve

__all__ = ["bot"]

_FILE = "EQUIPOISE_KEEPER"
_ALIAS = "SILVERBACK_SIGNER_ALIAS"

# silverback would unlock the account for any transaction; here its key signs what the plan says
bot = SilverbackBot(Settings(SIGNER_ALIAS=""))


def _make() -> tuple[KeeperSettings, KeeperService]:
    path = os.environ.get(_FILE)
    if not path:
        raise InputError(
            f"{_FILE} is not set; name the keeper's file in it, such as scripts/configs/keeper.yaml"
        )
    file = KeeperSettings.from_yaml(path)
    uri = getattr(bot.provider, "http_uri", None)
    settings = replace(file, account=os.environ.get(_ALIAS) or file.account, rpc=uri or file.rpc)
    return settings, settings.make(load_key(settings.account, settings.passphrase_file))


try:
    settings, service = _make()
except EquipoiseError as error:
    raise SystemExit(f"error: {error}") from None

_running = asyncio.Lock()
_again = False


async def _step() -> list[str]:
    """One at a time; blocks that come meanwhile are one more look, not a queue of them."""
    global _again
    if _running.locked():
        _again = True
        return []
    landed: list[str] = []
    async with _running:
        while True:
            _again = False
            landed += await asyncio.to_thread(service.attempt)
            if not _again:
                return landed


@bot.on_startup()
async def start(_state: Any) -> None:
    """Serve /health and /metrics, and finish what was on its way."""
    app = keeper_app(service)
    threading.Thread(target=serve, args=(app, settings.host, settings.port), daemon=True).start()
    await _step()


@bot.on_(chain.blocks)
async def every_block(_block: Any) -> dict[str, int]:
    """What landed, as a metric."""
    return {"landed": len(await _step())}


@bot.cron("* * * * *")
async def every_minute(_time: Any) -> dict[str, int]:
    """Also when no block comes: that is worth an alert."""
    return {"landed": len(await _step())}


@bot.on_shutdown()
async def stop() -> None:
    service.close()
