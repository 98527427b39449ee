"""Apache Kafka as the tests see it: fresh topics, records in, records out."""
import dataclasses
import os
import pathlib
import subprocess
import time
import uuid

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True)
class Record:
    """One record. `timestamp` is milliseconds since the epoch, None for Kafka's own."""
    value: bytes | None
    key: bytes | None = None
    headers: tuple = ()
    topic: str = ""
    partition: int = -1
    offset: int = -1
    timestamp: int | None = None

    @property
    def source(self):
        """The record's place as the status topic and dead letters write it."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclasses.dataclass(frozen=True)
class Topics:
    """The topics of one worker, or of several that share them."""
    jobs: str
    status: str
    dead_letter: str
    delayed: str
    tokens: str
    fleet: str


class Brokers:
    """Brokers that run somewhere, as a client sees them. Topics get `replication` replicas."""

    def __init__(self, bootstrap, replication=1, **properties):
        """`properties`: more of librdkafka's, for `admin`."""
        self.bootstrap = bootstrap
        self.replication = replication
        self.admin = AdminClient({"bootstrap.servers": bootstrap, **properties})

    def create(self, *names, partitions=1, **config):
        """Creates topics; `config` holds Kafka's topic settings, `_` for `.`."""
        settings = {name.replace("_", "."): str(value) for name, value in config.items()}
        topics = [NewTopic(name, partitions, self.replication, config=settings) for name in names]
        for future in self.admin.create_topics(topics).values():
            future.result(timeout=30)

    def delete(self, name):
        """Deletes a topic; returns when no broker names it any more."""
        self.admin.delete_topics([name])[name].result(timeout=30)
        deadline = time.monotonic() + 30
        while name in self.admin.list_topics(timeout=10).topics:
            assert time.monotonic() < deadline, f"topic {name} is still there"
            time.sleep(0.2)

    def topics(self, partitions=6, status_timestamps="CreateTime", **config):
        """A fresh set of topics; `partitions` and `config` are those of the jobs topic."""
        prefix = f"t{uuid.uuid4().hex[:10]}"
        names = Topics(*(f"{prefix}.{name}" for name in ("jobs", "status", "dead", "delayed", "tokens", "fleet")))
        self.create(names.jobs, partitions=partitions, **config)
        self.create(names.status, partitions=3, message_timestamp_type=status_timestamps)
        self.create(names.dead_letter, partitions=3, **config)
        self.create(*(f"{names.delayed}.{step}" for step in ("1m", "10m", "1h")), partitions=3, **config)
        self.create(names.tokens, cleanup_policy="compact")
        self.create(names.fleet, cleanup_policy="compact", min_compaction_lag_ms=3_600_000, segment_ms=600_000)
        return names

    def produce(self, topic, records):
        """Produces all records and waits for their acknowledgements: the records with their places, in the same order."""
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5, "acks": "all",
                             "message.max.bytes": 16_000_000, "queue.buffering.max.messages": 200_000})
        placed = [None] * len(records)
        errors = []

        def keep(index, record):
            def delivered(error, message):
                if error is not None:
                    errors.append(error)
                else:
                    placed[index] = dataclasses.replace(
                        record, topic=message.topic(), partition=message.partition(), offset=message.offset(),
                        timestamp=message.timestamp()[1])
            return delivered

        for index, record in enumerate(records):
            extra = {} if record.partition < 0 else {"partition": record.partition}
            if record.timestamp is not None:
                extra["timestamp"] = record.timestamp
            producer.produce(topic, value=record.value, key=record.key, headers=list(record.headers),
                             on_delivery=keep(index, record), **extra)
            producer.poll(0)
        assert producer.flush(60) == 0, "records were not acknowledged"
        assert not errors, errors[0]
        return placed

    def reader(self, topic):
        """Reads a topic from its beginning, as often as asked."""
        return TopicReader(self.bootstrap, topic)

    def committed(self, group, topic, partitions):
        """The group's committed offset of each partition; -1001 (OFFSET_INVALID) where there is none."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group})
        try:
            wanted = [TopicPartition(topic, each) for each in range(partitions)]
            return [each.offset for each in consumer.committed(wanted, timeout=30)]
        finally:
            consumer.close()

    def ends(self, topic, partitions):
        """The end offset of each partition."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "ends"})
        try:
            return [consumer.get_watermark_offsets(TopicPartition(topic, each), timeout=30)[1]
                    for each in range(partitions)]
        finally:
            consumer.close()


class Kafka(Brokers):
    """A broker that `scripts/dev-kafka` runs. `directory` names it."""

    def __init__(self, directory, version=None):
        self.directory = pathlib.Path(directory)
        self.version = version
        super().__init__(self.start())

    def dev_kafka(self, *arguments):
        """Runs scripts/dev-kafka for this broker; its output."""
        return dev_kafka(self.directory, *arguments)

    def start(self):
        """Starts the broker; after `stop` on the same port with the same data."""
        first = not self.directory.exists()
        arguments = ["--port", "0"] if first else []
        if first and self.version:
            arguments += ["--version", self.version]
        return self.dev_kafka("start", *arguments).rpartition(" ")[2]

    def stop(self):
        """Stops the broker and keeps its data."""
        self.dev_kafka("stop")

    def wipe(self):
        """Stops the broker and deletes its data."""
        self.dev_kafka("wipe")

    @staticmethod
    def wipe_directory(directory):
        """The same for a broker that nobody holds any more."""
        dev_kafka(directory, "wipe")


def dev_kafka(directory, *arguments):
    """Runs scripts/dev-kafka for the broker of a directory; its output."""
    done = subprocess.run([ROOT / "scripts" / "dev-kafka", *arguments, "--dir", directory], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class TopicReader:
    """All that a topic holds, growing as it is read. Outside any consumer group's concern."""

    def __init__(self, bootstrap, topic):
        self.topic = topic
        self.records = []
        self._consumer = Consumer({
            "bootstrap.servers": bootstrap, "group.id": f"reader-{os.getpid()}-{uuid.uuid4().hex}",
            "enable.auto.commit": False, "auto.offset.reset": "earliest", "fetch.wait.max.ms": 50,
            "max.partition.fetch.bytes": 16_000_000})
        partitions = self._consumer.list_topics(topic, timeout=30).topics[topic].partitions
        assert partitions, f"topic {topic} does not exist"
        self._consumer.assign([TopicPartition(topic, each, 0) for each in partitions])

    def poll(self, wait=0.2):
        """Takes in what is there, waiting at most `wait` seconds for the first record. The new records."""
        messages = self._consumer.consume(5000, wait)
        fresh = []
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
            fresh.append(Record(message.value(), message.key(), tuple(message.headers() or ()), message.topic(),
                                message.partition(), message.offset(), message.timestamp()[1]))
        self.records += fresh
        return fresh

    def until(self, enough, limit=60.0, what="what was expected", progress=None):
        """Reads until `enough(records)`; fails after `limit` seconds. `progress` is called on each turn (liveness)."""
        deadline = time.monotonic() + limit
        while not enough(self.records):
            if progress:
                progress()
            if time.monotonic() > deadline:
                raise AssertionError(f"{limit:.0f} s without {what}; {len(self.records)} records on {self.topic}")
            self.poll()
        return self.records

    def settle(self, quiet=1.0):
        """Reads on until nothing came for `quiet` seconds: for asserting that there is no more."""
        while self.poll(quiet):
            pass
        return self.records

    def close(self):
        """Leaves the broker."""
        self._consumer.close()
