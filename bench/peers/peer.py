"""What all peers share: the network, the rows, and being asked for a measurement.

A peer is started as `python NAME.py LAYERS BATCH MODE [VARIANT]`, LAYERS being what
`bench_native_steps NETWORK --layers` prints. It builds its step, writes a line when it is ready and
then, for each line of its input with a number of seconds, runs that long by processor time and
writes {"samples_per_second": ...}. One thread: the process is bound to one core before any library
makes its pools.
"""
import json
import os
import sys
import time

os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402  (after the thread counts are set)

ROWS = 120_000


class Task:
    def __init__(self):
        network = json.loads(sys.argv[1])
        self.layers = network["layers"]
        self.width = network["sample"][0]
        self.classes = network["classes"]
        self.batch = int(sys.argv[2])
        self.mode = sys.argv[3]
        self.variant = sys.argv[4] if len(sys.argv) > 4 else ""

    def rows(self):
        """Features in -2..2 and as labels the largest of the first of them, as the native side."""
        random = np.random.default_rng(1)
        x = random.uniform(-2, 2, (ROWS, self.width)).astype(np.float32)
        return x, x[:, : self.classes].argmax(1).astype(np.int64)

    def batches(self):
        """Starts of consecutive whole batches, round and round."""
        while True:
            yield from range(0, ROWS - self.batch + 1, self.batch)


def serve(step, samples):
    """`step()` processes so many samples."""
    step()
    step()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        seconds = float(line)
        done, passed, start = 0, 0.0, time.process_time()
        while passed < seconds:
            step()
            done += 1
            passed = time.process_time() - start
        print(json.dumps({"samples_per_second": done * samples / passed}), flush=True)
