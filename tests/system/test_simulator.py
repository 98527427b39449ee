"""The simulator is a WeChat API to others than wxcourier: a client written for the real one works with it."""
import pytest
import requests
import wechatpy
from worker import APPIDS, SECRETS

TEMPLATE = "n44_YbDNEqrrSEEvd8The8HpWYo1gWOVAXj7zIz4vHA"


class Redirected(requests.Session):
    """Takes requests on WeChat's host to the simulator."""

    def __init__(self, simulator):
        super().__init__()
        self.simulator = simulator
        self.trust_env = False

    def request(self, method, url, **arguments):
        arguments["verify"] = self.simulator.ca
        return super().request(method, url.replace("https://api.weixin.qq.com", self.simulator.url), **arguments)


@pytest.fixture
def client(simulator):
    """wechatpy's client."""
    made = wechatpy.WeChatClient(APPIDS["shop"], SECRETS["SHOP_SECRET"])
    made._http = Redirected(simulator)
    return made


def test_a_foreign_client_gets_a_token_and_sends(client, simulator):
    reply = client.message.send_template("o_rbq1TOgERuflYd7PsiE9H565Oo", TEMPLATE, {"first": {"value": "你好"}})
    assert reply["errcode"] == 0
    send, = simulator.sends()
    assert send["token_valid"]
    assert send["msgid"] == str(reply["msgid"])


def test_a_foreign_client_understands_its_errors(client):
    with pytest.raises(wechatpy.exceptions.WeChatClientException) as caught:
        client.message.send_template("sim-errcode-43004", TEMPLATE, {"first": {"value": "你好"}})
    assert caught.value.errcode == 43004


def test_a_foreign_client_renews_a_token_that_died(client, simulator):
    client.message.send_text("o_rbq1TOgERuflYd7PsiE9H565Oo", "你好")
    simulator.expire_tokens(APPIDS["shop"])
    client.message.send_text("o_rbq1TOgERuflYd7PsiE9H565Oo", "你好")
    assert [each["errcode"] for each in simulator.sends()] == [0, 42001, 0]
