// SPDX-License-Identifier: Apache-2.0
// A group that shares a rate over a log, at random: members die, stop and go on, leaders die between any two records,
// work moves about, steady clocks have different beginnings. Whatever happens, all of them together never send more
// than burst + rate × window in any window.
#include "domain/fleet_leadership.hpp"
#include "domain/rate_book.hpp"
#include "domain/rate_borrower.hpp"
#include "domain/rate_lender.hpp"
#include "domain/rate_meter.hpp"
#include "domain/token_bucket.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <variant>
#include <vector>

namespace wxcourier::domain {
namespace {

using std::chrono::microseconds;

const steady_time beginning{std::chrono::hours{1000}};

/// The generic cell rate algorithm once more, as the judge of the whole group: it holds for every window at once.
class judge {
public:
    judge(double rate, double burst) : interval_(1e9 / rate), ahead_((burst - 1) * 1e9 / rate) {}
    bool allows(steady_time now)
    {
        const auto at = static_cast<double>((now - beginning).count());
        const bool good = next_free_ <= at + ahead_ + 1000;
        next_free_ = std::max(next_free_, at) + interval_;
        return good;
    }

private:
    double interval_;
    double ahead_;
    double next_free_ = 0;
};

class group {
public:
    struct member {
        member(std::string named, std::string place, steady_duration clock_off, double rate, double burst)
            : name(std::move(named)), seat(std::move(place)), off(clock_off), leadership(name), borrower(name, seat),
              bucket(rate, burst)
        {
            bucket.lend(0, 0, steady_time::min(), beginning + off);
        }
        std::string name;
        std::string seat; ///< Who had it before is dead.
        std::map<std::string, std::uint64_t> spoken_for;
        std::size_t begins_at = 0; ///< It has read so much before it says anything.
        steady_duration off;       ///< Between the true time and its steady clock.
        fleet_leadership leadership;
        rate_book book;
        rate_borrower borrower;
        rate_lender lender;
        token_bucket bucket;
        std::size_t read = 0;
        std::vector<steady_time> readable; ///< By record: when it reaches this member.
        steady_time last_readable{};
        steady_time last_append{};
        bool alive = true;
        bool led = false;
        steady_time stopped_until{};
        double inflow = 0;  ///< Messages a second that reach it …
        double backlog = 0; ///< … and those it has.
        std::uint64_t changes = 0;
        std::uint64_t taken = 0;
        rate_meter meter;
    };

    group(std::uint64_t seed, double rate, double burst) : rate(rate), burst(burst), random_(seed), judge_(rate, burst)
    {
    }

    double chance() { return std::uniform_real_distribution<>(0, 1)(random_); }
    milliseconds some(int least, int most)
    {
        return milliseconds{std::uniform_int_distribution<>(least, most)(random_)};
    }

    /// @param seat  whose predecessor is dead; empty: one of its own.
    member& start(std::string seat = {})
    {
        const auto off = std::chrono::seconds{static_cast<int>(chance() * 1'000'000)};
        const auto name = "m" + std::to_string(members.size());
        if (seat.empty())
            seat = "seat of " + name;
        members.push_back(std::make_unique<member>(name, std::move(seat), off, rate, burst));
        auto& added = *members.back();
        added.begins_at = log_.size();
        added.readable.assign(log_.size(), now);
        added.last_readable = now;
        added.leadership.on_caught_up(); // it reads what there is before anything else happens
        return added;
    }

    void append(member& by, fleet_record record)
    {
        by.last_append = std::max(by.last_append, now + some(1, slow_log ? 400 : 20));
        on_way_.push_back({by.last_append, &by, std::move(record)});
    }

    /// A millisecond.
    void step()
    {
        now += milliseconds{1};
        std::stable_sort(on_way_.begin(), on_way_.end(), [](const auto& l, const auto& r) { return l.at < r.at; });
        while (!on_way_.empty() && on_way_.front().at <= now) {
            auto& first = on_way_.front();
            if (auto* const said = std::get_if<rate_report_record>(&first.record);
                said != nullptr && said->member == first.by->name && first.by->alive)
                first.by->borrower.on_report_taken();
            ++records;
            log_.push_back(std::move(first.record));
            on_way_.pop_front();
            for (auto& each : members) {
                each->last_readable = std::max(each->last_readable, now + some(1, slow_log ? 400 : 20));
                each->readable.push_back(each->last_readable);
            }
        }
        for (auto& each : members)
            if (each->alive && each->stopped_until <= now)
                run(*each);
    }

    void run(member& who)
    {
        const auto local = now + who.off;
        if (chance() < 0.5) // what a process does first when it goes on is anybody's guess
            send(who, local);
        while (who.read < log_.size() && who.readable[who.read] <= now)
            read(who, log_[who.read++], local);
        who.backlog = std::min(who.backlog + who.inflow / 1000, 1e6);
        send(who, local);
        if ((now - beginning) % milliseconds{20} == steady_duration{0})
            look(who, local);
    }

    void read(member& who, const fleet_record& record, steady_time local)
    {
        if (const auto* const leading = std::get_if<leading_record>(&record))
            who.leadership.on_leading(*leading);
        if (const auto* const said = std::get_if<rate_report_record>(&record)) {
            who.book.on_report(*said, local);
            if (said->member == who.name)
                who.borrower.on_own_report(said->number, local);
        }
        if (const auto* const table = std::get_if<rate_table_record>(&record)) {
            if (who.leadership.accepts(table->version.term) && who.book.on_table(*table))
                who.borrower.on_table(*table);
            who.lender.on_read(table->version);
        }
        follow_lead(who);
        look(who, local);
    }

    static void follow_lead(member& who)
    {
        if (who.led == who.leadership.leads())
            return;
        who.led = who.leadership.leads();
        who.lender.on_lead_changed();
    }

    /// As engine/fleet_rates does.
    void speak_for_the_dead(member& who)
    {
        if (who.read < who.begins_at)
            return;
        for (const auto& [name, each] : who.book.members()) {
            auto& said = who.spoken_for[name];
            if (each.gone || each.seat != who.seat || name == who.name || said > each.report)
                continue;
            said = each.report + 1;
            append(who, rate_report_record{name, said, each.applied, true, {}, who.seat});
        }
    }

    void look(member& who, steady_time local)
    {
        apply(who, local);
        speak_for_the_dead(who);
        if ((now - beginning) % milliseconds{100} == steady_duration{0}) {
            const auto wanted = who.meter.wanted(who.taken, static_cast<std::size_t>(who.backlog), local);
            who.borrower.on_demands({{"shop", wanted, 1}}, local);
        }
        if (const auto term = who.leadership.to_announce(local)) {
            who.leadership.on_announced(*term, local);
            append(who, leading_record{*term, who.name, who.name});
        }
        if (auto said = who.borrower.report(local))
            append(who, *said);
        if (who.led) {
            const std::vector<rate_lender::limit> limits{
                {"shop", {static_cast<std::int64_t>(rate * 1000), static_cast<std::int64_t>(burst * 1000)}}};
            if (auto table = who.lender.table(who.book, limits, who.leadership.term(), local)) {
                ++tables;
                append(who, *table);
            }
        }
    }

    static void apply(member& who, steady_time local)
    {
        if (who.changes == who.borrower.changes())
            return;
        who.changes = who.borrower.changes();
        const auto share = who.borrower.share("shop");
        who.bucket.lend(static_cast<double>(share.rate) / 1000, static_cast<double>(share.burst) / 1000,
                        who.borrower.right_until(), local);
    }

    void send(member& who, steady_time local)
    {
        while (who.backlog >= 1 && who.bucket.try_take(local)) {
            who.backlog -= 1;
            ++who.taken;
            ++sent;
            if (!judge_.allows(now))
                ++too_many;
        }
    }

    void make_candidate(member* who)
    {
        for (auto& each : members)
            if (each->alive && each->stopped_until <= now)
                each->leadership.set_candidate(each.get() == who);
        candidate = who;
    }

    member* any_living()
    {
        std::vector<member*> living;
        for (auto& each : members)
            if (each->alive)
                living.push_back(each.get());
        return living.empty() ? nullptr
                              : living[static_cast<std::size_t>(chance() * static_cast<double>(living.size()))];
    }

    double rate;
    double burst;
    steady_time now = beginning;
    std::vector<std::unique_ptr<member>> members;
    member* candidate = nullptr;
    bool slow_log = false;
    std::uint64_t sent = 0;
    std::uint64_t too_many = 0;
    std::uint64_t records = 0;
    std::uint64_t tables = 0;

private:
    struct on_way {
        steady_time at;
        member* by;
        fleet_record record;
    };
    std::mt19937_64 random_;
    std::deque<on_way> on_way_;
    std::vector<fleet_record> log_;
    judge judge_;
};

class rate_lending_at_random : public ::testing::TestWithParam<int> {};

TEST_P(rate_lending_at_random, the_group_is_never_over)
{
    const auto seed = static_cast<std::uint64_t>(GetParam());
    std::mt19937_64 draw(seed);
    const auto below = [&draw](std::uint64_t bound) { return draw() % bound; };
    const double rate = std::vector<double>{5, 40, 200, 900}[below(4)];
    const double burst = std::vector<double>{1, 2, 10, 50}[below(4)];
    group all(seed, rate, burst);
    all.slow_log = below(5) == 0;
    const auto count = 1 + below(5);
    for (std::size_t i = 0; i < count; ++i)
        all.start();
    all.make_candidate(all.members.front().get());
    steady_time heir_at{};
    for (int step = 0; step < 60'000; ++step) {
        all.step();
        if (step % 50 == 0) {
            if (below(40) == 0) // work moves
                for (auto& each : all.members)
                    each->inflow = std::vector<double>{0, 0.2, rate / 5, rate * 3}[below(4)];
            if (below(120) == 0) // SIGSTOP, now and then for longer than anything lasts
                if (auto* const who = all.any_living())
                    who->stopped_until = all.now + milliseconds{1 + below(below(2) == 0 ? 400 : 9000)};
            if (below(200) == 0) { // kill -9; who is killed may come back at once
                auto* const who = below(2) == 0 && all.candidate != nullptr ? all.candidate : all.any_living();
                if (who != nullptr && who->alive) {
                    who->alive = false;
                    if (who == all.candidate)
                        heir_at = all.now + milliseconds{300 + below(8000)};
                    all.start(below(3) == 0 ? "" : who->seat).inflow = who->inflow;
                }
            }
            // Kafka's group finds another one, also while the first is only stopped.
            if (below(300) == 0)
                heir_at = all.now;
            if (heir_at != steady_time{} && all.now >= heir_at) {
                heir_at = {};
                all.make_candidate(all.any_living());
            }
        }
        ASSERT_EQ(all.too_many, 0U) << "seed " << seed << ", after " << step << " ms";
    }
    EXPECT_GT(all.sent, 0U);
}

INSTANTIATE_TEST_SUITE_P(seeds, rate_lending_at_random, ::testing::Range(1, 31));

class rate_lending_in_peace : public ::testing::TestWithParam<int> {
protected:
    /// Sends within so many milliseconds.
    static std::uint64_t within(group& all, int length)
    {
        const auto before = all.sent;
        for (int step = 0; step < length; ++step)
            all.step();
        return all.sent - before;
    }
};

TEST_P(rate_lending_in_peace, the_rate_follows_the_work_within_two_seconds)
{
    group all(static_cast<std::uint64_t>(GetParam()), 200, 50);
    for (int i = 0; i < 3; ++i)
        all.start();
    all.make_candidate(all.members[0].get());
    for (auto& each : all.members)
        each->inflow = 150;
    within(all, 2000);
    EXPECT_GE(within(all, 5000), 0.95 * 200 * 5) << "all have work";
    for (int round = 0; round < 6; ++round) {
        for (auto& each : all.members) {
            each->inflow = 0;
            each->backlog = 0;
        }
        all.members[static_cast<std::size_t>(round) % 3]->backlog = 100'000;
        const auto first = within(all, 1000);
        EXPECT_GE(within(all, 1000), 0.95 * 200) << "one has work, after a second; before " << first;
        EXPECT_GE(within(all, 3000), 0.95 * 200 * 3);
    }
    // Two with a steady trickle and one with all the rest.
    for (auto& each : all.members)
        each->backlog = 0;
    all.members[0]->inflow = 40;
    all.members[1]->inflow = 60;
    all.members[2]->backlog = 100'000;
    within(all, 2000);
    EXPECT_GE(within(all, 10'000), 0.95 * 200 * 10);
    EXPECT_EQ(all.too_many, 0U);
}

TEST_P(rate_lending_in_peace, few_records_are_written)
{
    group all(static_cast<std::uint64_t>(GetParam()), 200, 50);
    for (int i = 0; i < 3; ++i)
        all.start();
    all.make_candidate(all.members[0].get());
    all.members[0]->inflow = 30;
    all.members[1]->inflow = 300;
    within(all, 5000);
    const auto before = all.records;
    within(all, 20'000);
    EXPECT_LE(all.records - before, 20U * 3 * 4) << "four a second for each member";
    for (auto& each : all.members) {
        each->inflow = 0;
        each->backlog = 0;
    }
    within(all, 15'000);
    const auto idle = all.records;
    within(all, 20'000);
    EXPECT_LE(all.records - idle, 2U) << "but for the leader's sign of life";
}

INSTANTIATE_TEST_SUITE_P(seeds, rate_lending_in_peace, ::testing::Range(1, 6));

} // namespace
} // namespace wxcourier::domain
