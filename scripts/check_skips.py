#!/usr/bin/env python3
"""Lists the tests that a run of ctest skipped and that no rule allows, with their reasons:
    scripts/check_skips.py RESULTS.xml ALLOWED.txt
RESULTS.xml is what `ctest --output-junit` writes. Exit code 1 if there are any."""
import fnmatch
import pathlib
import re
import sys
import xml.etree.ElementTree


def rules(path):
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        pattern, _, reason = line.partition("#")
        if pattern.strip():
            if not reason.strip():
                sys.exit(f"{path}: no reason for {pattern.strip()}")
            yield pattern.strip()


def skipped(path):
    """Names and reasons; a test of Python's unittest may skip a part and still succeed."""
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        output = case.findtext("system-out") or ""
        partly = re.findall(r"skipped[:=] ?'?([^'\n]*)", output)
        if case.get("status") == "notrun" or case.find("skipped") is not None:
            reason = re.search(r": Skipped\s*\n(.*)", output)
            reasons = [reason[1]] if reason else partly or output.strip().splitlines()[-1:]
            yield case.get("name"), (reasons or ["no reason given"])[0]


def main():
    results, allowed = sys.argv[1:]
    patterns = list(rules(allowed))
    refused = [(name, reason) for name, reason in skipped(results)
               if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
    for name, reason in refused:
        print(f"skipped: {name}: {reason}")
    if refused:
        print(f"{len(refused)} tests were skipped that {allowed} does not allow")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
