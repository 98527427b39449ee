// SPDX-License-Identifier: Apache-2.0
// The rules by which replicas share an app's rate: what the log says, what a borrower may use, what a lender gives.
#include "domain/rate_book.hpp"
#include "domain/rate_borrower.hpp"
#include "domain/rate_lender.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace wxcourier::domain {
namespace {

const steady_time start{std::chrono::hours{1000}};
const std::vector<rate_lender::limit> limits{{"shop", {200'000, 50'000}}};

rate_report_record report(const std::string& member, std::uint64_t number, std::int64_t wanted,
                          rate_version applied = {})
{
    rate_report_record made{member, number, applied, false, {}};
    if (wanted > 0)
        made.demands.push_back({"shop", wanted, 1});
    return made;
}

rate_amount share_of(const rate_table_record& table, const std::string& member)
{
    for (const auto& app : table.apps)
        for (const auto& each : app.shares)
            if (each.member == member)
                return each.amount;
    return {};
}

class rate_lending : public ::testing::Test {
protected:
    /// What the leader would write now, read at once by the book.
    std::optional<rate_table_record> write(steady_time now)
    {
        auto table = lender.table(book, limits, 1, now);
        if (table) {
            EXPECT_TRUE(book.on_table(*table));
            lender.on_read(table->version);
        }
        return table;
    }

    rate_book book;
    rate_lender lender;
};

TEST_F(rate_lending, who_alone_needs_something_has_all_of_it)
{
    book.on_report(report("a", 1, 1'000'000), start);
    const auto table = write(start);
    ASSERT_TRUE(table);
    EXPECT_EQ(share_of(*table, "a"), (rate_amount{200'000, 50'000}));
}

TEST_F(rate_lending, nobody_has_more_than_it_needs_while_another_needs_more)
{
    book.on_report(report("a", 1, 30'000), start);
    book.on_report(report("b", 1, 1'000'000), start);
    book.on_report(report("c", 1, 0), start);
    const auto table = write(start);
    ASSERT_TRUE(table);
    EXPECT_EQ(share_of(*table, "a").rate, 30'000);
    EXPECT_EQ(share_of(*table, "b").rate, 170'000);
    EXPECT_EQ(share_of(*table, "c").rate, 0);
    EXPECT_GE(share_of(*table, "a").burst, 1000) << "without a permit of the burst its rate is of no use";
}

TEST_F(rate_lending, what_is_not_needed_is_spread)
{
    book.on_report(report("a", 1, 10'000), start);
    book.on_report(report("b", 1, 0), start);
    const auto table = write(start);
    ASSERT_TRUE(table);
    EXPECT_EQ(share_of(*table, "a").rate, 105'000);
    EXPECT_EQ(share_of(*table, "b").rate, 95'000);
}

TEST_F(rate_lending, what_is_taken_is_given_only_when_its_holder_has_said_that_it_goes_by_it)
{
    book.on_report(report("a", 1, 1'000'000), start);
    const auto first = write(start);
    ASSERT_TRUE(first);
    book.on_report(report("b", 1, 1'000'000), start + seconds{1});
    const auto second = write(start + seconds{1});
    ASSERT_TRUE(second);
    EXPECT_EQ(share_of(*second, "a").rate, 100'000);
    EXPECT_EQ(share_of(*second, "b").rate, 0) << "a may still be using all of it";
    EXPECT_EQ(book.outstanding("a", "shop").rate, 200'000);
    EXPECT_FALSE(write(start + seconds{1} + milliseconds{300}));
    book.on_report(report("a", 2, 1'000'000, second->version), start + milliseconds{1310});
    const auto third = write(start + milliseconds{1320});
    ASSERT_TRUE(third);
    EXPECT_EQ(share_of(*third, "a").rate, 100'000);
    EXPECT_EQ(share_of(*third, "b").rate, 100'000);
    EXPECT_LE(share_of(*third, "a").burst + share_of(*third, "b").burst, 50'000);
}

TEST_F(rate_lending, a_report_from_before_the_table_frees_nothing)
{
    book.on_report(report("a", 1, 1'000'000), start);
    const auto first = write(start);
    book.on_report(report("b", 1, 1'000'000), start + seconds{1});
    ASSERT_TRUE(write(start + seconds{1}));
    book.on_report(report("a", 2, 1'000'000, first->version), start + milliseconds{1310});
    const auto next = write(start + milliseconds{1400});
    EXPECT_TRUE(!next || share_of(*next, "b").rate == 0);
}

TEST_F(rate_lending, a_silent_member_keeps_its_share_until_its_right_has_surely_ended)
{
    book.on_report(report("a", 1, 1'000'000), start);
    ASSERT_TRUE(write(start));
    book.on_report(report("b", 1, 1'000'000), start + milliseconds{2900});
    const auto early = write(start + milliseconds{2900});
    EXPECT_TRUE(!early || share_of(*early, "b").rate == 0);
    const auto late = write(start + milliseconds{3200});
    ASSERT_TRUE(late);
    EXPECT_EQ(share_of(*late, "b").rate, 200'000);
    ASSERT_EQ(late->silent.size(), 1U);
    EXPECT_EQ(late->silent[0], (silent_member{"a", 1}));
    EXPECT_EQ(book.outstanding("a", "shop"), rate_amount{});
}

TEST_F(rate_lending, a_table_that_calls_somebody_silent_who_has_spoken_before_it_is_void)
{
    book.on_report(report("a", 1, 1'000'000), start);
    ASSERT_TRUE(write(start));
    book.on_report(report("b", 1, 1'000'000), start + seconds{3});
    const auto claim = lender.table(book, limits, 1, start + seconds{3});
    ASSERT_TRUE(claim);
    ASSERT_EQ(claim->silent.size(), 1U);
    book.on_report(report("a", 2, 1'000'000), start + seconds{3}); // it stands before the table
    EXPECT_FALSE(book.on_table(*claim));
    EXPECT_EQ(book.outstanding("a", "shop").rate, 200'000);
    EXPECT_EQ(book.outstanding("b", "shop").rate, 0);
}

TEST_F(rate_lending, who_leaves_gives_back_at_once)
{
    book.on_report(report("a", 1, 1'000'000), start);
    ASSERT_TRUE(write(start));
    auto last = report("a", 2, 0);
    last.leaving = true;
    book.on_report(last, start + seconds{1});
    book.on_report(report("b", 1, 1'000'000), start + seconds{1});
    const auto table = write(start + seconds{1});
    ASSERT_TRUE(table);
    EXPECT_EQ(share_of(*table, "b").rate, 200'000);
}

TEST_F(rate_lending, one_table_is_under_way_at_a_time)
{
    book.on_report(report("a", 1, 1'000'000), start);
    const auto first = lender.table(book, limits, 1, start);
    ASSERT_TRUE(first);
    book.on_report(report("b", 1, 1'000'000), start + seconds{1});
    EXPECT_FALSE(lender.table(book, limits, 1, start + seconds{1}));
    lender.on_lead_changed(); // what was written by an earlier leader counts no more
    EXPECT_TRUE(lender.table(book, limits, 3, start + seconds{1}));
}

TEST_F(rate_lending, repeats_and_what_was_overtaken_change_nothing)
{
    EXPECT_TRUE(book.on_report(report("a", 5, 1'000), start));
    EXPECT_FALSE(book.on_report(report("a", 5, 9'000), start));
    EXPECT_FALSE(book.on_report(report("a", 4, 9'000), start));
    const auto table = write(start);
    ASSERT_TRUE(table);
    EXPECT_FALSE(book.on_table(*table));
}

TEST_F(rate_lending, a_burst_with_fewer_permits_than_members_goes_round)
{
    const std::vector<rate_lender::limit> tight{{"shop", {10'000, 2'000}}};
    std::map<std::string, rate_version> applied;
    std::map<std::string, int> had;
    for (int round = 0; round < 400; ++round) {
        const auto now = start + milliseconds{50} * round;
        for (const char* name : {"a", "b", "c", "d"})
            book.on_report(report(name, static_cast<std::uint64_t>(round) + 1, 1'000'000, applied[name]), now);
        if (const auto table = lender.table(book, tight, 1, now)) {
            ASSERT_TRUE(book.on_table(*table));
            lender.on_read(table->version);
            for (const char* name : {"a", "b", "c", "d"})
                applied[name] = table->version;
        }
        std::int64_t burst = 0;
        for (const char* name : {"a", "b", "c", "d"}) {
            burst += book.outstanding(name, "shop").burst;
            had[name] += book.granted(name, "shop").rate > 0 ? 1 : 0;
        }
        EXPECT_LE(burst, 2'000);
    }
    for (const auto& [name, rounds] : had)
        EXPECT_GT(rounds, 100) << name;
}

TEST_F(rate_lending, nothing_is_written_while_nothing_changes)
{
    int tables = 0;
    rate_version applied;
    for (int round = 0; round < 90; ++round) {
        const auto now = start + milliseconds{100} * round;
        book.on_report(report("a", static_cast<std::uint64_t>(round) + 1, 50'000 + 1000 * (round % 3), applied), now);
        if (const auto table = write(now)) {
            ++tables;
            applied = table->version;
        }
    }
    EXPECT_EQ(tables, 1);
}

// -------------------------------------------------------------------------------------------------------- the borrower

rate_table_record table_for(const std::string& member, std::uint64_t number, std::int64_t rate)
{
    return {{1, number}, {}, {{"shop", {{member, {rate, 5'000}}}}}};
}

TEST(rate_borrower, a_right_counts_from_when_its_report_was_written)
{
    rate_borrower borrower("a");
    borrower.on_demands({{"shop", 10'000, 1}}, start);
    const auto first = borrower.report(start);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->demands, (std::vector<rate_demand>{{"shop", 10'000, 1}}));
    borrower.on_report_taken();
    borrower.on_own_report(first->number, start + milliseconds{700});
    EXPECT_EQ(borrower.right_until(), start + rate_right_lasts);
}

TEST(rate_borrower, a_report_that_is_read_back_too_late_gives_no_right)
{
    rate_borrower borrower("a");
    borrower.on_demands({{"shop", 10'000, 1}}, start);
    const auto first = borrower.report(start);
    borrower.on_report_taken();
    borrower.on_own_report(first->number, start + rate_right_lasts);
    EXPECT_LE(borrower.right_until(), start);
}

TEST(rate_borrower, is_renewed_while_there_is_work_and_falls_silent_without)
{
    rate_borrower borrower("a");
    int reports = 0;
    for (int round = 0; round < 600; ++round) { // a minute, work in the first ten seconds
        const auto now = start + milliseconds{100} * round;
        borrower.on_demands(round < 100 ? std::vector<rate_demand>{{"shop", 10'000, 1}} : std::vector<rate_demand>{},
                            now);
        if (const auto made = borrower.report(now)) {
            ++reports;
            borrower.on_report_taken();
            borrower.on_own_report(made->number, now);
        }
        if (round < 200) {
            EXPECT_GT(borrower.right_until(), now);
        }
    }
    EXPECT_GE(reports, 20);
    EXPECT_LE(reports, 28);
    EXPECT_FALSE(borrower.report(start + std::chrono::minutes{5}));
    borrower.on_demands({{"shop", 10'000, 1}}, start + std::chrono::minutes{5});
    EXPECT_TRUE(borrower.report(start + std::chrono::minutes{5})) << "at once, with the next job";
}

TEST(rate_borrower, says_at_once_that_something_was_taken)
{
    rate_borrower borrower("a");
    borrower.on_demands({{"shop", 100'000, 1}}, start);
    const auto first = borrower.report(start);
    borrower.on_report_taken();
    borrower.on_own_report(first->number, start);
    borrower.on_table(table_for("a", 1, 100'000));
    EXPECT_FALSE(borrower.report(start + milliseconds{1})) << "what is given needs no answer";
    EXPECT_EQ(borrower.share("shop").rate, 100'000);
    borrower.on_table(table_for("a", 2, 40'000));
    EXPECT_EQ(borrower.share("shop").rate, 40'000);
    const auto word = borrower.report(start + milliseconds{2});
    ASSERT_TRUE(word);
    EXPECT_EQ(word->applied, (rate_version{1, 2}));
}

TEST(rate_borrower, who_was_called_silent_has_nothing_of_any_app)
{
    rate_borrower borrower("a");
    borrower.on_table(table_for("a", 1, 100'000));
    borrower.on_table({{1, 2}, {{"a", 1}}, {{"news", {}}}});
    EXPECT_EQ(borrower.share("shop"), rate_amount{});
}

TEST(rate_borrower, who_does_not_hear_itself_falls_silent)
{
    rate_borrower borrower("a");
    int reports = 0;
    for (int round = 0; round < 90; ++round) {
        const auto now = start + milliseconds{100} * round;
        borrower.on_demands({{"shop", 10'000, 1}}, now);
        if (borrower.report(now)) {
            ++reports;
            borrower.on_report_taken();
        }
    }
    EXPECT_EQ(reports, 1) << "its share must not be kept from others";
}

TEST(rate_borrower, small_changes_wait_and_big_ones_do_not)
{
    rate_borrower borrower("a");
    borrower.on_demands({{"shop", 100'000, 1}}, start);
    const auto first = borrower.report(start);
    borrower.on_report_taken();
    borrower.on_own_report(first->number, start);
    borrower.on_demands({{"shop", 130'000, 1}}, start + milliseconds{100});
    EXPECT_FALSE(borrower.report(start + milliseconds{100}));
    EXPECT_TRUE(borrower.report(start + milliseconds{250}));
    EXPECT_FALSE(borrower.report(start + milliseconds{500})) << "the last one is under way";
    borrower.on_report_taken();
    borrower.on_demands({{"shop", 500'000, 1}}, start + milliseconds{320});
    EXPECT_TRUE(borrower.report(start + milliseconds{320}));
}

} // namespace
} // namespace wxcourier::domain
