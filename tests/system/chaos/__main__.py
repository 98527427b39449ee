"""scripts/chaos: runs scenarios, one after another."""
import argparse
import os
import random
import sys

from chaos.run import Run
from chaos.scenarios import SCENARIOS, SELECTION


def main():
    """Exit code 0 when every scenario passed."""
    parser = argparse.ArgumentParser(
        prog="scripts/chaos", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Faults on purpose, against real brokers on 127.0.0.1, and what they cost.\n\nscenarios:\n"
        + "".join(f"  {name:<24} {function.__doc__}\n" for name, function in SCENARIOS.items()),
        epilog=f"`list` lists them; `selection`, also without a name: {' '.join(SELECTION)}; `all`: every one")
    parser.add_argument("names", nargs="*", metavar="NAME", default=[])
    parser.add_argument("--kafka", default=os.environ.get("WXCOURIER_KAFKA_VERSION", "3.9.2"), metavar="VERSION",
                        help="Apache Kafka's version (default %(default)s; also 4.1.2)")
    parser.add_argument("--seed", type=int, help="of the times and choices (default: a new one, which is printed)")
    parser.add_argument("--scale", type=float, default=1.0, help="makes a scenario longer or shorter (default %(default)s)")
    options = parser.parse_args()
    if options.names == ["list"]:
        for name, function in SCENARIOS.items():
            print(f"{name:<24} {function.__doc__}")
        return 0
    names = []
    for name in options.names or ["selection"]:
        names += {"selection": SELECTION, "all": SCENARIOS}.get(name, (name,))
    for name in names:
        if name not in SCENARIOS:
            parser.error(f"'{name}' is no scenario; there are: {' '.join(SCENARIOS)}")
    code = 0
    for name in names:
        print(f"\n=== {name}: {SCENARIOS[name].__doc__}", flush=True)
        seed = options.seed if options.seed is not None else random.randrange(1_000_000)
        with Run(name, options.kafka, seed, options.scale) as run:
            try:
                SCENARIOS[name](run)
            except AssertionError as error:
                run.failures.append(str(error))
            code |= run.verdict()
    return code


if __name__ == "__main__":
    sys.exit(main())
