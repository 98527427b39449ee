"""Ten thousand jobs of all kinds, a tenth of them failing in every way docs/wechat-errors.md lists: each recipient has
one terminal status, the one that page promises, and what failed lies byte for byte on the dead-letter topic."""
import collections
import dataclasses
import itertools
import pathlib
import re
import time

import jobs
from statuses import StatusLog, assert_letter_is, letter_headers, source_of
from worker import APPIDS, SECRETS, app_settings

ROOT = pathlib.Path(__file__).resolve().parents[2]
COUNT = 10_000
FAULTY = COUNT // 10


@dataclasses.dataclass(frozen=True)
class Expected:
    """What a status must say. No attempts: not fixed by the fault."""
    state: str
    reason: str | None = None
    errcode: int | None = None
    attempts: int | None = None


def published_rows():
    """errcode -> (step, reason) of the sends, as the page tells its readers."""
    page = (ROOT / "docs" / "wechat-errors.md").read_text(encoding="utf-8")
    section = page.partition("## Answers to a send")[2].partition("\n## ")[0]
    found = re.findall(r"^\| (-?\d+) \| (\w+) \| `?(\w*)`? \|", section, re.MULTILINE)
    return {int(code): (step, reason or None) for code, step, reason in found}


def outcomes_of_codes(rows):
    """(script of an openid, expected) for each row that ends the message or is retried."""
    for code, (step, reason) in rows.items():
        if step == "fail":
            yield f"errcode-{code}", Expected("failed", reason, code, 1)
        elif step == "accept" and code != 0:
            yield f"errcode-{code}", Expected("sent", attempts=1)
        elif step in ("retry", "park_recipient"):
            yield f"once-errcode-{code}", Expected("sent", attempts=2)
    yield "errcode-99999", Expected("failed", "unknown_error", 99999, 1)
    yield "thrice-errcode--1", Expected("sent", attempts=4)


# Answers that are not WeChat's. The kind of these jobs lets WeChat drop a repeat, so an unknown outcome is tried again.
OUTCOMES_OF_TRANSPORT = (
    *((f"once-http-{status}", Expected("sent", attempts=2))
      for status in (200, 204, 302, 400, 401, 403, 404, 412, 429, 500, 501, 502, 503, 504, 505, 599)),
    ("http-413", Expected("failed", "invalid_data", attempts=1)),
    ("http-414", Expected("failed", "invalid_data", attempts=1)),
    ("once-reset-0", Expected("sent", attempts=2)),
    ("once-reset-40", Expected("sent", attempts=2)),
    ("once-stall", Expected("sent", attempts=2)),
    ("once-truncate", Expected("sent", attempts=2)),
    ("once-html", Expected("sent", attempts=2)),
    ("once-empty", Expected("sent", attempts=2)),
    ("latency-1500ms", Expected("sent", attempts=1)),
    ("drip-1ms", Expected("sent", attempts=1)),
)
# Apps that a single answer stops for longer than a test lasts: their jobs expire, as their producers asked.
STOPPED = {"parked": "park_day", "halted-4": 50004, "halted-7": 50007}
EXPIRES_AFTER_MS = 8000


def faulty_jobs(rows):
    """(job, expected) of the failing tenth."""
    def make(number, kind, script, **more):
        job = jobs.make(number, kind, "faulty", **more)
        job.touser = job.body["touser"] = f"sim-{script}-{number}"
        job.headers = (("x-number", str(number).encode()), ("raw", bytes([0, 255])))
        return job

    numbers = itertools.count(COUNT)
    # One of a kind each, that stop the app or the call they are sent with.
    expire = {"expire_at": int(time.time() * 1000) + EXPIRES_AFTER_MS}
    expired = Expected("expired", "expired")
    lanes = [kind for kind, (app, _) in jobs.KINDS.items() if app == "shop"]
    park_day = [code for code, (step, _) in rows.items() if step == "park_day"]
    assert len(park_day) <= len(lanes)
    found = [(make(next(numbers), kind, f"errcode-{code}", app="parked", **expire), expired)
             for kind, code in zip(lanes, park_day)]
    found += [(make(next(numbers), "official.template", f"errcode-{code}", app=app, **expire), expired)
              for app, code in STOPPED.items() if app != "parked"]
    # Dead tokens at one moment are renewed once; the app waits for it, so it is one of its own.
    renewing = [code for code, (step, _) in rows.items() if step == "renew_token"]
    found += [(make(next(numbers), "official.template", f"once-errcode-{code}", app="renewing"), Expected("sent"))
              for code in renewing]
    found += [(make(next(numbers), "official.custom", f"once-errcode-{code}", app="minute"), Expected("sent"))
              for code, (step, _) in rows.items() if step == "park_minute"]
    # The rest in turn, until a tenth is reached.
    of_codes, kinds = list(outcomes_of_codes(rows)), itertools.cycle(jobs.KINDS)
    everything = [(script, expected, None) for script, expected in of_codes]
    everything += [(script, expected, "official.template") for script, expected in OUTCOMES_OF_TRANSPORT]
    for script, expected, kind in itertools.islice(itertools.cycle(everything), FAULTY - len(found)):
        found.append((make(next(numbers), kind or next(kinds), script), expected))
    return found


def test_every_recipient_has_the_one_status_that_is_promised(kafka, simulate, run_worker, read):
    rows = published_rows()
    assert len(rows) > 100
    topics = kafka.topics(partitions=12)
    simulator = simulate()
    faulty = faulty_jobs(rows)
    fine = [(job, Expected("sent", attempts=1)) for job in jobs.of_all_kinds(COUNT - FAULTY)]
    every = [pair for pairs in itertools.zip_longest(*(fine[n::9] for n in range(9)), faulty) for pair in pairs if pair]
    assert len(every) == COUNT
    apps = [app_settings("shop", "official_account", APPIDS["shop"], "SHOP_SECRET"),
            app_settings("mini", "mini_program", APPIDS["mini"], "MINI_SECRET")]
    apps += [app_settings(name, "official_account", f"wx{number:016x}", "SHOP_SECRET")
             for number, name in enumerate((*STOPPED, "renewing", "minute"))]

    worker = run_worker(topics, simulator, apps=apps, wechat={"request_timeout": "6s"}).ready()
    placed = kafka.produce(topics.jobs, [job.record() for job, _ in every])
    log = StatusLog(read(topics.status))
    log.until_terminal(COUNT, 240, progress=worker.check_alive)
    letters = read(topics.dead_letter)
    failing = sum(1 for _, expected in every if expected.state == "failed")
    letters.until(lambda found: len(found) >= failing, what="the dead letters")
    worker.stop()

    statuses = {source_of(status): status for status in log.only().values()}
    wrong = []
    for record, (job, expected) in zip(placed, every):
        status = statuses[record.source]
        told = Expected(status["state"], status.get("reason"),
                        status.get("errcode") if expected.errcode is not None else None,
                        status["attempts"] if expected.attempts is not None else None)
        if told != expected or status["id"] != job.id or status["touser"] != job.touser:
            wrong.append(f"{job.touser} ({job.kind}): {status}, expected {expected}")
    assert not wrong, f"{len(wrong)} wrong statuses:\n" + "\n".join(wrong[:20])

    by_source = {letter_headers(letter)[0]["wxcourier.source"]: letter for letter in letters.settle()}
    assert len(letters.records) == len(by_source) == failing
    for record, (_, expected) in zip(placed, every):
        if expected.state == "failed":
            assert_letter_is(by_source[record.source], record, "failed", expected.reason)

    accepted = collections.Counter(each["touser"] for each in simulator.sends() if each["accepted"] and not each["duplicate"])
    shown_twice = {touser: count for touser, count in accepted.items() if count > 1}
    assert not shown_twice, "WeChat showed a message twice"
    assert SECRETS["SHOP_SECRET"] not in "".join(record.value.decode() for record in log.reader.records)
