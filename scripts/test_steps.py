"""What `scripts/test` runs: steps, each with its own result; a table and one closing line at the end.

Every step runs, also after one failed, unless it needs what failed. The exit code is 0 when nothing failed.
"""
import argparse
import contextlib
import dataclasses
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
RESULTS = BUILD / "test-results"
JOBS = str(os.cpu_count() or 2)
KAFKA_LINES = ("3.9.2", "4.1.2")


@dataclasses.dataclass
class Result:
    """Test cases of a step; a check without cases of its own counts as one."""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    note: str = ""

    def __add__(self, other):
        return Result(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped,
                      "; ".join(filter(None, (self.note, other.note))))


def run(*command, **environment):
    """Runs a command in the repository, its output passed through; its exit code."""
    sys.stdout.flush()
    return subprocess.run([str(word) for word in command], cwd=ROOT, env={**os.environ, **environment},
                          stdin=subprocess.DEVNULL, check=False).returncode


def check(*command):
    """A command that passes or fails as a whole."""
    return Result(passed=1) if run(*command) == 0 else Result(failed=1, note="see above")


class StepFailed(Exception):
    """A build or an installation failed, so its step could not run."""


def build(preset, *targets):
    """Configures and builds; raises when it fails."""
    if run("scripts/build", preset, *targets) != 0:
        raise StepFailed(f"the {preset} build failed")


# --- runners ------------------------------------------------------------------------------------------------------


def junit_cases(path):
    """(name, outcome) of each test case of a JUnit file, outcomes: passed, failed, skipped."""
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
            outcome = "failed"
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            outcome = "skipped"
        else:
            outcome = "passed"
        yield case.get("name"), outcome


def tally(cases):
    """The result of these cases."""
    outcomes = [outcome for _, outcome in cases]
    return Result(*(outcomes.count(word) for word in ("passed", "failed", "skipped")))


def ctest(preset, label):
    """Runs the GoogleTest programs with a label. Cases are counted, and a program that died counts as a failed one."""
    folder = RESULTS / f"{preset}-{label}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    programs_file = folder / "programs.ctest"
    code = run("ctest", "--test-dir", BUILD / preset, "-L", f"^{label}$", "-j", JOBS, "--output-on-failure",
               "--no-tests=error", "--output-junit", programs_file, GTEST_OUTPUT=f"xml:{folder}/",
               UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1", TSAN_OPTIONS="second_deadlock_stack=1")
    total = Result()
    counted = set()
    for report in sorted(folder.glob("*.xml")):
        counted.add(report.stem)
        with contextlib.suppress(xml.etree.ElementTree.ParseError):
            total += tally(junit_cases(report))
    if programs_file.exists():
        for program, outcome in junit_cases(programs_file):
            if program not in counted:
                total += tally([(program, outcome)])
    if code != 0 and total.failed == 0:  # A program that failed after its last case: a leak, a crash in a destructor.
        total += Result(failed=1, note="a test program failed outside its test cases")
    return total


def python_environment():
    """Python of build/venv, made or renewed where the requirements changed."""
    requirements = ROOT / "tests" / "system" / "requirements.txt"
    venv, stamp = BUILD / "venv", BUILD / "venv" / "requirements.txt"
    python = venv / "bin" / "python"
    if stamp.exists() and stamp.read_bytes() == requirements.read_bytes() and python.exists():
        return python
    shutil.rmtree(venv, ignore_errors=True)
    # The python3 first in the path may be another than Debian's and unable to make one; then Debian's is asked.
    if all(run(base, "-m", "venv", venv) != 0 for base in (sys.executable, "/usr/bin/python3")):
        raise StepFailed("python3 -m venv failed")
    if run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements) != 0:
        raise StepFailed("pip could not install tests/system/requirements.txt")
    shutil.copyfile(requirements, stamp)
    return python


def pytest(name, *arguments, **environment):
    """Runs pytest in the environment and counts its cases."""
    report = RESULTS / f"{name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    code = run(python_environment(), "-m", "pytest", "-q", "-ra", "-p", "no:cacheprovider", f"--junitxml={report}",
               *arguments, **environment)
    total = tally(junit_cases(report)) if report.exists() else Result()
    if code != 0 and total.failed == 0:
        total += Result(failed=1, note="pytest itself failed")
    return total


# --- steps --------------------------------------------------------------------------------------------------------


def step_format(_options):
    """clang-format changes nothing"""
    return check("scripts/format", "--check")


def step_layers(_options):
    """the arrows between the modules hold"""
    return check("scripts/check_layers")


def step_docs(_options):
    """links of the documents lead somewhere"""
    return check("scripts/check_docs")


def step_scripts(_options):
    """shellcheck, yamllint, and the scripts' own tests"""
    shell = [path for folder in ("scripts", ".ci", "deploy", "deploy/debian") for path in sorted((ROOT / folder).iterdir())
             if path.is_file() and path.read_bytes().startswith((b"#!/usr/bin/env bash", b"#!/bin/sh"))]
    yaml = sorted(path for pattern in ("*.yml", "*.yaml") for path in ROOT.rglob(pattern)
                  if not path.is_relative_to(BUILD) and "templates" not in path.parts)  # Those of the chart are no YAML yet.
    total = check("shellcheck", *shell)
    if yaml:
        total += check("yamllint", "--strict", "-c", ROOT / "scripts" / "yamllint.yaml", *yaml)
    return total + pytest("scripts", ROOT / "tests" / "scripts")


def step_deploy(_options):
    """alert rules, dashboard, manifests, chart, image and package"""
    build("release", "wxcourier")
    return pytest("deploy", ROOT / "tests" / "deploy")


def step_build(_options):
    """GCC, warnings are errors, every target"""
    build("dev")
    return Result(passed=1)


def step_unit(_options):
    """unit tests: no socket, no sleep"""
    build("dev", "unit_tests")
    return ctest("dev", "unit")


def step_component(_options):
    """component tests: sockets, TLS, librdkafka's mock cluster"""
    build("dev")
    return ctest("dev", "component")


def system_tests(options, version):
    """The release binary against one line of Apache Kafka."""
    build("release", "wxcourier")
    return pytest(f"system-{version}", ROOT / "tests" / "system", *options.pytest,
                  WXCOURIER_BINARY=str(BUILD / "release" / "wxcourier"), WXCOURIER_KAFKA_VERSION=version)


def step_system(options):
    """the release binary against Apache Kafka 3.9"""
    return system_tests(options, KAFKA_LINES[0])


def step_system_next(options):
    """the release binary against Apache Kafka 4.1"""
    return system_tests(options, KAFKA_LINES[1])


def step_simulation(_options):
    """the core in a simulated world, many seeds; a million histories through the commits' metadata"""
    build("bench", "simulation", "unit_codec")
    histories = run(BUILD / "bench" / "unit_codec", "--gtest_brief=1",
                    "--gtest_filter=offset_history.*:offset_metadata.brings_back_any_history",
                    WXCOURIER_HISTORIES="1000000")
    return (check(BUILD / "bench" / "simulation", "--seeds", "1-500", "--quiet")
            + Result(passed=int(histories == 0), failed=int(histories != 0)))


def step_asan(_options):
    """unit tests under AddressSanitizer and UndefinedBehaviorSanitizer"""
    build("asan", "unit_tests")
    return ctest("asan", "unit")


def step_tsan(_options):
    """unit and component tests under ThreadSanitizer"""
    build("tsan")
    return ctest("tsan", "unit") + ctest("tsan", "component")


def step_clang(_options):
    """Clang, every target, and its unit tests"""
    build("clang")
    return ctest("clang", "unit")


def step_tidy(_options):
    """clang-tidy on what changed"""
    return check("scripts/tidy")


def step_tidy_all(_options):
    """clang-tidy on everything"""
    return check("scripts/tidy", "--all")


def step_chaos(_options):
    """a selection of the long chaos runs, against both lines of Apache Kafka"""
    total = Result()
    for version in KAFKA_LINES:
        total += check("scripts/chaos", "selection", "--kafka", version)
    return total


STEPS = {function.__name__.removeprefix("step_").replace("_", "-"): function for function in (
    step_format, step_layers, step_docs, step_scripts, step_build, step_unit, step_component, step_deploy, step_system,
    step_asan, step_tidy, step_simulation, step_clang, step_tsan, step_tidy_all, step_system_next, step_chaos)}
# The quick ones first: what they find is mended while the rest runs.
DEFAULT = ("format", "layers", "docs", "scripts", "build", "unit", "component", "deploy", "system", "asan", "tidy")
ALL = tuple(name for name in STEPS if name != "tidy")


def perform(name, options):
    """Runs one step: its result, and the seconds it took."""
    print(f"\n=== {name}: {STEPS[name].__doc__}", flush=True)
    begin = time.monotonic()
    try:
        result = STEPS[name](options)
    except StepFailed as error:
        result = Result(failed=1, note=str(error))
    except OSError as error:
        result = Result(failed=1, note=f"could not run: {error}")
    took = time.monotonic() - begin
    if result.skipped:
        print(f"!!! SKIP: {result.skipped} skipped in {name} {result.note}")
    print(f"=== {name}: {'FAILED' if result.failed else 'passed'} in {took:.0f} s", flush=True)
    return result, took


def summarise(results):
    """The closing table and line."""
    print(f"\n{'step':<12} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for name, (result, took) in results.items():
        row = f"{name:<12} {result.passed:>7} {result.failed:>7} {result.skipped:>8} {took:>8.0f}  {result.note}"
        print(row.rstrip())
    total = sum((result for result, _ in results.values()), Result())
    seconds = sum(took for _, took in results.values())
    print(f"{'':<36} {seconds:>8.0f}\n")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    return 1 if total.failed else 0


def parse(arguments):
    """The steps to run, and what goes to pytest."""
    parser = argparse.ArgumentParser(
        prog="scripts/test", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Builds and tests wxcourier.\n\nsteps:\n"
        + "".join(f"  {name:<12} {function.__doc__}\n" for name, function in STEPS.items()),
        epilog=f"without steps: {' '.join(DEFAULT)}\nall: {' '.join(ALL)}\n"
        "what follows -- goes to pytest: scripts/test system -- -k drain")
    parser.add_argument("steps", nargs="*", metavar="step")
    rest = []
    if "--" in arguments:
        split = arguments.index("--")
        arguments, rest = arguments[:split], arguments[split + 1:]
    options = parser.parse_args(arguments)
    options.pytest = rest
    names = options.steps or list(DEFAULT)
    names = [each for name in names for each in (ALL if name == "all" else (name,))]
    for name in names:
        if name not in STEPS:
            parser.error(f"'{name}' is no step; there are: {' '.join(STEPS)}, all")
    options.steps = list(dict.fromkeys(names))
    return options


def main():
    """Runs the steps, one after another."""
    options = parse(sys.argv[1:])
    BUILD.mkdir(exist_ok=True)
    # Checkouts do not disturb each other (every port is a free one); within one, builds and results are shared.
    with open(BUILD / ".test.lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another scripts/test in this checkout", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        return summarise({name: perform(name, options) for name in options.steps})


if __name__ == "__main__":
    sys.exit(main())
