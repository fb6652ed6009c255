"""Lambda: the log of an invocation has everything that the function wrote before its answer.

The package takes the lines that its reading thread has seen some milliseconds after the answer. So on a busy machine the last lines
appear with those of the next invocation, or never. On AWS they belong to the invocation that wrote them.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
"""

import array
import fcntl
import termios
import time

from ministack.core import lambda_runtime

from . import seam

_MOST_SECONDS = 10.0
# The time for the reading thread from the pipe to the queue of lines.
_QUIET_SECONDS = 0.02


def _unread(stream):
    """The number of unread bytes in a pipe."""
    count = array.array("i", [0])
    try:
        fcntl.ioctl(stream.fileno(), termios.FIONREAD, count)
    except (OSError, ValueError):
        return 0  # closed: its process has ended
    return count[0]


def _drain(before):
    def drain(self, *args, **kwargs):
        end, quiet, seen = time.monotonic() + _MOST_SECONDS, time.monotonic(), -1
        while self._proc is not None and time.monotonic() < end:
            lines = self._stderr_queue.qsize()
            if _unread(self._proc.stdout) or lines != seen:
                quiet, seen = time.monotonic(), lines
            elif time.monotonic() - quiet >= _QUIET_SECONDS:
                break
            time.sleep(0.002)
        return before(self, *args, **kwargs)
    return drain


def apply(_settings):
    """Corrects the package's environment of `provided` runtimes."""
    worker = lambda_runtime.ProvidedWorker
    seam.replace(worker, "_drain_stderr_bounded", _drain(worker._drain_stderr_bounded))
