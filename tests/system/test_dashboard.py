"""The ops page in a real browser, over a real Kafka: what it says is what stands in the topic."""
import json
import os
import pathlib
import shutil
import time

import pytest
import requests
from dashboard import Dashboard, Status, a_working_day, count_by_state, now_ms

SCREENSHOTS = os.environ.get("WXCOURIER_SCREENSHOTS")


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium, without a window."""
    from playwright.sync_api import sync_playwright
    chromium = shutil.which("chromium")
    assert chromium, "there is no chromium: scripts/install-packages test"
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser):
    """Opens pages: `open_page(dashboard, "?app=shop", viewport={…})`. What a page logged as an error fails the test."""
    contexts = []
    complaints = []

    def opened(dashboard, query="", **options):
        context = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{dashboard.url}/{query}")
        until(page, "document.querySelector('#figure-sent')")
        return page
    yield opened
    for each in contexts:
        each.close()
    ours = [each for each in complaints if "ERR_" not in each and "503" not in each]
    assert not ours, ours


@pytest.fixture
def serve(tmp_path, kafka, topics):
    """Starts dashboards over the test's own status topic."""
    started = []

    def start(*arguments, topic=None):
        started.append(Dashboard(tmp_path, f"dashboard-{len(started)}", kafka.bootstrap, topic or topics.status, *arguments))
        return started[-1]
    yield start
    for each in started:
        each.kill()


@pytest.fixture
def day(kafka, topics, serve):
    """A dashboard that has read a quarter of an hour of trouble: `(dashboard, records)`."""
    records, _ = a_working_day(now_ms())
    kafka.produce(topics.status, records)
    dashboard = serve()
    dashboard.until_read(len(records))
    return dashboard, records


def shot(page, name):
    """Keeps a picture where $WXCOURIER_SCREENSHOTS says."""
    if SCREENSHOTS:
        folder = pathlib.Path(SCREENSHOTS)
        folder.mkdir(parents=True, exist_ok=True)
        page.wait_for_timeout(700)
        page.screenshot(path=str(folder / f"{name}.png"), full_page=True)


def until(page, expression, timeout=15_000):
    """Waits until the expression holds. Not Playwright's own wait: that one evaluates inside the page, which the page's
    content policy forbids."""
    deadline = time.monotonic() + timeout / 1000
    while not page.evaluate(f"() => Boolean({expression})"):
        assert time.monotonic() < deadline, f"not within {timeout} ms: {expression}\n{page.locator('main').inner_text()[:1500]}"
        page.wait_for_timeout(100)


def number(page, figure):
    """A figure of the page, as a number."""
    text = page.locator(f"#figure-{figure} dd > span").inner_text()
    return int("".join(each for each in text if each.isdigit()))


def test_the_figures_are_a_count_of_the_topic(day, open_page):
    dashboard, records = day
    counts = count_by_state(records)
    totals = dashboard.snapshot(range="all")["totals"]
    assert totals == counts
    page = open_page(dashboard, "?range=all")
    assert number(page, "sent") == counts["sent"]
    lost = sum(counts[state] for state in ("failed", "rejected", "expired"))
    assert number(page, "lost") == lost
    assert number(page, "waiting") == counts["deferred"]
    shown = [int(each.replace(",", "").split()[0]) for each in page.locator("#failures .n").all_inner_texts()]
    assert sum(shown) == lost
    shot(page, "desktop")


def test_what_fails_is_said_with_its_reason_code_and_examples(day, open_page):
    dashboard, _ = day
    page = open_page(dashboard)
    row = page.locator("#failures details", has_text="template unknown or blocked")
    assert "40037" in row.inner_text() and "mini" in row.inner_text()
    row.locator("summary").click()
    assert row.locator("table tr").count() == 3
    assert "invalid template_id" in row.inner_text()
    assert row.get_attribute("open") is not None
    page.wait_for_timeout(2500)  # Two more snapshots: what is open stays open.
    assert row.get_attribute("open") is not None
    waiting = page.locator("#waiting tbody tr").first.inner_text()
    assert "250" in waiting and "day quota used up" in waiting
    assert page.locator("#verdict").get_attribute("data-level") == "warn"
    assert "template unknown" in page.locator("#verdict").inner_text()
    shot(page, "failures")


def test_filters_stand_in_the_address_and_survive_a_reload(day, open_page):
    dashboard, records = day
    page = open_page(dashboard)
    page.select_option("#app", label="mini")
    page.select_option("#state", value="=failed")
    page.locator("#range button", has_text="1h").click()
    until(page, "document.querySelector('#figure-lost dd > span').textContent === '17'")
    assert "app=mini" in page.url and "state=failed" in page.url and "range=1h" in page.url
    page.reload()
    until(page, "document.querySelector('#figure-lost dd > span')?.textContent === '17'")
    assert page.locator("#app").input_value() == "=mini"
    assert page.locator("#range button[aria-pressed=true]").inner_text() == "1h"
    page.go_back()
    until(page, "document.querySelector('#range button[aria-pressed=true]').textContent === '15m'")
    page.locator("#chips button").first.click()
    sent = sum(json.loads(each.value)["state"] == "sent" for each in records)
    until(page, f"document.querySelector('#figure-sent dd > span').textContent.replace(',', '') === '{sent}'")


def test_a_time_can_be_dragged_out_of_a_chart(day, open_page):
    dashboard, _ = day
    page = open_page(dashboard)
    box = page.locator("#chart-sent .u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50, steps=5)
    page.mouse.up()
    page.wait_for_url("**/*from=*&to=*")
    query = dict(each.split("=") for each in page.url.split("?")[1].split("&"))
    expected = dashboard.snapshot(**{name: query[name] for name in ("from", "to")})["totals"]["sent"]
    until(page, f"document.querySelector('#figure-sent dd > span').textContent === '{expected}'")
    assert 0 < expected < 1500
    assert page.locator("#chips button").count() == 1


def test_a_job_is_looked_up_by_its_id(kafka, topics, serve, open_page):
    now = now_ms()
    told = [Status("order-7", "deferred", reason="quota_exhausted", errcode=45009, ago=60_000, offset=7),
            Status("order-7", "sent", ago=2_000, latency=61_000, offset=7), Status("other", ago=1_000, offset=8)]
    kafka.produce(topics.status, [each.record(now) for each in told])
    dashboard = serve()
    dashboard.until_read(3)
    page = open_page(dashboard)
    page.keyboard.press("/")
    page.keyboard.type("order-7")
    page.keyboard.press("Enter")
    page.wait_for_selector("#job .timeline li:nth-child(3)")
    steps = page.locator("#job .timeline b").all_inner_texts()
    assert steps == ["deferred", "sent"]
    assert "job=order-7" in page.url
    text = page.locator("#job").inner_text()
    assert "oA1b…M3n" in text and "45009" in text and "push.jobs/0/7" in text
    shot(page, "job")
    page.reload()
    page.wait_for_selector("#job .timeline li:nth-child(3)")
    page.keyboard.press("Escape")
    until(page, "!location.search.includes('job=')")  # The browser tells of the closed dialog a moment later.
    assert not page.locator("#job").is_visible()


def test_a_job_that_is_no_longer_remembered_is_found_in_the_topic(kafka, topics, serve, open_page):
    now = now_ms()
    kafka.produce(topics.status, [Status(f"old-{each}", ago=60_000, offset=each).record(now) for each in range(500)])
    dashboard = serve("--from", "live")
    dashboard.until_read(0)
    page = open_page(dashboard, "?job=old-321")
    page.get_by_role("button", name="Search the whole topic").click()
    page.wait_for_selector("#job .timeline li:nth-child(2)")
    assert "push.jobs/0/321" in page.locator("#job").inner_text()


def test_live_counts_what_comes_and_the_history_can_be_read_later(kafka, topics, serve, open_page):
    now = now_ms()
    kafka.produce(topics.status, [Status(f"before-{each}", ago=30_000, offset=each).record(now) for each in range(200)])
    dashboard = serve("--from", "live")
    dashboard.until_read(0)
    kafka.produce(topics.status, [Status(f"after-{each}", offset=each).record(now_ms()) for each in range(50)])
    page = open_page(dashboard, "?range=all")
    until(page, "document.querySelector('#figure-sent dd > span').textContent === '50'")
    page.locator("#history button").click()
    until(page, "document.querySelector('#figure-sent dd > span').textContent === '250'")
    assert "beginning of the topic" in page.locator("#history").inner_text()
    assert dashboard.snapshot(range="all")["totals"] == {"sent": 250}


def test_no_openid_is_told_in_full(day):
    dashboard, records = day
    openids = {json.loads(each.value)["touser"] for each in records}
    told = [dashboard.get("/api/snapshot", range="all", list="all").text, dashboard.get("/api/job", id="order-5").text]
    for openid in openids:
        assert not any(openid in each for each in told)


def test_both_languages(day, open_page):
    dashboard, _ = day
    page = open_page(dashboard, locale="zh-CN")
    assert page.locator("#failures h2").inner_text().startswith("失败及原因")
    assert "模板无效或被封禁" in page.locator("#failures").inner_text()
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    shot(page, "chinese")
    page.locator("#language").click()
    until(page, "document.querySelector('#failures h2').textContent.startsWith('What fails')")
    page.reload()
    until(page, "document.querySelector('#failures h2').textContent.startsWith('What fails')")


def test_on_a_phone_in_the_dark(day, open_page):
    dashboard, _ = day
    page = open_page(dashboard, viewport={"width": 375, "height": 800}, color_scheme="dark", device_scale_factor=2,
                     has_touch=True, is_mobile=True)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 375, f"the page is {width} wide"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(each) for each in ground[4:-1].split(",")) < 60
    shot(page, "phone-dark")
    small = page.evaluate("""[...document.querySelectorAll('button, select, input[type=search]')]
        .filter((each) => each.checkVisibility() && !each.classList.contains('link') && each.getBoundingClientRect().height < 32)
        .map((each) => each.outerHTML)""")
    assert not small, small


def test_the_keyboard_is_enough(day, open_page):
    dashboard, _ = day
    page = open_page(dashboard)
    page.keyboard.press("3")
    page.wait_for_url("**/*range=1h*")
    page.keyboard.press("p")
    until(page, "document.querySelector('#link').dataset.state === 'paused'")
    page.keyboard.press("p")
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    page.locator("#failures summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#failures details").first.get_attribute("open") is not None
    page.keyboard.press("Escape")


def test_an_empty_topic_is_quiet_and_a_lost_dashboard_is_said(serve, open_page):
    dashboard = serve()
    page = open_page(dashboard)
    assert page.locator("#verdict").get_attribute("data-level") == "quiet"
    assert "has had no status yet" in page.locator("#verdict").inner_text()
    shot(page, "empty")
    dashboard.kill()
    until(page, "document.querySelector('#link').dataset.state === 'waiting'", timeout=20_000)
    assert page.locator("#notice").is_visible()
    shot(page, "lost")


def test_a_missing_topic_is_waited_for(kafka, topics, serve):
    name = f"{topics.status}.later"
    dashboard = serve(topic=name)
    def reason():
        reply = dashboard.get("/readyz")
        return reply.json()["error"] if reply.status_code == 503 and name in reply.text else None
    assert "Unknown topic" in dashboard.wait_for(reason, 30, "the reason in /readyz")
    kafka.create(name, partitions=2)
    dashboard.wait_for(lambda: dashboard.get("/readyz").ok or None, 40, "the topic noticed")
    kafka.produce(name, [Status("first").record(now_ms())])
    dashboard.until_read(1)


def test_what_is_served_is_locked_down(serve):
    dashboard = serve("--from", "live")
    page = dashboard.get("/")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "//" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    again = requests.get(f"{dashboard.url}/", headers={"If-None-Match": page.headers["ETag"]}, timeout=10)
    assert again.status_code == 304 and not again.content
    foreign = requests.get(f"{dashboard.url}/api/snapshot", headers={"Host": "attacker.example:80"}, timeout=10)
    assert foreign.status_code == 421
    assert requests.put(f"{dashboard.url}/", data="x", timeout=10).status_code == 405
    assert dashboard.get("/../etc/passwd").status_code == 404
    assert dashboard.get("/api/snapshot", range="nonsense").status_code == 400


def test_wrong_usage_ends_with_2(tmp_path, kafka, topics):
    for arguments in (["--listen", "nowhere"], ["--from", "yesterday"]):
        with pytest.raises(AssertionError, match="ended with 2"):
            Dashboard(tmp_path, "wrong", kafka.bootstrap, topics.status, *arguments)


def test_it_stops_when_told(serve):
    dashboard = serve()
    dashboard.until_read(0)
    with requests.get(f"{dashboard.url}/api/stream", stream=True, timeout=10) as stream:
        assert next(stream.iter_lines()).startswith(b"data: ")
        begin = time.monotonic()
        dashboard.signal(15)
        assert dashboard.wait(10) == 0
    assert time.monotonic() - begin < 8
