#!/usr/bin/python3
"""The whole milter under load, beside its peers: the second half of `make bench`.

    tests/bench/run.py --build build                                   all workloads, 1 and 16 connections
    tests/bench/run.py --workloads newsletter,raw-1080p --connections 1 --rounds 5 --seconds 3
    tests/bench/run.py --growth tests/bench/growth.png                 also time against size, as a picture

Peers, each started afresh for every measurement, in turn within a round (A B C, A B C, ...):
    accept        reference_milter accept: sees all, changes nothing
    same-body     reference_milter same-body: hands the body back as it came
    pixmilter     with its cache off
    pixmilter, cached
    pillow, pillow-1   pymilter + Pillow at its own PNG level 6, and at 1; without Debian's python3-milter and
                  python3-pil they are left out
The tables show medians over the rounds: messages a second, times of a message from connection to last reply,
processor time of all processes of the milter for a message, their most memory (sum of the processes' peaks,
what they share counted for each; in brackets the highest sum seen of what is theirs), and the kB that were
handed back. "x PEER" is the ratio of messages a second. "cores" says how much two busy processes got done
against one, before each round: where it is well below 2, others used the machine and ratios of processor time
say more than those of messages. Results go to BUILD/bench/results.json and .txt.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE]
sys.dont_write_bytecode = True

from measured import Measured  # noqa: E402
import workloads  # noqa: E402

CONFIG = 'log_level = "warning"\n[cache]\nmemory = "{}"\n'
OURS, CACHED = "pixmilter", "pixmilter, cached"

# Workload, against whom, at least how many times its messages a second; both at 1 and 16 connections.
GOALS = [("plain-4k", "accept", 0.95), ("html-20k-noimg", "accept", 0.90), ("attach-1M-pdf", "accept", 0.90),
         ("data-png-50k", "same-body", 0.85), ("newsletter", "same-body", 0.60), ("data-photo-3M", "same-body", 0.80),
         ("data-png-50k", "pillow", 14), ("newsletter", "pillow", 22), ("data-photo-3M", "pillow", 36),
         *[(name, peer, least) for name in ("npy-640x480", "raw-1080p", "npy-4k") for peer, least in (("pillow", 40), ("pillow-1", 12))],
         ("bmp-2M", "pillow", 40), ("tiff-16bit", "pillow", 40)]
NOTHING_TO_DO = ("plain-4k", "html-20k-noimg", "attach-1M-pdf")
CACHE_GOAL = ("raw-1080p", 20)
LARGER = 1.05  # than Pillow's files, at most
MEMORY = lambda kb: 4 * kb / 1000 + 120  # noqa: E731  MB, for a message of so many kB


def has_pillow():
    return subprocess.run(["/usr/bin/python3", "-c", "import Milter, numpy, PIL"], stderr=subprocess.DEVNULL).returncode == 0


def peers_of(build, folder):
    reference = os.path.join(build, "tests/bench/reference_milter")
    peers = {"accept": [reference, "accept", "{socket}"], "same-body": [reference, "same-body", "{socket}"]}
    for name, memory in ((OURS, "0"), (CACHED, "64M")):
        config = os.path.join(folder, f"memory-{memory}.toml")
        with open(config, "w") as file:
            file.write(CONFIG.format(memory))
        peers[name] = [os.path.join(build, "pixmilter"), "serve", "-c", config, "--log", "stderr", "--socket", "{socket}"]
    if has_pillow():
        script = os.path.join(HERE, "pillow_milter.py")
        peers["pillow"], peers["pillow-1"] = [script, "{socket}"], [script, "{socket}", "1"]
    else:
        print("pymilter, numpy or Pillow is missing (python3-milter, python3-numpy, python3-pil): not compared\n")
    return peers


def cores():
    code = "import time\nend, n = time.perf_counter() + 0.15, 0\nwhile time.perf_counter() < end: n += 1\nprint(n)"

    def done(count):
        busy = [subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(count)]
        return sum(int(process.communicate()[0]) for process in busy)

    return done(2) / max(1, done(1))


def measure(command, load, files, connections, seconds, warm_up=1):
    milter = Measured(command)
    try:
        return milter.load(load, files, connections, seconds, warm_up)
    finally:
        milter.stop()


def medians(rounds):
    """Of every number; what a round calls wrong stays wrong."""
    out = {key: statistics.median(one[key] for one in rounds) for key, value in rounds[0].items()
           if isinstance(value, (int, float)) and not isinstance(value, bool)}
    out["same"] = all(one["same"] for one in rounds)
    out["fewest"] = min(one["messages"] for one in rounds)
    return out


def short(number):
    return f"{number:.3g}" if number < 100 else f"{number:.0f}"


def complaint(name, peer, got):
    """A peer that did not do the work is fast for nothing; ours gives the same answer to the same message."""
    if name not in NOTHING_TO_DO and peer != "accept" and got["kb_back"] == 0:
        return " (DID NOTHING)"
    return "" if got["same"] or not peer.startswith(OURS) else " (REPLIES DIFFER)"


def table(name, connections, size, canary, results):
    lines = [f"{name}, {connections} connection{'s' * (connections > 1)}, {size / 1000:.0f} kB a message; cores "
             + " ".join(f"{value:.2f}" for value in canary)]
    against = [peer for peer in ("accept", "same-body", "pillow", "pillow-1") if peer in results]
    head = ["peer", "msg/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "peak MB", "kB back", *(f"x {peer}" for peer in against), "n"]
    rows = [head]
    for peer, got in results.items():
        ratios = [short(got["per_second"] / results[other]["per_second"]) for other in against]
        rows.append([peer + complaint(name, peer, got), *(short(got[key]) for key in ("per_second", "p50_ms", "p95_ms", "p99_ms", "cpu_ms")),
                     f"{got['peak_mb']:.0f} ({got['shared_peak_mb']:.0f})", short(got["kb_back"]), *ratios, str(got["fewest"])])
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    for number, row in enumerate(rows):
        lines.append("| " + " | ".join(cell.ljust(widths[i]) if i == 0 else cell.rjust(widths[i]) for i, cell in enumerate(row)) + " |")
        if number == 0:
            lines.append("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def goals(results, counts):
    """The goals' table: what was measured, as a ratio of messages a second and of processor time."""
    lines = ["| workload | against | goal | " + " | ".join(f"{count} conn. | by CPU" for count in counts) + " |",
             "|---|---|---|" + "---|---|" * len(counts)]

    def row(name, against, goal, cells):
        lines.append(f"| {name} | {against} | {goal} | " + " | ".join(cells) + " |")

    def ratio(name, count, faster, slower, key):
        got = results.get(name, {}).get(str(count), {}).get("medians", {})
        if faster not in got or slower not in got or not got[faster][key] or not got[slower][key]:
            return None
        return got[faster][key] / got[slower][key] if key == "per_second" else got[slower][key] / got[faster][key]

    def cells(name, ours, peer, least):
        out = []
        for count in counts:
            for key in ("per_second", "cpu_ms"):
                value = ratio(name, count, ours, peer, key)
                out.append("-" if value is None else short(value) + (" *" if key == "per_second" and value < least else ""))
        return out

    for name, peer, least in GOALS:
        if name in results:
            row(name, peer, f"{least}", cells(name, OURS, peer, least))
    if CACHE_GOAL[0] in results:
        row(CACHE_GOAL[0] + ", repeated", "cache off", f"{CACHE_GOAL[1]}", cells(CACHE_GOAL[0], CACHED, OURS, CACHE_GOAL[1]))
    lines.append("\n\\* missed\n")
    for name, by_count in results.items():
        got = by_count.get("1", {}).get("medians", {})
        if OURS not in got:
            continue
        peak, most = got[OURS]["peak_mb"], MEMORY(by_count["1"]["size"] / 1000)
        said = f"{name}: peak {peak:.0f} MB ({got[OURS]['shared_peak_mb']:.0f} without counting shared pages twice), goal {most:.0f}"
        if "pillow" in got and got["pillow"]["kb_back"] > 0:
            share = got[OURS]["kb_back"] / got["pillow"]["kb_back"]
            said += f"; body handed back {share:.2f} of pillow's" + (" (LARGER)" if share > LARGER else "")
        lines.append(said)
    return "\n".join(lines)


def growth(build, folder, path, command, load, seconds):
    """Time against size over three decades, doubling, as a picture; gives the figures too."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plot
    sizes = [8000 * 2 ** step for step in range(11)]
    found = {}
    figure, axes = plot.subplots(figsize=(7, 5), dpi=90)
    for kind in workloads.GROWING:
        points = []
        for size in sizes:
            file = workloads.file_of_size(folder, kind, size)
            got = measure(command, load, [file], 1, seconds)
            points.append((os.path.getsize(file), got["p50_ms"], got["cpu_ms"]))
        found[kind] = points
        axes.plot([p[0] for p in points], [p[1] for p in points], marker="o", markersize=3, label=kind)
        print(kind + ": " + "  ".join(f"{size / 1000:.0f} kB {time:.3g} ms" for size, time, _ in points), flush=True)
    straight = [sizes[0], sizes[-1]]
    axes.plot(straight, [0.02 * value / sizes[0] for value in straight], color="gray", linestyle=":", label="proportional")
    axes.set(xscale="log", yscale="log", xlabel="bytes of the message", ylabel="median time, ms", title="pixmilter: time against size, 1 connection")
    axes.grid(True, which="major", alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path)
    return found


def machine():
    model = "processor unknown"
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), model)
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}; load average " + " ".join(f"{v:.1f}" for v in os.getloadavg())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--workloads", default="", help="names, with commas; all without")
    parser.add_argument("--peers", default="", help="names, with commas; all without")
    parser.add_argument("--connections", default="1,16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.5, help="of one measurement")
    parser.add_argument("--growth", metavar="PNG", help="measure time against size too")
    parser.add_argument("--only-growth", action="store_true")
    options = parser.parse_args()

    build = os.path.abspath(options.build)
    folder = os.path.join(build, "bench")
    os.makedirs(folder, exist_ok=True)
    load = os.path.join(build, "tests/bench/load")
    peers = peers_of(build, folder)
    if options.peers:
        peers = {name: command for name, command in peers.items() if name in options.peers.split(";") or name in options.peers.split(",")}
    counts = [int(count) for count in options.connections.split(",")]
    report = {"machine": machine(), "seconds": options.seconds, "rounds": options.rounds, "workloads": {}}
    said = [report["machine"]]
    print(said[0] + "\n", flush=True)

    def say(text):
        said.append(text)
        print(text + "\n", flush=True)
        with open(os.path.join(folder, "results.json"), "w") as file:
            json.dump(report, file, indent=1)
        with open(os.path.join(folder, "results.txt"), "w") as file:
            file.write("\n\n".join(said) + "\n")

    names = [] if options.only_growth else [name for name in options.workloads.split(",") if name] or list(workloads.KINDS)
    for name in names:
        files = workloads.files(os.path.join(folder, "workloads"), name)
        size = os.path.getsize(files[0])
        for connections in counts:
            rounds, canary = {peer: [] for peer in peers}, []
            for _ in range(options.rounds):
                canary.append(cores())
                for peer, command in peers.items():
                    # What is repeated has been seen once.
                    warm_up = -(-len(files) // connections) if peer == CACHED else 1
                    rounds[peer].append(measure(command, load, files, connections, options.seconds, warm_up))
            results = {peer: medians(got) for peer, got in rounds.items()}
            report["workloads"].setdefault(name, {})[str(connections)] = {"size": size, "cores": canary, "rounds": rounds, "medians": results}
            say(table(name, connections, size, canary, results))
    if report["workloads"]:
        say(goals(report["workloads"], counts))
    if options.growth:
        report["growth"] = growth(build, os.path.join(folder, "growing"), options.growth, peers[OURS], load, min(options.seconds, 1))
        say(f"time against size: {options.growth}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
