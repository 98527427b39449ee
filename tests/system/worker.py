"""A `wxcourier run` process: its configuration, its log, its end."""
import ctypes
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import requests
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Secrets the workers get: each test, and the end of the run, looks for them where they must not be.
SECRETS = {"SHOP_SECRET": "canary-shop-0a1b2c3d4e5f60718293a4b5", "MINI_SECRET": "canary-mini-b5a4938271605f4e3d2c1b0a",
           "TOKEN_KEY": "Y2FuYXJ5LWtleS0wMTIzNDU2Nzg5YWJjZGVmMDEyMzQ=",  # base64 of 32 bytes
           "KAFKA_PASSWORD": "canary-kafka-5d0e41f7c2"}
APPIDS = {"shop": "wx0123456789abcdef", "mini": "wxfedcba9876543210"}


def binary():
    """The executable under test."""
    named = os.environ.get("WXCOURIER_BINARY")
    candidates = [named] if named else [ROOT / "build" / preset / "wxcourier" for preset in ("release", "dev")]
    for each in candidates:
        if pathlib.Path(each).is_file():
            return str(each)
    raise AssertionError(f"no wxcourier at {', '.join(map(str, candidates))}: build it, or name it in WXCOURIER_BINARY")


def ends_with_its_parent():
    """In the child: the kernel kills it when the test run dies, however that dies (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)


class Process:
    """A child process with its two outputs in files."""

    def __init__(self, folder, name, arguments, environment=None, stdin=None):
        self.out_file = folder / f"{name}.out"
        self.err_file = folder / f"{name}.err"
        with open(self.out_file, "wb") as out, open(self.err_file, "wb") as err:
            self.process = subprocess.Popen(
                [binary(), *map(str, arguments)], stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err,
                env={**os.environ, **(environment or {})}, cwd=folder, preexec_fn=ends_with_its_parent)
        self.pid = self.process.pid

    def alive(self):
        """Whether it still runs."""
        return self.process.poll() is None

    def out(self):
        """Its standard output so far."""
        return self.out_file.read_text(encoding="utf-8", errors="replace")

    def err(self):
        """Its standard error so far."""
        return self.err_file.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, find, limit, what):
        """What `find()` returns once that is not None; fails when the process ends first, or after `limit` seconds."""
        deadline = time.monotonic() + limit
        while True:
            ended = not self.alive()
            found = find()
            if found is not None:
                return found
            assert not ended, f"ended with {self.process.returncode} before {what}\n{self.err()[-3000:]}"
            assert time.monotonic() < deadline, f"{limit:.0f} s without {what}\n{self.err()[-3000:]}"
            time.sleep(0.05)

    def signal(self, number):
        """Sends a signal."""
        self.process.send_signal(number)

    def wait(self, limit=40.0):
        """Its exit code, once it ended."""
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end within {limit:.0f} s\n{self.err()[-3000:]}") from None

    def kill(self):
        """SIGKILL, and gone."""
        if self.alive():
            self.process.kill()
        self.process.wait(10)


def deep_update(settings, changes):
    """Merges `changes` into `settings`, objects member by member."""
    for name, value in changes.items():
        if isinstance(value, dict) and isinstance(settings.get(name), dict):
            deep_update(settings[name], value)
        else:
            settings[name] = value


def app_settings(name, kind, appid, secret):
    """An app fast enough for tests."""
    return {"name": name, "type": kind, "appid": appid, "secret": {"env": secret},
            "rate": {"per_second": 5000, "burst": 1000}, "concurrency": 128}


def worker_settings(bootstrap, all_topics, simulator, **changes):
    """A worker's configuration: the apps `shop` and `mini`, these topics, this simulator as WeChat; then `changes`."""
    settings = {
        "kafka": {"bootstrap_servers": bootstrap, "group_id": f"{all_topics.jobs}.group",
                  # Quick to notice a member that was killed.
                  "properties": {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500"}},
        "topics": {"jobs": [all_topics.jobs], "status": all_topics.status, "dead_letter": all_topics.dead_letter,
                   "delayed": all_topics.delayed, "tokens": all_topics.tokens, "fleet": all_topics.fleet},
        "wechat": {"base_urls": [simulator.url], "ca_file": simulator.ca, "request_timeout": "3s"},
        "apps": [app_settings("shop", "official_account", APPIDS["shop"], "SHOP_SECRET"),
                 app_settings("mini", "mini_program", APPIDS["mini"], "MINI_SECRET")],
        "http": {"listen": "127.0.0.1:0"},
        "log": {"level": "debug", "format": "json"},
    }
    deep_update(settings, changes)
    return settings


class Worker(Process):
    """`wxcourier run` with a configuration file."""

    def __init__(self, folder, name, settings, environment=None):
        self.config = folder / f"{name}.yaml"
        self.config.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")
        self.group = settings["kafka"]["group_id"]
        super().__init__(folder, name, ["run", "-c", self.config], {**SECRETS, **(environment or {})})

    def log(self, message=None):
        """Its log lines as dictionaries; those with this message."""
        lines = []
        for line in self.err().splitlines():
            if line.startswith("{") and line.endswith("}"):
                parsed = json.loads(line)
                if message in (None, parsed["message"]):
                    lines.append(parsed)
        return lines

    def url(self):
        """Base address of its health endpoints."""
        def find():
            for line in self.log("listening"):
                found = re.search(r"127\.0\.0\.1:\d+", " ".join(line.values()))
                if found:
                    return f"http://{found.group()}"
            return None
        return self.wait_for(find, 20, "the `listening` line")

    def get(self, path):
        """One HTTP request to it."""
        return requests.get(self.url() + path, timeout=5)

    def ready(self, limit=40.0):
        """Waits until /readyz says 200."""
        self.url()

        def find():
            try:
                return self if self.get("/readyz").status_code == 200 else None
            except requests.ConnectionError:
                return None
        return self.wait_for(find, limit, "readiness")

    def metric(self, name, **labels):
        """Sum of a metric's samples that have these labels."""
        total = 0.0
        for line in self.get("/metrics").text.splitlines():
            found = re.match(r"(\w+)(?:\{(.*)\})? (\S+)$", line)
            if found and found.group(1) == name:
                has = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', found.group(2) or ""))
                if labels.items() <= has.items():
                    total += float(found.group(3))
        return total

    def check_alive(self):
        """For `progress` of the readers: fails at once when the worker died."""
        assert self.alive(), f"the worker ended with {self.process.returncode}\n{self.err()[-3000:]}"

    def stop(self, expected=0, limit=40.0):
        """SIGTERM; its exit code must be the expected one."""
        self.signal(signal.SIGTERM)
        code = self.wait(limit)
        assert code == expected, f"exit code {code}\n{self.err()[-3000:]}"
