"""pynetdicom's reactor between two requests."""

import time

# Also under a clock that runs sixty times as fast.
PATIENCE = 600


def turn(association):
    """Until its reactor has seen that the last request is over: where it has not, the
    next one's answer is taken from under it."""
    deadline = time.monotonic() + PATIENCE
    while association._is_paused and time.monotonic() < deadline:
        time.sleep(0.001)
