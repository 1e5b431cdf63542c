"""The page of a sweep in a real browser: no error on its console, no chart without lines, axes that
follow what is shown. sweep_page_test.py CH [FOLDER]: pictures stay in FOLDER. Exit code 77 = skipped."""
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

# Written into a copy of the page: hides the configurations that learn slowly, as clicks do, and notes the ticks.
PROBE = """<script>
const ticks = () => [...document.querySelectorAll('svg')].map(
  svg => [...svg.querySelectorAll('text.tick')].map(t => t.textContent).join(' '));
const note = (name, value) => document.body.setAttribute(name, JSON.stringify(value));
const parts = () => [...document.querySelectorAll('svg')].map(svg => svg.querySelectorAll('g path, g circle').length);
note('data-ticks', ticks()); note('data-parts', parts());
const buttons = document.querySelectorAll('button[data-configuration]');
note('data-buttons', buttons.length);
const slow = [...buttons].filter(b => b.textContent.includes('learning_rate=0.001'));
slow.forEach(b => b.click());
note('data-ticks-hidden', ticks()); note('data-parts-hidden', parts());
slow.forEach(b => b.click());
note('data-ticks-again', ticks());
document.querySelectorAll('details').forEach(d => d.open = true);
note('data-rows', Math.max(...[...document.querySelectorAll('details tbody tr')].map(r => r.offsetHeight)));
note('data-wide', document.documentElement.scrollWidth - window.innerWidth);
</script></body>"""


def chromium(folder, *arguments):
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--hide-scrollbars", "--enable-logging=stderr", "--virtual-time-budget=3000",
         f"--user-data-dir={folder / 'profile'}", *arguments],
        capture_output=True, text=True, timeout=240)
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not said, said
    return done.stdout


def pixels(path):
    """Size of a PNG, and how many of its rows differ from the one above: of a blank page none do."""
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        (length,), kind = struct.unpack(">I", data[at:at + 4]), data[at + 4:at + 8]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", data[at + 8:at + 16])
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += length + 12
    rows = zlib.decompress(packed)
    stride = len(rows) // height
    return width, height, sum(any(rows[y * stride + 1:(y + 1) * stride]) for y in range(height))


def main(ch, folder):
    def sweep(project, *options):
        subprocess.run([ch, "sweep", "toy_tiny", "toy_tiny", "--max-epochs", "4", "--jobs", "2", "--project",
                        project, *options], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        return folder / "mase_output" / project / "sweep" / "sweep.html"

    page = sweep("many", "--batch-size", "64,128,256", "--learning-rate", "1e-1,1e-3", "--seed", "0,1")
    probed = folder / "probed.html"
    probed.write_text(page.read_text(encoding="utf-8").replace("</body>", PROBE), encoding="utf-8")

    dom = chromium(folder, "--window-size=1300,900", "--dump-dom", probed.as_uri())
    noted = {name: value.replace("&quot;", '"') for name, value in re.findall(r'(data-[a-z-]+)="([^"]*)"', dom)}

    note = {name: json.loads(noted["data-" + name]) for name in
            ("ticks", "parts", "buttons", "ticks-hidden", "parts-hidden", "ticks-again", "rows", "wide")}
    assert note["buttons"] == 6, note
    assert len(note["parts"]) == 6, note  # training and validation of both, by batch size, by rate
    assert all(parts >= 6 for parts in note["parts"]), note
    assert all(after < before for before, after in zip(note["parts"], note["parts-hidden"])), note
    assert note["ticks"] != note["ticks-hidden"], "the axes follow what is shown"
    assert note["ticks"] == note["ticks-again"], note
    assert note["ticks"][4].startswith("64 128 256 "), note["ticks"][4]  # the values that were tried
    assert 0 < note["rows"] < 40, f"rows of runs are {note['rows']} pixels high"
    assert note["wide"] <= 0, f"the page is {note['wide']} pixels wider than the window"
    assert dom.count("(logarithmic)") >= 2, "batch sizes and rates"
    shown = dom.split("<script")[0]
    assert "NaN" not in shown and "Infinity" not in shown

    for name, width in (("wide", 1300), ("narrow", 420)):
        picture = folder / f"{name}.png"
        chromium(folder, f"--window-size={width},3000", f"--screenshot={picture}", page.as_uri())
        got, height, full = pixels(picture)
        assert got == width and full > 200, (name, got, height, full)

    one = sweep("one")
    dom = chromium(folder, "--dump-dom", one.as_uri())
    assert dom.count("<svg") == 4 and "NaN" not in dom.split("<script")[0], dom.count("<svg")


if __name__ == "__main__":
    if not shutil.which("chromium"):
        print("skipped: chromium is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as scratch:
        main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else scratch).resolve())
