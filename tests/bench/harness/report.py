# SPDX-License-Identifier: Apache-2.0
"""Figures → the tables of docs/performance.md, between its two marks."""
import os
import pathlib
import platform
import statistics
import subprocess
import time

from .stage import ROOT
from .workers import CONTESTANTS

PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- scripts/bench writes from here … -->", "<!-- … to here -->"
FIGURES = {
    "rate": ("pushes/s", "{:,.0f}"), "cpu": ("CPU s per 10,000", "{:.3f}"), "rss": ("RSS, MB", "{:.0f}"),
    "far_end_cpu": ("far end's CPU s", "{:.3f}"), "repeats": ("sent again", "{:.0f}"), "p50": ("p50, ms", "{:.2f}"),
    "p99": ("p99, ms", "{:.2f}"), "p999": ("p99.9, ms", "{:.2f}"), "again": ("works again after, s", "{:.2f}"),
    "first": ("first push after, s", "{:.3f}"), "idle": ("idle, % of a core", "{:.2f}"),
    "connections": ("connections kept", "{:.0f}"),
}
TITLES = {
    "backlog": "Backlog, no latency, 256 in flight", "latency": "Backlog, far end 100 ms ± 20, 2,000 in flight",
    "steady": "Steady 2,000/s, far end 20 ms: enqueue to arrival", "kill": "One SIGKILL at full speed, 256 in flight",
    "start": "Start to first push, and idle with 100 connections", "replicas": "Two replicas on the first backlog",
    "straight": "CPU s per 10,000 pushes, by the shape of the load",
    "partitions": "Pushes a second, by the number of partitions",
}


def title_of(name):
    """A contestant's name for people."""
    return "wrk, only posting" if name == "wrk" else CONTESTANTS[name].title


def cell(values, shape):
    """The median, and the spread where there is one."""
    middle = shape.format(statistics.median(values))
    low, high = shape.format(min(values)), shape.format(max(values))
    return middle if low == high else f"{middle} ({low}–{high})"


def table(scenario, results):
    """One scenario's table; results: contestant → list of figures by name."""
    names = list(dict.fromkeys(name for runs in results.values() for figures in runs for name in figures))
    head = [FIGURES.get(name, (name, ""))[0] for name in names]
    lines = [f"### {TITLES[scenario]}", "", "| | " + " | ".join(head) + " |", "| --- " * (len(head) + 1) + "|"]
    for contestant, runs in results.items():
        cells = []
        for name in names:
            values = [figures[name] for figures in runs if name in figures]
            usual = "{:,.0f}" if scenario == "partitions" else "{:.3f}"
            cells.append(cell(values, FIGURES.get(name, (name, usual))[1]) if values else "")
        lines.append(f"| {title_of(contestant)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def first_line(*command):
    """What a program says of itself."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "missing"
    return (done.stdout or done.stderr).strip().splitlines()[0]


def machine():
    """Where and of what."""
    model = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
                  if line.startswith("model name")), platform.machine())
    commit = first_line("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    return (f"{time.strftime('%Y-%m-%d')}, commit {commit}; {os.cpu_count()} cores of {model}, Linux {platform.release()}; "
            f"{first_line('go', 'version')}; {first_line('python3', '--version')}; {first_line('wrk', '-v')[:20].strip()}. "
            f"Load average before the first run: {os.getloadavg()[0]:.1f}.")


def section(scenario, results, where, command, runs):
    """One scenario's part of the page: each says by itself where, of what and how it was measured."""
    heading, _, rest = table(scenario, results).partition("\n\n")
    return f"{heading}\n\n{rest}\n\n`{command}`, medians of {runs} (lowest–highest). {where}"


def written(page):
    """The parts that stand on the page between the marks, by their headings."""
    block = page.partition(BEGIN)[2].partition(END)[0]
    parts = ["### " + part.strip() for part in block.split("### ")[1:]]
    return {part.partition("\n")[0]: part for part in parts}


def write(results, where, command, runs):
    """Puts what was measured into the page; other scenarios' parts and what stands outside the marks are left alone."""
    page = PAGE.read_text(encoding="utf-8")
    parts = written(page)
    for scenario, found in results.items():
        if found:
            parts["### " + TITLES[scenario]] = section(scenario, found, where, command, runs)
    text = "\n\n".join(parts["### " + title] for title in TITLES.values() if "### " + title in parts)
    before, _, rest = page.partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
