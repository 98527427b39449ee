"""Scenarios of WeChat in trouble, and of jobs that stay."""
import time

import jobs

from chaos.load import Expected, job, padded
from chaos.replicas import SLOW_WECHAT, under_load

STUCK = "oStuck000000000000000000000001"


def stuck_job(run):
    """one job stuck, 50,000 after it finished, SIGKILL, restart: only what finished since the last commit is sent again"""
    count = round(50_000 * run.scale)
    run.start_kafka(partitions=1)
    run.start_wechat("--latency", "5ms")
    run.simulator.script({"errcode": -1}, touser=STUCK)
    run.start_workers(1, delivery={"retry": {"initial": "200ms", "max": "1s"}})
    run.watch()
    slot = run.slots[0]

    def make(number):
        if number % 10_000_000 != 0:
            return job(number)
        made = jobs.Job(f"stuck-{number}", "official.custom", STUCK, jobs.message("official.custom", STUCK))
        return made.record(), Expected(number, made.kind, (STUCK,))
    run.load(count=count + 1, rate=4000, make=make)
    run.until(lambda: run.statuses.count > count // 2, 300, "half of the statuses")
    wanted = lambda: run.wanted() - 1  # noqa: E731  pylint: disable=unnecessary-lambda-assignment
    run.until(lambda: run.loads[0].finished and len(run.statuses.statuses) >= wanted(), 300, "all statuses but one")
    run.pause(2)
    committed = run.commits.commits[-1]
    run.measure(f"the stuck job holds the commit at {committed.offset}; {len(committed.metadata)} bytes of metadata say the rest")
    run.expect(committed.offset == 0, "the stuck job holds the commit back")
    before = len(run.sends.sends)
    run.kill(slot)
    slot.worker.ready(60)
    run.pause(10)
    run.sends.look()
    again = [each for each in run.sends.sends[before:] if each.touser != STUCK]
    run.measure(f"{len(again)} of {wanted()} sent again after the kill")
    run.expect(len(again) == 0, f"nothing that a commit had finished is sent again, not {len(again)}")
    # And under load: what is in flight, and no more.
    run.load(count=round(6000 * run.scale), rate=600)
    run.pause(4)
    in_flight = run.kill(slot) or 0
    slot.worker.ready(60)
    run.pause(5)
    run.simulator.heal()
    report = run.finish()
    run.safe(report)
    bound = 2 * max(128, in_flight)
    run.measure(f"a second kill under load, {in_flight:.0f} in flight: {report.repeated_statuses} repeated statuses, "
                f"{report.repeated_sends} repeated sends")
    run.expect(max(report.repeated_statuses, report.repeated_sends) <= bound, f"repeats are at most {bound:.0f}")


def stalled_wechat_memory(run):
    """12 partitions with a backlog of large and small records, WeChat hangs for a minute: memory, and speed afterwards"""
    limit = 192
    run.start_kafka(partitions=12)
    run.start_wechat("--latency", "20ms", "--record", "counts")
    large, small = round(3000 * run.scale), round(250_000 * run.scale)
    run.say(f"putting {large} jobs of 64 KiB and {small} small ones on the topic")
    for count, make in ((large // 2, padded(65536)), (small // 2, job), (large // 2, padded(65536)), (small // 2, job)):
        run.load(count=count, make=make).join(600)
    run.start_workers(1)
    run.watch(sends=False)
    slot = run.slots[0]
    highest = [0.0]

    def watched(seconds):
        until = time.monotonic() + seconds
        before = run.statuses.count
        while time.monotonic() < until:
            highest[0] = max(highest[0], slot.rss())
            run.pause(0.2)
        return (run.statuses.count - before) / seconds
    run.until(lambda: run.statuses.count > large // 2, 120, "the first statuses")
    watched(3)
    speed = watched(10)
    run.measure(f"before: {speed:.0f} statuses/s, at most {highest[0]:.0f} MiB")
    run.fault("WeChat hangs")
    run.simulator.script({"stall": True}, path="/cgi-bin/message/*")
    for path in sorted({path for _, path in jobs.KINDS.values()}):
        run.simulator.script({"stall": True}, path=path)
    run.measure(f"while WeChat hangs: {watched(60 * run.scale):.0f} statuses/s, at most {highest[0]:.0f} MiB")
    run.simulator.heal()
    run.fault("WeChat answers again")
    begin = time.monotonic()
    run.until(lambda: watched(2) >= 0.8 * speed, 90, "full speed again")
    run.measure(f"full speed again {time.monotonic() - begin:.0f} s after it answers: {watched(10):.0f} statuses/s; "
                f"at most {highest[0]:.0f} MiB of memory in all")
    run.expect(highest[0] <= limit, f"resident memory is at most {limit} MiB, not {highest[0]:.0f}")
    report = run.finish(whole=False)
    run.safe(report, whole=False)


def slow_sends(run):
    """sends that take longer than max.poll.interval.ms: the group does not mind"""
    run.start_kafka(partitions=6)
    run.start_wechat("--latency", "20s")
    run.start_workers(2, properties={"max.poll.interval.ms": "10000"},
                      wechat={"request_timeout": "40s"}, delivery={"drain_timeout": "30s"})
    run.watch()
    run.load(count=round(240 * run.scale), rate=200)
    run.pause(60)
    rebalances = [slot.gauge("wxcourier_rebalances_total") for slot in run.slots]
    report = run.finish(120)
    run.safe(report, repeats=0, unknown=0)
    run.measure(f"sends of 20 s with max.poll.interval.ms of 10 s: rebalances per replica {rebalances}, all at the start")
    run.expect(sum(each or 99 for each in rebalances) <= 5, "no rebalance after the start")


def wechat_network(run):
    """the network before WeChat slow, cut at random bytes, silent and reset, under load"""
    run.start_kafka(partitions=6)
    run.start_wechat(*SLOW_WECHAT, proxied=True)
    run.start_workers(2, wechat={"request_timeout": "3s"})
    run.watch()
    proxy = run.wechat_proxy

    def faults():
        for _ in range(8):
            # Within the handshake, within requests, within answers.
            name, most = run.random.choice((("cut_after", 3000), ("cut_reply_after", 6000), ("cut_after", 20000)))
            at = run.random.randrange(1, most)
            run.fault(f"{name} {at} bytes")
            proxy.set(**{name: at})
            run.pause(4)
            proxy.set()
            run.pause(2)
        run.fault("silence")
        proxy.set(blackhole=True)
        run.pause(8)
        proxy.set()
        proxy.reset_all()
        run.fault("all passes again")
        run.pause(10)
        for _ in range(10):
            run.fault("all connections reset")
            proxy.reset_all()
            run.pause(run.random.uniform(0.1, 1.0))
    _, end, report = under_load(run, faults)
    run.safe(report)
    run.measure(f"{report.repeated_statuses} repeated statuses, {report.repeated_sends} messages arrived again, "
                f"{report.visible_repeats} seen by users, all of kinds without client_msg_id")
    run.progress(end)
