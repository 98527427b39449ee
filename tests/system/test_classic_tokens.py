"""Replicas with a classic app: the group's leader fetches its token, the others read it from the token topic."""
import dataclasses
import signal
import time

import jobs
import pytest
from statuses import StatusLog
from worker import APPIDS, SECRETS, app_settings

SEED = "4711"
APP = ("--app", f"{APPIDS['shop']}:{SECRETS['SHOP_SECRET']}:official_account", "--seed", SEED)


@pytest.fixture
def wechat(simulate):
    """A simulator whose tokens another one with the same seed makes as well."""
    return simulate(*APP)


@pytest.fixture
def start(run_worker, topics, wechat):
    """Starts a replica."""
    def one(used=topics, **changes):
        shop = app_settings("shop", "official_account", APPIDS["shop"], "SHOP_SECRET")
        return run_worker(used, wechat, apps=[{**shop, "token": {"source": "classic"}}],
                          token_key={"env": "TOKEN_KEY"}, **changes)
    return one


@pytest.fixture
def send(kafka, topics, read):
    """Sends jobs on all partitions and waits until all are reported as sent."""
    log = StatusLog(read(topics.status))
    sent = 0

    def some(count=60):
        nonlocal sent
        kafka.produce(topics.jobs, [jobs.make(sent + number).record() for number in range(count)])
        sent += count
        done = log.until_terminal(sent)
        assert {each["state"] for found in done.values() for each in found} == {"sent"}
    return some


def calls(simulator):
    """How many classic tokens were made."""
    return simulator.stats()["tokens"].get(APPIDS["shop"], {}).get("classic", 0)


def leaders(workers):
    """Those that say that they lead."""
    return [each for each in workers if each.alive() and each.metric("wxcourier_fleet_leader") == 1]


def the_leader(workers):
    """The one that leads, once there is one."""
    wait_until(lambda: len(leaders(workers)) == 1, 30, "a leader")
    return leaders(workers)[0]


def wait_until(holds, limit, what):
    """Waits for a condition; fails after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < deadline, f"{limit} s without {what}"
        time.sleep(0.1)


def fetch_classic(simulator):
    """A call of /cgi-bin/token, as the leader makes it."""
    query = {"grant_type": "client_credential", "appid": APPIDS["shop"], "secret": SECRETS["SHOP_SECRET"]}
    return simulator.session.get(f"{simulator.url}/cgi-bin/token", params=query, timeout=30).json()["access_token"]


def test_one_refresh_serves_three_replicas_and_survives_its_owner(start, send, wechat):
    workers = [start() for _ in range(3)]
    for each in workers:
        each.ready()
    assert calls(wechat) == 1, "one token for three replicas"
    send()
    first = the_leader(workers)

    wechat.expire_tokens(APPIDS["shop"], errcode=40001)
    send()
    assert calls(wechat) == 2, "one renewal for all of them"

    first.kill()
    left = [each for each in workers if each is not first]
    the_leader(left)
    send()
    assert calls(wechat) == 2, "a change of leader costs no refresh"
    wechat.expire_tokens(APPIDS["shop"], errcode=42001)
    send()
    assert calls(wechat) == 3

    late = start().ready()
    send()
    assert calls(wechat) == 3, "a replica that starts reads the token"
    for each in (*left, late):
        each.stop()


def test_a_leader_that_was_stopped_for_a_while_does_not_fetch(start, send, wechat):
    workers = [start() for _ in range(2)]
    for each in workers:
        each.ready()
    frozen = the_leader(workers)
    (other,) = [each for each in workers if each is not frozen]
    frozen.signal(signal.SIGSTOP)
    the_leader([other])
    wechat.expire_tokens(APPIDS["shop"], errcode=40001)
    frozen.signal(signal.SIGCONT)
    send()
    the_leader(workers)  # either: the old one may get its partition back, and leads with a new term then
    send()
    assert calls(wechat) == 2
    for each in workers:
        each.stop()


def test_the_token_stands_nowhere_in_the_clear(start, send, wechat, simulate, topics, read):
    workers = [start(log={"level": "trace"}) for _ in range(2)]
    for each in workers:
        each.ready()
    send()
    token = fetch_classic(simulate(*APP))
    reply = wechat.session.post(f"{wechat.url}/cgi-bin/message/custom/send", params={"access_token": token}, json={},
                                timeout=30).json()
    assert reply["errcode"] not in (40001, 40014, 42001, 41001), "the token in use is known, so that it can be looked for"
    wechat.expire_tokens(APPIDS["shop"], errcode=40001)
    send()
    assert calls(wechat) == 2

    pages = "".join(each.get(page).text for each in workers for page in ("/readyz", "/livez", "/metrics"))
    for each in workers:
        each.stop()
    sealed = read(topics.tokens).settle()
    assert {record.key for record in sealed} == {b"shop"} and len(sealed) == 2
    written = {
        "the token topic": b"".join(record.value for record in sealed).decode(),
        "the fleet topic": b"".join(record.value for record in read(topics.fleet).settle()).decode(),
        "the logs": "".join(each.err() + each.out() for each in workers),
        "the pages": pages,
    }
    for where, what in written.items():
        for each in (token, SECRETS["TOKEN_KEY"]):
            assert each not in what, f"a secret stands in {where}"


def test_a_fleet_topic_of_several_partitions_is_refused(start, kafka, topics):
    wrong = f"{topics.fleet}.wide"
    kafka.create(wrong, partitions=3)
    worker = start(dataclasses.replace(topics, fleet=wrong))
    worker.wait_for(lambda: True if "needs exactly one" in worker.err() else None, 30, "the reason")
    assert worker.get("/readyz").status_code == 503
    assert "needs exactly one" in worker.get("/readyz").text
    worker.stop()
