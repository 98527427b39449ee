# SPDX-License-Identifier: Apache-2.0
"""Measures wxcourier beside what people would use instead; writes the tables of docs/performance.md.

  scripts/bench                               everything: about 45 minutes on two quiet cores
  scripts/bench backlog latency steady        some scenarios only: about 15 minutes; the page's other parts stay
  scripts/bench --quick                       smaller and once: about 6 minutes; prints, writes nothing
  scripts/bench backlog --only wxcourier --jobs 50000   one contestant: prints, writes nothing

Wall-clock figures only mean something on a machine that does nothing else; CPU seconds suffer less.
"""
import argparse
import json
import sys
import time

from . import report
from .scenarios import ALONE, LIMITS, SCENARIOS, wrk
from .stage import BUILD, Stage
from .workers import CONTESTANTS


def parsed():
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS) + "; default: all")
    parser.add_argument("--only", action="append", choices=[*CONTESTANTS, "wrk"], help="a contestant; may be repeated")
    parser.add_argument("--runs", type=int, help="of each, alternating (default 3, quick 1)")
    parser.add_argument("--jobs", type=int, help="instead of each scenario's own number")
    parser.add_argument("--quick", action="store_true", help="fewer jobs, one run, no page written")
    options = parser.parse_args()
    unknown = set(options.scenarios) - set(SCENARIOS)
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    options.scenarios = options.scenarios or list(SCENARIOS)
    options.runs = options.runs or (1 if options.quick else 3)
    if options.quick and not options.jobs:
        options.jobs = 20_000
    return options


def run_once(stage, scenario, contestant, options):
    """One run of one contestant; None where there is nothing to run."""
    if contestant == "wrk":
        return wrk(stage, *LIMITS[scenario], options) if scenario in LIMITS else None
    if scenario in ALONE and contestant != "wxcourier":
        return None
    return SCENARIOS[scenario](stage, CONTESTANTS[contestant], options)


def main():
    """Runs, shows progress, reports."""
    options = parsed()
    where = report.machine()
    contestants = options.only or ["wrk", *CONTESTANTS]
    results = {scenario: {} for scenario in options.scenarios}
    stage = Stage()
    try:
        for scenario in options.scenarios:
            for turn in range(options.runs):
                for contestant in contestants:  # Alternating: what the machine does meanwhile hits all alike.
                    began = time.monotonic()
                    figures = run_once(stage, scenario, contestant, options)
                    if figures is None:
                        continue
                    results[scenario].setdefault(contestant, []).append(figures)
                    shown = ", ".join(f"{name} {value:,.3f}".rstrip("0").rstrip(".") for name, value in figures.items())
                    print(f"{scenario} {turn + 1}/{options.runs} {contestant}: {shown}  [{time.monotonic() - began:.0f} s]",
                          file=sys.stderr, flush=True)
    finally:
        stage.close()
    (BUILD / "results.json").write_text(json.dumps({"machine": where, "results": results}, indent=1), encoding="utf-8")
    print("\n\n".join(report.table(scenario, found) for scenario, found in results.items() if found))
    if not (options.quick or options.only or options.jobs):
        report.write(results, where, " ".join(["scripts/bench", *sys.argv[1:]]), options.runs)
        print(f"written: {report.PAGE}")


main()
