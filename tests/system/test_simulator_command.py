"""`wxcourier simulator` from outside: how it starts, what it prints, how it ends."""
import errno
import os
import pathlib
import signal

import pytest
import requests
from simulator import Simulator
from worker import APPIDS, SECRETS, Process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_well_on_a_signal(simulate, number):
    simulator = simulate()
    assert simulator.out() == f"listening on {simulator.url}\nca {simulator.ca}\n"
    with pytest.raises(requests.Timeout):
        simulator.session.post(f"{simulator.url}/cgi-bin/message/custom/send", timeout=0.5, params={
            "access_token": simulator.token(APPIDS["shop"], "any")}, json={
            "touser": "sim-stall", "msgtype": "text", "text": {"content": "x"}})
    simulator.signal(number)
    assert simulator.wait(10) == 0
    assert simulator.err() == ""


def test_a_given_directory_keeps_the_certificate_over_a_restart(tmp_path):
    first = Simulator(tmp_path, "simulator")
    authority = pathlib.Path(first.ca).read_bytes()
    first.kill()
    second = Simulator(tmp_path, "simulator")
    assert pathlib.Path(second.ca).read_bytes() == authority
    assert second.stats()["requests"] == 0
    second.kill()


def test_without_a_directory_the_certificate_goes_with_the_process(tmp_path):
    process = Process(tmp_path, "bare", ["simulator", "--listen", "127.0.0.1:0"], {"TMPDIR": str(tmp_path)})
    process.wait_for(lambda: True if "\nca " in process.out() else None, 20, "its ca line")
    path = pathlib.Path(process.out().splitlines()[1].removeprefix("ca "))
    assert path.is_file()
    assert path.is_relative_to(tmp_path)
    process.signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert not path.parent.exists()


def test_plain_means_http_and_no_authority(tmp_path):
    process = Process(tmp_path, "plain", ["simulator", "--listen", "127.0.0.1:0", "--plain", "--control", "off"])
    process.wait_for(lambda: True if process.out().endswith("\n") else None, 20, "its first line")
    line, = process.out().splitlines()
    url = line.removeprefix("listening on ")
    session = requests.Session()
    session.trust_env = False
    assert session.get(f"{url}/_simulator/stats", timeout=10).json()["errcode"] == 40066
    process.signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_its_options_reach_the_rules(simulate):
    simulator = simulate("--app", f"{APPIDS['shop']}:{SECRETS['SHOP_SECRET']}:official_account", "--retired", "refuse",
                         "--token-lifetime", "10s", "--template", "known:thing1", "--record", "counts", "--day-quota", "2")
    answer = simulator.session.get(f"{simulator.url}/cgi-bin/token", timeout=10, params={
        "grant_type": "client_credential", "appid": APPIDS["shop"], "secret": SECRETS["SHOP_SECRET"]}).json()
    assert answer["expires_in"] == 10

    def send(path, **more):
        body = {"touser": "o1", "template_id": "known", "data": {"thing1": {"value": "x"}}, **more}
        return simulator.session.post(f"{simulator.url}/cgi-bin/message/{path}", timeout=10, json=body, params={
            "access_token": answer["access_token"]}).json()["errcode"]
    assert send("subscribe/send") == 48001
    assert send("template/send", template_id="other") == 40037
    assert send("template/send") == 0
    assert send("template/send") == 45009
    assert simulator.received() == []
    assert simulator.sends_so_far() == 4


@pytest.mark.parametrize("arguments, words", [
    (["--listen", "nowhere"], "--listen"),
    (["--app", "justone"], "--app"),
    (["--app", "a:b:c"], "--app a"),
    (["--latency", "soon"], "--latency"),
    (["--retired", "perhaps"], "--retired"),
    (["--unknown"], "--unknown"),
])
def test_bad_options_end_with_2(tmp_path, arguments, words):
    process = Process(tmp_path, "bad", ["simulator", *arguments])
    assert process.wait(20) == 2
    assert words in process.err()
    assert process.out() == ""


def test_a_taken_address_ends_with_1(tmp_path, simulate):
    taken = simulate().url.removeprefix("https://")
    process = Process(tmp_path, "second", ["simulator", "--listen", taken])
    assert process.wait(20) == 1
    assert os.strerror(errno.EADDRINUSE) in process.err()
