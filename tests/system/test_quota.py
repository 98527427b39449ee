# SPDX-License-Identifier: Apache-2.0
"""A day's quota holds for the group, as the simulator counts what arrives: simulated days, with the clock set forward."""
import dataclasses
import datetime
import os
import time

import jobs
import pytest
from faked_clock import FakedClock
from statuses import StatusLog
from test_delayed import waiting
from worker import APPIDS, SECRETS, app_settings

# QUOTA_JOBS=10000 is for a run by hand.
JOBS = int(os.environ.get("QUOTA_JOBS", "700"))
DAILY = JOBS * 3 // 7
CALL = "/cgi-bin/message/template/send"
DAY = 86_400
DAYS_BACK = 4  # As many as pass; within the week for which topics keep records.


@pytest.fixture
def clock(kafka, tmp_path, monkeypatch):
    """Sets the wall clock of what is started from here on; it begins half an hour before a reset of some days ago. Kafka keeps the
    true time, and from 4.0 on it refuses records that are more than an hour ahead of that (KIP-1030)."""
    faked = FakedClock(tmp_path)
    reset = (int(time.time()) + 8 * 3600) // DAY * DAY - 8 * 3600 - DAYS_BACK * DAY
    faked.set(reset - 1800)
    faked.reset = reset
    for name, value in faked.environment.items():
        monkeypatch.setenv(name, value)
    return faked


@pytest.fixture
def start_simulator(clock, simulate):
    """A simulator under that clock, which knows both apps."""
    def one(*more):
        apps = []
        for name, kind in (("shop", "official_account"), ("mini", "mini_program")):
            apps += ["--app", f"{APPIDS[name]}:{SECRETS[name.upper() + '_SECRET']}:{kind}"]
        return simulate(*apps, *more)
    return one


def replicas(run_worker, topics, simulator, count, **quota):
    """Workers with a quota for `shop`."""
    shop = app_settings("shop", "official_account", APPIDS["shop"], "SHOP_SECRET")
    mini = app_settings("mini", "mini_program", APPIDS["mini"], "MINI_SECRET")
    apps = [{**shop, "rate": {"per_second": 200, "burst": 20}, **({"quota": quota} if quota else {})}, mini]
    started = [run_worker(topics, simulator, apps=apps, log={"level": "info"}) for _ in range(count)]
    return [each.ready() for each in started]


def produce(kafka, topics, clock, first, count, beside=True):
    """That many jobs of `shop`, and one of `mini` after each."""
    records = []
    for number in range(first, first + count):
        for job in (jobs.make(number, "official.template"),
                    jobs.make(1_000_000 + number, "miniprogram.subscribe", prefix="mini"))[:2 if beside else 1]:
            records.append(dataclasses.replace(job.record(), timestamp=int(clock.now() * 1000)))
    kafka.produce(topics.jobs, records)


def sends(simulator, since=0, until=float("inf")):
    """The requests on the call within that time of the faked clock, repeats included."""
    return [each for each in simulator.received()
            if each["path"] == CALL and since <= each["time"] / 1000 < until]


def milliseconds_of(text):
    """RFC 3339 to milliseconds since the epoch."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def deferred(log):
    """The newest `deferred` status of each job that has not ended."""
    log.take()
    ended = {source for source, _ in log.terminal}
    found = {}
    for status in log.all:
        source = "{topic}/{partition}/{offset}".format(**status["source"])
        if status["state"] == "deferred" and source not in ended:
            found[source] = status
    return found


def until_all_wait(log, worker, count, reset, limit=60):
    """Waits until every one of `count` jobs of `shop` is sent, or known to wait until `reset`; those that wait."""
    def waits():
        return {source: status for source, status in deferred(log).items()
                if abs(milliseconds_of(status["retry_at"]) / 1000 - reset) < 0.5}

    def settled(_records):
        known = len(waits())
        return known + sum(found[0]["app"] == "shop" for found in log.terminal.values()) >= count
    log.reader.until(settled, limit, "a status for every job", worker.check_alive)
    assert waits().keys() == deferred(log).keys(), "nobody waits for anything else"
    return waits()


def test_days_with_quota_exhaustion_and_reset_lose_nothing_and_send_nothing_over(
        kafka, topics, clock, start_simulator, run_worker, read):
    """Three replicas, one of them killed while the quota of the day is being used up."""
    simulator = start_simulator()
    workers = replicas(run_worker, topics, simulator, 3, daily=DAILY)
    log = StatusLog(read(topics.status))
    produce(kafka, topics, clock, 0, JOBS)
    workers[0].wait_for(lambda: len(sends(simulator)) >= DAILY / 4 or None, 40, "the first sends")
    workers[1].kill()
    survivors = (workers[0], workers[2])
    waits = until_all_wait(log, workers[0], JOBS, clock.reset)
    log.until_terminal(2 * JOBS - len(waits), 30)
    assert {each["reason"] for each in waits.values()} == {"quota_exhausted"}
    assert {each["app"] for each in waits.values()} == {"shop"}, "the other app in the same partitions does not notice"
    first_day = sends(simulator, until=clock.reset)
    assert len(first_day) == len(sends(simulator))
    print(f"{JOBS} jobs, {DAILY} a day: {len(first_day)} sent on the first day, {len(waits)} wait")
    assert DAILY * 0.8 <= len(first_day) <= DAILY
    survivors[0].wait_for(lambda: waiting(kafka, topics, workers[0].group) >= len(waits) or None, 60,
                          "those that wait out of memory")
    assert sum(each.metric("wxcourier_quota_limit", app="shop", kind="official.template") for each in survivors) == 2 * DAILY
    assert survivors[0].metric("wxcourier_quota_left", app="shop", kind="official.template") == 0

    clock.set(clock.reset - 2)
    days = [len(first_day)]
    sent_before = len(first_day)
    while sent_before < JOBS and len(days) <= DAYS_BACK:
        begins = clock.reset + DAY * (len(days) - 1)
        if len(days) > 1:
            clock.set(begins - 2)
        survivors[0].wait_for(
            lambda: len(sends(simulator, begins)) >= min(DAILY, JOBS - sent_before) * 0.95 or None, 60, "the next day's sends")
        until_all_wait(log, survivors[0], JOBS, begins + DAY)
        days.append(len(sends(simulator, begins)))
        sent_before += days[-1]
        assert days[-1] <= DAILY
    print(f"sent on each day: {days}")
    log.until_terminal(2 * JOBS, 60)
    assert {found[0]["state"] for found in log.terminal.values()} == {"sent"}, "nothing is lost"
    arrived = {each["touser"] for each in sends(simulator)}
    assert len(arrived) == JOBS
    for each in survivors:
        each.stop()


def test_wechats_own_quota_is_learnt_and_kept_by_the_group(kafka, topics, clock, start_simulator, run_worker, read):
    """No quota is configured; the simulator has one, and says so when it is asked."""
    simulator = start_simulator("--day-quota", 200)
    workers = replicas(run_worker, topics, simulator, 2)
    log = StatusLog(read(topics.status))
    produce(kafka, topics, clock, 0, 10, beside=False)
    log.until_terminal(10, 30)
    limits = workers[0].wait_for(
        lambda: {round(each.metric("wxcourier_quota_limit", app="shop", kind="official.template")) for each in workers}
        if all(each.metric("wxcourier_quota_limit", app="shop") for each in workers) else None, 20, "what WeChat says")
    assert len(limits) == 1 and 190 <= limits.pop() <= 200, "what is left, and what the group knew to be sent"
    produce(kafka, topics, clock, 10, 170, beside=False)
    log.until_terminal(180, 60)
    produce(kafka, topics, clock, 180, 70, beside=False)
    waits = until_all_wait(log, workers[0], 250, clock.reset)
    refused = [each for each in sends(simulator) if each.get("errcode") == 45009]
    print(f"{len(sends(simulator))} requests, {len(refused)} of them refused; {len(waits)} wait")
    assert not refused, "WeChat need not refuse what is known to be too much"
    assert 50 <= len(waits) <= 62
    clock.set(clock.reset - 2)
    log.until_terminal(250, 90)
    for each in workers:
        each.stop()
