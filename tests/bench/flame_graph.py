# SPDX-License-Identifier: Apache-2.0
"""Turns `perf script` output (stdin) into a small SVG flame graph (stdout). Frames below 0.5 % are left out.

  perf record -F 499 --call-graph dwarf,16384 -p PID -- sleep 10
  perf script | python3 tests/bench/flame_graph.py > docs/flame-graph.svg
"""
import html
import re
import sys

WIDTH, ROW, SMALLEST = 1200, 15, 0.005
# What only wraps: the coroutine, handler and executor layers of Asio and Beast, and the standard library.
WRAPPERS = re.compile(r"^(std::|boost::|non-virtual thunk|operator |__libc_start|_start$|start_thread|clone|main$|\[unknown\]|CLI::|"
                      r"0x|thrd_|entry_SYSCALL|do_syscall|x64_sys)")


def shortened(name):
    """A function's name without its arguments, templates and offsets."""
    name = re.sub(r"\+0x[0-9a-f]+$", "", name)
    while (less := re.sub(r"<[^<>]*>", "", name)) != name:
        name = less
    return re.sub(r"\(.*", "", name).replace("wxcourier::", "").replace("(anonymous namespace)::", "").strip()


def stacks(lines):
    """Each sample's frames, outermost first."""
    thread, frames = "", []
    for line in lines:
        if line.strip() and not line[0].isspace():
            thread, frames = re.sub(r"\s+\d+.*", "", line.strip()), []
        elif not line.strip():
            if thread:
                yield [thread, *reversed(frames)]
            thread = ""
        elif found := re.match(r"\s+[0-9a-f]+ (.*) \(\S+\)$", line.rstrip()):
            raw = found.group(1)
            name = shortened(raw)
            if name and not WRAPPERS.match(raw) and (not frames or frames[-1] != name):
                frames.append(name)


class Frame:
    """A function under its callers."""

    def __init__(self):
        self.samples, self.below = 0, {}


def draw(frame, name, left, depth, total, out):
    """One rectangle, and those above it."""
    width = WIDTH * frame.samples / total
    top = ROW * depth
    share = 100 * frame.samples / total
    hue = 200 if name.startswith("rdk:") else 10 + sum(map(ord, name)) % 45
    text = name if len(name) * 6.2 < width - 4 else name[: max(0, int((width - 4) / 6.2))]
    out.append(f'<g><title>{html.escape(name)} {share:.1f} %</title><rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{ROW - 1}" '
               f'fill="hsl({hue},70%,70%)"/><text x="{left + 2:.1f}" y="{top + 11}">{html.escape(text if len(text) > 2 else "")}</text></g>')
    deepest = depth
    for below, each in sorted(frame.below.items(), key=lambda item: -item[1].samples):
        if each.samples >= SMALLEST * total:
            deepest = max(deepest, draw(each, below, left, depth + 1, total, out))
            left += WIDTH * each.samples / total
    return deepest


def main():
    """Reads, folds, draws."""
    root = Frame()
    for stack in stacks([*sys.stdin, "\n"]):
        root.samples += 1
        frame = root
        for name in stack[:60]:
            frame = frame.below.setdefault(name, Frame())
            frame.samples += 1
    out = []
    deepest = draw(root, "all samples", 0.0, 0, root.samples, out)
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {ROW * (deepest + 1)}" font-family="monospace" font-size="10">')
    print("\n".join(out) + "\n</svg>")


main()
