"""A changed AppSecret is taken up without a restart; a half-written or wrong one is refused and the old one kept."""
import os

import jobs
from statuses import StatusLog
from worker import APPIDS, SECRETS

ROTATIONS = 100
CANARY = "canary-rotated"


class MountedSecret:
    """A secret as Kubernetes mounts it: FILE -> ..data/FILE, and `..data` is swapped."""

    def __init__(self, folder):
        self.folder, self.number = folder, 0
        folder.mkdir()
        (folder / "app").symlink_to("..data/app")
        self.file = folder / "app"

    def swap(self, text):
        """Puts a new content in place, at once."""
        self.number += 1
        new = self.folder / f"..{self.number}"
        new.mkdir()
        (new / "app").write_text(text)
        link = self.folder / "..data_tmp"
        link.symlink_to(new.name)
        os.rename(link, self.folder / "..data")


def shop(file):
    """The app `shop` with its secret in a file."""
    return {"name": "shop", "type": "official_account", "appid": APPIDS["shop"], "secret": {"file": str(file)},
            "rate": {"per_second": 5000, "burst": 1000}, "concurrency": 64}


def test_a_hundred_rotations_under_load_fail_no_send(kafka, topics, simulate, run_worker, read, tmp_path):
    simulator = simulate()  # Takes any secret.
    mounted = MountedSecret(tmp_path / "secrets")
    mounted.swap(f"{CANARY}-first\n")
    worker = run_worker(topics, simulator, apps=[shop(mounted.file)]).ready()
    log = StatusLog(read(topics.status))
    def accepted():
        return worker.metric("wxcourier_secret_rotations_total", result="accepted")

    for number in range(ROTATIONS):
        before = accepted()
        mounted.swap(f"{CANARY}-{number}\n")
        kafka.produce(topics.jobs, [jobs.make(number * 10 + each).record() for each in range(10)])
        if number % 20 == 19:  # The others follow each other too fast to be seen.
            worker.wait_for(lambda before=before: True if accepted() > before else None, 30, "the new secret")
    log.until_terminal(ROTATIONS * 10, 60, progress=worker.check_alive)
    statuses = log.by_id().values()
    assert {status["state"] for status in statuses} == {"sent"}
    assert {status["attempts"] for status in statuses} == {1}
    worker.stop()
    assert CANARY not in worker.err() + worker.out()


def test_a_secret_that_cannot_be_one_or_that_wechat_refuses_leaves_the_old_in_use(kafka, topics, simulate, run_worker,
                                                                                  read, tmp_path):
    simulator = simulate("--app", f"{APPIDS['shop']}:{SECRETS['SHOP_SECRET']}:official_account")
    mounted = MountedSecret(tmp_path / "secrets")
    mounted.swap(SECRETS["SHOP_SECRET"])
    worker = run_worker(topics, simulator, apps=[shop(mounted.file)]).ready()
    log = StatusLog(read(topics.status))

    for text in ("", f"{CANARY}\nof two lines"):
        seen = len(worker.log("a changed secret is not usable; the old one stays in use"))
        mounted.swap(text)
        worker.wait_for(lambda seen=seen: True if len(worker.log(
            "a changed secret is not usable; the old one stays in use")) > seen else None, 30, "the refusal")
    mounted.swap(f"{CANARY}-wrong")
    worker.wait_for(lambda: worker.log("WeChat refuses the new AppSecret; the old one stays in use, and the new one is "
                                       "tried again") or None, 30, "WeChat's refusal")
    simulator.expire_tokens(APPIDS["shop"])  # The old secret gives the next token, too.
    kafka.produce(topics.jobs, [jobs.make(number).record() for number in range(50)])
    log.until_terminal(50, 60, progress=worker.check_alive)
    assert {status["state"] for status in log.by_id().values()} == {"sent"}
    assert worker.get("/readyz").status_code == 200
    assert worker.metric("wxcourier_secret_rotations_total", result="unusable") == 2
    assert worker.metric("wxcourier_secret_rotations_total", result="refused") >= 1
    worker.stop()
    assert CANARY not in worker.err() + worker.out()
