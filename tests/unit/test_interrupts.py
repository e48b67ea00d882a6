"""A signal is never lost, whatever Python was doing when it came."""

from __future__ import annotations

import signal
import time

import pytest

from equipoise.interrupts import interrupts_held_back, interruptible


class Finalized:
    """Its finalizer is interrupted; an exception raised there would be swallowed."""

    done = False

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)
        Finalized.done = True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruptible__signal__raises_once(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            signal.raise_signal(number)
        finally:
            signal.raise_signal(number)  # what unwinds is not interrupted again


def test_interruptible__signal_in_a_finalizer__arrives_after_it() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        thing = Finalized()
        del thing
        assert Finalized.done
        time.sleep(5)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_interrupts_held_back__signal__arrives_after_the_block() -> None:
    reached = False
    with pytest.raises(KeyboardInterrupt), interruptible():
        with interrupts_held_back():
            signal.raise_signal(signal.SIGINT)
            reached = True
        pytest.fail("the signal was lost")
    assert reached


def test_interruptible__afterwards__handlers_are_as_before() -> None:
    before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)]
    with interruptible():
        pass
    assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)] == before
