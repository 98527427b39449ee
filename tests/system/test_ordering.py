"""`delivery.ordering: key`: WeChat gets the messages of a key in the order of its jobs, whatever happens to the workers."""
import collections
import json
import os
import random

import jobs
from statuses import StatusLog
from worker import APPIDS, SECRETS

KEYS = int(os.environ.get("WXCOURIER_ORDERING_KEYS", "1000"))
JOBS_OF_A_KEY = int(os.environ.get("WXCOURIER_ORDERING_JOBS", "15"))  # 100 for the whole of it; it takes minutes
PARTITIONS = 6
# Neither takes client_msg_id: WeChat would show a repeat, also one that comes too late.
CALLS = {"official.custom": "/cgi-bin/message/custom/send", "official.subscribe": "/cgi-bin/message/subscribe/bizsend"}


def job(key, number):
    """Job `number` of a key; the key and the number stand in its recipient."""
    kind = list(CALLS)[number % 2]
    touser = f"oKey{key:06d}x{number:06d}"
    return jobs.Job(f"job-{key}-{number}", kind, touser, jobs.message(kind, touser))


def records(keys, jobs_of_a_key):
    """The jobs of all keys, each key's in order, the keys mixed at random."""
    dice = random.Random(3)
    turns = [key for key in range(keys) for _ in range(jobs_of_a_key)]
    dice.shuffle(turns)
    numbers = collections.Counter()
    for key in turns:
        record = job(key, numbers[key]).record()
        numbers[key] += 1
        yield jobs.Record(record.value, f"key-{key}".encode())


def arrivals(simulator):
    """Recipients of all requests on send calls, in the order in which they came."""
    found, last = [], 0
    while True:
        lines = simulator.control("GET", "received", params={"since": last, "limit": 50_000}).content.splitlines()
        if not lines:
            return found
        for line in lines:
            request = json.loads(line)
            last = request["seq"]
            if "/message/" in request["path"]:
                found.append(request["touser"])


def inversions(tousers):
    """Requests for a job that came after one for a later job of its key."""
    furthest, found = collections.defaultdict(int), []
    for place, touser in enumerate(tousers):
        key, number = touser[4:].split("x")
        if int(number) < furthest[key]:
            found.append((place, touser, furthest[key]))
        furthest[key] = max(furthest[key], int(number))
    return found


def test_no_inversion_with_failures_two_replicas_and_kills(kafka, topics, simulate, run_worker, read):
    simulator = simulate("--app", f"{APPIDS['shop']}:{SECRETS['SHOP_SECRET']}:official_account",
                         "--app", f"{APPIDS['mini']}:{SECRETS['MINI_SECRET']}:mini_program",
                         "--latency", "20ms", "--jitter", "15ms", "--keep", "1000000")
    for path in CALLS.values():
        simulator.script({"errcode": -1}, path=path, probability=0.05)
    count = KEYS * JOBS_OF_A_KEY
    kafka.produce(topics.jobs, list(records(KEYS, JOBS_OF_A_KEY)))
    settings = {"delivery": {"ordering": "key"}, "log": {"level": "info"}}
    workers = [run_worker(topics, simulator, **settings).ready() for _ in range(2)]
    log = StatusLog(read(topics.status))

    def alive():
        for each in workers:
            each.check_alive()

    for victim in range(2):
        log.until_terminal(count * (victim + 1) // 3, 300, alive)
        workers[victim].kill()
        workers[victim] = run_worker(topics, simulator, **settings)
    log.until_terminal(count, 600, alive)
    outcomes = collections.Counter(found[0]["state"] for found in log.terminal.values())
    assert outcomes == {"sent": count}
    for each in workers:
        each.stop()

    came = arrivals(simulator)
    assert len(set(came)) == count
    assert len(came) > count, "there were retries"
    assert not inversions(came)
    assert kafka.committed(workers[0].group, topics.jobs, PARTITIONS) == kafka.ends(topics.jobs, PARTITIONS)


def test_the_count_of_inversions_can_tell():
    good = [f"oKey{0:06d}x{number:06d}" for number in (0, 1, 1, 2)]
    assert not inversions(good)
    assert len(inversions(good + [good[0]])) == 1
