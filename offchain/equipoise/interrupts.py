"""SIGINT and SIGTERM: one exception, held back where half a step would leave something behind."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["interruptible", "interrupts_held_back"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LATER = 0.01  # seconds


@contextmanager
def interruptible() -> Iterator[None]:
    """Let either signal raise KeyboardInterrupt, once: what unwinds then is not interrupted again.

    A shell's background job ignores SIGINT from birth; inside this block it does not.
    """

    def interrupt(_: int, frame: FrameType | None) -> None:
        if _in_finalizer(frame):
            signal.setitimer(signal.ITIMER_REAL, _LATER)
            return
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    kept = {number: signal.signal(number, interrupt) for number in (*_SIGNALS, signal.SIGALRM)}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in kept.items():
            signal.signal(number, handler)


def _in_finalizer(frame: FrameType | None) -> bool:
    """Whether Python is inside a `__del__`, which would swallow the exception and with it the signal."""
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


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
