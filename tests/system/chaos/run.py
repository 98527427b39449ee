"""One run: brokers, simulator, workers, load, faults, evidence; and its verdict."""
import json
import os
import random
import shutil
import signal
import sys
import time

import requests
from kafka import ROOT
from simulator import Simulator
from worker import Worker, worker_settings

from chaos import checker
from chaos.cluster import Cluster, wipe_leftovers
from chaos.evidence import CommitWatcher, MoveWatcher, SendWatcher, StatusWatcher
from chaos.fault_proxy import FaultProxy
from chaos.load import Load

HOME = ROOT / "build" / "chaos"
STATUS_PARTITIONS = 3
CONCURRENCY = 64  # of each of the two apps


class Slot:
    """A replica's place: the worker that is there now, and how often there was a new one."""

    def __init__(self, run, number, changes):
        self.run = run
        self.number = number
        self.changes = changes
        self.starts = 0
        self.worker = None

    def start(self):
        """A new process; does not wait for it."""
        settings = worker_settings(self.run.bootstrap, self.run.topics, self.run.wechat, **self.changes)
        self.worker = Worker(self.run.folder, f"worker-{self.number}-{self.starts}", settings)
        self.starts += 1
        return self

    def alive(self):
        """Whether its process runs."""
        return self.worker is not None and self.worker.alive()

    def gauge(self, name):
        """A metric now; None when the worker does not answer."""
        try:
            return self.worker.metric(name)
        except (requests.RequestException, AssertionError):
            return None

    def rss(self):
        """Resident memory in MiB."""
        with open(f"/proc/{self.worker.pid}/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Endpoint:
    """The simulator as workers are to reach it: directly or through a proxy."""

    def __init__(self, url, ca):
        self.url = url
        self.ca = ca


class Run:
    """Everything of one scenario. A context manager: ends all it started, by pid."""

    def __init__(self, name, version, seed, scale=1.0):
        self.name = name
        self.version = version
        self.seed = seed
        self.scale = scale
        self.random = random.Random(seed)
        HOME.mkdir(parents=True, exist_ok=True)
        wipe_leftovers(HOME)
        self.folder = HOME / f"{name}-{version}-{os.getpid()}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.began = time.monotonic()
        self.began_at = time.time()
        self.faults = []    # (when, what)
        self.notes = []
        self.failures = []
        self.slots = []
        self.proxies = []
        self.loads = []
        self.cluster = self.simulator = self.wechat = self.topics = None
        self.statuses = self.sends = self.commits = self.moves = None
        self._reported = (0.0, 0)

    # --- setting up -----------------------------------------------------------------------------------------------

    def __enter__(self):
        return self

    def __exit__(self, kind, _error, _trace):
        for slot in self.slots:
            if slot.worker is not None:
                slot.worker.kill()
        for watcher in (self.statuses, self.sends, self.commits, self.moves):
            if watcher is not None and kind is not None:
                watcher._stop.set()  # pylint: disable=protected-access
        for load in self.loads:
            load.stop()
        if self.simulator is not None:
            self.simulator.kill()
        for proxy in self.proxies:
            proxy.close()
        if self.cluster is not None:
            self.cluster.wipe()

    @property
    def bootstrap(self):
        """What workers are given."""
        return self.cluster.bootstrap

    def say(self, text):
        """A line for who watches."""
        print(f"{time.monotonic() - self.began:7.1f}  {text}", flush=True)

    def start_kafka(self, brokers=1, partitions=12, proxied=None, **settings):
        """The brokers and fresh topics."""
        self.say(f"Apache Kafka {self.version}, brokers: {brokers}, seed {self.seed}")
        self.cluster = Cluster(self.folder / "kafka", self.version, brokers, settings, proxied)
        self.partitions = partitions
        self.topics = self.cluster.topics(partitions, status_timestamps="LogAppendTime")

    def proxy(self, target):
        """A proxy before a port of 127.0.0.1."""
        self.proxies.append(FaultProxy(target))
        return self.proxies[-1]

    def start_wechat(self, *arguments, proxied=False):
        """The simulator; with `proxied` the workers reach it through `self.wechat_proxy`."""
        self.simulator = Simulator(self.folder, "simulator", ["--keep", "100000", *arguments])
        self.wechat = Endpoint(self.simulator.url, self.simulator.ca)
        if proxied:
            self.wechat_proxy = self.proxy(int(self.simulator.url.rpartition(":")[2]))
            self.wechat.url = f"https://127.0.0.1:{self.wechat_proxy.port}"

    def watch(self, sends=True):
        """Begins to look."""
        self.statuses = StatusWatcher(self.bootstrap, self.topics.status, STATUS_PARTITIONS)
        self.commits = CommitWatcher(self.bootstrap, self.group, self.topics.jobs)
        self.moves = MoveWatcher(self.bootstrap, [f"{self.topics.delayed}.{each}" for each in ("1m", "10m", "1h")], 3)
        self.statuses.start()
        self.commits.start()
        self.moves.start()
        if sends:
            self.sends = SendWatcher(self.simulator)
            self.sends.start()

    @property
    def group(self):
        """The workers' consumer group."""
        return f"{self.topics.jobs}.group"

    def start_workers(self, count, static=False, properties=None, wait=True, **changes):
        """Replicas; with `wait` all are ready then."""
        first = len(self.slots)
        for number in range(first, first + count):
            kafka = {"kafka": {"properties": {
                "session.timeout.ms": "6000", "heartbeat.interval.ms": "500", **(properties or {}),
                **({"group.instance.id": f"replica-{number}"} if static else {})}}}
            apps = [{"name": name, "type": kind, "appid": appid, "secret": {"env": secret},
                     "rate": {"per_second": 5000, "burst": 1000}, "concurrency": CONCURRENCY}
                    for name, kind, appid, secret in (
                        ("shop", "official_account", "wx0123456789abcdef", "SHOP_SECRET"),
                        ("mini", "mini_program", "wxfedcba9876543210", "MINI_SECRET"))]
            self.slots.append(Slot(self, number, {**kafka, "apps": apps, "log": {"level": "info"}, **changes}).start())
        for slot in self.slots[first:] if wait else ():
            slot.worker.ready(60)

    def load(self, count=10_000_000, rate=None, **how):
        """Begins to produce jobs, which differ from those of other loads."""
        first = len(self.loads) * 10_000_000
        self.loads.append(Load(self.bootstrap, self.topics.jobs, self.partitions, count, rate, first=first, **how))
        return self.loads[-1]

    # --- while it runs --------------------------------------------------------------------------------------------

    def placed(self):
        """All jobs that stand on their topic."""
        placed = {place: expected for load in self.loads for place, expected in dict(load.placed).items()}
        unplaced = {place: expected for load in self.loads for place, expected in dict(load.unplaced).items()}
        if unplaced:
            found = {key[2]: key[:2] for key in list(self.statuses.statuses)}
            placed |= {found.get(expected.tousers[0], place): expected for place, expected in unplaced.items()}
        return placed

    def tick(self):
        """Now and then a line on how it goes."""
        now = time.monotonic()
        when, count = self._reported
        if now - when >= 5 and self.statuses is not None:
            rate = (self.statuses.count - count) / (now - when) if when else 0
            self.say(f"jobs {sum(len(load.placed) for load in self.loads)}, statuses {self.statuses.count} (+{rate:.0f}/s), "
                     f"workers up {sum(slot.alive() for slot in self.slots)}/{len(self.slots)}")
            self._reported = (now, self.statuses.count)

    def pause(self, seconds):
        """Lets it go on for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.tick()
            time.sleep(min(0.1, max(0.0, end - time.monotonic())))

    def until(self, condition, limit, what):
        """Waits for something; False, and a failure, after `limit` seconds."""
        end = time.monotonic() + limit
        while not condition():
            self.tick()
            if time.monotonic() > end:
                self.failures.append(f"{limit:.0f} s without {what}")
                self.say(f"FAILED: {self.failures[-1]}")
                return False
            time.sleep(0.05)
        return True

    def fault(self, what):
        """Writes down that something is done now."""
        self.faults.append((time.time(), what))
        self.say(what)

    def kill(self, slot):
        """SIGKILL, and a new process in its place at once. Requests it had in flight a moment before."""
        in_flight = slot.gauge("wxcourier_in_flight")
        self.fault(f"SIGKILL worker {slot.number}, {0 if in_flight is None else in_flight:.0f} in flight")
        slot.worker.kill()
        slot.start()
        return in_flight

    def stop(self, slot, limit=40.0):
        """SIGTERM, its end, and a new process in its place."""
        self.fault(f"SIGTERM worker {slot.number}")
        begin = time.monotonic()
        slot.worker.signal(signal.SIGTERM)
        code = slot.worker.wait(limit)
        self.expect(code == 0, f"worker {slot.number} ends with 0 on SIGTERM, not {code}")
        slot.start()
        return time.monotonic() - begin

    # --- the end --------------------------------------------------------------------------------------------------

    def expect(self, holds, what):
        """An assertion of this scenario; the run goes on and fails at its end."""
        if not holds:
            self.failures.append(what)
            self.say(f"FAILED: {what}")

    def measure(self, text):
        """A number for the report."""
        self.notes.append(text)
        self.say(text)

    def wanted(self):
        """Messages that are to come of what has been produced."""
        return sum(len(expected.tousers) for expected in self.placed().values())

    def finish(self, limit=90.0, whole=True):
        """Waits until everything has ended and is committed (not with `whole` false), ends the workers, checks. The report."""
        if whole:
            for load in self.loads:
                load.join(limit)
            wanted = self.wanted()
            self.until(lambda: len(self.statuses.statuses) >= wanted, limit, f"a terminal status for all {wanted} messages")
        for slot in self.slots:
            if slot.alive():
                slot.worker.signal(signal.SIGTERM)
        for slot in self.slots:
            if slot.worker is not None:
                code = slot.worker.wait(45)
                self.expect(code in (0, -signal.SIGKILL), f"worker {slot.number} ends with 0, not {code}")
        self.pause(1.0)
        for watcher in (self.statuses, self.sends, self.commits, self.moves):
            if watcher is not None:
                watcher.stop()
        return checker.check(self.placed(), self.statuses.statuses, self.sends.sends if self.sends else None,
                             self.commits.commits, self.moves.moved)

    def safe(self, report, repeats=None, unknown=None, whole=True):
        """What holds in every scenario; `repeats`: the most repeated statuses and sends; `whole`: all jobs had the time to end."""
        for line in report.lines():
            self.say(line)
        must_be_none = ("lost", "conflicting", "offsets_ahead", "backwards", "strangers", "visible_deduplicated",
                        "sent_again_late")
        for what in must_be_none + (("without_status", "uncommitted") if whole else ()):
            self.expect(getattr(report, what) == 0, f"{what.replace('_', ' ')}: {getattr(report, what)}, not 0")
        self.expect(not self.statuses.odd, f"statuses can be read: {self.statuses.odd[:2]}")
        self.expect(set(report.states) <= {"sent"}, f"every job is sent: {dict(report.states)}")
        if unknown is not None:
            self.expect(report.unknown <= unknown, f"unknown: {report.unknown}, at most {unknown}")
        if repeats is not None:
            most = max(report.repeated_statuses, report.repeated_sends)
            self.expect(most <= repeats, f"repeats: {most}, at most {repeats}")
        self.report = report

    def gaps(self, begin, end, limit=None, what="status"):
        """The longest time that any partition waited for its next status; an assertion with `limit`."""
        seconds, when, partition = checker.longest_gap(self.statuses.arrivals, begin, end)
        self.measure(f"longest time without a status of a partition: {seconds:.1f} s (partition {partition}, "
                     f"{when - self.began_at:.1f} s into the run)")
        if limit is not None:
            self.expect(seconds <= limit, f"every partition brings a {what} within {limit:.1f} s, not {seconds:.1f} s")
        return seconds

    def progress(self, end, limit=None, takes_effect=1.0):
        """Time from each fault to progress of all partitions."""
        worst = 0.0
        for when, what in self.faults:
            took = checker.progress_after(self.statuses.arrivals, when, end, takes_effect)
            worst = max(worst, took)
            self.say(f"  {what}: progress of every partition after {took:.1f} s")
        self.measure(f"longest time from a fault to progress of every partition: {worst:.1f} s")
        if limit is not None:
            self.expect(worst <= limit, f"progress within {limit:.1f} s of every fault, not {worst:.1f} s")
        return worst

    def verdict(self):
        """Prints it; the exit code."""
        report = getattr(self, "report", None)
        counts = {} if report is None else {
            field: getattr(report, field) for field in
            ("jobs", "messages", "lost", "without_status", "conflicting", "unknown", "repeated_statuses", "repeated_sends",
             "visible_repeats", "offsets_ahead", "sent_again_late", "uncommitted")}
        result = {"scenario": self.name, "kafka": self.version, "seed": self.seed, "passed": not self.failures, **counts,
                  "measured": self.notes, "failures": self.failures, "seconds": round(time.monotonic() - self.began)}
        (self.folder / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"\n{self.name}, Kafka {self.version}, seed {self.seed}: {'FAILED' if self.failures else 'passed'} in "
              f"{result['seconds']} s; logs in {self.folder}")
        for each in self.notes:
            print(f"  {each}")
        for each in self.failures:
            print(f"  FAILED: {each}")
        sys.stdout.flush()
        return 1 if self.failures else 0
