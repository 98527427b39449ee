"""Jobs at a steady rate, and who should get a message because of them."""
import dataclasses
import json
import threading
import time

import jobs
from confluent_kafka import KafkaException, Producer

# A kind for each job in turn: most are such that WeChat drops a repeat, some are not, one has recipients. As many as share
# no divisor with a topic's partitions, so that each of these gets all kinds.
MIX = ("official.template", "official.template", "official.custom", "official.template", "miniprogram.subscribe",
       "official.template", "official.subscribe_once", "official.template", "official.template", "recipients",
       "official.template", "official.custom", "official.template")
RECIPIENTS = 5
# Recipients of jobs with recipients are numbered from here, so that an openid is used once only.
FIRST_RECIPIENT = 1_000_000_000
# Brokers fail here: clients of the harness find out quickly.
CLIENT = {"socket.timeout.ms": 5000, "topic.metadata.refresh.interval.ms": 1000, "reconnect.backoff.ms": 50,
          "reconnect.backoff.max.ms": 500, "log_level": 0}


@dataclasses.dataclass(frozen=True)
class Expected:
    """What is to come of one job record."""
    number: int
    kind: str
    tousers: tuple


def job(number):
    """Job `number` of the mix: its record, and what is to come of it."""
    kind = MIX[number % len(MIX)]
    if kind != "recipients":
        made = jobs.make(number, kind)
        return made.record(), Expected(number, kind, (made.touser,))
    tousers = tuple(jobs.openid(FIRST_RECIPIENT + number * RECIPIENTS + each) for each in range(RECIPIENTS))
    made = jobs.make(number, "official.template", recipients=list(tousers))
    del made.body["touser"]
    return made.record(), Expected(number, "official.template", tousers)


class Load:
    """Produces `count` jobs, `rate` a second (None: at once), to `partitions` in turn, on a thread of its own.
    `placed`: what is acknowledged, by (partition, offset); `unplaced`: the same where the offset is not known."""

    def __init__(self, bootstrap, topic, partitions, count, rate=None, make=job, first=0):
        self.topic = topic
        self.partitions = partitions
        self.count = count
        self.rate = rate
        self.make = make
        self.first = first
        self.placed = {}
        self.unplaced = {}
        self.failures = []
        self.finished = False
        self._stop = threading.Event()
        self._producer = Producer({
            "bootstrap.servers": bootstrap, "linger.ms": 5, "acks": "all", "enable.idempotence": True,
            "queue.buffering.max.messages": 200_000, "message.max.bytes": 16_000_000, "request.timeout.ms": 3000,
            **CLIENT})
        self._thread = threading.Thread(target=self._run, daemon=True, name="load")
        self._thread.start()

    def stop(self):
        """No more jobs; those handed over are still acknowledged."""
        self._stop.set()

    def join(self, limit):
        """Waits until all is acknowledged."""
        self._thread.join(limit)
        assert self.finished, f"{limit:.0f} s, and not all jobs are on their topic"
        assert not self.failures, self.failures[0]

    def _run(self):
        begin = time.monotonic()
        for index in range(self.count):
            if self._stop.is_set():
                break
            record, expected = self.make(self.first + index)
            while True:
                try:
                    self._producer.produce(self.topic, value=record.value, key=record.key, headers=list(record.headers),
                                           partition=index % self.partitions, on_delivery=self._keep(expected))
                    break
                except BufferError:
                    self._producer.poll(0.1)
            self._producer.poll(0)
            if self.rate is not None:
                ahead = begin + (index + 1) / self.rate - time.monotonic()
                if ahead > 0:
                    self._producer.poll(min(ahead, 0.01))
                    time.sleep(max(0.0, begin + (index + 1) / self.rate - time.monotonic()))
        try:
            self.finished = self._producer.flush(120) == 0
        except KafkaException as error:
            self.failures.append(error)

    def _keep(self, expected):
        def delivered(error, message):
            if error is None and message.offset() is None:  # A repeat that the broker recognised: it is there, somewhere.
                self.unplaced[message.partition(), -expected.number - 1] = expected
            elif error is None:
                self.placed[message.partition(), message.offset()] = expected
            else:
                self.failures.append(error)
        return delivered


def padded(size):
    """Jobs that are `size` bytes large and more, for `Load`: labels are echoed nowhere but in their statuses, so the
    bulk is in the message."""
    def make(number):
        made = jobs.make(number)
        made.body["data"]["note"] = {"value": "x" * size}
        record = made.record()
        assert len(json.dumps(made.body)) > size
        return record, Expected(number, made.kind, (made.touser,))
    return make
