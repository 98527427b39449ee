"""The ops page while 5,000 statuses a second come. $WXCOURIER_DASHBOARD_SECONDS says for how long."""
import os
import time

from confluent_kafka import Producer
from dashboard import Dashboard, Status, now_ms
from test_dashboard import browser, open_page, until  # noqa: F401 pylint: disable=unused-import

RATE = 5000
SECONDS = int(os.environ.get("WXCOURIER_DASHBOARD_SECONDS", "60"))
MOST_MEMORY = 150 * 1024 * 1024

# Counts, in the page, how long its event loop did not turn.
WATCH = """() => {
    window.gaps = []; let last = performance.now();
    setInterval(() => { const now = performance.now(); window.gaps.push(now - last - 50); last = now; }, 50);
}"""


def outcome(number):
    """One in twenty does not arrive, for one of a few reasons."""
    if number % 20:
        return {"state": "sent", "latency": 40 + number * 7919 % 900}
    reason, code = (("refused_by_user", 43101), ("invalid_template", 40037), ("not_subscribed", 43004))[number // 20 % 3]
    return {"state": "failed", "reason": reason, "errcode": code}


def produce_for(kafka, topic, seconds):
    """Produces at the rate; how many of each state."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 200_000})
    counts = {}
    begin = time.monotonic()
    for number in range(RATE * seconds):
        status = Status(f"load-{number}", app="shop" if number % 3 else "mini", offset=number, worker=f"worker-{number % 5}",
                        touser=f"oLoad{number:020d}abc", **outcome(number))
        record = status.record(now_ms())
        producer.produce(topic, value=record.value, key=record.key)
        counts[status.state] = counts.get(status.state, 0) + 1
        if number % 250 == 0:
            producer.poll(0)
            time.sleep(max(0.0, begin + number / RATE - time.monotonic()))
    assert producer.flush(30) == 0
    return counts


def test_the_page_keeps_up_with_5000_statuses_a_second(tmp_path, kafka, topics, open_page):  # noqa: F811
    dashboard = Dashboard(tmp_path, "dashboard", kafka.bootstrap, topics.status)
    try:
        dashboard.until_read(0)
        page = open_page(dashboard, "?list=all")
        page.evaluate(WATCH)
        begin = time.monotonic()
        counts = produce_for(kafka, topics.status, SECONDS)
        took = time.monotonic() - begin
        page.keyboard.press("3")  # While the last of it arrives, the page does what it is told.
        page.wait_for_url("**/*range=1h*")
        seen = dashboard.until_read(sum(counts.values()))
        assert seen["totals"] == counts
        until(page, f"document.querySelector('#figure-sent dd > span').textContent.replace(/\\D/g, '') === '{counts['sent']}'")
        gaps = sorted(page.evaluate("() => window.gaps"))
        p99 = gaps[len(gaps) * 99 // 100]
        memory = dashboard.rss()
        print(f"{sum(counts.values())} statuses in {took:.1f} s; the page's event loop: p99 {p99:.0f} ms late, "
              f"worst {gaps[-1]:.0f} ms; dashboard {memory / 2**20:.0f} MiB")
        assert memory < MOST_MEMORY
        assert p99 < 250, "the page is sluggish"
    finally:
        dashboard.kill()
