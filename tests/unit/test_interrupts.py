"""A signal is never lost, whatever Python was doing when it came."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from equipoise.interrupts import interruptible, interrupts_held_back


class Finalized:
    """Its finalizer is interrupted; an exception raised there would be swallowed."""

    done = False

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)
        Finalized.done = True


def interrupted(block: Callable[[], None]) -> bool:
    """Whether a block under `interruptible` ended by KeyboardInterrupt."""
    try:
        with interruptible():
            block()
    except KeyboardInterrupt:
        return True
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruptible__signal__raises_once(number: signal.Signals) -> None:
    def block() -> None:
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(number)  # what unwinds is not interrupted again

    assert interrupted(block)


def test_interruptible__signal_in_a_finalizer__arrives_after_it() -> None:
    def block() -> None:
        thing = Finalized()
        del thing
        assert Finalized.done
        time.sleep(5)

    assert interrupted(block)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_interrupts_held_back__signal__arrives_after_the_block() -> None:
    reached = []

    def block() -> None:
        with interrupts_held_back():
            signal.raise_signal(signal.SIGINT)
            reached.append("the end of the block")
        reached.append("what follows it")

    assert interrupted(block)
    assert reached == ["the end of the block"]


def test_interruptible__afterwards__handlers_are_as_before() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    with interruptible():
        pass
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)] == before
