"""The log of an invocation, as `corrections/lambda_logs.py` says: a race, so that its parts are held still here."""

import os
import queue
import threading
import types
import unittest

from corrections import lambda_logs


class Logs(unittest.TestCase):
    def test_what_lies_in_the_pipe_is_waited_for(self):
        reads, writes = os.pipe()
        lines, stream = queue.Queue(), os.fdopen(reads, "rb")
        worker = types.SimpleNamespace(_proc=types.SimpleNamespace(stdout=stream), _stderr_queue=lines)
        os.write(writes, b"written before the answer\n")
        # The reading thread comes late.
        reading = threading.Timer(0.5, lambda: lines.put(stream.readline()))
        reading.start()
        taken = lambda_logs._drain(lambda _worker: list(lines.queue))(worker)
        reading.join()
        self.assertEqual(taken, [b"written before the answer\n"])
        os.close(writes)
        stream.close()

    def test_a_process_that_is_gone_is_not_waited_for(self):
        reads, writes = os.pipe()
        os.close(writes)
        stream = os.fdopen(reads, "rb")
        stream.close()
        worker = types.SimpleNamespace(_proc=types.SimpleNamespace(stdout=stream), _stderr_queue=queue.Queue())
        self.assertEqual(lambda_logs._drain(lambda _worker: "all there is")(worker), "all there is")
