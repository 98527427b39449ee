"""The scenarios: what is done, and what must hold. Each is a function of a Run; its docstring is what `list` prints."""
import time

SESSION_TIMEOUT = 6.0
RATE = 300  # jobs a second; about 390 messages
SLOW_WECHAT = ("--latency", "150ms", "--jitter", "100ms")


def _under_load(run, faults, rate=RATE):
    """Jobs at a steady rate from some seconds before `faults()` to some seconds after it; waits until all ended and is checked.
    When the faults began, when the load was over, and the report."""
    load = run.load(rate=rate)
    run.until(lambda: run.statuses.count > rate, 30, "statuses")
    begin = time.time()
    faults()
    run.pause(4)
    end = time.time()
    load.stop()
    return begin, end, run.finish()


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
    begin, end, report = _under_load(run, faults)
    bound = 2 * sum(in_flight)
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
    begin, end, report = _under_load(run, lambda: _restart_in_turn(run, max(1, round(5 * run.scale))))
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
    begin, end, report = _under_load(run, faults, rate=150)
    run.safe(report, unknown=0)
    # The gauge is read a moment before the kill, so what it may be is allowed for, not what it was.
    run.expect(max(report.repeated_statuses, report.repeated_sends) <= 2 * 128, "repeats are at most twice what was in flight")
    run.gaps(begin, end, SESSION_TIMEOUT + 3)


SCENARIOS = {function.__name__.replace("_", "-"): function for function in (
    kill_workers, kill_workers_static, rolling_restart, short)}
# What `scripts/test all` runs.
SELECTION = ("kill-workers", "kill-workers-static", "rolling-restart")
