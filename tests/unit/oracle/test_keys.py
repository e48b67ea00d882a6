"""Keys come from ape's keystore; a passphrase comes from a private file or a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_account import Account

from equipoise.errors import InputError
from equipoise.oracle.aggregator import recover
from equipoise.oracle.keys import LocalKey, load_ape_key, read_passphrase

KEY = b"\x11" * 32


@pytest.fixture
def keystore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "accounts"
    folder.mkdir()
    encrypted = Account.encrypt(KEY, "open sesame", kdf="pbkdf2", iterations=10)
    (folder / "signer-1.json").write_text(json.dumps(encrypted))
    monkeypatch.setenv("APE_DATA_FOLDER", str(tmp_path))
    return folder


def test_load_ape_key__right_passphrase__signs(keystore: Path) -> None:
    key = load_ape_key("signer-1", "open sesame")
    assert key.address == Account.from_key(KEY).address
    assert recover(b"d" * 32, key.sign(b"d" * 32)) == key.address


@pytest.mark.parametrize(
    ("alias", "passphrase", "words"),
    [
        ("signer-1", "wrong", "does not open"),
        ("signer-2", "open sesame", r"signer-1.*ape accounts generate signer-2"),
        ("broken", "open sesame", "no keystore file"),
        ("new", "open sesame", "does not open"),
        ("../signer-1", "open sesame", "give its name alone"),
    ],
)
def test_load_ape_key__unusable__says_what_to_do(
    keystore: Path, alias: str, passphrase: str, words: str
) -> None:
    (keystore / "broken.json").write_text("{")
    (keystore / "new.json").write_text('{"version": 9}')
    with pytest.raises(InputError, match=words) as refused:
        load_ape_key(alias, passphrase)
    assert passphrase not in str(refused.value)


def test_load_ape_key__what_ape_itself_made__is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder and the format are ape's own."""
    from ape_accounts.accounts import import_account_from_private_key

    monkeypatch.setenv("APE_DATA_FOLDER", str(tmp_path))
    import ape

    monkeypatch.setattr(ape.config, "DATA_FOLDER", tmp_path)
    made = import_account_from_private_key("made-by-ape", "a long passphrase", "0x" + KEY.hex())
    assert load_ape_key("made-by-ape", "a long passphrase").address == made.address


def test_local_key__no_key__is_refused_without_repeating_it() -> None:
    for wrong in (b"\x00" * 32, b"short", "0x12", "not hex"):
        with pytest.raises(InputError) as refused:
            LocalKey(wrong)
        assert str(wrong) not in str(refused.value)
    assert KEY.hex() not in repr(LocalKey(KEY))


def test_read_passphrase__file__must_be_private(tmp_path: Path) -> None:
    path = tmp_path / "pass"
    path.write_text("open sesame\n")
    path.chmod(0o644)
    with pytest.raises(InputError, match=r"open to others \(mode 644\); run: chmod 600"):
        read_passphrase(path)
    path.chmod(0o600)
    assert read_passphrase(path) == "open sesame"
    for content, words in ((b"", "is empty"), (b"\xff\xfe", "cannot be read")):
        path.write_bytes(content)
        with pytest.raises(InputError, match=words):
            read_passphrase(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_passphrase(tmp_path / "none")


def test_read_passphrase__no_file__asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"asked with {prompt}")
    assert read_passphrase(None) == "asked with Passphrase: "
