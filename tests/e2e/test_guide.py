"""The guide of the quant engine, offchain/README.md: its commands and its Python are run in their order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "offchain" / "README.md").read_text()
COMMANDS = re.findall(r"^```sh\n(.*?)\n```", GUIDE, flags=re.M | re.S)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    steps = np.random.default_rng(3).standard_normal((420, 3)) * [0.01, 0.04, 0.005]
    days = pd.date_range("2021-01-01", periods=420)
    table = pd.DataFrame(np.exp(steps.cumsum(axis=0)) * [1800, 30_000, 100], days, ["GOLD", "BTC", "BONDS"])
    table.to_csv(folder / "prices.csv", index_label="date")
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_guide__command__runs(command: str, desk: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, shell=True, cwd=desk, env={**os.environ, "PATH": path}, text=True, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert ("Default blend" if "evaluate" in command else "Risk parity") in done.stdout


def test_guide__python__runs_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE, flags=re.M | re.S)
    assert len(blocks) == 6
    for block in blocks:
        exec(compile(block, "offchain/README.md", "exec"), names)
