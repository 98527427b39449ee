// SPDX-License-Identifier: Apache-2.0
// A day's quota over a group: what the ledger grants, what a member does with it, and when WeChat is asked.
#include "domain/calendar.hpp"
#include "domain/quota_allowance.hpp"
#include "domain/quota_inquiry.hpp"
#include "domain/quota_ledger.hpp"

#include <gtest/gtest.h>

#include <random>

namespace wxcourier::domain {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const steady_time start{hours{1000}};

quota_demand demand(quota_amount spent, quota_amount kept, quota_amount wanted)
{
    return {"shop", "official.template", spent, kept, wanted, 0};
}

/// A leader that writes its table and reads it back.
void settle(quota_ledger& ledger, const quota_limit& limit)
{
    for (int i = 0; i < 100; ++i) {
        const auto table = ledger.next(limit, false);
        if (!table)
            return;
        ledger.on_table(*table);
    }
    FAIL() << "the leader goes on writing tables";
}

TEST(quota_limit, the_reserve_is_taken_off_what_normal_messages_may_use_and_rounded_up)
{
    EXPECT_EQ(quota_limit_of(1000, 10, 1000), (quota_limit{1000, 900}));
    EXPECT_EQ(quota_limit_of(101, 10, 101), (quota_limit{101, 90}));
    EXPECT_EQ(quota_limit_of(100, 0, 100), (quota_limit{100, 100}));
    EXPECT_EQ(quota_limit_of(1000, 10, 50), (quota_limit{50, 0})) << "of the last tenth normal messages get nothing";
}

TEST(quota_ledger, grants_are_parts_of_what_is_left_and_never_more_in_all)
{
    quota_ledger ledger;
    const quota_limit limit{100, 100};
    ledger.on_report("a", 1, false, demand({}, {}, {0, 500}));
    ledger.on_report("b", 1, false, demand({}, {}, {0, 500}));
    settle(ledger, limit);
    const auto a = ledger.grant_of("a").amount.normal;
    const auto b = ledger.grant_of("b").amount.normal;
    EXPECT_GT(a, 5);
    EXPECT_LT(a, 50) << "a dead member must not take half the day's quota with it";
    EXPECT_EQ(ledger.left().all, 100 - a - b);
}

TEST(quota_ledger, whoever_asks_again_and_again_gets_the_last_message)
{
    quota_ledger ledger;
    const quota_limit limit{100, 100};
    std::uint64_t number = 0;
    while (ledger.left().all > 0 || !ledger.known()) {
        ASSERT_LT(number, 200U);
        const auto spent = ledger.grant_of("a").amount;
        ledger.on_report("a", ++number, false, demand(spent, spent, {0, 500}));
        settle(ledger, limit);
    }
    EXPECT_EQ(ledger.grant_of("a").amount.normal, 100);
}

TEST(quota_ledger, what_a_member_gives_back_another_gets_and_what_a_dead_one_held_nobody)
{
    quota_ledger ledger;
    const quota_limit limit{10, 10};
    ledger.on_report("dead", 1, false, demand({}, {}, {0, 2}));
    ledger.on_report("calm", 1, false, demand({}, {}, {0, 2}));
    settle(ledger, limit);
    const auto dead = ledger.grant_of("dead").amount.normal;
    ASSERT_GT(dead, 0);
    ledger.on_report("calm", 2, false, demand({0, 1}, {0, 1}, {}));
    std::uint64_t number = 0;
    for (int i = 0; i < 50; ++i) {
        const auto spent = ledger.grant_of("busy").amount;
        ledger.on_report("busy", ++number, false, demand(spent, spent, {0, 100}));
        settle(ledger, limit);
    }
    EXPECT_EQ(ledger.grant_of("calm").amount.normal, 1);
    EXPECT_EQ(ledger.grant_of("busy").amount.normal, 10 - 1 - dead);
    EXPECT_TRUE(ledger.short_of_it());
}

TEST(quota_ledger, a_member_that_left_is_folded_into_what_is_gone)
{
    quota_ledger ledger;
    const quota_limit limit{100, 100};
    ledger.on_report("a", 1, false, demand({}, {}, {0, 20}));
    settle(ledger, limit);
    ledger.on_report("a", 2, true, demand({0, 3}, {0, 3}, {}));
    ledger.on_report("b", 1, false, demand({}, {}, {0, 5}));
    const auto table = ledger.next(limit, false);
    ASSERT_TRUE(table);
    EXPECT_EQ(table->gone, (quota_amount{0, 3}));
    ASSERT_EQ(table->grants.size(), 1U);
    ledger.on_table(*table);
    EXPECT_EQ(ledger.left().all, 100 - 3 - ledger.grant_of("b").amount.normal);
    EXPECT_EQ(ledger.spent(), 3);
}

TEST(quota_ledger, many_members_of_a_day_do_not_make_the_table_grow_and_what_they_had_counts)
{
    quota_ledger ledger;
    const quota_limit limit{100'000, 100'000};
    std::int64_t granted = 0;
    for (int i = 0; i < 300; ++i) { // a replica that crashes and starts again
        const auto name = "m" + std::to_string(i);
        ledger.on_report(name, 1, false, demand({}, {}, {0, 10}));
        const auto table = ledger.next(limit, false);
        ASSERT_TRUE(table);
        ASSERT_LE(table->grants.size(), quota_ledger::most_members);
        ledger.on_table(*table);
        granted += ledger.grant_of(name).amount.all();
    }
    EXPECT_EQ(ledger.left().all, 100'000 - granted);
}

TEST(quota_ledger, normal_messages_leave_the_reserve_and_high_ones_use_it_first)
{
    quota_ledger ledger;
    const auto limit = quota_limit_of(100, 20, 100);
    std::uint64_t number = 0;
    for (int i = 0; i < 100; ++i) {
        const auto spent = ledger.grant_of("a").amount;
        ledger.on_report("a", ++number, false, demand(spent, spent, {0, 500}));
        settle(ledger, limit);
    }
    EXPECT_EQ(ledger.grant_of("a").amount, (quota_amount{0, 80}));
    EXPECT_EQ(ledger.left(), (quota_limit{20, 0}));
    for (int i = 0; i < 100; ++i) {
        const auto spent = ledger.grant_of("a").amount;
        ledger.on_report("a", ++number, false, demand(spent, spent, {500, 0}));
        settle(ledger, limit);
    }
    EXPECT_EQ(ledger.grant_of("a").amount, (quota_amount{20, 80}));
}

TEST(quota_ledger, a_limit_that_becomes_known_stops_nobody_who_was_sending)
{
    quota_ledger ledger;
    ledger.on_report("a", 1, false, demand({0, 1}, {no_quota_limit, no_quota_limit}, {}));
    EXPECT_FALSE(ledger.next(no_quota, false)) << "nothing is known: nothing to say";
    const auto table = ledger.next({100'000, 100'000}, false);
    ASSERT_TRUE(table);
    ledger.on_table(*table);
    EXPECT_GT(ledger.grant_of("a").amount.normal, 5000);
}

TEST(quota_ledger, a_changed_limit_is_made_known_at_once)
{
    quota_ledger ledger;
    ledger.on_report("a", 1, false, demand({}, {}, {0, 5}));
    settle(ledger, {10, 10});
    EXPECT_FALSE(ledger.next({10, 10}, false));
    const auto table = ledger.next({1000, 1000}, false);
    ASSERT_TRUE(table);
    ledger.on_table(*table);
    EXPECT_EQ(ledger.limit(), (quota_limit{1000, 1000}));
    EXPECT_TRUE(ledger.next({1000, 1000}, true)) << "so is WeChat's word that nothing is left";
}

// --------------------------------------------------------------------------------------------------------- allowance

TEST(quota_allowance, without_a_limit_everything_goes_and_one_word_a_day_is_said)
{
    quota_allowance mine(false);
    EXPECT_EQ(mine.cap().normal, no_quota_limit);
    EXPECT_FALSE(mine.due(start)) << "nothing was sent";
    mine.on_use({0, 1}, {}, start);
    EXPECT_TRUE(mine.due(start));
    EXPECT_EQ(mine.say(1, start).wanted.all(), 0);
    for (int i = 1; i < 1000; ++i) {
        mine.on_use({0, i}, {0, 5}, start + i * seconds{10});
        EXPECT_FALSE(mine.due(start + i * seconds{10}));
    }
}

TEST(quota_allowance, with_a_limit_nothing_goes_before_a_grant_and_it_asks_at_once)
{
    quota_allowance mine(true);
    EXPECT_EQ(mine.cap().all(), 0);
    mine.on_use({}, {0, 7}, start);
    ASSERT_TRUE(mine.due(start));
    EXPECT_EQ(mine.say(1, start).wanted.normal, 7);
    EXPECT_FALSE(mine.due(start + milliseconds{100}));
    EXPECT_TRUE(mine.due(start + milliseconds{200})) << "nobody answered";
    mine.on_table({"me", 1, {0, 7}}, {93, 93}, {100, 100}, false);
    EXPECT_EQ(mine.cap().normal, 7);
}

TEST(quota_allowance, it_asks_for_more_before_it_has_to_stop)
{
    quota_allowance mine(true);
    mine.on_table({"me", 1, {0, 1000}}, {9000, 9000}, {10'000, 10'000}, false);
    auto now = start;
    std::int64_t spent = 0;
    while (!mine.due(now)) {
        ASSERT_LT(spent, 1000) << "it would have stopped";
        now += milliseconds{100};
        mine.on_use({0, spent += 10}, {}, now);
    }
    EXPECT_GT(spent, 100);
}

TEST(quota_allowance, what_it_gives_back_it_does_not_use)
{
    quota_allowance mine(true);
    mine.on_table({"me", 1, {0, 10}}, {0, 0}, {100, 100}, false);
    mine.on_use({0, 4}, {}, start);
    EXPECT_FALSE(mine.due(start)) << "it may need it yet";
    mine.on_use({0, 4}, {}, start + seconds{2});
    ASSERT_TRUE(mine.due(start + seconds{2}));
    EXPECT_EQ(mine.say(2, start + seconds{2}).kept.normal, 4);
    EXPECT_EQ(mine.cap().normal, 4) << "from before it is said";
    mine.on_table({"me", 1, {0, 10}}, {0, 0}, {100, 100}, false);
    EXPECT_EQ(mine.cap().normal, 4) << "that table did not know yet";
    mine.on_table({"me", 2, {0, 9}}, {0, 0}, {100, 100}, false);
    EXPECT_EQ(mine.cap().normal, 9);
}

TEST(quota_allowance, it_keeps_what_it_has_while_there_is_plenty_for_others)
{
    quota_allowance mine(true);
    mine.on_table({"me", 1, {0, 10}}, {50, 50}, {100, 100}, false);
    mine.on_use({0, 4}, {}, start);
    mine.on_use({0, 4}, {}, start + minutes{5});
    EXPECT_FALSE(mine.due(start + minutes{5}));
}

TEST(quota_allowance, with_nothing_left_it_hopes_for_what_others_give_back_and_then_gives_the_day_up)
{
    quota_allowance mine(true);
    mine.on_table({"me", 1, {0, 10}}, {0, 0}, {100, 100}, false);
    mine.on_use({0, 10}, {0, 3}, start);
    EXPECT_TRUE(mine.starves(false));
    EXPECT_FALSE(mine.used_up(false));
    mine.on_use({0, 10}, {0, 3}, start + seconds{3});
    EXPECT_TRUE(mine.used_up(false));
    EXPECT_FALSE(mine.used_up(true)) << "no message of high priority has waited";
    mine.on_use({0, 10}, {}, start + seconds{4});
    EXPECT_TRUE(mine.used_up(false)) << "those who waited wait elsewhere";
    EXPECT_FALSE(mine.due(start + hours{5})) << "and nobody asks for them";
    mine.on_table({"me", 1, {0, 10}}, {20, 20}, {100, 100}, false);
    mine.on_use({0, 10}, {0, 1}, start + seconds{5});
    EXPECT_FALSE(mine.used_up(false)) << "somebody has given back";
}

TEST(quota_allowance, with_the_reserve_left_only_messages_of_high_priority_go_on)
{
    quota_allowance mine(true);
    mine.on_table({"me", 1, {5, 80}}, {15, 0}, {100, 80}, false);
    mine.on_use({0, 80}, {0, 3}, start);
    mine.on_use({0, 80}, {0, 3}, start + seconds{3});
    EXPECT_TRUE(mine.used_up(false));
    EXPECT_FALSE(mine.used_up(true));
}

TEST(quota_allowance, what_wechat_calls_used_up_is_used_up_whatever_was_granted)
{
    quota_allowance mine(true);
    mine.on_table({"me", 1, {0, 50}}, {0, 0}, {100, 100}, true);
    EXPECT_TRUE(mine.used_up(false));
    EXPECT_TRUE(mine.used_up(true));
    mine.on_table({"me", 1, {0, 50}}, {10, 10}, {100, 100}, false);
    EXPECT_FALSE(mine.used_up(true)) << "somebody has reset WeChat's counter";
}

TEST(quota_allowance, a_refusal_is_told_of)
{
    quota_allowance mine(false);
    mine.on_use({0, 1}, {}, start);
    static_cast<void>(mine.say(1, start));
    mine.on_refused();
    ASSERT_TRUE(mine.due(start + seconds{1}));
    EXPECT_EQ(mine.say(2, start + seconds{1}).refused, 1U);
    EXPECT_FALSE(mine.due(start + seconds{2}));
}

// ------------------------------------------------------------------------------------------- a group over a log

/// Members that read the log late, die and begin anew, lead in turn; whatever happens, no more than the quota is sent.
class group {
public:
    explicit group(std::uint64_t seed) : random_(seed) {}

    void run(const quota_limit& limit, int steps)
    {
        for (int i = 0; i < 3; ++i)
            start_one();
        for (int i = 0; i < steps; ++i) {
            now_ += milliseconds{20};
            auto& who = members_[pick(members_.size())];
            if (!who.alive)
                continue;
            if (chance() < 0.002) {
                who.alive = false;
                start_one();
                continue;
            }
            while (who.read < log_.size() && chance() < 0.9)
                read(who);
            if (chance() < 0.3)
                who.ready += static_cast<std::int64_t>(pick(5));
            send(who);
            who.allowance.on_use({0, who.sent}, {0, who.ready}, now_);
            if (who.allowance.due(now_)) {
                auto said = who.allowance.say(++who.number, now_);
                log_.push_back({std::nullopt, who.name, who.number, said, {}, 0});
            }
            lead(who, limit);
            ASSERT_LE(sent, limit.all);
        }
    }

    std::int64_t sent = 0;

private:
    struct member {
        std::size_t index = 0;
        std::string name;
        quota_ledger ledger;
        quota_allowance allowance{true};
        std::size_t read = 0;
        std::int64_t ready = 0;
        std::int64_t sent = 0;
        std::uint64_t number = 0;
        std::size_t term = 0;
        bool alive = true;
        bool leads = false;
        bool table_under_way = false;
    };
    struct record {
        std::optional<std::size_t> leader; ///< Somebody takes the lead …
        std::string member;                ///< … or reports; empty: a table.
        std::uint64_t number;
        quota_demand said;
        quota_table_record table;
        std::size_t term; ///< Of the table.
    };

    double chance() { return std::uniform_real_distribution<>(0, 1)(random_); }
    std::size_t pick(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_); }
    void start_one()
    {
        const auto index = members_.size();
        members_.emplace_back().index = index;
        members_.back().name = "m" + std::to_string(index);
    }

    void send(member& who)
    {
        const auto may = std::max<std::int64_t>(0, who.allowance.cap().normal - who.sent);
        const auto count = std::min(may, who.ready);
        who.sent += count;
        who.ready -= count;
        sent += count;
    }

    void read(member& who)
    {
        const auto& each = log_[who.read++];
        if (each.leader) {
            who.term = who.read;
            who.leads = *each.leader == who.index;
            who.table_under_way = false;
        } else if (!each.member.empty()) {
            who.ledger.on_report(each.member, each.number, false, each.said);
        } else if (each.term == who.term) { // the log decides who led there: any other table is void for everybody
            who.table_under_way = false;
            who.ledger.on_table(each.table);
            who.allowance.on_table(who.ledger.grant_of(who.name), who.ledger.left(), who.ledger.limit(), false);
        }
    }

    void lead(member& who, const quota_limit& limit)
    {
        if (chance() < 0.003)
            log_.push_back({who.index, "", 0, {}, {}, 0});
        if (!who.leads || who.table_under_way || chance() < 0.5)
            return;
        if (auto table = who.ledger.next(limit, false)) {
            who.table_under_way = true;
            log_.push_back({std::nullopt, "", 0, {}, *table, who.term});
        }
    }

    std::mt19937_64 random_;
    std::vector<member> members_;
    std::vector<record> log_;
    steady_time now_ = start;
};

TEST(quota_over_a_log, whoever_dies_or_leads_no_more_than_the_quota_is_sent)
{
    std::int64_t sum = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        group all(seed);
        all.run({500, 500}, 6000);
        sum += all.sent;
    }
    EXPECT_GT(sum, 40 * 100) << "and much of it is used";
}

// ----------------------------------------------------------------------------------------------------------- inquiry

quota_inquiry::situation in_use(bool configured = false, std::uint64_t refused = 0)
{
    quota_inquiry::situation now_is;
    now_is.configured = configured;
    now_is.in_use = true;
    now_is.refused = refused;
    return now_is;
}

TEST(quota_inquiry, wechat_is_asked_once_for_a_call_that_is_used_and_has_no_configured_quota)
{
    quota_inquiry ask;
    EXPECT_FALSE(ask.due({}, start)) << "nobody uses it";
    EXPECT_FALSE(ask.due(in_use(true), start));
    ASSERT_TRUE(ask.due(in_use(), start));
    ask.on_asked(in_use(), start);
    ask.on_answer({1000, 400}, 100, 10);
    EXPECT_EQ(ask.learnt(), (quota_limit{500, 400})) << "what the group has spent, and what is left to it";
    EXPECT_FALSE(ask.exhausted());
    EXPECT_FALSE(ask.due(in_use(), start + hours{23}));
}

TEST(quota_inquiry, a_refusal_is_asked_about_even_where_the_quota_is_configured)
{
    quota_inquiry ask;
    ASSERT_TRUE(ask.due(in_use(true, 1), start));
    ask.on_asked(in_use(true, 1), start);
    ask.on_answer({1000, 0}, 500, 0);
    EXPECT_TRUE(ask.exhausted());
    EXPECT_FALSE(ask.due(in_use(true, 9), start + seconds{29})) << "not for each of them";
    EXPECT_TRUE(ask.due(in_use(true, 9), start + seconds{30}));
}

TEST(quota_inquiry, a_failure_is_waited_out_ever_longer)
{
    quota_inquiry ask;
    auto now = start;
    std::vector<std::int64_t> waits;
    for (int i = 0; i < 9; ++i) {
        ask.on_asked(in_use(), now);
        ask.on_failed();
        const auto before = now;
        while (!ask.due(in_use(), now))
            now += seconds{10};
        waits.push_back(std::chrono::duration_cast<minutes>(now - before).count());
    }
    EXPECT_EQ(waits, (std::vector<std::int64_t>{1, 2, 4, 8, 16, 32, 60, 60, 60}));
    EXPECT_FALSE(ask.learnt());
}

TEST(quota_inquiry, that_nothing_is_left_is_believed_only_after_a_refusal)
{
    quota_inquiry ask;
    ask.on_asked(in_use(), start);
    ask.on_answer({1000, 0}, 0, 0);
    EXPECT_FALSE(ask.exhausted());
    EXPECT_FALSE(ask.learnt());
    ask.on_asked(in_use(false, 3), start + seconds{30});
    ask.on_answer({1000, 0}, 7, 0);
    EXPECT_TRUE(ask.exhausted());
    EXPECT_EQ(ask.learnt()->all, 7);
}

TEST(quota_inquiry, a_used_up_quota_is_looked_at_again_since_somebody_may_reset_it)
{
    quota_inquiry ask;
    auto now_is = in_use(false, 1);
    ask.on_asked(now_is, start);
    ask.on_answer({1000, 0}, 7, 0);
    now_is.exhausted = true;
    EXPECT_FALSE(ask.due(now_is, start + minutes{9}));
    ASSERT_TRUE(ask.due(now_is, start + minutes{10}));
    ask.on_asked(now_is, start + minutes{10});
    ask.on_answer({1000, 1000}, 7, 0);
    EXPECT_FALSE(ask.exhausted());
    EXPECT_EQ(ask.learnt()->all, 1007);
}

// ---------------------------------------------------------------------------------------------------------- calendar

TEST(quota_day, it_begins_at_midnight_in_china_summer_and_winter)
{
    using namespace std::chrono;
    for (const auto date : {2026y / January / 15, 2026y / March / 29, 2026y / July / 1, 2026y / October / 25}) {
        const wall_time reset = sys_days{date} + hours{16};
        EXPECT_EQ(day_in_china(reset - milliseconds{1}) + 1, day_in_china(reset));
        EXPECT_EQ(next_day_in_china(reset - milliseconds{1}), reset);
        EXPECT_EQ(next_day_in_china(reset), reset + hours{24});
        EXPECT_EQ(end_of_day_in_china(day_in_china(reset - milliseconds{1})), reset);
        EXPECT_EQ(next_minute(reset - milliseconds{1}), reset);
        EXPECT_EQ(next_minute(reset), reset + minutes{1});
    }
}

} // namespace
} // namespace wxcourier::domain
