"""The file from which a keeper is started, and what it makes."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from equipoise.client.artifacts import load_npm_artifact
from equipoise.client.config import build_section
from equipoise.client.contract import Contract
from equipoise.client.deployment import Deployment
from equipoise.client.dispatch import DispatchConfig, Dispatcher
from equipoise.client.signing import SigningChain
from equipoise.errors import InputError
from equipoise.keeper.alerts import Alerts
from equipoise.keeper.app import keeper_app
from equipoise.keeper.budget import Limits
from equipoise.keeper.ether import EtherPrice
from equipoise.keeper.head import Head, HeadConfig
from equipoise.keeper.ledger import Ledger
from equipoise.keeper.market import Market
from equipoise.keeper.plan import Policy
from equipoise.keeper.service import KeeperService
from equipoise.keeper.watch import Thresholds
from equipoise.oracle.keys import LocalKey
from equipoise.oracle.relay import Relay, RelayConfig
from equipoise.oracle.running import expand, load_key, read_sections, serve

__all__ = ["KeeperSettings", "loop", "run_keeper"]

_LOG = logging.getLogger(__name__)
_QUOTER = "@uniswap/v3-periphery/artifacts/contracts/lens/QuoterV2.sol/QuoterV2"
_TIMEOUT = 30.0  # seconds for one answer of the node
_SILENT_POLLS = 10  # of the loop, after which /health is not ok


@dataclass(frozen=True)
class KeeperSettings:
    """A keeper's file.

    `account` is an ape account; its passphrase is asked for, or read from `passphrase_file`. `quoter` is
    Uniswap's QuoterV2. `eth_feed` is an aggregator of USD per ether, `eth_usd` the price without one.
    `endpoints` are the signers' base URLs: with them it relays reports. `activate` are proposed signers that
    it activates when they may be. `poll` are seconds between two looks, `min_trade` a fraction of NAV.
    """

    account: str
    rpc: str
    deployment: str
    ledger: str
    quoter: str
    eth_usd: float
    eth_feed: str | None = None
    passphrase_file: str | None = None
    endpoints: tuple[str, ...] = ()
    activate: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8710
    poll: float = 12.0
    min_trade: float = 0.001
    json_logs: bool = False
    dry_run: bool = False
    webhook: str | None = None
    policy: Policy = field(default_factory=Policy)
    limits: Limits = field(default_factory=Limits)
    head: HeadConfig = field(default_factory=HeadConfig)
    dispatch: DispatchConfig = field(default_factory=DispatchConfig)
    alerts: Thresholds = field(default_factory=Thresholds)
    relay: RelayConfig = field(default_factory=RelayConfig)

    @classmethod
    def from_yaml(cls, path: str | Path) -> KeeperSettings:
        """Raises InputError naming the key that is missing, unknown or wrong."""
        sections = {
            "policy": Policy,
            "limits": Limits,
            "head": HeadConfig,
            "dispatch": DispatchConfig,
            "alerts": Thresholds,
            "relay": RelayConfig,
        }
        data = read_sections(path, sections)
        for key, what in (("endpoints", "the signers' URLs"), ("activate", "addresses of proposed signers")):
            start = "http" if key == "endpoints" else "0x"
            given = data.get(key, [])
            if not isinstance(given, list) or not all(
                isinstance(g, str) and g.startswith(start) for g in given
            ):
                raise InputError(f"{path}: {key} is {given!r}; give a list of {what}")
            data[key] = tuple(given)
        made: KeeperSettings = build_section(cls, data, str(path))
        if not (made.poll > 0 and 0 <= made.min_trade < 1):
            raise InputError(
                f"{path}: poll is {made.poll} and min_trade {made.min_trade}; give seconds above 0 and a "
                "fraction in [0, 1)"
            )
        return made

    def make(self, key: LocalKey) -> KeeperService:
        """Connect to the chain and open the ledger."""
        chain = SigningChain(self.rpc, key, timeout=_TIMEOUT)
        deployment = Deployment.load(chain, expand(self.deployment))
        scope = f"{chain.chain_id}:{deployment.auction.address}:{chain.sender}"
        ledger = Ledger(expand(self.ledger), scope)
        ledger.claim()
        if not chain.code(self.quoter):
            raise InputError(f"quoter: no code at {self.quoter}; give the address of Uniswap's QuoterV2 here")
        if deployment.account and (wrong := self.limits.contradiction(len(deployment.pool_fees))):
            _LOG.warning("%s", wrong)
        quoter = Contract(chain, self.quoter, load_npm_artifact(_QUOTER).abi, "QuoterV2")

        def relay(dispatcher: Dispatcher) -> Relay:
            oracle = deployment.volatility_oracle
            return Relay(oracle, self.endpoints, ledger, self.relay, dispatcher=dispatcher)

        labels = {"vault": deployment.vault.address, "chain": chain.chain_id, "keeper": chain.sender}
        return KeeperService(
            Market(deployment, quoter, self.min_trade),
            ledger,
            Head(chain, self.head, time.time, ledger.head()),
            EtherPrice(chain, self.eth_usd, self.eth_feed),
            policy=self.policy,
            limits=self.limits,
            thresholds=self.alerts,
            dispatch=self.dispatch,
            alerts=Alerts(self.webhook, labels),
            relay=relay if self.endpoints else None,
            signers=self.activate,
            dry_run=self.dry_run,
        )


def loop(service: KeeperService, poll: float, stop: threading.Event) -> None:
    """Steps until `stop`, later after trouble."""
    while not stop.is_set():
        service.attempt()
        stop.wait(max(poll, service.pause))


def run_keeper(settings: KeeperSettings, once: bool = False, dry_run: bool = False) -> list[str]:
    """Step and serve until interrupted; or one step alone, which raises what goes wrong: what landed."""
    made = replace(settings, dry_run=settings.dry_run or dry_run)
    service = made.make(load_key(made.account, made.passphrase_file))
    if once:
        try:
            return service.step()
        finally:
            service.close()
    stop = threading.Event()
    worker = threading.Thread(target=loop, args=(service, made.poll, stop), name="keeper")
    worker.start()
    try:
        serve(keeper_app(service, max(60.0, _SILENT_POLLS * made.poll)), made.host, made.port)
    finally:
        stop.set()
        worker.join()
        service.close()
    return []
