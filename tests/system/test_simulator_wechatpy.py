"""The simulator is a WeChat API to others than wxcourier: wechatpy, as it comes from PyPI, works against it. Nothing of
it is replaced; its host leads to the simulator by name resolution, and its TLS trusts the simulator's authority."""
import socket

import pytest
import wechatpy
from worker import APPIDS, SECRETS

OPENID = "o_rbq1TOgERuflYd7PsiE9H565Oo"
TEMPLATE = "n44_YbDNEqrrSEEvd8The8HpWYo1gWOVAXj7zIz4vHA"
DATA = {"thing1": {"value": "巅峰单词800个背诵"}, "time2": {"value": "2019年10月1日 15:01"}}


@pytest.fixture
def wechat(simulator, monkeypatch):
    """The simulator in the place of api.weixin.qq.com."""
    resolve = socket.getaddrinfo
    port = int(simulator.url.rpartition(":")[2])

    def led_here(host, wanted_port, *arguments, **options):
        if (host, wanted_port) == ("api.weixin.qq.com", 443):
            return resolve("127.0.0.1", port, *arguments, **options)
        return resolve(host, wanted_port, *arguments, **options)
    monkeypatch.setattr(socket, "getaddrinfo", led_here)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", simulator.ca)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    return simulator


@pytest.fixture
def shop(wechat):
    """wechatpy's client of an official account."""
    return wechatpy.WeChatClient(APPIDS["shop"], SECRETS["SHOP_SECRET"])


@pytest.fixture
def mini(wechat):
    """wechatpy's client of a mini program."""
    return wechatpy.WeChatClient(APPIDS["mini"], SECRETS["MINI_SECRET"])


def test_it_fetches_a_token(shop, wechat):
    reply = shop.fetch_access_token()
    assert reply["expires_in"] == 7200
    assert shop.access_token == reply["access_token"]
    assert wechat.stats()["tokens"][APPIDS["shop"]] == {"classic": 1, "stable": 0}


def test_it_sends_every_kind_of_an_official_account(shop, wechat):
    replies = [
        shop.message.send_template(OPENID, TEMPLATE, DATA, url="https://example.com/",
                                   mini_program={"appid": "wx2210554e092c3f99", "pagepath": "pages/index/index"}),
        shop.message.send_subscribe_template(OPENID, TEMPLATE, "1000", "标题", {"content": {"value": "内容"}}),
        shop.message.send_subscribe_message(OPENID, TEMPLATE, DATA),
        shop.message.send_text(OPENID, "你好"),
        shop.message.send_image(OPENID, "media"),
        shop.message.send_articles(OPENID, [{"title": "t", "description": "d", "url": "u", "image": "i"}]),
    ]
    assert [reply["errcode"] for reply in replies] == [0] * len(replies)
    sends = wechat.sends()
    assert [each["path"].removeprefix("/cgi-bin/message/") for each in sends] == [
        "template/send", "template/subscribe", "subscribe/bizsend", "custom/send", "custom/send", "custom/send"]
    assert all(each["token_valid"] and each["accepted"] and each["touser"] == OPENID for each in sends)
    assert [each["msgid"] for each in sends] == [str(reply.get("msgid", "")) for reply in replies]
    assert len({each["connection"] for each in sends}) == 1, "one connection is kept for all of them"
    assert "巅峰单词800个背诵" in sends[0]["body"]


def test_it_sends_every_kind_of_a_mini_program(mini, wechat):
    replies = [
        mini.wxa.send_subscribe_message(OPENID, TEMPLATE, DATA, page="pages/index/index"),
        mini.wxa.send_template_message(OPENID, TEMPLATE, {"keyword1": {"value": "石头"}}, "b7ed924575c449a080bb140e90a6f326"),
        mini.message.send_text(OPENID, "你好"),
    ]
    assert [reply["errcode"] for reply in replies] == [0, 0, 0]
    assert [each["appid"] for each in wechat.sends()] == [APPIDS["mini"]] * 3


@pytest.mark.parametrize("openid, template, data, errcode, words", [
    ("sim-errcode-43004-anna", TEMPLATE, DATA, 43004, "require subscribe rid: "),
    (OPENID, TEMPLATE, {"thing1": {"value": "太长" * 11}}, 47003, "data.thing1.value invalid rid: "),
    ("", TEMPLATE, DATA, 40003, "invalid openid rid: "),
    (OPENID, "", DATA, 40036, "invalid template_id size rid: "),
])
def test_it_raises_what_is_refused(shop, openid, template, data, errcode, words):
    with pytest.raises(wechatpy.exceptions.WeChatClientException) as caught:
        shop.message.send_template(openid, template, data)
    assert caught.value.errcode == errcode
    assert words in caught.value.errmsg


def test_it_knows_a_used_up_quota_from_other_errors(shop, wechat):
    wechat.change(minute_quota=1)
    shop.message.send_text(OPENID, "你好")
    with pytest.raises(wechatpy.exceptions.WeChatClientException) as caught:
        shop.message.send_text(OPENID, "你好")
    assert caught.value.errcode == 45011
    wechat.change(minute_quota=0)
    wechat.script({"errcode": 45009}, touser=OPENID)
    with pytest.raises(wechatpy.exceptions.APILimitedException):
        shop.message.send_text(OPENID, "你好")


def test_it_raises_a_wrong_secret(wechat):
    with pytest.raises(wechatpy.exceptions.WeChatClientException) as caught:
        wechatpy.WeChatClient(APPIDS["shop"], "wrong").fetch_access_token()
    assert caught.value.errcode == 40125


def test_it_raises_a_gateways_error_and_a_lost_connection(shop):
    with pytest.raises(wechatpy.exceptions.WeChatClientException) as caught:
        shop.message.send_text("sim-http-502-anna", "你好")
    assert caught.value.response.status_code == 502
    with pytest.raises(OSError):
        shop.message.send_text("sim-reset-0-anna", "你好")
    shop.message.send_text(OPENID, "你好")


def test_it_renews_a_token_that_died(shop, wechat):
    shop.message.send_text(OPENID, "你好")
    assert wechat.expire_tokens(APPIDS["shop"]) == 1
    shop.message.send_text(OPENID, "你好")
    assert [each["errcode"] for each in wechat.sends()] == [0, 42001, 0]
    assert wechat.tokens_issued(APPIDS["shop"]) == 2
