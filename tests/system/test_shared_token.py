"""`token.source: shared`: tokens of a company's own server. The worker knows no AppSecret, and waits out its outages."""
import jobs
import pytest
from statuses import StatusLog
from token_server import TokenServer
from worker import APPIDS, SECRETS

WORD = "canary-header-77d0c1a2b3"
MIN_INTERVAL = 0.5


@pytest.fixture
def token_server(simulator):
    """A token server for the app `shop`."""
    server = TokenServer(simulator, APPIDS["shop"], SECRETS["SHOP_SECRET"], WORD)
    yield server
    server.close()


def shared_app(server, word_file):
    """The app `shop`, without a secret of its own."""
    return {"name": "shop", "type": "official_account", "appid": APPIDS["shop"],
            "token": {"source": "shared", "url": server.url, "header": "Authorization",
                      "secret": {"file": str(word_file)}, "path": "data.token",
                      "min_interval": f"{int(MIN_INTERVAL * 1000)}ms"},
            "rate": {"per_second": 5000, "burst": 1000}, "concurrency": 64}


@pytest.fixture
def word_file(tmp_path):
    """The file with the header's value."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    file = folder / "word"
    file.write_text(WORD)
    return file


def send(kafka, topics, log, numbers, worker):
    """Produces jobs and waits until all so far are sent."""
    kafka.produce(topics.jobs, [jobs.make(number).record() for number in numbers])
    log.until_terminal(numbers[-1] + 1, 60, progress=worker.check_alive)


def test_a_dead_token_is_asked_for_again_and_an_outage_is_waited_out(kafka, topics, simulator, run_worker, read,
                                                                     token_server, word_file):
    worker = run_worker(topics, simulator, apps=[shared_app(token_server, word_file)]).ready()
    log = StatusLog(read(topics.status))
    send(kafka, topics, log, range(100), worker)
    assert len(token_server.asked) == 1

    token_server.stale = 3  # It has not noticed yet that the token is dead.
    simulator.expire_tokens(APPIDS["shop"])
    send(kafka, topics, log, range(100, 200), worker)
    assert len(token_server.asked) == 5, "three times the dead one, then a new one"

    token_server.status = 503
    simulator.expire_tokens(APPIDS["shop"])
    kafka.produce(topics.jobs, [jobs.make(number).record() for number in range(200, 300)])
    worker.wait_for(lambda: True if "HTTP 503" in worker.get("/readyz").text else None, 30, "the outage in /readyz")
    assert worker.get("/readyz").status_code == 503
    token_server.status = 200
    log.until_terminal(300, 60, progress=worker.check_alive)

    assert {status["state"] for status in log.by_id().values()} == {"sent"}
    apart = [later - sooner for sooner, later in zip(token_server.asked, token_server.asked[1:])]
    assert min(apart) >= MIN_INTERVAL - 0.1, apart
    worker.stop()
    for secret in (WORD, *token_server.tokens):
        assert secret not in worker.err() + worker.out()


def test_a_changed_header_secret_is_taken_up(kafka, topics, simulator, run_worker, read, token_server, word_file):
    word_file.write_text("canary-header-old")
    worker = run_worker(topics, simulator, apps=[shared_app(token_server, word_file)])
    worker.wait_for(lambda: True if "HTTP 401" in worker.get("/readyz").text else None, 30, "the refusal in /readyz")
    log = StatusLog(read(topics.status))
    word_file.write_text(WORD + "\n")
    send(kafka, topics, log, range(20), worker)
    worker.stop()
    assert token_server.refused >= 1
    assert "canary-header" not in worker.err() + worker.out()
