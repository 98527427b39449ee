"""Shutdowns under awkward conditions: each ends in time."""
import signal
import threading
import time

from chaos.run import Slot

DRAIN = 4.0
# Beyond the drain limit a worker gives the clients of Kafka four seconds to close; the rest is for a busy machine.
IN_TIME = DRAIN + 4.0 + 3.0
AT_ONCE = 4


class Conditions:
    """What is awkward, for one group of replicas at a time. Each method begins it and returns what ends it."""

    def __init__(self, run, broker_proxy, wechat_proxy):
        self.run = run
        self.broker = broker_proxy
        self.wechat = wechat_proxy

    def nothing(self, _slots):
        """All is well, under load"""
        return lambda: None

    def dead_broker(self, _slots):
        """The broker is gone: connections are reset and refused"""
        self.broker.set(refuse=True)
        self.broker.reset_all()
        return self.broker.set

    def silent_broker(self, _slots):
        """The broker says nothing: statuses fill their queue, commits are not answered"""
        self.broker.set(blackhole=True)
        self.run.pause(self.run.random.uniform(0.0, 2.0))
        return self.broker.set

    def hung_wechat(self, _slots):
        """WeChat is silent, in the middle of requests and of TLS handshakes"""
        self.wechat.set(blackhole=True)
        self.run.pause(self.run.random.uniform(0.0, 1.0))
        return self.wechat.set

    def all_silent(self, _slots):
        """Neither WeChat nor the broker says anything"""
        self.wechat.set(blackhole=True)
        self.broker.set(blackhole=True)
        self.run.pause(self.run.random.uniform(0.0, 1.0))

        def end():
            self.wechat.set()
            self.broker.set()
        return end

    def rebalance(self, slots):
        """One more replica has just come"""
        slot = Slot(self.run, len(self.run.slots), slots[-1].changes).start()
        self.run.slots.append(slot)
        self.run.pause(self.run.random.uniform(0.0, 1.5))
        return slot.worker.kill

    def just_started(self, slots):
        """They have been started a moment ago"""
        for slot in slots:
            slot.worker.kill()
            slot.start()
        self.run.pause(self.run.random.uniform(0.05, 1.0))
        return lambda: None


def shutdowns(run):
    """replicas get SIGTERM while brokers are dead or silent, TLS hangs, statuses wait, the group rebalances: all end in time"""
    run.start_kafka(proxied=lambda node: run.proxy(node.port).port)
    run.start_wechat(*SLOW, proxied=True)
    kinds = Conditions(run, run.proxies[0], run.wechat_proxy)
    names = [name for name in vars(Conditions) if not name.startswith("_")]
    wanted = round(200 * run.scale)
    load = run.load(rate=200)
    took = {name: [] for name in names}
    while sum(map(len, took.values())) < wanted:
        for name in names:
            took[name] += _round(run, getattr(kinds, name))
            run.say(f"{name}: {', '.join(f'{each:.1f}' for each in took[name][-AT_ONCE:])} s")
    load.stop()
    for name, times in took.items():
        run.measure(f"{name}: {len(times)} shutdowns, the longest took {max(times):.1f} s")
    every = [each for times in took.values() for each in times]
    late = [each for each in every if each > IN_TIME]
    run.measure(f"{len(every) - len(late)} of {len(every)} shutdowns ended within {IN_TIME:.0f} s (drain limit {DRAIN:.0f} s)")
    run.expect(not late, f"every shutdown ends within {IN_TIME:.0f} s: {late}")
    _everything_is_delivered(run, load)


SLOW = ("--latency", "100ms", "--jitter", "50ms")


def _round(run, condition):
    """Four replicas, one condition, SIGTERM to all: the seconds each needed."""
    run.slots.clear()
    run.start_workers(AT_ONCE, wait=False, delivery={"drain_timeout": f"{DRAIN:.0f}s"})
    slots = list(run.slots)
    for slot in slots:
        slot.worker.ready(60)
    run.pause(1.0)
    end = condition(slots)
    times = {}

    def stop(slot):
        begin = time.monotonic()
        slot.worker.signal(signal.SIGTERM)
        try:
            code = slot.worker.wait(IN_TIME + 20)
            run.expect(code in (0, 1), f"a shutdown ends with 0 or 1, not {code}")
        except AssertionError as error:
            run.expect(False, str(error)[:200])
        times[slot] = time.monotonic() - begin
    threads = [threading.Thread(target=stop, args=(slot,)) for slot in slots]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    end()
    for slot in run.slots:
        slot.worker.kill()
    return list(times.values())


def _everything_is_delivered(run, load):
    """One more worker does what is left; then the checker looks."""
    run.slots.clear()
    run.start_workers(1)
    run.watch()
    load.join(60)
    run.safe(run.finish(120))
