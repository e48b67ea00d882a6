"""Signing keys: from ape's encrypted keystore, with a passphrase that no environment variable holds."""

from __future__ import annotations

import getpass
import json
import os
import stat
from pathlib import Path
from typing import Protocol

from eth_keys import keys
from eth_utils import decode_hex

from equipoise.errors import InputError

__all__ = ["LocalKey", "SigningKey", "load_ape_key", "read_passphrase"]


class SigningKey(Protocol):
    """Something that signs digests: a key in memory, or one behind a device."""

    @property
    def address(self) -> str:
        """Checksummed."""
        ...

    def sign(self, digest: bytes) -> tuple[bytes, bytes]:
        """EIP-2098 signature (r, vs) of 32 bytes."""
        ...


class LocalKey:
    """A private key in memory, 32 bytes or their hex. It is never repeated in a message.

    Raises InputError when it is none.
    """

    def __init__(self, key: bytes | str) -> None:
        try:
            self._key = keys.PrivateKey(decode_hex(key) if isinstance(key, str) else bytes(key))
            self.address: str = self._key.public_key.to_checksum_address()
        except Exception:
            raise InputError("the signer's key is not a private key; give 32 bytes or their hex") from None

    def __repr__(self) -> str:
        return f"<LocalKey {self.address}>"

    def sign(self, digest: bytes) -> tuple[bytes, bytes]:
        signature = self._key.sign_msg_hash(digest)
        vs = signature.v << 255 | signature.s
        return signature.r.to_bytes(32, "big"), vs.to_bytes(32, "big")

    def sign_transaction(self, transaction: dict[str, object]) -> tuple[bytes, str]:
        """Raw bytes and hash of a transaction with all its fields."""
        from eth_account import Account

        signed = Account.from_key(self._key.to_bytes()).sign_transaction(transaction)
        return bytes(signed.raw_transaction), "0x" + bytes(signed.hash).hex()


def load_ape_key(alias: str, passphrase: str) -> LocalKey:
    """The key of an account of `ape accounts`, from its encrypted file.

    Raises InputError when there is no such account, or the passphrase is not its.
    """
    from eth_account import Account

    if Path(alias).name != alias:
        raise InputError(f"{alias!r} is no alias of an ape account; give its name alone")
    folder = Path(os.environ.get("APE_DATA_FOLDER") or Path.home() / ".ape") / "accounts"
    path = folder / f"{alias}.json"
    try:
        encrypted = json.loads(path.read_text())
    except OSError as error:
        known = ", ".join(sorted(file.stem for file in folder.glob("*.json"))) or "none"
        raise InputError(
            f"no ape account {alias!r} in {folder} (there: {known}); make one with "
            f"`ape accounts generate {alias}`"
        ) from error
    except ValueError as error:
        raise InputError(f"{path} is no keystore file; restore it, or import the account again") from error
    try:
        return LocalKey(bytes(Account.decrypt(encrypted, passphrase)))
    except (ValueError, KeyError, TypeError, NotImplementedError) as error:
        raise InputError(f"the passphrase does not open the ape account {alias!r}; give its own") from error


def read_passphrase(file: Path | None, prompt: str = "Passphrase: ") -> str:
    """From a file that only its owner can read, or else from the terminal.

    Raises InputError for a file that is missing or open to others.
    """
    if file is None:
        return getpass.getpass(prompt)
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & 0o077:
            raise InputError(f"{file} is open to others (mode {mode:o}); run: chmod 600 {file}")
        passphrase = file.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read ({error}); give a text file with the passphrase") from error
    if not passphrase:
        raise InputError(f"{file} is empty; write the passphrase into it")
    return passphrase
