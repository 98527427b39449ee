"""Jobs that wait on the delayed topics: through crashes and restarts, on time, each sent once; and nobody waits for them."""
import os
import threading
import time

import jobs
import pytest
from confluent_kafka import Producer
from statuses import StatusLog
from worker import APPIDS, SECRETS, app_settings

# The sizes that are asked for are for runs by hand: DELAYED_JOBS=10000 PARKED_JOBS=100000.
DELAYED_JOBS = int(os.environ.get("DELAYED_JOBS", "4000"))
PARKED_JOBS = int(os.environ.get("PARKED_JOBS", "6000"))


def percentile(values, part):
    """The value below which that part of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def waiting(kafka, topics, group):
    """Records of the delayed topics that the group has not finished."""
    count = 0
    for step in ("1m", "10m", "1h"):
        topic = f"{topics.delayed}.{step}"
        committed = kafka.committed(group, topic, 3)
        count += sum(end - max(0, done) for end, done in zip(kafka.ends(topic, 3), committed))
    return count


def test_delayed_jobs_are_sent_once_and_on_time_through_a_crash_while_they_move_and_two_more_restarts(
        kafka, topics, simulator, run_worker, read):
    """`not_before` lies 80 to 170 s ahead. SIGKILL while the jobs move (some stand in both places then), SIGKILL and
    SIGTERM later on; the last with jobs falling due, so that what was due while nobody ran is not held against it."""
    first = run_worker(topics, simulator).ready()
    start = time.time()
    due = {}
    records = []
    for number in range(DELAYED_JOBS):
        job = jobs.make(number, kind="official.custom")  # WeChat recognises no repeat of these
        due[job.touser] = int((start + 80 + 90 * number / DELAYED_JOBS) * 1000)
        job.more["not_before"] = due[job.touser]
        records.append(job.record())
    threading.Thread(target=kafka.produce, args=(topics.jobs, records), daemon=True).start()
    minute = f"{topics.delayed}.1m"
    while sum(kafka.ends(minute, 3)) < DELAYED_JOBS / 4:
        assert time.time() < start + 30, "nothing moves"
        first.check_alive()
    first.kill()

    second = run_worker(topics, simulator).ready()
    second.wait_for(lambda: waiting(kafka, topics, second.group) >= DELAYED_JOBS or None, 40, "all jobs on the delayed topics")
    copies = waiting(kafka, topics, second.group) - DELAYED_JOBS
    time.sleep(max(0.0, start + 65 - time.time()))
    second.kill()
    third = run_worker(topics, simulator).ready()
    time.sleep(max(0.0, start + 110 - time.time()))
    down = [time.time()]
    third.stop()
    fourth = run_worker(topics, simulator).ready()
    down.append(time.time() + 2)  # its partitions come a moment after it is ready

    log = StatusLog(read(topics.status))
    log.until_terminal(DELAYED_JOBS, start + 240 - time.time(), progress=fourth.check_alive)
    assert {status["state"] for status in log.only().values()} == {"sent"}
    assert {status["source"]["topic"] for status in log.all} == {topics.jobs}

    sends = {}
    for each in simulator.sends():
        assert each["touser"] not in sends, f"{each['touser']} was sent twice"
        sends[each["touser"]] = each["time"]
    assert sends.keys() == due.keys()
    late = {touser: sends[touser] - due[touser] for touser in due
            if not down[0] * 1000 <= due[touser] <= down[1] * 1000}
    print(f"{DELAYED_JOBS} jobs, {copies} in both places after the first crash, "
          f"{fourth.metric('wxcourier_delayed_copies_total'):.0f} copies recognised by the last process; "
          f"late by {percentile(late.values(), 0.5)} ms (p50), {percentile(late.values(), 0.99)} ms (p99), "
          f"{max(late.values())} ms at most; earliest {min(late.values())} ms")
    assert min(sends[touser] - due[touser] for touser in due) >= 0, "none is early"
    assert percentile(late.values(), 0.99) < 1000
    fourth.stop()
    assert waiting(kafka, topics, fourth.group) == 0


@pytest.fixture
def slow_wechat(simulate):
    """A simulator that takes 50 ms and knows the secrets of both apps."""
    kinds = {"shop": "official_account", "mini": "mini_program"}
    apps = []
    for name, kind in kinds.items():
        apps += ["--app", f"{APPIDS[name]}:{SECRETS[name.upper() + '_SECRET']}:{kind}"]
    return simulate(*apps, "--latency", "50ms", "--jitter", "20ms")


def latencies(kafka, topics, log, prefix, worker, others=0):
    """Sends 100 jobs a second of `shop` for 15 s, and `others` jobs of `mini` among them; how long the former took. It takes
    longer where the others would be more than 2,000 a second: their producer and Kafka need a core for themselves then."""
    seconds, per_second = max(15, -(-others // 2000)), 100
    total = seconds * per_second
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 2, "acks": "all",
                         "queue.buffering.max.messages": 500_000})
    before = len(log.terminal)
    began = time.monotonic()
    parked = 0
    for step in range(total):
        while parked * total < others * (step + 1):
            record = jobs.make(10_000_000 + parked, kind="miniprogram.subscribe", prefix=f"{prefix}-parked").record()
            producer.produce(topics.jobs, value=record.value, key=record.key)
            parked += 1
        record = jobs.make(step, prefix=prefix).record()
        producer.produce(topics.jobs, value=record.value, key=record.key)
        producer.poll(0)
        time.sleep(max(0.0, began + (step + 1) / per_second - time.monotonic()))
    assert producer.flush(30) == 0
    log.until_terminal(before + total, 60, progress=worker.check_alive)
    return [found[0]["latency_ms"] for found in log.terminal.values()
            if found[0]["app"] == "shop" and found[0]["id"].startswith(f"{prefix}-")]


def test_a_parked_app_does_not_hold_up_a_healthy_one_in_the_same_partitions(kafka, topics, slow_wechat, run_worker, read):
    """The day's quota of `mini` is used up at once: its jobs move to the delayed topics, among those of `shop`."""
    apps = [app_settings("shop", "official_account", APPIDS["shop"], "SHOP_SECRET"),
            app_settings("mini", "mini_program", APPIDS["mini"], "MINI_SECRET")]
    worker = run_worker(topics, slow_wechat, apps=apps, log={"level": "info"}).ready()
    log = StatusLog(read(topics.status))
    latencies(kafka, topics, log, "warm", worker)
    alone = latencies(kafka, topics, log, "alone", worker)

    slow_wechat.script({"errcode": 45009}, appid=APPIDS["mini"])
    beside = latencies(kafka, topics, log, "beside", worker, others=PARKED_JOBS)
    worker.wait_for(lambda: waiting(kafka, topics, worker.group) >= PARKED_JOBS or None, 60, "the parked jobs out of the way")
    print(f"{PARKED_JOBS} parked jobs; p50 {percentile(alone, 0.5)} ms alone, {percentile(beside, 0.5)} ms beside them; "
          f"p99 {percentile(alone, 0.99)} and {percentile(beside, 0.99)} ms")
    assert percentile(beside, 0.99) <= 1.1 * percentile(alone, 0.99) + 50, "50 ms are for a busy machine"
    assert worker.metric("wxcourier_queued", app="mini") == 0, "none of them waits in memory"
    worker.stop()
