"""Reads a page in text format 0.0.4 or OpenMetrics 1.0, as far as our own agent writes it. Slow and obvious."""
import re

LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(,|})')
ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


def samples(page):
    """{(name, ((label, value), ...)): value}. Labels are sorted; empty ones are left out, as Prometheus does."""
    out = {}
    for line in page.splitlines():
        if not line or line.startswith("#"):
            continue
        name = re.match(r"[a-zA-Z_:][\w:]*", line)[0]
        rest, labels = line[len(name):], []
        if rest.startswith("{"):
            position = 1
            while True:
                found = LABEL.match(rest, position)
                if found is None:
                    raise ValueError(f"not a sample: {line}")
                value = re.sub(r'\\[n"\\]', lambda m: ESCAPES[m[0]], found[2])
                labels.append((found[1], value))
                position = found.end()
                if found[3] == "}":
                    break
            rest = rest[position:]
        key = (name, tuple(sorted((label, value) for label, value in labels if value)))
        if key in out:
            raise ValueError(f"twice on one page: {line}")
        out[key] = float(rest)
    return out
