#!/usr/bin/env python3
"""Writes the dashboards beside this file, one for each board_*.py; with --check only says whether they are up to date."""
import json
import pathlib
import sys

sys.dont_write_bytecode = True  # no cache beside the sources
from board_application import application
from board_hints import hints
from board_overview import overview

HERE = pathlib.Path(__file__).resolve().parent
BOARDS = {"overview.json": overview, "application.json": application, "hints.json": hints}


def main():
    stale = []
    for name, build in BOARDS.items():
        text = json.dumps(build(), indent=1) + "\n"
        file = HERE / name
        if "--check" in sys.argv[1:]:
            if not file.exists() or file.read_text() != text:
                stale.append(name)
        else:
            file.write_text(text)
    if stale:
        print(f"{', '.join(stale)}: not what generate.py makes; run dashboards/generate.py and look at the difference")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
