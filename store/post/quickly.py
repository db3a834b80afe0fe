"""Sending soon: what somebody waits for goes out at once, from a few threads of this process.

A request hands it over and answers; a mail server that is slow holds up nobody. What is sent so is
kept nowhere but in memory: a code is in no table and no log, and where a process is killed with one
on its way, the shopper asks for another.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import Refusal
from .carriers import PostFailed, PostRefused, carry
from .mail import Mail
from .sms import Sms

__all__ = ["PostBusy", "send_soon", "wait"]

log = logging.getLogger(__name__)

THREADS = 4
MOST_WAITING = 100
TRIES = 2


class PostBusy(Refusal):
    """So many messages wait that another would come too late."""

    code = "post_busy"
    status = 503
    title = "Messages cannot be sent just now"


_Job = tuple[Mapping[str, Any], Mail | Sms, str, Callable[[bool], None]]
_waiting: queue.Queue[_Job] = queue.Queue(MOST_WAITING)
_lock = threading.Lock()
_threads: list[threading.Thread] = []


def send_soon(
    settings: Mapping[str, Any], message: Mail | Sms, letter_id: str, then: Callable[[bool], None]
) -> None:
    """Send from another thread, twice if need be; then says whether it was taken. Raises PostBusy,
    and `then` is not called."""
    try:
        _waiting.put_nowait((settings, message, letter_id, then))
    except queue.Full:
        raise PostBusy() from None
    with _lock:
        # Begun when the first is sent: a process that forks has none to lose.
        _threads[:] = [one for one in _threads if one.is_alive()]
        if len(_threads) < THREADS:
            _threads.append(threading.Thread(target=_work, daemon=True))
            _threads[-1].start()


def wait() -> None:
    """Until all that was handed over is done (for tests)."""
    _waiting.join()


def _work() -> None:
    while True:
        settings, message, letter_id, then = _waiting.get()
        try:
            then(_sent(settings, message, letter_id))
        except Exception:
            log.exception("post: what was to follow a message failed")
        finally:
            _waiting.task_done()


def _sent(settings: Mapping[str, Any], message: Mail | Sms, letter_id: str) -> bool:
    kind = "mail" if isinstance(message, Mail) else "SMS"
    for _ in range(TRIES):
        try:
            carry(settings, message, letter_id)
        except PostRefused as refusal:
            log.warning("post: %s is not sent: %s", kind, refusal)
            return False
        except PostFailed as failure:
            log.warning("post: %s is not sent: %s", kind, failure)
        except Exception as error:
            # Its own text, or the lines around it, may hold what was to be sent.
            log.error("post: %s is not sent: %s", kind, type(error).__name__)
            return False
        else:
            return True
    return False
