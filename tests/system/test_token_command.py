"""`wxcourier token` shows the state and the owner of every app's token, never the token."""
import json

from worker import APPIDS, SECRETS, Process

REJECTED = "invalid ip 192.0.2.1 ipv6 ::ffff:192.0.2.1, not in whitelist"


def token_command(folder, worker, *arguments):
    """Runs the command against the worker: its exit code and output."""
    at = worker.url().removeprefix("http://")
    command = Process(folder, "token", ["token", "-c", worker.config, "--at", at, *arguments])
    return command.wait(), command.out(), command.err()


def test_states_and_owners_are_shown_and_no_token(topics, simulator, run_worker, tmp_path):
    simulator.script({"errcode": 40164, "errmsg": REJECTED}, path="/cgi-bin/stable_token", appid=APPIDS["mini"])
    worker = run_worker(topics, simulator).ready()
    code, out, err = token_command(tmp_path, worker)
    assert (code, err) == (0, "")
    lines = {line.split()[0]: line.split() for line in out.splitlines()[2:]}
    own = next(line for line in worker.log("starting"))["worker"]
    assert lines["shop"][1:3] == ["stable", "good"]
    assert lines["shop"][5] == own
    assert lines["mini"][1:3] == ["stable", "halted"]
    assert "ip_not_allowed:" in lines["mini"]
    assert "192.0.2.1" in out

    code, out, err = token_command(tmp_path, worker, "--json")
    assert code == 0
    told = {each["app"]: each for each in json.loads(out)["apps"]}
    assert told["shop"]["state"] == "good"
    assert 0 < told["shop"]["expires_in_s"] <= 7200
    assert told["mini"]["reason"] == "ip_not_allowed"
    assert any(line.get("rejected_ip") == "192.0.2.1" for line in worker.log("the token call gave no token"))
    token = simulator.token(APPIDS["shop"], SECRETS["SHOP_SECRET"])
    assert token not in out + worker.get("/tokens").text + worker.get("/metrics").text
    worker.stop()


def test_a_worker_that_is_not_there_is_said_so(topics, simulator, run_worker, tmp_path):
    worker = run_worker(topics, simulator).ready()
    url = worker.url()
    worker.stop()
    command = Process(tmp_path, "token", ["token", "-c", worker.config, "--at", url.removeprefix("http://")])
    assert command.wait() == 1
    assert "no worker at 127.0.0.1" in command.err()
