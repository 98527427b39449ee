// SPDX-License-Identifier: Apache-2.0
// What /metrics reads off the engine.
#include "tests/support/courier_fixture.hpp"

namespace wxcourier::test {
namespace {

using testing::IsEmpty;

class gauges : public courier_test {
protected:
    static double of_partition(replica& worker, const char* name)
    {
        worker.metrics.refresh();
        return worker.metrics[name].with({"push.jobs", "0"}).value();
    }
    static double oldest(replica& worker)
    {
        return of_partition(worker, "wxcourier_partition_oldest_unfinished_seconds");
    }
};

TEST_F(gauges, the_oldest_unfinished_job_is_as_old_as_its_record)
{
    append(job_text("j0").to("o0"));
    time.advance(seconds{30});
    append(job_text("j1").to("o1"));
    auto& worker = start();
    worker.pushes.hold = true;
    worker.source.assign(0);
    time.settle();
    EXPECT_EQ(oldest(worker), 30);
    EXPECT_EQ(of_partition(worker, "wxcourier_partition_unfinished"), 2);
    time.advance(seconds{5});
    EXPECT_EQ(oldest(worker), 35);
    worker.pushes.answer("o0");
    time.settle();
    EXPECT_EQ(oldest(worker), 5);
    worker.pushes.answer("o1");
    time.settle();
    EXPECT_EQ(oldest(worker), 0);
}

TEST_F(gauges, an_older_job_with_recipients_that_waits_behind_another_counts)
{
    append(job_text("j0").recipients(2));
    append(job_text("j1").recipients(2, "p"));
    auto& worker = start();
    worker.pushes.hold = true;
    worker.source.assign(0);
    time.advance(seconds{7});
    for (const auto* const openid : {"o0", "o1"})
        worker.pushes.answer(openid);
    EXPECT_EQ(oldest(worker), 7);
}

TEST_F(gauges, a_partition_that_went_leaves_no_series)
{
    append(job_text("j0"));
    auto& worker = start();
    const auto partition = worker.source.assign(0);
    time.settle();
    worker.metrics.refresh();
    EXPECT_EQ(worker.metrics["wxcourier_partition_oldest_unfinished_seconds"].series().size(), 1U);
    worker.source.lose({partition});
    time.settle();
    worker.metrics.refresh();
    EXPECT_THAT(worker.metrics["wxcourier_partition_oldest_unfinished_seconds"].series(), IsEmpty());
    EXPECT_THAT(worker.metrics["wxcourier_partition_unfinished"].series(), IsEmpty());
}

TEST_F(gauges, what_a_limit_of_wechats_holds_back_is_shown_while_it_does)
{
    for (int number = 0; number < 4; ++number)
        append(job_text("j" + std::to_string(number)).to("o" + std::to_string(number)));
    options.apps[0].limits.concurrency = 1;
    auto& worker = start([](auto& each) { each.pushes.reply_to("o0", {answer(45011)}); });
    worker.source.assign(0);
    time.advance(milliseconds{100});
    worker.metrics.refresh();
    const std::vector<std::string> call{"shop", "official.template"};
    EXPECT_EQ(worker.metrics["wxcourier_parked"].with(call).value(), 4);
    EXPECT_GT(worker.metrics["wxcourier_parked_seconds"].with(call).value(), 0);
    EXPECT_LE(worker.metrics["wxcourier_parked_seconds"].with(call).value(), 60);
    EXPECT_EQ(worker.metrics["wxcourier_jobs_decoded_total"].with(call).value(), 4);
    time.advance(std::chrono::minutes{2});
    worker.metrics.refresh();
    EXPECT_THAT(worker.metrics["wxcourier_parked"].series(), IsEmpty());
    EXPECT_THAT(worker.metrics["wxcourier_parked_seconds"].series(), IsEmpty());
}

} // namespace
} // namespace wxcourier::test
