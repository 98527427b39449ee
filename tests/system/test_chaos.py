"""Faults on purpose: a short run of scripts/chaos, and its checker, which must find what is wrong."""
import os

import pytest
from chaos import checker
from chaos.evidence import Send, Status
from chaos.group_commits import Commit, finished_beyond
from chaos.load import Expected
from chaos.run import Run
from chaos.replicas import short


def test_a_kill_and_a_rolling_restart_lose_nothing():
    with Run("short", os.environ.get("WXCOURIER_KAFKA_VERSION", "3.9.2"), seed=1) as run:
        short(run)
        assert run.verdict() == 0, run.failures


def commit(offset, metadata="", at=10.0):
    """A commit of partition 0."""
    return Commit("group", "jobs", 0, offset, metadata, at)


def sent(at=5.0):
    """A terminal status."""
    return Status("sent", None, "worker", at)


def arrived(touser, at=4.0, duplicate=False):
    """A send that WeChat accepted."""
    return Send(touser, at, True, duplicate)


JOBS = {(0, 0): Expected(0, "official.template", ("a",)), (0, 1): Expected(1, "official.custom", ("b", "c"))}
GOOD = {"placed": JOBS, "statuses": {(0, 0, "a"): [sent()], (0, 1, "b"): [sent()], (0, 1, "c"): [sent()]},
        "sends": [arrived("a"), arrived("b"), arrived("c")], "commits": [commit(2)]}
BAD = {
    "without_status": {"statuses": {(0, 0, "a"): [sent()], (0, 1, "b"): [sent()]}, "commits": [commit(1)]},
    "lost": {"statuses": {(0, 0, "a"): [sent()], (0, 1, "b"): [sent()]}},
    "conflicting": {"statuses": {**GOOD["statuses"], (0, 0, "a"): [sent(), Status("failed", "invalid_data", "w", 6.0)]}},
    "repeated_statuses": {"statuses": {**GOOD["statuses"], (0, 0, "a"): [sent(), sent(6.0)]}},
    "repeated_sends": {"sends": [*GOOD["sends"], arrived("a", duplicate=True)]},
    "visible_repeats": {"sends": [*GOOD["sends"], arrived("b")]},
    "visible_deduplicated": {"sends": [*GOOD["sends"], arrived("a")]},
    "offsets_ahead": {"commits": [commit(1, at=4.9), commit(2)]},
    "backwards": {"commits": [commit(2), commit(1)]},
    "sent_again_late": {"sends": [*GOOD["sends"], arrived("b", at=10.1)]},
    "uncommitted": {"commits": [commit(0, "w1.orAAA")]},
    "strangers": {"sends": [*GOOD["sends"], arrived("d")]},
}


def test_the_checker_finds_nothing_where_nothing_is_wrong():
    report = checker.check(**GOOD)
    assert (report.jobs, report.messages, report.states["sent"]) == (2, 3, 3)
    assert [what for what in BAD if getattr(report, what)] == []


@pytest.mark.parametrize("what", BAD)
def test_the_checker_finds(what):
    assert getattr(checker.check(**{**GOOD, **BAD[what]}), what) == 1


def test_a_status_that_wechat_knows_nothing_of_is_lost():
    assert checker.check(**{**GOOD, "sends": [arrived("a"), arrived("b")]}).lost == 1


def test_a_job_that_moved_to_a_delayed_topic_is_finished_before_its_statuses():
    late = {**GOOD, "statuses": {**GOOD["statuses"], (0, 0, "a"): [sent(60.0)]}, "sends": [arrived("a", 59.0), *GOOD["sends"][1:]]}
    report = checker.check(**late, moved={(0, 0): 9.0})
    assert (report.offsets_ahead, report.sent_again_late, report.uncommitted) == (0, 0, 0)
    report = checker.check(**late, moved={(0, 0): 11.0})
    assert (report.offsets_ahead, report.sent_again_late) == (1, 1), "the commit was before its copy"
    assert checker.check(**{**late, **BAD["without_status"]}, moved={(0, 1): 9.0}).without_status == 1


@pytest.mark.parametrize("metadata, finished", [
    ("", []), ("w1.orAAAAAg", [(100, 100), (102, 104)]), ("w1.obAQc", [(101, 103)])],
    ids=["none", "ranges", "bitmap"])
def test_metadata_is_read_as_the_worker_writes_it(metadata, finished):
    assert finished_beyond(100, metadata) == finished


def test_the_longest_gap_is_that_of_the_partition_that_waits_longest():
    arrivals = {0: [1.0, 2.0, 3.0, 9.0], 1: [1.5, 4.0, 6.0, 8.0]}
    assert checker.longest_gap(arrivals, 1.0, 9.0) == (6.0, 3.0, 0)
    assert checker.progress_after(arrivals, 4.5, 9.0, 1.0) == 4.5
    assert checker.progress_after(arrivals, 1.2, 9.0, 1.0) == 2.5
