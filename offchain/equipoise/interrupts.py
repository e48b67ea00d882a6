"""SIGINT and SIGTERM: one exception, held back where half a step would leave something behind."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["interruptible", "interrupts_held_back"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let either signal raise KeyboardInterrupt, once: what unwinds then is not interrupted again.

    A shell's background job ignores SIGINT from birth; inside this block it does not.
    """

    def interrupt(*_: object) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    kept = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


@contextmanager
def interrupts_held_back() -> Iterator[None]:
    """Deliver both signals after the block instead of inside it (Python has handlers in one thread)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    kept = {
        number: signal.signal(number, lambda received, _frame: arrived.append(received))
        for number in _SIGNALS
    }
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
        for received in arrived:
            signal.raise_signal(received)
