"""One world on two engines: anvil behind its socket, and the EVM in this process, six times as fast."""

from tests.engine.revm import RevmChain
from tests.engine.tape import Tape
from tests.engine.worlds import Saved, on_anvil, on_revm, save

__all__ = ["RevmChain", "Saved", "Tape", "on_anvil", "on_revm", "save"]
