"""Joins what was produced with what was seen, and counts what must not be."""
import collections
import dataclasses

from chaos.group_commits import finished_beyond


@dataclasses.dataclass
class Report:
    """Counts, and for those that must be 0 a few examples."""
    jobs: int = 0
    messages: int = 0
    states: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    lost: int = 0               # reported `sent` and never accepted by WeChat, or finished by the commits without a status
    without_status: int = 0     # messages without a terminal status
    conflicting: int = 0        # messages with different terminal states
    unknown: int = 0            # statuses `outcome_unknown`
    repeated_statuses: int = 0
    repeated_sends: int = 0     # accepted again
    visible_repeats: int = 0    # of those, what WeChat did not drop
    visible_deduplicated: int = 0  # of those, of a kind with client_msg_id
    offsets_ahead: int = 0      # jobs that a commit called finished before their statuses were on their topic
    backwards: int = 0          # commits below an earlier one
    sent_again_late: int = 0    # sends after a commit that had their job finished
    uncommitted: int = 0        # jobs the last commit does not speak for
    strangers: int = 0          # statuses or sends of no job
    examples: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(list))

    def note(self, what, example, count=1):
        """Counts one more of `what`."""
        setattr(self, what, getattr(self, what) + count)
        if len(self.examples[what]) < 3:
            self.examples[what].append(str(example))

    def lines(self):
        """For people."""
        yield f"jobs {self.jobs}, messages {self.messages}; statuses: " + ", ".join(
            f"{count} {state}" for state, count in sorted(self.states.items()))
        yield (f"lost {self.lost} · without terminal status {self.without_status} · conflicting {self.conflicting} · "
               f"unknown {self.unknown}")
        yield (f"repeated statuses {self.repeated_statuses} · repeated sends {self.repeated_sends} · of these seen by users "
               f"{self.visible_repeats}, of kinds with client_msg_id {self.visible_deduplicated}")
        yield (f"offsets ahead of statuses {self.offsets_ahead} · commits backwards {self.backwards} · "
               f"sent after their commit {self.sent_again_late} · uncommitted jobs {self.uncommitted} · "
               f"strangers {self.strangers}")
        for what, some in sorted(self.examples.items()):
            if some:
                yield f"  {what}: {'; '.join(some)}"


def check(placed, statuses, sends, commits, moved=None):
    """`placed`: (partition, offset) -> Expected; `statuses`: (partition, offset, touser) -> [Status]; `sends`: [Send], or None
    where nobody looked; `commits`: [Commit], in their order; `moved`: (partition, offset) -> when it went to a delayed topic."""
    report = Report(jobs=len(placed), messages=sum(len(each.tousers) for each in placed.values()))
    accepted = None if sends is None else _check_sends(report, placed, sends)
    _check_statuses(report, placed, statuses, accepted)
    finished = _check_commits(report, placed, statuses, commits, moved or {})
    for send in sends or ():
        if finished.get(send.touser, send.at) < send.at:
            report.note("sent_again_late", f"{send} after the commit at {finished[send.touser]}")
    return report


def _check_sends(report, placed, sends):
    kinds = {touser: each.kind for each in placed.values() for touser in each.tousers}
    accepted = collections.Counter()
    shown = collections.Counter()
    for send in sends:
        if send.touser not in kinds:
            report.note("strangers", send)
        elif send.accepted:
            accepted[send.touser] += 1
            shown[send.touser] += not send.duplicate
    report.repeated_sends = sum(count - 1 for count in accepted.values())
    for touser, count in shown.items():
        if count > 1:
            report.visible_repeats += count - 1
            if kinds[touser] == "official.template":
                report.note("visible_deduplicated", touser, count - 1)
    return accepted


def _check_statuses(report, placed, statuses, accepted):
    wanted = {(*place, touser) for place, each in placed.items() for touser in each.tousers}
    for key, found in statuses.items():
        if key not in wanted:
            report.note("strangers", (key, found[0]))
            continue
        report.states.update(each.state for each in found)
        report.repeated_statuses += len(found) - 1
        report.unknown += sum(each.reason == "outcome_unknown" for each in found)
        if len({each.state for each in found}) > 1:
            report.note("conflicting", (key, found))
        if any(each.state == "sent" for each in found) and accepted is not None and not accepted[key[2]]:
            report.note("lost", f"{key} is `sent` and never arrived")
    for key in wanted - statuses.keys():
        report.note("without_status", key)


def _check_commits(report, placed, statuses, commits, moved):
    """Recipients, and when a commit first said that their job had finished."""
    seen = set()
    finished_at = {}
    below = collections.Counter()
    before = collections.defaultdict(set)  # What the metadata of the last commit said: only what is new is looked at.
    for commit in commits:
        partition = commit.partition
        if commit.offset < below[partition]:
            report.note("backwards", f"partition {partition}: {commit.offset} after {below[partition]}")
        ranges = [(below[partition], commit.offset - 1), *finished_beyond(commit.offset, commit.metadata)]
        below[partition] = max(below[partition], commit.offset)
        known, before[partition] = before[partition], set(ranges)
        ends = {first: last for first, last in known}
        for place in ((partition, each) for first, last in ranges if (first, last) not in known
                      for each in range(min(last, ends.get(first, first - 1)) + 1, last + 1)):
            if place in placed and place not in seen:
                seen.add(place)
                if moved.get(place, commit.at) < commit.at:
                    continue  # Its copy stands on a delayed topic, from where it is sent and reported.
                finished_at.update((touser, commit.at) for touser in placed[place].tousers)
                _check_finished(report, place, placed[place], statuses, commit)
    report.uncommitted = len(placed.keys() - seen)
    report.examples["uncommitted"] = [str(each) for each in sorted(placed.keys() - seen)[:3]]
    return finished_at


def _check_finished(report, place, expected, statuses, commit):
    """A commit says that this job has finished: all its statuses were on their topic by then."""
    for touser in expected.tousers:
        found = statuses.get((*place, touser), ())
        if not found:
            report.note("lost", f"{place} {touser} is finished for the group and has no status")
        elif min(each.at for each in found) > commit.at:
            report.note("offsets_ahead", f"{place} {touser}: {found} after {commit}")


# --- progress -----------------------------------------------------------------------------------------------------


def longest_gap(arrivals, begin, end):
    """(seconds, when it began, partition): the longest time within which a partition brought no status, of all partitions.
    `arrivals`: partition -> times."""
    longest = (0.0, begin, None)
    for partition, times in arrivals.items():
        marks = [begin, *(each for each in sorted(times) if begin < each < end), end]
        for before, after in zip(marks, marks[1:]):
            longest = max(longest, (after - before, before, partition))
    return longest


def progress_after(arrivals, fault, end, takes_effect=1.5):
    """The longest time a partition waited for its next status because of a fault: of the gaps that were open between the
    fault and `takes_effect` after it, in seconds, not counting what lies before the fault."""
    longest = 0.0
    for times in arrivals.values():
        marks = sorted(each for each in times if each <= end)
        for before, after in zip(marks, marks[1:]):
            if before < fault + takes_effect and after > fault:
                longest = max(longest, after - max(before, fault))
    return longest
