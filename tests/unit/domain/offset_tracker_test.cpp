// SPDX-License-Identifier: Apache-2.0
#include "domain/offset_tracker.hpp"
#include "tests/support/print.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <stdexcept>

namespace wxcourier::domain {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void begin(offset_tracker& tracker, std::int64_t first, std::int64_t last)
{
    for (auto offset = first; offset <= last; ++offset)
        ASSERT_TRUE(tracker.begin(offset)) << offset;
}

TEST(offset_tracker, knows_nothing_without_a_commit_and_a_record)
{
    const offset_tracker tracker(std::nullopt);
    EXPECT_EQ(tracker.committable(), std::nullopt);
    EXPECT_EQ(tracker.oldest_unfinished(), std::nullopt);
    EXPECT_THAT(tracker.progress().finished, IsEmpty());
}

TEST(offset_tracker, starts_at_the_commit)
{
    EXPECT_EQ(offset_tracker(42).committable(), 42);
}

TEST(offset_tracker, the_first_record_starts_the_count_where_there_is_no_commit)
{
    offset_tracker tracker(std::nullopt);
    ASSERT_TRUE(tracker.begin(17));
    EXPECT_EQ(tracker.committable(), 17);
    tracker.finish(17);
    EXPECT_EQ(tracker.committable(), 18);
}

TEST(offset_tracker, commits_the_contiguous_prefix_only)
{
    offset_tracker tracker(0);
    begin(tracker, 0, 9);
    for (const std::int64_t offset : {3, 1, 2, 7})
        tracker.finish(offset);
    EXPECT_EQ(tracker.committable(), 0);
    EXPECT_EQ(tracker.oldest_unfinished(), 0);
    EXPECT_THAT(tracker.progress().finished, ElementsAre(index_range{1, 3}, index_range{7, 7}));
    tracker.finish(0);
    EXPECT_EQ(tracker.committable(), 4);
    EXPECT_THAT(tracker.progress().finished, ElementsAre(index_range{7, 7}));
    EXPECT_EQ(tracker.unfinished(), 5U);
}

TEST(offset_tracker, gaps_in_the_log_need_no_action)
{
    offset_tracker tracker(5);
    for (const std::int64_t offset : {8, 9, 20})
        ASSERT_TRUE(tracker.begin(offset));
    tracker.finish(8);
    EXPECT_EQ(tracker.committable(), 9);
    tracker.finish(20);
    EXPECT_THAT(tracker.progress().finished, ElementsAre(index_range{10, 20}));
    tracker.finish(9);
    EXPECT_EQ(tracker.committable(), 21);
}

TEST(offset_tracker, does_not_begin_what_an_earlier_assignment_had_finished)
{
    offset_tracker tracker(10, {.finished = {{12, 13}, {16, 16}}, .partial = {}});
    EXPECT_TRUE(tracker.begin(10));
    EXPECT_TRUE(tracker.begin(11));
    EXPECT_FALSE(tracker.begin(12));
    EXPECT_FALSE(tracker.begin(13));
    EXPECT_TRUE(tracker.begin(14));
    EXPECT_TRUE(tracker.begin(15));
    EXPECT_FALSE(tracker.begin(16));
    EXPECT_TRUE(tracker.begin(17));
    EXPECT_EQ(tracker.unfinished(), 5U);
}

TEST(offset_tracker, hands_on_what_an_earlier_assignment_had_finished_until_it_is_passed)
{
    offset_tracker tracker(10, {.finished = {{12, 13}, {16, 18}}, .partial = {}});
    EXPECT_THAT(tracker.progress().finished, ElementsAre(index_range{12, 13}, index_range{16, 18}));
    ASSERT_TRUE(tracker.begin(10));
    EXPECT_THAT(tracker.progress().finished, ElementsAre(index_range{12, 13}, index_range{16, 18}));
    tracker.finish(10);
    EXPECT_EQ(tracker.committable(), 11);
    ASSERT_TRUE(tracker.begin(11));
    ASSERT_FALSE(tracker.begin(12));
    EXPECT_THAT(tracker.progress().finished, ElementsAre(index_range{12, 13}, index_range{16, 18}));
    ASSERT_FALSE(tracker.begin(13));
    tracker.finish(11);
    EXPECT_EQ(tracker.committable(), 14);
    EXPECT_THAT(tracker.progress().finished, ElementsAre(index_range{16, 18}));
    begin(tracker, 14, 15);
    ASSERT_FALSE(tracker.begin(16));
    EXPECT_THAT(tracker.progress().finished, ElementsAre(index_range{16, 18})) << "16 is passed, 17 and 18 are not";
}

TEST(offset_tracker, restored_ranges_swallowed_by_a_gap_do_no_harm)
{
    offset_tracker tracker(10, {.finished = {{12, 13}, {16, 18}}, .partial = {}});
    ASSERT_TRUE(tracker.begin(30));
    EXPECT_EQ(tracker.committable(), 30);
    EXPECT_THAT(tracker.progress().finished, IsEmpty());
}

TEST(offset_tracker, keeps_the_partial_job_until_that_job_has_finished)
{
    const partial_job partial{.offset = 12, .finished = {{0, 9}}, .failed = {{3, 3}}};
    offset_tracker tracker(10, {.finished = {}, .partial = partial});
    EXPECT_EQ(tracker.progress().partial, partial);
    begin(tracker, 10, 11);
    EXPECT_EQ(tracker.progress().partial, partial);
    EXPECT_EQ(tracker.restored_partial(11), nullptr);
    ASSERT_TRUE(tracker.begin(12));
    EXPECT_EQ(tracker.progress().partial, partial) << "who has read it may have to let it go";
    ASSERT_NE(tracker.restored_partial(12), nullptr);
    EXPECT_EQ(*tracker.restored_partial(12), partial);
    tracker.finish(12);
    EXPECT_EQ(tracker.progress().partial, std::nullopt);
}

TEST(offset_tracker, passes_on_what_was_about_to_move_until_it_is_read_again)
{
    offset_tracker tracker(10, {.moving = {{11, 13}, {20, 20}}});
    EXPECT_TRUE(tracker.was_moving(12));
    EXPECT_FALSE(tracker.was_moving(14));
    EXPECT_EQ(tracker.progress().moving, (std::vector<index_range>{{11, 13}, {20, 20}}));
    EXPECT_TRUE(tracker.begin(11));
    EXPECT_EQ(tracker.progress().moving, (std::vector<index_range>{{12, 13}, {20, 20}}));
    EXPECT_TRUE(tracker.begin(15));
    EXPECT_EQ(tracker.progress().moving, (std::vector<index_range>{{20, 20}}));
    EXPECT_TRUE(tracker.was_moving(12)) << "whoever asks later is told as well";
}

TEST(offset_tracker, passes_on_several_jobs_with_recipients)
{
    commit_progress progress{.partial = partial_job{.offset = 10, .finished = {{0, 1}}}};
    progress.further = {partial_job{.offset = 12, .finished = {{3, 3}}}};
    offset_tracker tracker(10, progress);
    EXPECT_TRUE(tracker.begin(10));
    EXPECT_EQ(tracker.progress().partial, progress.partial);
    EXPECT_EQ(tracker.progress().further, progress.further);
    tracker.finish(10);
    EXPECT_EQ(tracker.progress().partial, progress.further[0]);
    EXPECT_EQ(*tracker.restored_partial(12), progress.further[0]);
    EXPECT_EQ(*tracker.restored_partial(10), *progress.partial);
}

TEST(offset_tracker, refuses_offsets_that_go_backwards)
{
    offset_tracker tracker(5);
    begin(tracker, 5, 6);
    EXPECT_THROW(static_cast<void>(tracker.begin(6)), std::logic_error);
    EXPECT_THROW(static_cast<void>(tracker.begin(2)), std::logic_error);
}

TEST(offset_tracker, refuses_to_finish_twice_or_before_the_beginning)
{
    offset_tracker tracker(0);
    begin(tracker, 0, 2);
    tracker.finish(1);
    EXPECT_THROW(tracker.finish(1), std::logic_error);
    EXPECT_THROW(tracker.finish(9), std::logic_error);
}

/// Crashes at random moments: committed prefix and metadata together must name exactly what had finished.
TEST(offset_tracker, a_restart_from_any_commit_works_on_the_unfinished_ones_and_on_nothing_else)
{
    for (unsigned seed = 1; seed <= 100; ++seed) {
        std::mt19937 random(seed);
        constexpr std::int64_t end = 120;
        std::set<std::int64_t> finished;
        std::optional<std::int64_t> committed = 0;
        commit_progress progress;
        for (int life = 0; life < 6; ++life) {
            offset_tracker tracker(committed, progress);
            std::vector<std::int64_t> open;
            auto next = *committed;
            const auto until = std::min<std::int64_t>(end, next + static_cast<std::int64_t>(random() % 60));
            for (int step = 0; step < 80; ++step) {
                if (random() % 2 == 0 && next < until) {
                    ASSERT_EQ(tracker.begin(next), !finished.contains(next)) << "seed " << seed << " offset " << next;
                    if (!finished.contains(next))
                        open.push_back(next);
                    ++next;
                } else if (!open.empty()) {
                    const auto which = random() % open.size();
                    tracker.finish(open[which]);
                    finished.insert(open[which]);
                    open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
                }
            }
            committed = tracker.committable();
            progress = tracker.progress();
            for (std::int64_t offset = 0; offset < end; ++offset) {
                const bool named = offset < *committed ||
                                   std::any_of(progress.finished.begin(), progress.finished.end(),
                                               [offset](auto& r) { return r.first <= offset && offset <= r.last; });
                ASSERT_EQ(named, finished.contains(offset)) << "seed " << seed << " offset " << offset;
            }
        }
    }
}

} // namespace
} // namespace wxcourier::domain
