"""The ops page: a `wxcourier dashboard` process, statuses for it to read, and a browser to look at it."""
import dataclasses
import datetime
import json
import re
import time

import requests
import yaml
from kafka import Record
from worker import Process

KINDS = {"shop": "official.template", "mini": "miniprogram.subscribe"}


class Dashboard(Process):
    """`wxcourier dashboard` over a status topic."""

    def __init__(self, folder, name, bootstrap, topic, *arguments):
        self.config = folder / f"{name}.yaml"
        self.config.write_text(yaml.safe_dump({
            "kafka": {"bootstrap_servers": bootstrap},
            "topics": {"status": topic},
            "apps": [{"name": "shop", "type": "official_account", "appid": "wx0123456789abcdef",
                      "secret": {"env": "NOT_NEEDED_BY_THE_DASHBOARD"}}],
        }), encoding="utf-8")
        super().__init__(folder, name, ["dashboard", "-c", self.config, "--listen", "127.0.0.1:0", *arguments])
        self.url = self.wait_for(self._announced, 20, "`listening on URL`")

    def _announced(self):
        found = re.search(r"^listening on (http://\S+)/$", self.out(), re.MULTILINE)
        return found.group(1) if found else None

    def get(self, path, **parameters):
        """One HTTP request."""
        return requests.get(self.url + path, params=parameters, timeout=10)

    def snapshot(self, **query):
        """What a viewer of this filter is told now."""
        reply = self.get("/api/snapshot", **query)
        assert reply.ok, reply.text
        return reply.json()

    def until_read(self, number, limit=60.0):
        """Waits until so many statuses have been counted, and none is left in the history; the snapshot of all."""
        def find():
            found = self.snapshot(range="all")
            done = found["read"] >= number and found["feed"]["connected"] and not found["feed"]["reading"]
            return found if done else None
        return self.wait_for(find, limit, f"{number} statuses read")

    def rss(self):
        """Resident memory, bytes."""
        text = (self.proc() / "status").read_text(encoding="ascii")
        return int(re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE).group(1)) * 1024

    def proc(self):
        """Its directory under /proc."""
        import pathlib
        return pathlib.Path(f"/proc/{self.pid}")


def rfc3339(ms):
    """A time as the worker writes it."""
    at = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(ms) % 1000:03d}Z"


def now_ms():
    """Milliseconds since the epoch."""
    return int(time.time() * 1000)


@dataclasses.dataclass
class Status:
    """A status as a worker would report it; `ago` is how long ago it ended, in milliseconds."""
    id: str
    state: str = "sent"
    app: str | None = "shop"
    reason: str = ""
    errcode: int | None = None
    errmsg: str = ""
    ago: int = 0
    latency: int = 120
    touser: str = "oA1b2C3d4E5f6G7h8I9j0K1l2M3n"
    retry_in: int | None = None
    offset: int = 0
    worker: str = "wxcourier-7f9c"

    def record(self, now):
        """The record of the status topic."""
        at = now - self.ago
        value = {"version": 1, "id": self.id, "app": self.app, "kind": KINDS.get(self.app), "labels": {},
                 "touser": self.touser, "state": self.state}
        if self.reason:
            value["reason"] = self.reason
        if self.errcode is not None:
            value |= {"errcode": self.errcode, "errmsg": self.errmsg or "refused"}
        value["attempts"] = 1
        value["enqueued_at"] = rfc3339(at - self.latency)
        if self.state == "deferred":
            value["retry_at"] = rfc3339(now + (self.retry_in or 3_600_000))
        else:
            value |= {"finished_at": rfc3339(at), "latency_ms": self.latency}
        value |= {"source": {"topic": "push.jobs", "partition": 0, "offset": self.offset}, "worker": self.worker}
        return Record(json.dumps(value, separators=(",", ":")).encode(), key=self.id.encode(), timestamp=at)


def a_working_day(now):
    """Statuses of the last quarter of an hour, with every trouble the page tells apart; as records."""
    statuses = []
    for number in range(3000):
        statuses.append(Status(f"order-{number}", app="shop" if number % 3 else "mini", ago=(number * 290) % 870_000,
                               latency=60 + (number * 7919) % 400 + (4000 if number % 97 == 0 else 0),
                               offset=number, worker=f"wxcourier-{number % 3}",
                               touser=f"oWx{number:022d}abc"))
    def add(count, **what):
        for number in range(count):
            given = dict(what)
            spread = given.pop("spread", 600_000)
            statuses.append(Status(f"{given['state']}-{given['reason']}-{number}", ago=(number * 7919) % spread,
                                   offset=len(statuses), touser=f"oFail{number:020d}xyz", **given))
    add(41, state="failed", reason="refused_by_user", errcode=43101, errmsg="user refuse to accept the msg rid: 6745f1a2")
    add(17, state="failed", reason="invalid_template", errcode=40037, app="mini", spread=240_000,
        errmsg="invalid template_id rid: 6745f1a3-0a1b2c3d-4e5f6071")
    add(6, state="rejected", reason="invalid_job", app=None)
    add(4, state="expired", reason="expired")
    add(3, state="failed", reason="outcome_unknown")
    add(250, state="deferred", reason="quota_exhausted", errcode=45009, app="mini", retry_in=11_000_000)
    add(12, state="deferred", reason="not_before", retry_in=1_500_000)
    return [each.record(now) for each in statuses], statuses


def count_by_state(records):
    """What the topic says: the count of every state."""
    counts = {}
    for record in records:
        state = json.loads(record.value)["state"]
        counts[state] = counts.get(state, 0) + 1
    return counts
