#!/usr/bin/env python3
"""The whole page of one round, compared line by line with tests/golden/page/once.expected: usage page_test.py FLINTGAUGE

`flintgauge once` against one fixed moment of a simulated node (kubelet and Spark drivers) over real HTTP. What depends on the
machine or the minute is masked; everything else, HELP and TYPE lines and their order included, must be the same.
FLINTGAUGE_UPDATE_GOLDEN=1 rewrites the file: look at the difference before you commit it.
"""
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # no cache beside the sources
from processes import ROOT, TOOLS, Processes

GOLDEN = ROOT / "tests/golden/page/once.expected"
# Families whose values are times, sizes of the process or of the build; a port in a label is masked too.
MASKED = re.compile(r"^((?:process_\w+|flintgauge_(?:\w+_)?(?:timestamp|duration|age|delay)_seconds\w*|flintgauge_build_info|flintgauge_scrape_bytes_total)"
                    r"(?:\{[^}]*\})?) \S+$")


def masked(line):
    line = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", line)
    if line.startswith("flintgauge_build_info"):
        line = re.sub(r'"[^"]*"', '"..."', line)
    return MASKED.sub(r"\1 ...", line)


def page(program, folder):
    subprocess.run([TOOLS / "gen_node", "--out", folder / "node", "--pods", "12", "--spark", "8", "--apps", "2", "--namespaces", "2", "--seed",
                    "7", "--tick", "30", "--pod-net", "127.78", "--quiet"], check=True)
    with Processes(folder) as processes:
        served = processes.start("serve_node", TOOLS / "serve_node", folder / "node", "--port", "0", "--now", "--at-pod-ips")
        kubelet = processes.logged(served, r"node (http://\S+)")
        settings = {"kubelet.url": kubelet, "kubelet.token_file": "", "node.name": "node-1", "targets.allow_loopback": "true"}
        result = subprocess.run([program, "once", *(word for key, value in settings.items() for word in ("--set", f"{key}={value}"))],
                                capture_output=True, text=True, timeout=120)
    if result.returncode != 0:
        raise SystemExit(f"once ended with {result.returncode}\n{result.stderr}")
    return [masked(line) for line in result.stdout.splitlines()]


def main():
    with tempfile.TemporaryDirectory(prefix="flintgauge-page-") as folder:
        got = page(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(folder))
    assert len(got) > 300 and any(line.startswith("flintgauge_spark_tasks_completed_total{") for line in got), "\n".join(got)
    if os.environ.get("FLINTGAUGE_UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text("\n".join(got) + "\n")
    difference = list(difflib.unified_diff(GOLDEN.read_text().splitlines(), got, "expected", "this page", lineterm="", n=0))
    print("\n".join(difference[:60]) or f"{len(got)} lines, all as expected")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
