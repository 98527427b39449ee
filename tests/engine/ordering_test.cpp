// SPDX-License-Identifier: Apache-2.0
// ordering: key. Jobs with one Kafka key go one after another, whatever happens to them.
#include "common/rfc3339.hpp"
#include "tests/support/courier_fixture.hpp"

#include <random>

namespace wxcourier::test {
namespace {

using domain::job_state;
using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class ordering : public courier_test {
protected:
    ordering() { options.ordered_by_key = true; }

    void append(const job_text& job, std::optional<std::string> key, std::int32_t partition = 0)
    {
        log.append(partition, job.json(), time.wall_now(), std::move(key));
    }
    /// A job of a kind that WeChat does not deduplicate, to `<key>-<number>`.
    void append_numbered(const std::string& key, int number, std::int32_t partition = 0)
    {
        const auto name = key + '-' + std::to_string(number);
        append(job_text("j" + name).to(name).kind("official.custom"), key, partition);
    }
    /// What was sent, in order.
    static std::vector<std::string> sent(const replica& worker)
    {
        std::vector<std::string> to;
        to.reserve(worker.pushes.calls.size());
        for (const auto& call : worker.pushes.calls)
            to.push_back(call.touser);
        return to;
    }
};

TEST_F(ordering, the_next_job_of_a_key_waits_until_the_one_before_has_ended)
{
    append_numbered("a", 1);
    append_numbered("a", 2);
    append_numbered("b", 1);
    auto& worker = start();
    worker.pushes.hold = true;
    worker.source.assign(0);
    time.advance(seconds{1});
    EXPECT_THAT(sent(worker), ElementsAre("a-1", "b-1"));
    worker.metrics.refresh();
    EXPECT_EQ(worker.metrics["wxcourier_waiting_for_key"].with().value(), 1);
    worker.pushes.answer("a-1");
    time.advance(seconds{1});
    EXPECT_THAT(sent(worker), ElementsAre("a-1", "b-1", "a-2"));
    worker.pushes.answer_all();
    time.advance(seconds{1});
    EXPECT_EQ(committed(), 3);
}

TEST_F(ordering, its_end_must_be_committed_before_the_next_one_begins)
{
    append_numbered("a", 1);
    append_numbered("a", 2);
    auto& worker = start();
    worker.source.hold_commits = true;
    worker.source.assign(0);
    time.advance(seconds{1});
    ASSERT_THAT(worker.publisher.statuses(job_state::sent), SizeIs(1));
    EXPECT_THAT(sent(worker), ElementsAre("a-1")) << "a crash now sends it again, and after a-2 that were too late";
    worker.source.answer_commit(engine::commit_result::failed);
    time.advance(milliseconds{100});
    EXPECT_THAT(sent(worker), ElementsAre("a-1"));
    time.advance(seconds{1});
    worker.source.answer_commit();
    time.advance(seconds{1});
    EXPECT_THAT(sent(worker), ElementsAre("a-1", "a-2"));
}

TEST_F(ordering, different_keys_and_jobs_without_one_go_at_once)
{
    for (int i = 0; i < 50; ++i) {
        append_numbered("k" + std::to_string(i), 1);
        append(job_text("n" + std::to_string(i)), std::nullopt);
    }
    auto& worker = start();
    worker.pushes.hold = true;
    worker.source.assign(0);
    time.advance(seconds{1});
    EXPECT_EQ(worker.pushes.pending(), 100U);
}

TEST_F(ordering, all_recipients_of_a_job_come_before_the_next_job)
{
    options.admission.fan_out_window = 5;
    append(job_text("many").recipients(20).kind("official.custom"), "a");
    append(job_text("next").to("next").kind("official.custom"), "a");
    append(job_text("more").recipients(3, "m").kind("official.custom"), "a");
    append(job_text("other").recipients(3, "p").kind("official.custom"), "b");
    auto& worker = start([](auto& each) { each.pushes.reply_to("o7", {answer(-1), answer(-1), answer(43101)}); });
    worker.source.assign(0);
    time.advance(minutes{5});
    auto order = sent(worker);
    std::erase_if(order, [](const auto& each) { return each.starts_with('p'); });
    ASSERT_THAT(order, SizeIs(26));
    EXPECT_EQ(order[21], "o7");
    EXPECT_EQ(order[22], "next");
    EXPECT_TRUE(order[23].starts_with('m'));
    EXPECT_EQ(committed(), 4);
}

TEST_F(ordering, jobs_that_fail_expire_or_are_none_let_the_next_one_go)
{
    append(job_text("fails").to("fails"), "a");
    append(job_text("late").to("late").with("expire_at", '"' + format_rfc3339(time.wall_now() - seconds{1}) + '"'),
           "a");
    log.append(0, "no job", time.wall_now(), "a");
    append(job_text("last").to("last"), "a");
    auto& worker = start([](auto& each) { each.pushes.reply_to("fails", {answer(43101)}); });
    worker.source.assign(0);
    time.advance(seconds{5});
    EXPECT_THAT(sent(worker), ElementsAre("fails", "last"));
    EXPECT_EQ(committed(), 4);
}

TEST_F(ordering, not_before_of_the_first_holds_its_key_and_nothing_else)
{
    append(job_text("first").to("a-1").with("not_before", '"' + format_rfc3339(time.wall_now() + minutes{10}) + '"'),
           "a");
    append(job_text("second").to("a-2"), "a");
    append(job_text("other").to("b-1"), "b");
    auto& worker = start_with_partition();
    time.advance(minutes{9});
    EXPECT_THAT(sent(worker), ElementsAre("b-1"));
    time.advance(minutes{2});
    EXPECT_THAT(sent(worker), ElementsAre("b-1", "a-1", "a-2"));
}

TEST_F(ordering, neither_a_park_nor_a_dead_token_nor_a_retry_lets_a_later_one_by)
{
    append(job_text("a1").to("a-1"), "a");
    append(job_text("a2").to("a-2").kind("official.custom").with("priority", R"("high")"), "a");
    append(job_text("a3").to("a-3").app("game"), "a");
    append(job_text("b1").to("b-1").kind("official.custom"), "b");
    auto& worker = start([](auto& each) {
        each.pushes.reply_to("a-1", {answer(40001), answer(-1), no_answer(), answer(45011), accepted()});
    });
    worker.source.assign(0);
    time.advance(seconds{5});
    EXPECT_THAT(sent(worker), ElementsAre("a-1", "b-1", "a-1", "a-1", "a-1"));
    time.advance(minutes{2});
    EXPECT_THAT(sent(worker), ElementsAre("a-1", "b-1", "a-1", "a-1", "a-1", "a-1", "a-2", "a-3"));
    EXPECT_EQ(committed(), 4);
}

TEST_F(ordering, a_job_that_finished_before_a_crash_is_skipped_and_an_unfinished_one_keeps_its_place)
{
    append_numbered("a", 1);
    append_numbered("b", 1); // holds the commit back
    append_numbered("a", 2);
    append_numbered("a", 3);
    auto& first = start();
    first.pushes.hold = true;
    first.source.assign(0);
    time.settle();
    first.pushes.answer("a-1");
    time.advance(seconds{1});
    ASSERT_THAT(sent(first), ElementsAre("a-1", "b-1", "a-2"));
    first.crash();
    auto& second = start_with_partition();
    time.advance(seconds{5});
    EXPECT_THAT(sent(second), ElementsAre("b-1", "a-2", "a-3"));
}

TEST_F(ordering, a_revoked_partition_is_not_given_up_while_the_first_of_a_key_is_under_way)
{
    append_numbered("a", 1);
    append_numbered("a", 2);
    auto& first = start();
    first.pushes.hold = true;
    const auto partition = first.source.assign(0);
    time.settle();
    first.source.revoke({partition});
    time.advance(seconds{5});
    EXPECT_THAT(first.source.released, IsEmpty());
    first.pushes.answer("a-1");
    time.settle();
    EXPECT_THAT(first.source.released, ElementsAre(partition));
    EXPECT_THAT(sent(first), ElementsAre("a-1")) << "the next one is its next owner's";
    auto& second = start_with_partition();
    time.advance(seconds{1});
    EXPECT_THAT(sent(second), ElementsAre("a-2"));
}

TEST_F(ordering, a_partition_that_is_lost_and_comes_back_begins_anew)
{
    for (int i = 0; i < 5; ++i)
        append_numbered("a", i);
    auto& worker = start();
    worker.pushes.hold = true;
    const auto lost = worker.source.assign(0);
    time.settle();
    worker.source.lose({lost});
    time.settle();
    worker.metrics.refresh();
    EXPECT_EQ(worker.metrics["wxcourier_waiting_for_key"].with().value(), 0);
    worker.source.assign(0);
    time.settle();
    worker.pushes.hold = false;
    worker.pushes.answer_all();
    time.advance(seconds{5});
    EXPECT_THAT(sent(worker), ElementsAre("a-0", "a-0", "a-1", "a-2", "a-3", "a-4"));
    EXPECT_EQ(committed(), 5);
}

TEST_F(ordering, a_key_with_many_jobs_leaves_memory_to_other_partitions)
{
    options.admission.messages = 100;
    for (int i = 0; i < 500; ++i)
        append_numbered("hot", i, 0);
    for (int i = 0; i < 300; ++i)
        append_numbered("k" + std::to_string(i), 1, 1);
    auto& worker = start();
    worker.pushes.latency = [](const auto& call) {
        return call.touser.starts_with("hot") ? steady_duration(seconds{10}) : steady_duration(milliseconds{10});
    };
    worker.source.assign(0);
    worker.source.assign(1);
    time.advance(seconds{9});
    EXPECT_EQ(committed(1), 300);
    EXPECT_EQ(worker.pushes.sends_to("hot-0"), 1U);
    time.advance(hours{2});
    EXPECT_EQ(committed(0), 500);
}

TEST_F(ordering, holds_under_at_most_once)
{
    options.delivery.at_most_once = true;
    for (int i = 0; i < 30; ++i)
        append_numbered("k" + std::to_string(i % 3), i / 3);
    auto& worker = start([](auto& each) { each.pushes.latency = [](const auto&) { return milliseconds{20}; }; });
    worker.source.assign(0);
    time.advance(minutes{1});
    std::map<std::string, std::vector<std::string>> by_key;
    for (const auto& each : sent(worker))
        by_key[each.substr(0, 2)].push_back(each);
    ASSERT_THAT(by_key, SizeIs(3));
    for (const auto& [key, order] : by_key) {
        ASSERT_THAT(order, SizeIs(10));
        for (std::size_t i = 0; i < order.size(); ++i)
            EXPECT_EQ(order[i], key + '-' + std::to_string(i));
    }
}

/// Failures, crashes, revocations: no job of a key is sent after a later one was, and each ends.
TEST_F(ordering, no_inversion_in_random_histories)
{
    for (unsigned seed = 1; seed <= 8; ++seed) {
        std::mt19937 random(seed);
        log.partitions.clear();
        replicas.clear();
        constexpr int keys = 12;
        constexpr int jobs = 15;
        std::map<std::string, int> furthest; ///< By key, the highest number that was sent.
        std::size_t inversions = 0;
        std::size_t expected = 0;
        for (int number = 0; number < jobs; ++number)
            for (int key = 0; key < keys; ++key) {
                const auto name = "k" + std::to_string(key);
                if (random() % 10 == 0) {
                    const auto prefix = name + '-' + std::to_string(number) + '-';
                    append(job_text("f").recipients(3, prefix).kind("official.custom"), name, key % 2);
                } else {
                    append_numbered(name, number, key % 2);
                }
                ++expected;
            }
        const auto watch = [&](replica& each) {
            each.pushes.latency = [&random](const auto&) { return milliseconds{1 + random() % 300}; };
            each.pushes.otherwise = [&](const auto& call) {
                const auto dash = call.touser.find('-');
                auto& most = furthest[call.touser.substr(0, dash)];
                const int number = std::stoi(call.touser.substr(dash + 1));
                inversions += number < most ? 1 : 0;
                most = std::max(most, number);
                const auto fate = random() % 100;
                return fate < 5 ? answer(-1) : fate < 8 ? no_answer() : fate < 10 ? answer(43101) : accepted();
            };
        };
        std::vector<std::pair<replica*, engine::assignment_id>> holds;
        const auto give = [&](std::int32_t partition) {
            auto& worker = start(watch);
            holds[static_cast<std::size_t>(partition)] = {&worker, worker.source.assign(partition)};
        };
        holds.resize(2);
        give(0);
        give(1);
        for (int step = 0; step < 6; ++step) {
            time.advance(milliseconds{random() % 1500});
            const auto partition = static_cast<std::int32_t>(random() % 2);
            auto& [worker, assignment] = holds[static_cast<std::size_t>(partition)];
            if (random() % 2 == 0) {
                worker->crash();
            } else {
                worker->source.revoke({assignment});
                time.advance_until([&] { return worker->source.released.contains(assignment); }, seconds{20});
            }
            give(partition);
        }
        time.advance(minutes{20});
        EXPECT_EQ(inversions, 0U) << "seed " << seed;
        EXPECT_EQ(committed(0) + committed(1), static_cast<std::int64_t>(expected)) << "seed " << seed;
        for (auto& each : replicas)
            if (each->courier)
                each->crash();
    }
}

} // namespace
} // namespace wxcourier::test
