# SPDX-License-Identifier: Apache-2.0
"""The contestants: how each is started on the same topics and the same far end."""
import ctypes
import os
import pathlib
import signal
import subprocess
import time

from .stage import BUILD, ROOT, cost_of


def ends_with_its_parent():
    """In the child: the kernel kills it when the benchmark dies, however that dies (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)


class Worker:
    """One process that takes jobs to the far end and writes a status for each."""
    title = ""

    def __init__(self, stage, jobs, status, group, in_flight, apps=1, instance=None):
        self.stage, self.jobs, self.status, self.group = stage, jobs, status, group
        self.in_flight, self.apps, self.instance = in_flight, apps, instance
        self.process = None
        self.began = 0.0  # when it was started, seconds since the epoch

    def command(self):
        """The command line and what it adds to the environment."""
        raise NotImplementedError

    def start(self):
        """Starts it."""
        arguments, environment = self.command()
        log = open(BUILD / f"{type(self).__name__.lower()}.log", "ab")
        with log:
            self.began = time.time()
            self.process = subprocess.Popen([str(each) for each in arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **environment}, preexec_fn=ends_with_its_parent)
        return self

    def cost(self):
        """What it has cost so far."""
        assert self.process.poll() is None, f"{self.title} ended with {self.process.returncode}; see {BUILD}/*.log"
        return cost_of(self.process.pid)

    def stop(self, number=signal.SIGTERM):
        """Ends it."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Wxcourier(Worker):
    """wxcourier as it is shipped; only the app's rate is raised out of the way."""
    title = "wxcourier"

    def command(self):
        names = ["bench"] if self.apps == 1 else [f"bench{each}" for each in range(self.apps)]
        static = f"\n    group.instance.id: {self.instance}" if self.instance else ""
        apps = "".join(f"""
  - name: {name}
    type: official_account
    appid: wx{number:016x}
    secret: {{env: BENCH_SECRET}}
    rate: {{per_second: 100000, burst: 100000}}
    concurrency: {max(1, self.in_flight // self.apps)}""" for number, name in enumerate(names))
        config = BUILD / "wxcourier.yaml"
        config.write_text(f"""
kafka:
  bootstrap_servers: {self.stage.kafka.bootstrap}
  group_id: {self.group}
  properties:
    session.timeout.ms: 10000{static}
topics: {{jobs: [{self.jobs}], status: {self.status}, dead_letter: {self.stage.dead_letters},
          fleet: {self.stage.fleet(self.group)}, delayed: {self.stage.delayed}}}
wechat: {{base_urls: ["{self.stage.far_end.url}"], ca_file: {self.stage.far_end.ca}}}
apps:{apps}
http: {{listen: "127.0.0.1:0"}}
""", encoding="utf-8")
        binary = pathlib.Path(os.environ.get("WXCOURIER_BINARY", ROOT / "build" / "release" / "wxcourier"))
        return [binary, "run", "-c", config], {"BENCH_SECRET": "0123456789abcdef0123456789abcdef"}


class Peer(Worker):
    """A peer takes everything from the environment."""

    def environment(self):
        """The same for every peer."""
        return {"BOOTSTRAP": self.stage.kafka.bootstrap, "GROUP": self.group, "JOBS": self.jobs, "STATUS": self.status,
                "URL": self.stage.far_end.url, "CA_FILE": str(self.stage.far_end.ca), "IN_FLIGHT": str(self.in_flight)}


class Go(Peer):
    """tests/bench/peers/go."""
    title = "Go (franz-go, net/http)"

    def command(self):
        return [BUILD / "go_worker"], self.environment()


class Python(Peer):
    """tests/bench/peers/python."""
    title = "Python (aiokafka, aiohttp)"

    def command(self):
        return [BUILD / "venv" / "bin" / "python", ROOT / "tests/bench/peers/python/worker.py"], self.environment()


CONTESTANTS = {"wxcourier": Wxcourier, "go": Go, "python": Python}
