# SPDX-License-Identifier: Apache-2.0
"""An app's rate holds for all replicas together and follows the work, as the simulator counts what arrives."""
import dataclasses
import pathlib
import signal
import subprocess
import time

import jobs
import pytest
from worker import APPIDS, app_settings

RATE = 200
BURST = 20
# How much later than another a request may come to the simulator after its first byte was written, because its process or
# the simulator's got no core: what that moves into a window is a fraction of the burst.
LATE = 0.02


@pytest.fixture(scope="session")
def clock_off(tmp_path_factory):
    """A library that, preloaded into a worker, sets its wall clock off."""
    library = tmp_path_factory.mktemp("clock") / "clock_off.so"
    source = pathlib.Path(__file__).with_name("clock_off.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    return library


@pytest.fixture
def start(run_worker, topics, simulator, clock_off):
    """Starts a replica; its wall clock may be off."""
    def one(off=0, **kafka):
        shop = app_settings("shop", "official_account", APPIDS["shop"], "SHOP_SECRET")
        environment = {"LD_PRELOAD": str(clock_off), "CLOCK_OFF_S": str(off)} if off else {}
        return run_worker(topics, simulator, apps=[{**shop, "rate": {"per_second": RATE, "burst": BURST}}],
                          kafka={"properties": kafka}, environment=environment)
    return one


@pytest.fixture
def produce(kafka, topics):
    """Puts jobs on some partitions only."""
    made = 0

    def some(count, *partitions):
        nonlocal made
        records = []
        for number in range(made, made + count):
            record = jobs.make(number, "official.template").record()
            records.append(dataclasses.replace(record, partition=partitions[number % len(partitions)]))
        made += count
        kafka.produce(topics.jobs, records)
    return some


def arrivals(simulator):
    """When each send came, in seconds."""
    return sorted(each["time"] / 1000 for each in simulator.sends())


def most_within(times, window):
    """The most of them in any window of that length."""
    most = first = 0
    for last, at in enumerate(times):
        while at - times[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most


def check_never_over(times):
    """Never more than rate x window + burst."""
    found = {window: most_within(times, window) for window in (0.1, 1, 60)}
    print(", ".join(f"{most} in {window} s of {RATE * window + BURST:.0f}" for window, most in found.items()))
    for window, most in found.items():
        assert most <= RATE * (window + LATE) + BURST, f"{most} in {window} s"


def used(times, since, until):
    """The part of the rate that was used in that span."""
    return sum(since <= at < until for at in times) / (RATE * (until - since))


def test_the_rate_is_where_the_work_is(start, produce, simulator):
    workers = [start(off).ready() for off in (0, 1800, -1800)]
    time.sleep(4)  # The group settles.
    produce(1000, 0, 1, 2, 3, 4, 5)  # Everybody has worked …
    time.sleep(6)
    moved = time.time()
    produce(2600, 5)  # … and all the work sits in one replica's partition.
    time.sleep(11)
    times = arrivals(simulator)
    check_never_over(times)
    share = used(times, moved + 2, moved + 10)
    print(f"{share:.3f} of the rate used where the work is")
    assert share >= 0.95
    for each in workers:
        each.stop()


def test_a_group_never_exceeds_its_rate_whatever_happens_to_its_replicas(start, produce, simulator):
    workers = [start(off).ready() for off in (0, 1800, 0)]
    time.sleep(4)
    produce(32_000, 0, 0, 1, 2, 3)  # Skewed: two partitions have nothing.
    began = time.time()
    time.sleep(10)
    workers.append(start().ready())  # One is added …
    added = time.time()
    time.sleep(10)
    workers[0].kill()  # … one killed, the others meanwhile …
    killed = time.time()
    time.sleep(12)  # … miss it, and take its partitions.
    settled = time.time()
    time.sleep(6)
    for long in (0.7, 4):  # One is stopped: not for as long as its right lasts; for longer than that, but not than its session.
        workers[1].signal(signal.SIGSTOP)
        time.sleep(long)
        workers[1].signal(signal.SIGCONT)
        time.sleep(4)
    time.sleep(4)
    ended = time.time()
    times = arrivals(simulator)
    check_never_over(times)
    spans = {"at first": (began + 2, added), "with the new one": (added + 3, killed), "after the kill": (settled, settled + 6),
             "after it went on": (ended - 5, ended)}
    shares = {name: used(times, *span) for name, span in spans.items()}
    print(shares)
    for name, share in shares.items():
        assert share >= 0.95, name
    for each in workers[1:]:
        each.stop()


def test_a_worker_that_is_killed_and_started_again_goes_on_within_two_seconds_and_at_no_higher_rate(start, produce, simulator):
    """A static member: the group does not wait for its session to end, and its seat proves that its predecessor is dead."""
    static = {"group.instance.id": "the-only-one"}
    worker = start(**static).ready()
    produce(8000, 0, 1, 2, 3, 4, 5)
    time.sleep(5)
    waited = []
    for _ in range(3):
        worker.kill()
        again = time.time()
        worker = start(**static)
        worker.ready()
        time.sleep(5)
        waited.append(min(at for at in arrivals(simulator) if at >= again) - again)
    times = arrivals(simulator)
    print(f"first push after {', '.join(f'{each:.2f}' for each in waited)} s")
    check_never_over(times)
    assert max(waited) < 2
    worker.stop()
