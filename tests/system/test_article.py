"""The messages of the article that wxcourier began with arrive as they were written there, and so do the examples."""
import json
import pathlib

import pytest
from kafka import Record
from statuses import StatusLog

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "config" / "examples" / "article.ndjson"

WORDS = {
    "remark": {"value": "不积跬步无以至千里，加油！"},
    "keyword3": {"value": "2019-06-09"},
    "first": {"value": "石头同学，提醒您背单词啦"},
    "keyword1": {"value": "巅峰单词800个背诵"},
    "keyword2": {"value": "今日背诵单词任务未完成"},
}
OPENS_A_PAGE = {
    "touser": "o_rbq1TOgERuflYd7PsiE9H565Oo",
    "template_id": "n44_YbDNEqrrSEEvd8The8HpWYo1gWOVAXj7zIz4vHA",
    "url": "http://www.baidu.com",
    "data": WORDS,
}
OPENS_A_MINI_PROGRAM = {
    "touser": "o_rbq1TOgERuflYd7PsiE9H565Oo",
    "template_id": "n44_YbDNEqrrSEEvd8The8HpWYo1gWOVAXj7zIz4vHA",
    "miniprogram": {"appid": "wx2210554e092c3f99", "pagepath": "pages/index/index"},
    "data": WORDS,
}
OF_A_MINI_PROGRAM = {
    "access_token": "21_2HPTNjvIKFLhVTSI5t9eF...",
    "touser": "ogYQ75G33BMpuKOjKjIIOiFP7cF4",
    "template_id": "-SvDCjf6VG7lGAITKmdhHp6ZBQx1huJdBMO9hFAgI0w",
    "page": "pages/index/index",
    "form_id": "b7ed924575c449a080bb140e90a6f326",
    "data": {
        "keyword1": {"value": "石头"},
        "keyword2": {"value": "2019年5月18日 13:00 - 15:00"},
        "keyword3": {"value": "雅思学习（第二课时）"},
        "keyword4": {"value": "学习成就未来，每一步都是成长"},
    },
}


@pytest.mark.parametrize(("app", "kind", "body", "path"), [
    ("shop", "official.template", OPENS_A_PAGE, "/cgi-bin/message/template/send"),
    ("shop", "official.template", OPENS_A_MINI_PROGRAM, "/cgi-bin/message/template/send"),
    ("mini", "miniprogram.template", OF_A_MINI_PROGRAM, "/cgi-bin/message/wxopen/template/send"),
], ids=["opens a page", "opens a mini program", "of a mini program"])
def test_a_body_arrives_as_it_was_written(kafka, topics, simulator, run_worker, read, app, kind, body, path):
    job = {"id": "article", "app": app, "kind": kind, "message": body}
    placed, = kafka.produce(topics.jobs, [Record(json.dumps(job, ensure_ascii=False, indent=4).encode())])
    worker = run_worker(topics, simulator).ready()
    log = StatusLog(read(topics.status))
    log.until_terminal(1, progress=worker.check_alive)
    worker.stop()

    request, = simulator.sends()
    arrived = json.loads(request["body"])
    arrived.pop("client_msg_id", None)
    assert arrived == without_token(body)
    assert request["path"] == path
    assert request["method"] == "POST"
    assert request["token_valid"]
    assert "不积跬步" in request["body"] or "石头" in request["body"], "text goes out as UTF-8, not as \\u escapes"
    status = log.by_id()["article"]
    assert status["state"] == "sent"
    assert status.get("msgid", "") == request["msgid"]
    assert request["msgid"] or kind != "official.template"
    assert status["attempts"] == 1
    assert status["app"] == app
    assert status["kind"] == kind
    assert status["touser"] == body["touser"]
    assert placed.source == "{topic}/{partition}/{offset}".format(**status["source"])


def test_every_example_job_is_sent(kafka, topics, simulator, run_worker, read):
    lines = [line for line in EXAMPLES.read_bytes().splitlines() if line.strip()]
    bodies = {}
    for line in lines:
        job = json.loads(line)
        bodies.setdefault(job["message"]["touser"], []).append(without_token(job["message"]))
    kafka.produce(topics.jobs, [Record(line) for line in lines])
    worker = run_worker(topics, simulator).ready()
    log = StatusLog(read(topics.status))
    log.until_terminal(len(lines), progress=worker.check_alive)
    worker.stop()

    assert {status["state"] for status in log.only().values()} == {"sent"}
    arrived = {}
    for request in simulator.sends():
        body = json.loads(request["body"])
        body.pop("client_msg_id", None)
        arrived.setdefault(request["touser"], []).append(body)
    for touser, wanted in bodies.items():
        assert sorted(map(str, arrived[touser])) == sorted(map(str, wanted))


def without_token(body):
    """The body as it should go out."""
    return {name: value for name, value in body.items() if name != "access_token"}
