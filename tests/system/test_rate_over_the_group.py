# SPDX-License-Identifier: Apache-2.0
"""An app's rate holds for all replicas together and follows the work, as the simulator counts what arrives."""
import dataclasses
import signal
import time

import jobs
import pytest
from worker import APPIDS, app_settings

RATE = 200
BURST = 60
# How much later than another a request may come to the simulator after its permit, on a busy machine. What it shifts into a
# window is a third of a burst: a share too much, or a second burst, is more.
LATE = 0.1


@pytest.fixture
def start(run_worker, topics, simulator):
    """Starts a replica."""
    def one():
        shop = app_settings("shop", "official_account", APPIDS["shop"], "SHOP_SECRET")
        return run_worker(topics, simulator, apps=[{**shop, "rate": {"per_second": RATE, "burst": BURST}}])
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
    for window in (1, 60):
        assert most_within(times, window) <= RATE * (window + LATE) + BURST


def used(times, since, until):
    """The part of the rate that was used in that span."""
    return sum(since <= at < until for at in times) / (RATE * (until - since))


def test_the_rate_is_where_the_work_is(start, produce, simulator):
    workers = [start().ready() for _ in range(3)]
    time.sleep(4)  # The group settles.
    produce(1000, 0, 1, 2, 3, 4, 5)  # Everybody has worked …
    time.sleep(6)
    moved = time.time()
    produce(2600, 5)  # … and all the work sits in one replica's partition.
    time.sleep(11)
    times = arrivals(simulator)
    check_never_over(times)
    assert used(times, moved + 2, moved + 10) >= 0.95
    for each in workers:
        each.stop()


def test_a_group_never_exceeds_its_rate_whatever_happens_to_its_replicas(start, produce, simulator):
    workers = [start().ready() for _ in range(3)]
    time.sleep(4)
    produce(30_000, 0, 0, 1, 2, 3)  # Skewed: two partitions have nothing.
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
    workers[1].signal(signal.SIGSTOP)  # One is stopped for longer than its right lasts, but not than its session.
    time.sleep(4)
    workers[1].signal(signal.SIGCONT)
    time.sleep(8)
    ended = time.time()
    times = arrivals(simulator)
    check_never_over(times)
    assert used(times, began + 2, added) >= 0.95
    assert used(times, settled, settled + 6) >= 0.95
    assert used(times, ended - 5, ended) >= 0.95, "after it went on"
    assert used(times, added + 3, killed) >= 0.95
    for each in workers[1:]:
        each.stop()
