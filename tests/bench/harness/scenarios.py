# SPDX-License-Identifier: Apache-2.0
"""The scenarios: each runs one contestant once and returns its figures by name."""
import os
import pathlib
import re
import signal
import subprocess
import time

from .stage import BUILD
from .workers import ends_with_its_parent

LIMIT = 300.0  # seconds that any wait may take


def until(reached, what, worker=None, pause=0.02):
    """Waits for a condition; a worker that ends meanwhile, or too long a wait, is an error."""
    deadline = time.monotonic() + LIMIT
    while not reached():
        if worker is not None:
            worker.cost()
        if time.monotonic() > deadline:
            raise RuntimeError(f"{LIMIT:.0f} s without {what}")
        time.sleep(pause)


def all_done(stage, worker, count, status):
    """Every job has arrived, and its status is on Kafka."""
    until(lambda: stage.far_end.stats()["distinct"] >= count, f"{count} pushes", worker, 0.05)
    until(lambda: stage.kafka.records(status) >= count, f"{count} statuses", worker, 0.05)


def drained(stage, contestant, options, count, in_flight, mean=0, jitter=0, apps=1, partitions=12):
    """A backlog from the worker's start to the last status. CPU is of that whole time."""
    jobs, status = stage.backlog(count, apps, partitions), stage.kafka.topic("status")
    stage.far_end.reset(count, mean, jitter)
    far_end = stage.far_end.stats()["cpu"]
    worker = contestant(stage, jobs, status, status, in_flight, apps).start()
    try:
        all_done(stage, worker, count, status)
        cost, counted = worker.cost(), stage.far_end.stats()
    finally:
        worker.stop()
        stage.kafka.drop(status)
    per = 10_000 / count
    return {"rate": counted["pushes"] / (counted["ended"] - counted["began"]), "cpu": cost.cpu * per, "rss": cost.peak,
            "far_end_cpu": (counted["cpu"] - far_end) * per, "repeats": counted["pushes"] - count}


def backlog(stage, contestant, options):
    """A backlog of 100,000, no latency, 256 in flight."""
    return drained(stage, contestant, options, options.jobs or 100_000, 256)


def latency(stage, contestant, options):
    """A backlog of 60,000, far end 100 ms ± 20, 2,000 in flight."""
    return drained(stage, contestant, options, options.jobs or 60_000, 2000, 100, 20)


def steady(stage, contestant, options):
    """2,000/s, far end 20 ms: from the producer's call to the arrival at the far end."""
    count = options.jobs or 2000 * (8 if options.quick else 30)
    jobs, status = stage.kafka.topic("steady"), stage.kafka.topic("status")
    stage.far_end.reset(count + 2000, 20, 0)
    worker = contestant(stage, jobs, status, status, 256).start()
    try:
        stage.kafka.load(jobs, 2000, rate=1000)  # Connections, code paths and the broker are warm then.
        all_done(stage, worker, 2000, status)
        stage.far_end.reset(count, 20, 0)
        before = worker.cost().cpu
        stage.kafka.load(jobs, count, rate=2000)
        all_done(stage, worker, count, status)
        until(lambda: stage.kafka.records(status) >= count + 2000, "the statuses", worker)
        counted = stage.far_end.stats(latency=True)
        return {"p50": counted["p50"], "p99": counted["p99"], "p999": counted["p999"],
                "cpu": (worker.cost().cpu - before) * 10_000 / count}
    finally:
        worker.stop()
        stage.kafka.drop(jobs, status)


def kill(stage, contestant, options):
    """SIGKILL in the middle of a backlog, 256 in flight, and a start anew: repeats, and how long until it works again."""
    count = options.jobs or 100_000
    jobs, status = stage.backlog(count), stage.kafka.topic("status")
    stage.far_end.reset(count)
    worker = contestant(stage, jobs, status, status, 256, instance="bench-1").start()
    until(lambda: stage.far_end.stats()["pushes"] > count // 3, "a third of the pushes", worker, 0.005)
    worker.stop(signal.SIGKILL)
    time.sleep(0.2)
    before = stage.far_end.stats()["pushes"]
    worker = contestant(stage, jobs, status, status, 256, instance="bench-1").start()
    try:
        until(lambda: stage.far_end.stats()["pushes"] > before, "the first push", worker, 0.005)
        again = time.time() - worker.began
        until(lambda: stage.far_end.stats()["distinct"] >= count, f"{count} pushes", worker, 0.05)
        return {"repeats": stage.far_end.stats()["pushes"] - count, "again": again}
    finally:
        worker.stop()
        stage.kafka.drop(status)


def start(stage, contestant, options):
    """From exec to the first push, one job queued and a warm broker; RSS then; CPU while idle with 100 connections."""
    jobs, status = stage.kafka.topic("one"), stage.kafka.topic("status")
    stage.kafka.load(jobs, 1)
    stage.far_end.reset(4000, 100, 0)
    worker = contestant(stage, jobs, status, status, 100).start()
    try:
        until(lambda: stage.far_end.stats()["pushes"] > 0, "the first push", worker, 0.005)
        first = stage.far_end.stats()["began"] - worker.began
        rss = worker.cost().rss
        stage.kafka.load(jobs, 2000)  # Opens its 100 connections.
        until(lambda: stage.kafka.records(status) >= 2001, "the statuses", worker)
        time.sleep(1)
        before, idle = worker.cost().cpu, 3 if options.quick else 20
        time.sleep(idle)
        return {"first": first, "rss": rss, "idle": (worker.cost().cpu - before) / idle * 100,
                "connections": stage.far_end.stats()["connections"]}
    finally:
        worker.stop()
        stage.kafka.drop(jobs, status)


def straight(stage, contestant, options):
    """CPU per push at 1, 100 and 1,000 apps, at 1 and 120 partitions, at backlogs of 10^4 and 10^6."""
    small = 10_000 if options.quick else 100_000
    shapes = {"base": {"count": small}, "100 apps": {"count": small, "apps": 100}, "1,000 apps": {"count": small, "apps": 1000},
              "1 partition": {"count": small, "partitions": 1}, "120 partitions": {"count": small, "partitions": 120},
              "10^4 jobs": {"count": 10_000}}
    if not options.quick:
        shapes["10^6 jobs"] = {"count": 1_000_000}
    return {name: drained(stage, contestant, options, in_flight=1000, **shape)["cpu"] for name, shape in shapes.items()}


def partitions(stage, contestant, options):
    """Pushes a second of a backlog on few and on many partitions."""
    small = 10_000 if options.quick else 60_000
    return {str(each): drained(stage, contestant, options, small, 256, partitions=each)["rate"] for each in (1, 3, 12, 120)}


def replicas(stage, contestant, options):
    """Two replicas on the same backlog without latency."""
    count = options.jobs or 100_000
    jobs, status = stage.backlog(count), stage.kafka.topic("status")
    stage.far_end.reset(count)
    workers = [contestant(stage, jobs, status, status, 256).start() for _ in range(2)]
    try:
        all_done(stage, workers[0], count, status)
        counted = stage.far_end.stats()
        return {"rate": counted["pushes"] / (counted["ended"] - counted["began"]),
                "cpu": sum(each.cost().cpu for each in workers) * 10_000 / count,
                "repeats": counted["pushes"] - count}
    finally:
        for each in workers:
            each.stop()
        stage.kafka.drop(status)


def wrk(stage, connections, mean, jitter, options):
    """The limit: wrk, which only posts the same bytes over the same number of connections."""
    script = BUILD / "wrk.lua"
    script.write_text((pathlib.Path(__file__).resolve().parents[1] / "wrk.lua").read_text(encoding="utf-8"), encoding="utf-8")
    stage.far_end.reset(0, mean, jitter)
    seconds = 2 if options.quick else 6
    process = subprocess.Popen(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), stage.far_end.url],
                               stdout=subprocess.PIPE, text=True, preexec_fn=ends_with_its_parent)
    said = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    requests = max(1, int(re.search(r"(\d+) requests in", said).group(1)))
    return {"rate": requests / seconds, "cpu": (usage.ru_utime + usage.ru_stime) * 10_000 / requests}


LIMITS = {"backlog": (256, 0, 0), "latency": (2000, 100, 20), "steady": (40, 20, 0)}
SCENARIOS = {"backlog": backlog, "latency": latency, "steady": steady, "kill": kill, "start": start, "replicas": replicas,
             "straight": straight, "partitions": partitions}
ALONE = ("replicas", "straight", "partitions")  # Of wxcourier only.
