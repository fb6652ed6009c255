"""The log of an invocation, as `corrections/lambda_logs.py` says. It is a race, so the test delays one
side."""

import os
import queue
import threading
import types
import unittest

from corrections import lambda_logs


class Logs(unittest.TestCase):
    def test_unread_output_in_the_pipe_is_waited_for(self):
        reads, writes = os.pipe()
        lines, stream = queue.Queue(), os.fdopen(reads, "rb")
        worker = types.SimpleNamespace(_proc=types.SimpleNamespace(stdout=stream), _stderr_queue=lines)
        os.write(writes, b"written before the answer\n")
        # The reading thread is late.
        reading = threading.Timer(0.5, lambda: lines.put(stream.readline()))
        reading.start()
        taken = lambda_logs._drain(lambda _worker: list(lines.queue))(worker)
        reading.join()
        self.assertEqual(taken, [b"written before the answer\n"])
        os.close(writes)
        stream.close()

    def test_a_process_that_has_ended_is_not_waited_for(self):
        reads, writes = os.pipe()
        os.close(writes)
        stream = os.fdopen(reads, "rb")
        stream.close()
        worker = types.SimpleNamespace(_proc=types.SimpleNamespace(stdout=stream), _stderr_queue=queue.Queue())
        self.assertEqual(lambda_logs._drain(lambda _worker: "all there is")(worker), "all there is")
