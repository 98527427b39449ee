"""Scenarios of replicas that come, go and die. Each is a function of a Run; its docstring is what `list` prints."""
import signal
import time

from chaos import checker

SESSION_TIMEOUT = 6.0
RATE = 300  # jobs a second; about 390 messages
SLOW_WECHAT = ("--latency", "150ms", "--jitter", "100ms")


def under_load(run, faults, rate=RATE, finish=True):
    """Jobs at a steady rate from some seconds before `faults()` to some seconds after it; waits until all ended and is checked,
    unless `finish` is false. When the faults began, when the load was over, and the report."""
    load = run.load(rate=rate)
    run.until(lambda: run.statuses.count > rate, 30, "statuses")
    begin = time.time()
    faults()
    run.pause(4)
    end = time.time()
    load.stop()
    return begin, end, run.finish() if finish else None


def _kill_again_and_again(run, static, kills, every):
    """SIGKILL to one replica after another, with a new process in its place at once."""
    run.start_kafka()
    run.start_wechat(*SLOW_WECHAT)
    run.start_workers(3, static=static)
    run.watch()
    kills = max(3, round(kills * run.scale))
    in_flight = []

    def faults():
        for number in range(kills):
            slot = run.slots[number] if number < len(run.slots) else run.random.choice(run.slots)
            in_flight.append(run.kill(slot) or 0)
            run.pause(run.random.uniform(0.8, 1.2) * every)
    begin, end, report = under_load(run, faults)
    # The gauge is read a moment before each kill, and may say 0 in the middle of a rebalance: the most of it counts.
    bound = 2 * kills * max(in_flight)
    run.safe(report)
    run.measure(f"{kills} kills, {sum(in_flight):.0f} requests in flight at them: {report.repeated_statuses} repeated statuses, "
                f"{report.repeated_sends} repeated sends, {report.visible_repeats} seen by users")
    run.expect(max(report.repeated_statuses, report.repeated_sends) <= bound,
               f"repeats are at most twice what was in flight ({bound:.0f})")
    return begin, end


def kill_workers(run):
    """three replicas, dynamic members, SIGKILLed again and again under load"""
    begin, end = _kill_again_and_again(run, False, 8, 8.0)
    run.gaps(begin, end, SESSION_TIMEOUT + 3)
    run.progress(end, SESSION_TIMEOUT + 3, takes_effect=3)


def kill_workers_static(run):
    """the same with group.instance.id: no rebalance, progress within 2 s"""
    begin, end = _kill_again_and_again(run, True, 12, 5.0)
    run.gaps(begin, end, 2.0)
    run.progress(end, 2.0)


def _restart_in_turn(run, rounds):
    """Each replica gets SIGTERM, ends, and is back and ready before the next one."""
    longest = 0.0
    for _ in range(rounds):
        for slot in run.slots:
            longest = max(longest, run.stop(slot))
            slot.worker.ready(60)
            run.pause(run.random.uniform(0.5, 2.0))
    run.measure(f"{rounds * len(run.slots)} restarts; the longest end after SIGTERM took {longest:.1f} s")


def rolling_restart(run):
    """three replicas restarted in turn by SIGTERM under load, five rounds: nothing lost, nothing repeated"""
    run.start_kafka()
    run.start_wechat(*SLOW_WECHAT)
    run.start_workers(3)
    run.watch()
    begin, end, report = under_load(run, lambda: _restart_in_turn(run, max(1, round(5 * run.scale))))
    run.safe(report, repeats=0, unknown=0)
    run.gaps(begin, end, 5.0)


def short(run):
    """a kill and a rolling restart of two replicas, in less than a minute"""
    run.start_kafka(partitions=6)
    run.start_wechat("--latency", "100ms", "--jitter", "50ms")
    run.start_workers(2)
    run.watch()
    in_flight = []

    def faults():
        _restart_in_turn(run, 1)
        in_flight.append(run.kill(run.slots[0]) or 0)
        run.pause(SESSION_TIMEOUT + 3)
    begin, end, report = under_load(run, faults, rate=150)
    run.safe(report, unknown=0)
    # The gauge is read a moment before the kill, so what it may be is allowed for, not what it was.
    run.expect(max(report.repeated_statuses, report.repeated_sends) <= 2 * 128, "repeats are at most twice what was in flight")
    run.gaps(begin, end, SESSION_TIMEOUT + 3)


def _weather(run, static, end_one):
    """Every half second one of five replicas goes or comes back; `end_one` does not wait for its end."""
    run.start_kafka()
    # What a killed replica had in flight is sent again: the slower WeChat is, the more that is of what is sent in the meantime.
    run.start_wechat("--latency", "20ms", "--jitter", "10ms")
    run.start_workers(5, static=static)
    run.watch()
    changes = []

    def storm():
        until = time.monotonic() + 45 * run.scale
        gone = []
        while time.monotonic() < until:
            back = [slot for slot in gone if not slot.alive()]
            if len(gone) == 2 and back or back and run.random.random() < 0.5:
                gone.remove(back[0])
                back[0].start()
            elif len(gone) < 2:
                gone.append(run.random.choice([slot for slot in run.slots if slot not in gone]))
                end_one(gone[-1])
            changes.append(None)
            run.pause(0.5)
        run.until(lambda: not any(slot.alive() for slot in gone), 30, "the end of the replicas that go")
        for slot in gone:
            slot.start()
    begin, end, report = under_load(run, storm)
    run.safe(report, repeats=report.messages // 50)
    run.measure(f"{len(changes)} times a replica came or went: {report.repeated_statuses} repeated statuses, "
                f"{report.repeated_sends} repeated sends of {report.messages} ({100 * report.repeated_sends / report.messages:.1f} %)")
    everything = {0: [when for times in run.statuses.arrivals.values() for when in times]}
    seconds = checker.longest_gap(everything, begin, end)[0]
    run.measure(f"longest time without any status: {seconds:.1f} s")
    run.expect(seconds <= 5.0, f"progress in every 5 s window, not {seconds:.1f} s without")
    run.gaps(begin, end)


def rebalance_storm(run):
    """five replicas, dynamic members, going (SIGTERM) and coming every half second"""
    _weather(run, False, lambda slot: slot.worker.signal(signal.SIGTERM))


def rebalance_storm_static(run):
    """five replicas with group.instance.id, going (SIGKILL) and coming every half second"""
    _weather(run, True, lambda slot: slot.worker.kill())
