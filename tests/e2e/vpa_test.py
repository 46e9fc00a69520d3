"""Histories of containers through the VPA recommender's own code and through ours; the estimates must be equal, and so must what
the vertical hint publishes: its CPU request is the recommender's target, its need of heap the target of memory.

vpa_test.py REFERENCE OURS [--histories N] [--seed S] [--golden DIR]   --golden keeps the histories and the reference's answers
vpa_test.py --check DIR OURS                                          ours against what was kept
"""
import argparse, pathlib, random, subprocess, sys

DAY = 86_400_000
TOLERANCE = 1e-9


def container(rng, start, out):
    """One container's life: samples in the order in which they are seen."""
    now, life = start, rng.choice([600_000, 3_600_000, DAY, 9 * DAY])
    step = rng.choice([60_000, 300_000, life // 40])
    cores, bytes_ = 10 ** rng.uniform(-3, 1.5), 10 ** rng.uniform(6, 11.5)
    end = start + life
    while now < end:
        if rng.random() < 0.95:
            out.append(f"cpu {now} {max(0, int(1000 * cores * rng.lognormvariate(0, 0.5)))}")
        if rng.random() < 0.95:
            out.append(f"memory {now} {int(bytes_ * rng.lognormvariate(0, 0.2))}")
        if rng.random() < 0.01:
            out.append(f"oom {now - rng.choice([0, 1000, 3_600_000, 2 * DAY])} {int(bytes_ * rng.uniform(0.5, 1.5))}")
        if rng.random() < 0.01:     # an old sample, a repeated one
            out.append(f"memory {now - rng.choice([0, 1, DAY])} {int(bytes_)}")
            out.append(f"cpu {now} {int(1000 * cores)}")
        now += max(1, int(step * rng.uniform(0.5, 1.5))) + (rng.choice([0, DAY, 200 * DAY]) if rng.random() < 0.002 else 0)


def history(rng):
    out = [f"history {rng.choice([1, 1, 2, 3])}"]
    start = rng.randrange(1_500_000_000_000, 1_900_000_000_000)
    for _ in range(rng.choice([0, 1, 1, 2, 5])):
        out.append("container")
        container(rng, start, out)
        start += rng.randrange(0, 10 * DAY)
    return out + ["end"]


def answers(program, text):
    got = subprocess.run([program], input=text, capture_output=True, text=True, check=True).stdout.splitlines()
    return [[int(number) for number in line.split()] for line in got]


MIB = 1 << 20
LEAST_CORES, LEAST_BYTES = 25, 250 * MIB    # of a pod; the hint takes an executor for a pod of one container, and heap has no least


def with_published(line):
    """The recommender's answer with what the hint must say of it; a need below the pod's minimum does not show in the answer."""
    return line[:6] + [max(line[0], LEAST_CORES), max(line[3], LEAST_BYTES)]


def compare(want, got, quiet=False):
    """Number of histories that differ, and the largest relative difference."""
    assert len(want) == len(got), f"{len(want)} answers against {len(got)}"
    wrong, worst = 0, 0.0
    for i, (a, b) in enumerate(zip(want, got)):
        assert len(a) == 6 and len(b) == 8
        a, b = with_published(a), b[:6] + [max(b[6], LEAST_CORES), max(b[7], LEAST_BYTES)]
        difference = max(abs(x - y) / max(abs(x), abs(y), 1) for x, y in zip(a, b))
        worst = max(worst, difference)
        if difference > TOLERANCE:
            wrong += 1
            if wrong <= 5 and not quiet:
                print(f"history {i}: the recommender says {a}, we say {b}", file=sys.stderr)
    return wrong, worst


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("programs", nargs="+")
    ap.add_argument("--histories", type=int, default=1000)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--golden", type=pathlib.Path)
    ap.add_argument("--check", type=pathlib.Path)
    a = ap.parse_args()
    if a.check:
        text = (a.check / "histories.txt").read_text()
        want = [[int(n) for n in line.split()] for line in (a.check / "recommender.txt").read_text().splitlines()]
    else:
        rng = random.Random(a.seed)
        text = "\n".join(line for _ in range(a.histories) for line in history(rng)) + "\n"
        want = answers(a.programs[0], text)
    if a.golden:
        a.golden.mkdir(parents=True, exist_ok=True)
        (a.golden / "histories.txt").write_text(text)
        (a.golden / "recommender.txt").write_text("".join(" ".join(map(str, line)) + "\n" for line in want))
    got = answers(a.programs[-1], text)
    wrong, worst = compare(want, got)
    samples = sum(line.startswith(("cpu", "memory", "oom")) for line in text.splitlines())
    print(f"{len(want)} histories, {samples} samples, {len({tuple(w) for w in want})} different answers: {wrong} differ by more "
          f"than {TOLERANCE}, largest relative difference {worst:.3g}")
    # A comparison that cannot fail proves nothing: one answer moved by a millionth must be seen, the hint's too.
    for column in (3, 6, 7):
        moved = [with_published(line) for line in want]
        moved[-1][column] += 1 + moved[-1][column] // 1_000_000
        assert compare(want, moved, quiet=True)[0] == 1, column
    published = sum(line[6] > 0 for line in got), sum(line[7] > 0 for line in got)
    print(f"hints with a CPU request and with a need of heap: {published[0]} and {published[1]}")
    assert min(published) > len(got) / 2, "most histories have samples"
    return 1 if wrong or not want else 0


if __name__ == "__main__":
    sys.exit(main())
