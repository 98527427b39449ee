"""How the worker ends: SIGTERM drains, a limit cuts short, a second signal insists."""
import signal
import time

import jobs
from statuses import StatusLog

PARTITIONS = 6


def slow_sends(simulator, latency):
    """Has WeChat take its time over messages, not over tokens."""
    simulator.script({"latency": latency}, path="/cgi-bin/message/template/send")


def in_flight(worker):
    """Waits until the worker has a request under way."""
    worker.wait_for(lambda: worker.metric("wxcourier_in_flight") or None, 20, "a request in flight")


def test_sigterm_finishes_what_is_in_flight_and_the_next_worker_sends_the_rest(kafka, topics, simulator, run_worker, read):
    count = 1500
    simulator.change(latency="400ms")
    kafka.produce(topics.jobs, [jobs.make(number).record() for number in range(count)])
    worker = run_worker(topics, simulator).ready()
    log = StatusLog(read(topics.status))
    log.until_terminal(100, progress=worker.check_alive)
    worker.stop()

    log.reader.settle()
    log.take()
    sent_first = len(log.terminal)
    assert 100 <= sent_first < count
    assert len(simulator.sends()) == sent_first, "whatever was sent has its status"

    simulator.change(latency="5ms")
    successor = run_worker(topics, simulator).ready()
    log.until_terminal(count, progress=successor.check_alive)
    successor.stop()
    assert len(log.by_id()) == count
    assert len(simulator.sends()) == count, "nothing was sent twice"
    assert kafka.committed(worker.group, topics.jobs, PARTITIONS) == kafka.ends(topics.jobs, PARTITIONS)


def test_an_idle_worker_ends_at_once(kafka, topics, simulator, run_worker):
    worker = run_worker(topics, simulator).ready()
    begin = time.monotonic()
    worker.stop()
    assert time.monotonic() - begin < 5


def test_sigint_drains_too(kafka, topics, simulator, run_worker):
    worker = run_worker(topics, simulator).ready()
    worker.signal(signal.SIGINT)
    assert worker.wait() == 0


def test_it_is_not_ready_while_it_drains(kafka, topics, simulator, run_worker):
    slow_sends(simulator, "3s")
    worker = run_worker(topics, simulator, wechat={"request_timeout": "10s"}).ready()
    kafka.produce(topics.jobs, [jobs.make(1).record()])
    in_flight(worker)
    worker.signal(signal.SIGTERM)
    worker.wait_for(lambda: True if worker.get("/readyz").status_code == 503 else None, 2, "503 from /readyz")
    assert worker.get("/livez").status_code == 200
    assert worker.wait() == 0


def test_a_drain_that_takes_too_long_is_cut_short(kafka, topics, simulator, run_worker, read):
    slow_sends(simulator, "20s")
    worker = run_worker(topics, simulator, wechat={"request_timeout": "30s"}, delivery={"drain_timeout": "1s"}).ready()
    kafka.produce(topics.jobs, [jobs.make(1).record()])
    in_flight(worker)
    begin = time.monotonic()
    worker.stop(expected=1)
    assert 0.5 < time.monotonic() - begin < 10  # A part of the second is kept for the commit.
    assert max(kafka.committed(worker.group, topics.jobs, PARTITIONS)) <= 0, "the job that was cut short stays uncommitted"


def test_a_second_signal_ends_it_at_once(kafka, topics, simulator, run_worker):
    slow_sends(simulator, "20s")
    worker = run_worker(topics, simulator, wechat={"request_timeout": "30s"}).ready()
    kafka.produce(topics.jobs, [jobs.make(1).record()])
    in_flight(worker)
    worker.signal(signal.SIGTERM)
    worker.wait_for(lambda: True if worker.get("/readyz").status_code == 503 else None, 2, "503 from /readyz")
    begin = time.monotonic()
    worker.stop(expected=1)
    assert time.monotonic() - begin < 3


def test_with_its_broker_gone_a_worker_that_has_finished_ends_in_time_and_well(kafka, topics, simulator, run_worker, read):
    kafka.produce(topics.jobs, [jobs.make(number).record() for number in range(50)])
    worker = run_worker(topics, simulator, delivery={"drain_timeout": "3s"}).ready()
    StatusLog(read(topics.status)).until_terminal(50, progress=worker.check_alive)
    worker.wait_for(lambda: kafka.committed(worker.group, topics.jobs, PARTITIONS) == kafka.ends(topics.jobs, PARTITIONS)
                    or None, 10, "the commit of all")
    kafka.stop()
    try:
        begin = time.monotonic()
        worker.stop(expected=0)
        assert time.monotonic() - begin < 10
    finally:
        kafka.start()
