"""The table of peers: each in a process of its own, in turns with the native engine's, so that both
see the same machine. Run by scripts/bench.sh peers:
    python bench/peers/run.py BENCH_NATIVE_STEPS [text ...] [--smoke] [--rounds N] [--seconds S]
Rows whose name ("jax_scan jsc-toy train 256") contains each text. A peer whose packages are missing
or that fails keeps its row without figures; the reason is told below the table.
"""
import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).parent
NETWORKS = ("jsc-toy", "jsc-s-like", "mlp")
# Peer, variant, mode, {batch: the ratio this project aims at on jsc-toy}, networks.
ROWS = (
    ("torch_eager", "", "train", {256: None, 1024: None}, NETWORKS[:1]),
    ("torch_eager", "fused", "train", {256: None, 1024: None}, NETWORKS[:1]),
    ("torch_compiled", "", "train", {256: None, 1024: None}, NETWORKS[:1]),
    ("jax_scan", "", "train", {256: 10, 1024: 6}, NETWORKS),
    ("brevitas_qat", "", "train_quantised", {256: 400, 1024: None}, NETWORKS[:1]),
    ("onnx_runtime", "", "eval", {256: 3, 4096: 3, 120_000: 3}, NETWORKS),
    ("onnx_runtime", "", "eval_quantised", {256: 7, 4096: 7, 120_000: 7}, NETWORKS),
)


class Side:
    """A process that is asked for measurements. What it compiles goes into a folder of its own: another
    process that was killed may have left half a library in a shared one."""

    PATIENCE = 600  # seconds that it may take to answer, compilation included

    def __init__(self, name, command):
        self.name = name
        self.errors = tempfile.TemporaryFile("w+")  # a pipe that nobody reads would fill up
        self.cache = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            start_new_session=True, env=os.environ | {"TORCHINDUCTOR_CACHE_DIR": self.cache.name})

    def line(self):
        """The next line of JSON; libraries may print others."""
        late = threading.Timer(self.PATIENCE, self.kill)
        late.start()
        try:
            for text in self.process.stdout:
                if text.startswith("{"):
                    return json.loads(text)
        finally:
            late.cancel()
        self.process.wait()
        self.errors.seek(0)
        raise RuntimeError(f"{self.name}: {self.reason(self.errors.read().strip().splitlines())}")

    def reason(self, lines):
        """Of its end: the last exception that it names, or its last words."""
        if self.process.returncode == -signal.SIGKILL:
            return f"killed, or without an answer for {self.PATIENCE} s"
        exceptions = [line for line in lines if re.match(r"[A-Za-z_][\w.]*(Error|Exception|Failed): .", line)]
        return (exceptions or lines or [f"exit code {self.process.returncode}"])[-1].strip()

    def kill(self):
        """With the compilers and workers that it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def measure(self, seconds):
        try:
            self.process.stdin.write(f"{seconds}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # line() says why it ended
        return self.line()["samples_per_second"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.process.communicate()
        self.errors.close()
        self.cache.cleanup()


def quantile(values, q):
    return sorted(values)[round(q * (len(values) - 1))]


def three_digits(value):
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def short(rate):
    return f"{three_digits(rate / 1e6)} M" if rate >= 1e6 else f"{three_digits(rate / 1e3)} k"


def ratio_text(ratio):
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2f}"


class Table:
    """A table in Markdown. On a terminal that is too narrow it leaves columns out and says which: those
    of the highest rank first, of rank 0 never."""

    COLUMNS = (  # title, width, alignment, rank
        ("peer", 19, "<", 0), ("network", 10, "<", 0), ("mode", 15, "<", 0), ("batch", 6, ">", 0),
        ("native", 7, ">", 3), ("peer's", 7, ">", 2), ("native / peer", 13, ">", 0), ("10 % .. 90 %", 14, ">", 4),
        ("aim", 4, ">", 1), ("", 2, "<", 1))

    def __init__(self):
        self.rows = 0
        shown = list(self.COLUMNS)
        left_out = []
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        while width and 1 + sum(column[1] + 3 for column in shown) > width:
            worst = max(shown, key=lambda column: column[3])
            if worst[3] == 0:
                break
            shown.remove(worst)
            left_out.append(worst[0] or "mark")
        if left_out:
            print(f"Left out to fit {width} columns: {', '.join(left_out)}.\n")
        self.shown = [self.COLUMNS.index(column) for column in shown]
        self.line([column[0] for column in self.COLUMNS], "<")
        print("|" + "|".join("-" * (column[1] + 1) + ("-" if column[2] == "<" else ":") for column in shown) + "|",
              flush=True)

    def line(self, cells, align=None):
        texts = (f" {cells[i]:{align or self.COLUMNS[i][2]}{self.COLUMNS[i][1]}} " for i in self.shown)
        print("|" + "|".join(texts) + "|", flush=True)

    def row(self, *cells):
        self.rows += 1
        self.line([str(cell) for cell in cells])


def compare(native, layers, row, network, batch, options):
    peer, variant, mode, _, _ = row
    with Side(peer, [sys.executable, HERE / f"{peer}.py", layers, str(batch), mode, variant]) as other, \
         Side(Path(native).name, [native, network, str(batch), mode]) as own:
        other.line()  # ready
        pairs = [(own.measure(options.seconds), other.measure(options.seconds)) for _ in range(options.rounds)]
    ratios = [a / b for a, b in pairs]
    return *(statistics.median(side) for side in zip(*pairs)), ratios


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("native", help="path of bench_native_steps")
    parser.add_argument("text", nargs="*", help="only rows whose name contains it")
    parser.add_argument("--smoke", action="store_true", help="one short window of each row")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.2)
    options = parser.parse_intermixed_args()
    for end in (signal.SIGTERM, signal.SIGHUP):  # peers, in sessions of their own, end with this process
        signal.signal(end, lambda number, _: sys.exit(128 + number))
    if options.smoke:
        options.rounds, options.seconds = 1, 0.01
        print("A smoke run: its figures say nothing about speed.\n")
    table = Table()
    reasons = {}  # why peers have no figures, each once
    failed = 0
    for row in ROWS:
        peer, variant, mode, batches, networks = row
        for network in networks:
            layers = subprocess.run(
                [options.native, network, "--layers"], check=True, capture_output=True, text=True).stdout
            for batch, aim in batches.items():
                title = f"{peer} {variant}".strip()
                if not all(text in f"{title} {network} {mode} {batch}" for text in options.text):
                    continue
                aim = aim if network == "jsc-toy" and not options.smoke else None
                try:
                    own, other, ratios = compare(options.native, layers, row, network, batch, options)
                except (RuntimeError, OSError) as error:
                    table.row(title, network, mode, batch, "-", "-", "-", "-", aim or "", "")
                    reasons.setdefault(str(error), None)
                    failed += 1
                    continue
                ratio = statistics.median(ratios)
                spread = f"{ratio_text(quantile(ratios, 0.1))} .. {ratio_text(quantile(ratios, 0.9))}"
                mark = "" if aim is None else "+" if ratio >= aim else "--"
                table.row(title, network, mode, batch, short(own), short(other), ratio_text(ratio), spread,
                          aim or "", mark)
    if not table.rows:
        raise SystemExit(f"no row's name contains {' and '.join(options.text)}")
    if reasons:
        print("\nWithout figures:", *reasons, sep="\n  ")
    if failed == table.rows:
        raise SystemExit("no peer could be measured")


if __name__ == "__main__":
    main()
