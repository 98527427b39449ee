# SPDX-License-Identifier: Apache-2.0
"""What every run shares: a real Kafka, the far end, jobs on topics, and a look at a process's costs."""
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import time
import urllib.request
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / "build" / "measure"
PARTITIONS = 12
TICKS = os.sysconf("SC_CLK_TCK")


def job(number, enqueued_us, app="bench"):
    """One job of about 700 bytes. Its mark `@NUMBER@MICROSECONDS@` is what the far end looks at."""
    openid = f"oWxCourier{number:018d}"
    return json.dumps({
        "id": f"bench-{number}", "app": app, "kind": "official.template",
        "message": {
            "touser": openid, "template_id": "n44_YbDNEqrrSEEvd8The8HpWYo1gWOVAXj7zIz4vHA",
            "url": "https://example.com/orders/2026/11/22?from=push&campaign=autumn",
            "miniprogram": {"appid": "wxfedcba9876543210", "pagepath": f"pages/order/detail?id={number}"},
            "data": {
                "first": {"value": f"@{number}@{enqueued_us}@"},
                "keyword1": {"value": "巅峰单词 2026 冬季课程"},
                "keyword2": {"value": "¥ 128.00"},
                "keyword3": {"value": "2026-11-22 08:30"},
                "remark": {"value": "您的订单已发货，请留意收货信息。感谢您的支持！"},
            }},
        "labels": {"campaign": "autumn", "shop": "north"}}, ensure_ascii=False).encode(), openid.encode()


class Kafka:
    """The broker that scripts/dev-kafka runs for the benchmarks."""

    def __init__(self):
        self.directory = BUILD / "kafka"
        out = subprocess.run([ROOT / "scripts" / "dev-kafka", "start", "--port", "0", "--heap", "1g", "--dir", self.directory],
                             check=True, capture_output=True, text=True).stdout
        self.bootstrap = out.strip().rpartition(" ")[2]
        self.admin = AdminClient({"bootstrap.servers": self.bootstrap})

    def wipe(self):
        """Stops it and deletes its data."""
        subprocess.run([ROOT / "scripts" / "dev-kafka", "wipe", "--dir", self.directory], check=True, capture_output=True)

    def topic(self, name, partitions=PARTITIONS):
        """Makes a topic with a name of its own; returns that."""
        full = f"{name}-{uuid.uuid4().hex[:8]}"
        self.create(full, partitions=partitions)
        return full

    def create(self, *names, partitions=1):
        """Makes topics of these names."""
        for future in self.admin.create_topics([NewTopic(each, partitions, 1) for each in names]).values():
            future.result(30)

    def drop(self, *topics):
        """Deletes topics, so that the disk does not fill."""
        for future in self.admin.delete_topics(list(topics)).values():
            future.result(30)

    def load(self, topic, count, apps=1, rate=None):
        """Puts jobs 0 … count-1 on a topic; `rate` a second, or as fast as it goes, then without a time in them."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "acks": "all", "linger.ms": 0 if rate else 20,
                             "queue.buffering.max.messages": 1_000_000, "queue.buffering.max.kbytes": 1_000_000})
        began = time.time()
        for number in range(count):
            if rate:
                while (ahead := began + number / rate - time.time()) > 0:
                    producer.poll(min(ahead, 0.001))
                value, key = job(number, int(time.time() * 1e6))
            else:
                value, key = job(number, 0, "bench" if apps == 1 else f"bench{number % apps}")
                if number % 1000 == 0:
                    producer.poll(0)
            producer.produce(topic, value, key)
        assert producer.flush(60) == 0, "jobs were not acknowledged"

    def records(self, topic, partitions=PARTITIONS):
        """How many records a topic has taken."""
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "bench-ends"})
        try:
            return sum(reader.get_watermark_offsets(TopicPartition(topic, each), timeout=10)[1] for each in range(partitions))
        finally:
            reader.close()


class FarEnd:
    """WeChat's stand-in (tests/bench/far_end)."""

    def __init__(self):
        self.folder = BUILD / "far-end"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen([BUILD / "far_end", "-dir", self.folder], stdout=subprocess.PIPE, text=True)
        said = json.loads(self.process.stdout.readline())
        self.url, self.control, self.ca = said["url"], said["control"], self.folder / "ca.pem"

    def _get(self, path):
        with urllib.request.urlopen(self.control + path, timeout=30) as reply:
            return reply.read()

    def reset(self, jobs, mean=0, jitter=0):
        """Begins to count anew; answers take mean ± jitter milliseconds from now on."""
        self._get(f"/reset?jobs={jobs}&mean={mean}&jitter={jitter}")

    def stats(self, latency=False):
        """What it has counted."""
        return json.loads(self._get("/stats" + ("?latency" if latency else "")))

    def stop(self):
        """Ends it."""
        self.process.kill()
        self.process.wait()


@dataclasses.dataclass
class Cost:
    """A process's costs so far."""
    cpu: float  # seconds, user and system
    rss: float  # MB, now
    peak: float  # MB


def cost_of(pid):
    """Reads them from /proc."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")

    def megabytes(name):
        return int(re.search(rf"{name}:\s+(\d+) kB", status).group(1)) / 1024
    return Cost((int(fields[11]) + int(fields[12])) / TICKS, megabytes("VmRSS"), megabytes("VmHWM"))


class Stage:
    """Kafka and the far end together."""

    def __init__(self):
        self.kafka = Kafka()
        self.far_end = FarEnd()
        self.dead_letters = self.kafka.topic("dead")
        self.delayed = f"delayed-{uuid.uuid4().hex[:8]}"
        self.kafka.create(*(self.delayed + each for each in (".1m", ".10m", ".1h")))
        self._fleets = {}
        self._loaded = {}

    def fleet(self, group):
        """The topic on which a group's replicas agree; every group has one of its own."""
        if group not in self._fleets:
            self._fleets[group] = self.kafka.topic("fleet", 1)
        return self._fleets[group]

    def backlog(self, count, apps=1, partitions=PARTITIONS):
        """A topic with `count` jobs; loaded once, read by as many groups as like."""
        key = (count, apps, partitions)
        if key not in self._loaded:
            topic = self.kafka.topic(f"jobs-{count}", partitions)
            self.kafka.load(topic, count, apps)
            self._loaded[key] = topic
        return self._loaded[key]

    def close(self):
        """Ends both; what was on the topics goes."""
        self.far_end.stop()
        self.kafka.wipe()
