"""Scenarios of brokers that die, freeze or come back changed."""
import time

import requests
from confluent_kafka.admin import NewPartitions

from chaos import checker
from chaos.replicas import SLOW_WECHAT, under_load

GOES_ON_WITHIN = 15.0
# A frozen one is noticed later than a dead one; later still when it was also the cluster's controller.
FROZEN_GOES_ON_WITHIN = 20.0
# What `wxcourier run` has by itself: a shorter session ends before a cluster has replaced its coordinator.
SESSION = {"session.timeout.ms": "12000", "heartbeat.interval.ms": "1000"}


def _anywhere(run):
    """Times of all statuses, of whatever partition."""
    return {0: [when for times in run.statuses.arrivals.values() for when in times]}


def _goes_on(run, begin, end, limit=GOES_ON_WITHIN):
    """Every partition has progress within the limit."""
    seconds = checker.longest_gap(_anywhere(run), begin, end)[0]
    run.measure(f"longest time without any status: {seconds:.1f} s")
    run.gaps(begin, end, limit)
    run.progress(end, takes_effect=3.0)


def brokers_of_three(run):
    """each of three brokers killed and started again, then each restarted in order, under load"""
    run.start_kafka(brokers=3)
    run.start_wechat(*SLOW_WECHAT)
    run.start_workers(2, properties=SESSION)
    run.watch()

    def faults():
        for node in run.cluster.nodes:
            for what, end in (("SIGKILL", node.kill), ("SIGTERM", node.stop)):
                leads = " (the group's coordinator)" if run.cluster.coordinator(run.group) is node else ""
                run.fault(f"{what} broker {node.number}{leads}")
                end()
                run.pause(12 if what == "SIGKILL" else 3)
                node.start()
                run.cluster.wait_until_in_sync()
                run.pause(3)
    begin, end, report = under_load(run, faults)
    run.safe(report)
    run.measure(f"{report.repeated_statuses} repeated statuses, {report.repeated_sends} repeated sends of {report.messages}")
    _goes_on(run, begin, end)


def frozen_broker(run):
    """of three brokers the group's coordinator, then another one, frozen (SIGSTOP) for 45 s, under load"""
    run.start_kafka(brokers=3)
    run.start_wechat(*SLOW_WECHAT)
    run.start_workers(2, properties=SESSION)
    run.watch()

    def faults():
        coordinator = run.cluster.coordinator(run.group)
        for node in (coordinator, next(each for each in run.cluster.nodes if each is not coordinator)):
            leads = " (the group's coordinator)" if run.cluster.coordinator(run.group) is node else ""
            run.fault(f"SIGSTOP broker {node.number}{leads}")
            node.freeze()
            run.pause(45 * run.scale)
            run.fault(f"SIGCONT broker {node.number}")
            node.thaw()
            run.cluster.wait_until_in_sync()
            run.pause(5)
    begin, end, report = under_load(run, faults)
    run.safe(report)
    run.measure(f"{report.repeated_statuses} repeated statuses, {report.repeated_sends} repeated sends of {report.messages}")
    _goes_on(run, begin, end, FROZEN_GOES_ON_WITHIN)


def only_broker_away(run):
    """the only broker frozen for 45 s, then killed and back after 10 s, under load: work goes on when it is back"""
    run.start_kafka()
    run.start_wechat(*SLOW_WECHAT)
    run.start_workers(2, properties=SESSION)
    run.watch()
    back = []

    def faults():
        node = run.cluster.nodes[0]
        run.fault("SIGSTOP the broker")
        node.freeze()
        run.pause(45 * run.scale)
        node.thaw()
        run.fault("SIGCONT the broker")
        back.append(time.time())
        run.pause(GOES_ON_WITHIN)
        run.fault("SIGKILL the broker")
        node.kill()
        run.pause(10)
        node.start()
        run.fault("the broker is back")
        back.append(time.time())
        run.pause(GOES_ON_WITHIN)
    _, end, report = under_load(run, faults)
    run.safe(report)
    run.measure(f"{report.repeated_statuses} repeated statuses, {report.repeated_sends} repeated sends of {report.messages}")
    for when in back:
        took = checker.progress_after(run.statuses.arrivals, when, end, 3.0)
        run.measure(f"progress of every partition {took:.1f} s after the broker is back")
        run.expect(took <= GOES_ON_WITHIN, f"work goes on within {GOES_ON_WITHIN:.0f} s, not {took:.1f} s")


def broker_network(run):
    """the network before the only broker slow, cut, silent and reset, under load"""
    run.start_kafka(proxied=lambda node: run.proxy(node.port).port)
    run.start_wechat(*SLOW_WECHAT)
    run.start_workers(2, properties=SESSION)
    run.watch()
    proxy = run.proxies[0]

    def faults():
        for what, fault, seconds in (
                ("every piece 100 ms late", {"delay": 0.1}, 10), ("connections cut after 300 bytes sent", {"cut_after": 300}, 5),
                ("connections cut after 200 bytes of answers", {"cut_reply_after": 200}, 5),
                ("silence", {"blackhole": True}, 20), ("connections refused", {"refuse": True}, 8)):
            run.fault(what)
            proxy.set(**fault)
            if what == "connections refused":
                proxy.reset_all()
            run.pause(seconds)
            proxy.set()
            run.fault("all passes again")
            run.pause(GOES_ON_WITHIN)
        for _ in range(10):
            proxy.reset_all()
            run.pause(run.random.uniform(0.2, 1.0))
        run.fault("connections reset ten times")
    _, end, report = under_load(run, faults)
    run.safe(report)
    run.measure(f"{report.repeated_statuses} repeated statuses, {report.repeated_sends} repeated sends of {report.messages}")
    for when, what in run.faults:
        if what == "all passes again":
            took = checker.progress_after(run.statuses.arrivals, when, end, 3.0)
            run.measure(f"progress of every partition {took:.1f} s after that")
            run.expect(took <= GOES_ON_WITHIN, f"work goes on within {GOES_ON_WITHIN:.0f} s, not {took:.1f} s")


def _lives(run):
    """Whether every worker says it is alive."""
    def answer(slot):
        try:
            return slot.worker.get("/livez").status_code == 200
        except requests.RequestException:
            return False
    return all(answer(slot) for slot in run.slots)


def topic_trouble(run):
    """the jobs topic missing at the start, its partitions added to, its leaders moved, under load"""
    run.start_kafka(brokers=3, partitions=3)
    run.start_wechat(*SLOW_WECHAT)
    run.cluster.delete(run.topics.jobs)
    run.start_workers(2, wait=False, properties=SESSION)
    for slot in run.slots:
        slot.worker.url()
    run.pause(4)
    run.expect(all(slot.worker.get("/readyz").status_code == 503 for slot in run.slots), "not ready without its topic")
    run.expect(_lives(run), "alive without its topic")
    run.fault("the jobs topic is created")
    run.cluster.create(run.topics.jobs, partitions=3)
    for slot in run.slots:
        slot.worker.ready(30)
    run.watch()

    def faults():
        run.pause(3)
        run.fault("three partitions become six")
        created = time.monotonic()
        run.cluster.admin.create_partitions([NewPartitions(run.topics.jobs, 6)])[run.topics.jobs].result(timeout=30)
        run.partitions = 6
        run.pause(2)
        second = run.load(rate=60)
        run.until(lambda: len(run.statuses.arrivals) == 6, 40, "statuses of the new partitions")
        run.measure(f"new partitions bring statuses after {time.monotonic() - created:.1f} s")
        for node in run.cluster.nodes:
            run.fault(f"the leaders on broker {node.number} move")
            node.stop()
            run.pause(3)
            node.start()
            run.cluster.wait_until_in_sync()
        run.pause(3)
        second.stop()
    begin, end, report = under_load(run, faults, rate=100)
    run.safe(report)
    run.measure(f"{report.repeated_statuses} repeated statuses, {report.repeated_sends} repeated sends of {report.messages}")
    run.gaps(begin, end)
    run.progress(end, GOES_ON_WITHIN)


def topic_deleted(run):
    """the jobs topic deleted under the workers, and created again: they live, and work on the new one"""
    run.start_kafka(partitions=3)
    run.start_wechat(*SLOW_WECHAT)
    run.start_workers(2, properties=SESSION)
    run.watch()
    run.load(count=600, rate=150).join(60)
    run.until(lambda: len(run.statuses.statuses) >= run.wanted(), 60, "a status for every message")
    run.pause(2)
    run.fault("the jobs topic is deleted")
    run.cluster.delete(run.topics.jobs)
    run.pause(20)
    run.expect(_lives(run), "alive when the topic is gone")
    run.fault("the jobs topic is created again")
    run.cluster.create(run.topics.jobs, partitions=3)
    run.pause(1)
    began = time.monotonic()
    before = run.statuses.count
    run.load(count=600, rate=150).join(60)
    if run.until(lambda: run.statuses.count > before, 60, "a status of the topic made anew"):
        run.measure(f"the topic made anew brings its first status after {time.monotonic() - began:.1f} s")
    # Offsets begin anew, so messages are joined by recipient.
    wanted = {touser for load in run.loads for expected in load.placed.values() for touser in expected.tousers}

    def reported():
        return {key[2] for key in list(run.statuses.statuses)}
    run.until(lambda: wanted <= reported(), 30, "a status for every message of both topics")
    run.expect(_lives(run), "alive with the topic made anew")
    run.finish(whole=False)
    run.measure(f"{len(wanted)} messages, {len(wanted - reported())} without a status, "
                f"{run.statuses.count - len(reported())} repeated statuses")
