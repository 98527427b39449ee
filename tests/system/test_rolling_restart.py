"""A rolling restart as Kubernetes does it: a new pod is ready, then an old one gets SIGTERM, the grace period, SIGKILL.
Meanwhile jobs move to the delayed topics, and come back from there."""
import collections
import signal
import subprocess
import threading
import time

import jobs
from statuses import StatusLog

REPLICAS = 3
# What deploy/helm gives: delivery.drain_timeout and ten seconds.
GRACE = 30.0
BATCH = 40
# Every so many-th job waits so long: it moves to the delayed topics.
WAITING, WAIT_SECONDS = 4, 70


class Producer(threading.Thread):
    """Produces jobs of all kinds without a pause until it is stopped."""

    def __init__(self, kafka, topic):
        super().__init__(daemon=True)
        self.kafka, self.topic = kafka, topic
        self.made = 0
        self.failure = None
        self.enough = threading.Event()

    def run(self):
        try:
            while not self.enough.is_set():
                batch = jobs.of_all_kinds(BATCH, first=self.made)
                for job in batch[::WAITING]:
                    job.more["not_before"] = int((time.time() + WAIT_SECONDS) * 1000)
                self.kafka.produce(self.topic, [job.record() for job in batch])
                self.made += BATCH
                time.sleep(0.1)
        except Exception as error:  # pylint: disable=broad-except  # told by the test
            self.failure = error


def end_as_kubernetes_does(worker):
    """SIGTERM, the grace period, SIGKILL. The exit code."""
    worker.signal(signal.SIGTERM)
    try:
        return worker.process.wait(GRACE)
    except subprocess.TimeoutExpired:
        worker.kill()
        return worker.process.returncode


def test_nothing_is_lost_and_nothing_sent_twice(kafka, topics, simulator, run_worker, read):
    simulator.change(latency="300ms", jitter="200ms")  # always something in flight
    running = [run_worker(topics, simulator).ready() for _ in range(REPLICAS)]
    producer = Producer(kafka, topics.jobs)
    producer.start()
    log = StatusLog(read(topics.status))
    log.until_terminal(200, progress=running[0].check_alive)
    codes = []
    for _ in range(REPLICAS):
        running.append(run_worker(topics, simulator).ready())
        codes.append(end_as_kubernetes_does(running.pop(0)))
        seen = len(log.terminal)
        log.until_terminal(seen + 100, progress=running[-1].check_alive)
    producer.enough.set()
    producer.join(60)
    assert producer.failure is None
    log.until_terminal(producer.made, 60 + WAIT_SECONDS, progress=running[-1].check_alive)
    assert sum(kafka.ends(f"{topics.delayed}.1m", 3)) >= producer.made / WAITING, "they waited on the delayed topics"
    codes += [end_as_kubernetes_does(each) for each in running]

    assert codes == [0] * (2 * REPLICAS), "each ended by itself, with all it had in flight"
    statuses = log.by_id()
    assert len(statuses) == producer.made
    assert {status["state"] for status in statuses.values()} == {"sent"}
    arrivals = collections.Counter((each["path"], each["touser"]) for each in simulator.sends())
    assert len(arrivals) == producer.made
    assert max(arrivals.values()) == 1, "a message was sent twice"
