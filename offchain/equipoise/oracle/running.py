"""What every process of ours needs that runs from a file: the file, the key, a port."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from equipoise.client.config import build_section
from equipoise.errors import InputError
from equipoise.oracle.keys import LocalKey, load_ape_key, read_passphrase

__all__ = ["expand", "load_key", "read_sections", "serve"]


def serve(app: Any, host: str, port: int) -> None:
    """Answer HTTP until interrupted."""
    import uvicorn

    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False)


def load_key(account: str, passphrase_file: str | None) -> LocalKey:
    """The key of an ape account; its passphrase is asked for where no file holds it. Raises InputError."""
    file = None if passphrase_file is None else expand(passphrase_file)
    return load_ape_key(account, read_passphrase(file, f"Passphrase of {account}: "))


def expand(text: str) -> Path:
    """A path with ~ replaced."""
    return Path(text).expanduser()


def read_sections(path: str | Path, sections: Mapping[str, type]) -> dict[str, Any]:
    """A YAML file with its sections made. Raises InputError naming what is missing, unknown or wrong."""
    try:
        data = yaml.safe_load(Path(path).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"cannot read {path}: {error}; give a YAML file") from error
    if not isinstance(data, dict):
        raise InputError(f"{path} must be a mapping of keys to values")
    made = {key: build_section(kind, data[key], key) for key, kind in sections.items() if key in data}
    return {**data, **made}
