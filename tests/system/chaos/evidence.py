"""What is seen from outside while faults happen: statuses, dead letters, requests at WeChat, commits."""
import dataclasses
import json
import threading
import time

import requests
from confluent_kafka import Consumer, KafkaException, TopicPartition
from statuses import TERMINAL

from chaos import group_commits
from chaos.load import CLIENT


@dataclasses.dataclass(frozen=True)
class Status:
    """A terminal status."""
    state: str
    reason: str | None
    worker: str
    at: float      # Unix seconds when the broker appended it


@dataclasses.dataclass(frozen=True)
class Send:
    """A send call that arrived at WeChat."""
    touser: str
    at: float       # Unix seconds
    accepted: bool
    duplicate: bool


class Watcher:
    """Something that is looked at again and again on a thread of its own."""

    def __init__(self, name):
        self._stop = threading.Event()
        self.error = None
        self._thread = threading.Thread(target=self._guard, daemon=True, name=name)

    def start(self):
        """Begins."""
        self._thread.start()

    def stop(self):
        """Ends, and tells what went wrong with the looking itself."""
        self._stop.set()
        self._thread.join(30)
        if self.error:
            raise self.error

    def _guard(self):
        try:
            self.watch()
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def watch(self):
        """Until `_stop` is set."""
        raise NotImplementedError


def reader(bootstrap, **more):
    """A consumer that commits nothing."""
    return Consumer({"bootstrap.servers": bootstrap, "group.id": "chaos-reader", "enable.auto.commit": False,
                     "auto.offset.reset": "earliest", "fetch.wait.max.ms": 50, **more, **CLIENT})


class TopicWatcher(Watcher):
    """Topics from their beginning."""

    def __init__(self, bootstrap, topics, partitions):
        super().__init__(f"reader of {', '.join(topics)}")
        self._consumer = reader(bootstrap)
        self._consumer.assign([TopicPartition(topic, each, 0) for topic in topics for each in range(partitions)])

    def watch(self):
        while not self._stop.is_set():
            for message in self._consumer.consume(1000, 0.2):
                if not message.error():
                    self.take(message)
        self._consumer.close()

    def take(self, message):
        """One record."""
        raise NotImplementedError


class StatusWatcher(TopicWatcher):
    """The status topic."""

    def __init__(self, bootstrap, topic, partitions):
        super().__init__(bootstrap, [topic], partitions)
        self.statuses = {}   # (partition, offset, touser) of the job -> its terminal statuses
        self.count = 0       # terminal statuses
        self.records = 0
        self.arrivals = {}   # jobs partition -> when its statuses were appended
        self.odd = []        # what could not be understood

    def take(self, message):
        self.records += 1
        try:
            status = json.loads(message.value())
            source = status["source"]
            if status["state"] not in TERMINAL:
                return
            appended = message.timestamp()[1] / 1000  # The topic has LogAppendTime.
            key = (source["partition"], source["offset"], status["touser"])
            self.statuses.setdefault(key, []).append(Status(
                status["state"], status.get("reason"), status["worker"], appended))
            self.arrivals.setdefault(source["partition"], []).append(appended)
            self.count += 1
        except (ValueError, KeyError, TypeError) as error:
            self.odd.append(f"{error!r}: {message.value()[:200]!r}")


class MoveWatcher(TopicWatcher):
    """The delayed topics: what was moved there has been finished in the jobs topic, and ends when it comes back."""

    def __init__(self, bootstrap, topics, partitions):
        super().__init__(bootstrap, topics, partitions)
        self.moved = {}      # (partition, offset) of the job -> when its first copy was written

    def take(self, message):
        source = dict(message.headers())["wxcourier.source"].decode()
        _, partition, offset = source.rsplit("/", 2)
        self.moved.setdefault((int(partition), int(offset)), message.timestamp()[1] / 1000)


class SendWatcher(Watcher):
    """Every send call that the simulator has recorded."""

    def __init__(self, simulator):
        super().__init__("reader of the simulator")
        self.sends = []
        self._simulator = simulator
        self._session = requests.Session()
        self._session.verify = simulator.ca
        self._session.trust_env = False
        self._since = 0

    def watch(self):
        while not self._stop.wait(0.3):
            self.look()
        self.look()

    def look(self):
        """Takes in what came since."""
        while True:
            reply = self._session.get(f"{self._simulator.url}/_simulator/received", timeout=30,
                                      params={"since": self._since, "limit": 5000})
            reply.raise_for_status()
            lines = reply.content.splitlines()
            for line in lines:
                seen = json.loads(line)
                assert seen["seq"] == self._since + 1, "the simulator forgot requests before they were read"
                self._since = seen["seq"]
                if "/message/" in seen["path"]:
                    self.sends.append(Send(seen["touser"], seen["time"] / 1000, seen["accepted"], seen["duplicate"]))
            if len(lines) < 5000:
                return


class CommitWatcher(Watcher):
    """Every commit of a group, from the topic in which the brokers keep them. (Asking a broker for the group's offsets
    would show some of them only, and the client's binding for Python damages their metadata.)"""

    def __init__(self, bootstrap, group, jobs):
        super().__init__("reader of the commits")
        self.commits = []
        self._group = group
        self._jobs = jobs
        self._consumer = reader(bootstrap, **{"isolation.level": "read_uncommitted"})
        self._where = []

    def start(self):
        """Begins; a group must have been there, which is what makes the brokers create the topic."""
        partitions = self._consumer.list_topics("__consumer_offsets", timeout=30).topics["__consumer_offsets"].partitions
        self._where = [TopicPartition("__consumer_offsets", each, 0) for each in partitions]
        assert self._where, "there is no __consumer_offsets"
        self._consumer.assign(self._where)
        super().start()

    def watch(self):
        while not self._stop.is_set():
            self._take_some()
        deadline = time.monotonic() + 20
        while not self._at_the_end() and time.monotonic() < deadline:
            self._take_some()
        self._consumer.close()

    def _take_some(self):
        for message in self._consumer.consume(1000, 0.2):
            if not message.error() and message.key():
                found = group_commits.parse(message.key(), message.value())
                if found is not None and (found.group, found.topic) == (self._group, self._jobs):
                    self.commits.append(found)

    def _at_the_end(self):
        """Whether all is read that was there a moment ago."""
        try:
            return all(each.offset >= self._consumer.get_watermark_offsets(each, timeout=5)[1]
                       for each in self._consumer.position(self._where) if each.offset >= 0)
        except KafkaException:
            return False
