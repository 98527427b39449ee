"""Jobs: one of each kind with a body WeChat would take, as producers write them."""
import dataclasses
import hashlib
import itertools
import json

from kafka import Record

# Kind -> the app that may send it, and the path WeChat has for it (its documentation; the contract's section 3).
KINDS = {
    "official.template": ("shop", "/cgi-bin/message/template/send"),
    "official.subscribe_once": ("shop", "/cgi-bin/message/template/subscribe"),
    "official.subscribe": ("shop", "/cgi-bin/message/subscribe/bizsend"),
    "official.custom": ("shop", "/cgi-bin/message/custom/send"),
    "miniprogram.template": ("mini", "/cgi-bin/message/wxopen/template/send"),
    "miniprogram.subscribe": ("mini", "/cgi-bin/message/subscribe/send"),
    "miniprogram.uniform": ("mini", "/cgi-bin/message/wxopen/template/uniform_send"),
    "miniprogram.custom": ("mini", "/cgi-bin/message/custom/send"),
}
# Kinds whose API takes client_msg_id: WeChat drops a repeat by itself.
DEDUPLICATED = ("official.template",)

TEMPLATE = "n44_YbDNEqrrSEEvd8The8HpWYo1gWOVAXj7zIz4vHA"


def openid(number):
    """A recipient as WeChat names them: 28 characters."""
    return f"oWxCourier{number:018d}"


def message(kind, touser, mark=""):
    """A body of the kind; `mark` goes in where text may stand."""
    form_id = hashlib.sha256(f"{touser}{mark}".encode()).hexdigest()[:32]
    data = {"thing1": {"value": f"巅峰单词{mark}"}, "time2": {"value": "2026-11-22 08:30"}}
    bodies = {
        "official.template": {"template_id": TEMPLATE, "url": "https://example.com/", "data": data},
        "official.subscribe_once": {"template_id": TEMPLATE, "scene": "1000", "title": "提醒",
                                    "data": {"content": {"value": f"您好{mark}", "color": "#173177"}}},
        "official.subscribe": {"template_id": TEMPLATE, "page": "https://example.com/", "data": data},
        "official.custom": {"msgtype": "text", "text": {"content": f"您好{mark}"}},
        "miniprogram.template": {"template_id": TEMPLATE, "form_id": form_id, "page": "pages/index/index",
                                 "data": {"keyword1": {"value": f"石头{mark}"}}},
        "miniprogram.subscribe": {"template_id": TEMPLATE, "page": "pages/index/index", "data": data,
                                  "miniprogram_state": "formal", "lang": "zh_CN"},
        "miniprogram.uniform": {"weapp_template_msg": {
            "template_id": TEMPLATE, "page": "pages/index/index", "form_id": form_id,
            "emphasis_keyword": "", "data": {"keyword1": {"value": f"石头{mark}"}}}},
        "miniprogram.custom": {"msgtype": "text", "text": {"content": f"您好{mark}"}},
    }
    return {"touser": touser, **bodies[kind]}


@dataclasses.dataclass
class Job:
    """A job as a producer writes it."""
    id: str
    kind: str
    touser: str
    body: dict
    more: dict = dataclasses.field(default_factory=dict)
    headers: tuple = ()

    @property
    def app(self):
        """The app it is sent through, unless `more` names another."""
        return self.more.get("app", KINDS[self.kind][0])

    def record(self):
        """Its record, keyed by the recipient."""
        document = {"id": self.id, "app": self.app, "kind": self.kind, "message": self.body, **self.more}
        return Record(json.dumps(document, ensure_ascii=False).encode(), self.touser.encode(), self.headers)


def make(number, kind="official.template", prefix="job", **more):
    """Job `number`, with an id and a recipient of its own."""
    touser = openid(number)
    return Job(f"{prefix}-{number}", kind, touser, message(kind, touser, f" {number}"), more)


def of_all_kinds(count, prefix="job", first=0):
    """`count` jobs, the kinds in turn."""
    return [make(number, kind, prefix)
            for number, kind in zip(range(first, first + count), itertools.cycle(KINDS))]
