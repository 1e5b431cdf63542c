"""The table of peers: each in a process of its own, in turns with the native engine's, so that both
see the same machine. Run by scripts/bench.sh peers:
    python bench/peers/run.py BENCH_NATIVE_STEPS [text ...] [--smoke] [--rounds N] [--seconds S]
Rows whose name ("jax_scan jsc-toy train 256") contains each text. A peer whose packages are missing
or that fails keeps its row, with the reason.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
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
    """A process that is asked for measurements."""

    def __init__(self, command):
        self.errors = tempfile.TemporaryFile("w+")  # a pipe that nobody reads would fill up
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)

    def line(self):
        """The next line of JSON; libraries may print others."""
        for text in self.process.stdout:
            if text.startswith("{"):
                return json.loads(text)
        self.process.wait()
        self.errors.seek(0)
        lines = self.errors.read().strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"exit code {self.process.returncode}")

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
        self.process.kill()
        self.process.communicate()
        self.errors.close()


def quantile(values, q):
    return sorted(values)[round(q * (len(values) - 1))]


def short(rate):
    return f"{rate / 1e6:.3g} M" if rate >= 1e6 else f"{rate / 1e3:.3g} k"


def ratio_text(ratio):
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}" if ratio >= 1 else f"{ratio:.2f}"


def compare(native, layers, row, network, batch, options):
    peer, variant, mode, _, _ = row
    with Side([sys.executable, HERE / f"{peer}.py", layers, str(batch), mode, variant]) as other, \
         Side([native, network, str(batch), mode]) as own:
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
    if options.smoke:
        options.rounds, options.seconds = 1, 0.01
    form = "| {:<20} | {:<10} | {:<15} | {:>6} | {:>8} | {:>8} | {:>13} | {:>14} | {:>4} | {:<2} |"
    print(form.format("peer", "network", "mode", "batch", "native", "peer", "native / peer", "10 % .. 90 %", "aim", ""))
    print("|" + "|".join("-" * n for n in (22, 12, 17, 8, 10, 10, 15, 16, 6, 4)) + "|")
    for row in ROWS:
        peer, variant, mode, batches, networks = row
        for network in networks:
            layers = subprocess.run(
                [options.native, network, "--layers"], check=True, capture_output=True, text=True).stdout
            for batch, aim in batches.items():
                title = f"{peer} {variant}".strip()
                if not all(text in f"{title} {network} {mode} {batch}" for text in options.text):
                    continue
                aim = aim if network == "jsc-toy" else None
                try:
                    own, other, ratios = compare(options.native, layers, row, network, batch, options)
                except (RuntimeError, OSError) as error:
                    print(form.format(title, network, mode, batch, "-", "-", "-", "-", aim or "", "") + f" {error}")
                    continue
                ratio = statistics.median(ratios)
                spread = f"{ratio_text(quantile(ratios, 0.1))} .. {ratio_text(quantile(ratios, 0.9))}"
                mark = "" if aim is None else "+" if ratio >= aim else "--"
                print(form.format(title, network, mode, batch, short(own), short(other), ratio_text(ratio),
                                  spread, aim or "", mark), flush=True)


if __name__ == "__main__":
    main()
