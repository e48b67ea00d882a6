"""The files from which a signer and a relay are started, and what they make."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from equipoise.client.config import build_section
from equipoise.client.contract import Contract
from equipoise.client.deployment import Deployment
from equipoise.client.dispatch import Dispatcher
from equipoise.client.rpc import RpcChain
from equipoise.client.signing import Fees, SigningChain
from equipoise.errors import BudgetError, InputError
from equipoise.estimation.blend import BlendConfig
from equipoise.estimation.implied import load_implied
from equipoise.oracle.journal import Journal
from equipoise.oracle.keys import LocalKey
from equipoise.oracle.outbox import Outbox
from equipoise.oracle.publisher import Publisher
from equipoise.oracle.relay import Relay, RelayConfig
from equipoise.oracle.relay_app import relay_app
from equipoise.oracle.running import expand, load_key, read_sections, serve
from equipoise.oracle.service import Clock, ServicePolicy, SignerService, scope_of, signer_app
from equipoise.oracle.signer import Signer
from equipoise.oracle.sources import CsvSource, ExchangeSource, FeedSource, PriceSource
from equipoise.oracle.typed_data import Domain
from equipoise.units import WAD

__all__ = ["RelaySettings", "SignerSettings", "run_relay", "run_signer"]

T = TypeVar("T")


@dataclass(frozen=True)
class SourceSettings:
    """Where closes come from.

    `kind` is "csv" (with `path`), "feeds" (the price oracle's own aggregators) or "exchange" (with
    `exchange`, ccxt's name, and `symbols`, asset to pair). `days` of history are read from the latter two.
    """

    kind: str
    path: str | None = None
    exchange: str | None = None
    symbols: Mapping[str, str] | None = None
    options: Mapping[str, Any] | None = None
    days: int = 400

    def make(self, deployment: Deployment, chain: RpcChain, reported: Sequence[str]) -> PriceSource:
        """Of the tokens that the oracle reports, addresses in its order: others are being retired.

        Raises InputError for an unknown kind, a missing setting, or a token that the vault does not know yet.
        """
        known = {t.address.lower(): s for t, s in zip(deployment.tokens, deployment.symbols, strict=True)}
        if strangers := [token for token in reported if token.lower() not in known]:
            raise InputError(
                f"the oracle reports {', '.join(strangers)}, which the vault does not know yet: start "
                "again when its basket has followed"
            )
        assets = {known[token.lower()]: token for token in reported}
        if self.kind == "csv":
            if self.path is None:
                raise InputError("source: a csv needs `path`")
            return CsvSource(expand(self.path), tuple(assets))
        if self.kind == "feeds":
            oracle = deployment.price_oracle
            feeds = {asset: oracle.call("feedOf", token).feed for asset, token in assets.items()}
            return FeedSource(chain, feeds, self.days)
        if self.kind == "exchange":
            symbols = self.symbols or {}
            if self.exchange is None or not set(assets) <= set(symbols):
                raise InputError(
                    f"source: an exchange needs `exchange`, and `symbols` for {', '.join(assets)}; it has "
                    f"{', '.join(symbols) or 'none'}"
                )
            return ExchangeSource(self.exchange, {a: symbols[a] for a in assets}, self.options, self.days)
        raise InputError(f"source: kind is {self.kind!r}; choose csv, feeds or exchange")


@dataclass(frozen=True)
class ImpliedSettings:
    """A CSV of implied volatilities: `columns` maps assets to its columns, `unit` is percent or fraction."""

    path: str
    columns: Mapping[str, str] | None = None
    unit: Literal["percent", "fraction"] = "percent"


@dataclass(frozen=True)
class ModelSettings:
    """Weights of the models, see `BlendConfig`; a model without an opinion leaves its weight to others."""

    ewma: float = 0.25
    garch: float = 0.25
    implied: float = 0.5
    horizon_days: int = 7
    implied_max_age_days: int = 3


@dataclass(frozen=True)
class SignerSettings:
    """A signer's file.

    `account` is an ape account; its passphrase is asked for, or read from `passphrase_file`. `deployment` is
    the file that `ape run deploy` wrote. `clock` is "system", or "chain" on a local chain with a time of its
    own. `tolerance` is the largest difference of a correlation that is co-signed.
    """

    account: str
    rpc: str
    deployment: str
    journal: str
    source: SourceSettings
    passphrase_file: str | None = None
    host: str = "127.0.0.1"
    port: int = 8701
    clock: str = "system"
    tolerance: float = 0.1
    model: ModelSettings = field(default_factory=ModelSettings)
    implied: ImpliedSettings | None = None
    policy: ServicePolicy = field(default_factory=ServicePolicy)

    @classmethod
    def from_yaml(cls, path: str | Path) -> SignerSettings:
        """Raises InputError naming the key that is missing, unknown or wrong."""
        sections = {
            "source": SourceSettings,
            "model": ModelSettings,
            "implied": ImpliedSettings,
            "policy": ServicePolicy,
        }
        return build_section(cls, read_sections(path, sections), str(path))

    def service(self, key: LocalKey) -> SignerService:
        """Connect to the chain and open the journal."""
        chain = RpcChain(self.rpc, gas_price=None)
        deployment = Deployment.load(chain, expand(self.deployment))
        oracle = deployment.volatility_oracle
        domain = _domain(chain, oracle)
        implied = self.implied
        return SignerService(
            Signer(key, domain, tolerance=self.tolerance),
            self.source.make(deployment, chain, domain.assets),
            Journal(expand(self.journal)),
            BlendConfig(
                ewma=self.model.ewma,
                garch=self.model.garch,
                implied=self.model.implied,
                horizon_days=self.model.horizon_days,
                implied_max_age_days=self.model.implied_max_age_days,
            ),
            load_implied(expand(implied.path), implied.columns, implied.unit) if implied else None,
            self.policy,
            self._clock(),
            self._alone(lambda own: _domain(own, oracle)),
        )

    def _clock(self) -> Clock:
        if self.clock == "system":
            return lambda: int(datetime.now(UTC).timestamp())
        if self.clock == "chain":
            return self._alone(RpcChain.timestamp)
        raise InputError(f"clock is {self.clock!r}; choose system or chain")

    def _alone(self, read: Callable[[RpcChain], T]) -> Callable[[], T]:
        """Reads over a connection of its own: one is not for several threads."""
        chain, lock = RpcChain(self.rpc, gas_price=None), threading.Lock()

        def now() -> T:
            with lock:
                return read(chain)

        return now


def _domain(chain: RpcChain, oracle: Contract) -> Domain:
    """As the chain has it now."""
    return Publisher(Contract(chain, oracle.address, oracle.abi, oracle.name), oracle.address).domain


@dataclass(frozen=True)
class RelaySettings:
    """A relay's file: `endpoints` are the signers' base URLs, `poll` the seconds between two looks.

    `per_transaction` {ether} is the most that a report may cost: the tip is what the node says.
    """

    account: str
    rpc: str
    deployment: str
    outbox: str
    endpoints: tuple[str, ...]
    passphrase_file: str | None = None
    host: str = "127.0.0.1"
    port: int = 8700
    poll: float = 12.0
    per_transaction: float = 0.2
    relay: RelayConfig = field(default_factory=RelayConfig)

    @classmethod
    def from_yaml(cls, path: str | Path) -> RelaySettings:
        """Raises InputError naming the key that is missing, unknown or wrong."""
        data = read_sections(path, {"relay": RelayConfig})
        urls = data.get("endpoints", [])
        if not isinstance(urls, list) or not all(isinstance(u, str) and u.startswith("http") for u in urls):
            raise InputError(f"{path}: endpoints is {urls!r}; give a list of the signers' URLs")
        data["endpoints"] = tuple(urls)
        return build_section(cls, data, str(path))

    def make(self, key: LocalKey) -> Relay:
        """Connect to the chain and open the outbox."""
        chain = SigningChain(self.rpc, key)
        oracle = Deployment.load(chain, expand(self.deployment)).volatility_oracle
        scope = scope_of(Publisher(oracle, key.address).domain)
        outbox = Outbox(expand(self.outbox), scope)
        dispatcher = Dispatcher(chain, outbox, allow=self._allow)
        return Relay(oracle, self.endpoints, outbox, self.relay, dispatcher=dispatcher)

    def _allow(self, kind: str, gas: int, fees: Fees) -> None:
        ether = gas * fees.limit / WAD
        if ether > self.per_transaction:
            raise BudgetError(
                f"{kind} may cost {ether:.3g} ether, per_transaction allows {self.per_transaction:g}; raise "
                "it, or use another node if others ask less for gas"
            )


def run_signer(settings: SignerSettings) -> None:
    """Serve until interrupted."""
    service = settings.service(load_key(settings.account, settings.passphrase_file))
    serve(signer_app(service), settings.host, settings.port)


def run_relay(settings: RelaySettings, once: bool = False) -> None:
    """Step and serve until interrupted; or one step alone."""
    relay = settings.make(load_key(settings.account, settings.passphrase_file))
    if once:
        relay.step()
        return
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            relay.attempt()
            stop.wait(settings.poll)

    worker = threading.Thread(target=work, name="relay")
    worker.start()
    try:
        serve(relay_app(relay), settings.host, settings.port)
    finally:
        stop.set()
        worker.join()
