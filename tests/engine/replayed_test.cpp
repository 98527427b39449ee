// SPDX-License-Identifier: Apache-2.0
// Jobs that `wxcourier replay` has put back.
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::Pair;
using testing::SizeIs;

class replayed : public courier_test {
protected:
    void append_replayed(const job_text& job, std::vector<engine::header> headers)
    {
        log.append(0, job.json(), time.wall_now(), "key", std::move(headers));
    }
};

TEST_F(replayed, goes_to_the_recipients_that_had_failed_only)
{
    append_replayed(job_text("j1").recipients(6),
                    {{"wxcourier.replay", "1"}, {"wxcourier.recipients", "1,3-4"}, {"x-mine", "1"}});
    auto& worker = start_with_partition();
    time.advance(seconds{5});
    EXPECT_THAT(outcomes(), ElementsAre(Pair("o1", "sent"), Pair("o3", "sent"), Pair("o4", "sent")));
    EXPECT_THAT(worker.pushes.calls, SizeIs(3));
    EXPECT_EQ(committed(), 1);
}

TEST_F(replayed, keeps_to_them_after_a_crash)
{
    append_replayed(job_text("j1").recipients(6), {{"wxcourier.replay", "1"}, {"wxcourier.recipients", "1,3-4"}});
    auto& first = start([](auto& each) {
        each.pushes.latency = [](const auto& call) {
            return call.touser == "o4" ? steady_duration(std::chrono::hours{1}) : steady_duration(milliseconds{1});
        };
    });
    first.source.assign(0);
    time.advance(seconds{5});
    EXPECT_THAT(outcomes(), ElementsAre(Key("o1"), Key("o3")));
    first.crash();
    start_with_partition();
    time.advance(seconds{5});
    EXPECT_THAT(outcomes(), ElementsAre(Key("o1"), Key("o3"), Key("o4")));
    EXPECT_EQ(committed(), 1);
}

TEST_F(replayed, its_letter_has_the_count_and_the_headers_once)
{
    append_replayed(
        job_text("j1").recipients(3),
        {{"wxcourier.replay", "2"}, {"wxcourier.recipients", "0-1"}, {"wxcourier.reason", "old"}, {"x-mine", "1"}});
    auto& worker = start([](auto& each) { each.pushes.reply_to("o1", {answer(43101)}); });
    worker.source.assign(0);
    time.advance(seconds{5});
    const auto letters = worker.publisher.on("push.dead");
    ASSERT_THAT(letters, SizeIs(1));
    const auto headers = headers_of(letters[0]);
    EXPECT_EQ(headers.at("wxcourier.replay"), "2");
    EXPECT_EQ(headers.at("wxcourier.recipients"), "1");
    EXPECT_EQ(headers.at("wxcourier.reason"), "refused_by_user");
    EXPECT_EQ(headers.at("x-mine"), "1");
    EXPECT_EQ(headers.size(), letters[0].headers.size()) << "none stands twice";
}

TEST_F(replayed, recipients_that_cannot_be_read_reject_it)
{
    append_replayed(job_text("j1").recipients(3), {{"wxcourier.replay", "1"}, {"wxcourier.recipients", "0, 1"}});
    auto& worker = start_with_partition();
    time.advance(seconds{5});
    EXPECT_THAT(worker.pushes.calls, IsEmpty());
    ASSERT_THAT(worker.publisher.on("push.dead"), SizeIs(1));
    EXPECT_EQ(headers_of(worker.publisher.on("push.dead")[0]).at("wxcourier.reason"), "invalid_job");
    EXPECT_EQ(committed(), 1);
}

TEST_F(replayed, a_producers_header_of_that_name_alone_means_nothing)
{
    append_replayed(job_text("j1").recipients(2), {{"wxcourier.recipients", "0"}});
    start_with_partition();
    time.advance(seconds{5});
    EXPECT_THAT(outcomes(), SizeIs(2));
}

TEST_F(replayed, a_letter_names_the_recipients_whose_outcome_is_unknown)
{
    options.delivery.report_unknown = true;
    append(job_text("j1").kind("official.custom").recipients(3));
    auto& worker = start([](auto& each) {
        each.pushes.reply_to("o0", {answer(43101)});
        each.pushes.reply_to("o2", {no_answer()});
    });
    worker.source.assign(0);
    time.advance(seconds{5});
    const auto headers = headers_of(worker.publisher.on("push.dead").at(0));
    EXPECT_EQ(headers.at("wxcourier.recipients"), "0,2");
    EXPECT_EQ(headers.at("wxcourier.unknown"), "2");
}

} // namespace
} // namespace wxcourier::test
