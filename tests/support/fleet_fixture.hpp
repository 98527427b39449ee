// SPDX-License-Identifier: Apache-2.0
/// @file
/// A whole group of couriers over fake ports: the topics they share, a token endpoint where each call ends the token
/// before, and Kafka's group, which gives partition 0 to another when its holder has gone.
#pragma once

#include "common/log.hpp"
#include "engine/courier.hpp"
#include "tests/support/fake_log.hpp"
#include "tests/support/job_text.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/print.hpp"
#include "tests/support/scripted_publisher.hpp"
#include "tests/support/scripted_pushes.hpp"
#include "tests/support/scripted_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wxcourier::test {

/// One machine's clock: the same time goes by, but its wall clock is off.
class skewed_clock final : public engine::clock {
public:
    skewed_clock(manual_clock& time, milliseconds off) : time_(time), off_(off) {}
    [[nodiscard]] steady_time now() const override { return time_.now(); }
    [[nodiscard]] wall_time wall_now() const override { return time_.wall_now() + off_; }
    [[nodiscard]] std::unique_ptr<engine::alarm> make_alarm() override { return time_.make_alarm(); }

private:
    manual_clock& time_;
    milliseconds off_;
};

/// WeChat's classic token call: each one makes a new token and ends the one before.
class classic_endpoint {
public:
    explicit classic_endpoint(manual_clock& time) : time_(time) {}

    /// @param alive  whether the caller is there to hear the answer.
    asio::awaitable<engine::token_reply> call(std::function<bool()> alive);
    [[nodiscard]] bool accepts(const std::string& token) const { return token == valid && time_.now() < ends; }
    /// As somebody's call elsewhere would.
    void end_token() { valid = "none"; }

    steady_duration way_there{milliseconds{50}}; ///< From the start of the call to its effect …
    steady_duration way_back{milliseconds{50}};  ///< … and to its answer.
    seconds life{7200};
    bool down = false; ///< Connections fail, after as long.
    std::vector<steady_time> calls;
    int made = 0; ///< Tokens.
    int in_flight = 0;
    int most_in_flight = 0;
    std::string valid = "none";
    steady_time ends{};

private:
    manual_clock& time_;
};

/// WeChat's call about quotas, as all processes of the group see it.
class quota_desk final : public engine::quota_api {
public:
    struct call {
        std::string_view kind;
        steady_time at{};
    };

    explicit quota_desk(manual_clock& time) : time_(time) {}

    asio::awaitable<engine::quota_reply> ask(engine::quota_request request) override;
    /// Says from now on that so many are left of so many.
    void say(std::int64_t daily_limit, std::int64_t remain)
    {
        answer = [=] { return engine::quota_reply{domain::quota_standing{daily_limit, remain}, 0, "ok"}; };
    }
    /// Refuses from now on.
    void refuse(int errcode)
    {
        answer = [=] { return engine::quota_reply{std::nullopt, errcode, "refused"}; };
    }

    std::function<engine::quota_reply()> answer;
    std::vector<call> calls;

private:
    manual_clock& time_;
};

/// One process of the group.
struct group_member {
    class own_tokens final : public engine::token_api {
    public:
        own_tokens(classic_endpoint& endpoint, group_member& owner) : endpoint_(endpoint), owner_(owner) {}
        asio::awaitable<engine::token_reply> fetch(engine::token_request /*request*/) override
        {
            return endpoint_.call([this] { return owner_.alive; });
        }

    private:
        classic_endpoint& endpoint_;
        group_member& owner_;
    };
    /// Statuses stay here; what the group shares goes to its log.
    class own_publisher final : public engine::record_publisher {
    public:
        explicit own_publisher(std::function<void(engine::outbound_record, std::uint64_t)> to) : to_(std::move(to)) {}
        void publish(engine::outbound_record record, std::uint64_t ticket) override { to_(std::move(record), ticket); }

    private:
        std::function<void(engine::outbound_record, std::uint64_t)> to_;
    };

    group_member(asio::io_context& loop, manual_clock& time, fake_log& jobs, classic_endpoint& endpoint,
                 milliseconds clock_off)
        : clock(time, clock_off), source(loop, jobs), statuses(loop), pushes(time), tokens(endpoint, *this)
    {
    }

    skewed_clock clock;
    scripted_source source;
    scripted_publisher statuses;
    scripted_pushes pushes;
    own_tokens tokens;
    metrics_registry metrics;
    std::unique_ptr<own_publisher> publisher;
    std::unique_ptr<engine::courier> courier;
    std::size_t read = 0; ///< Of the shared log.
    bool alive = true;
    std::optional<steady_time> killed_at; ///< What it does from then on nobody sees.
    bool reads = true;                    ///< False: Kafka brings it nothing.
    std::map<std::int32_t, engine::assignment_id> holds;
};

class fleet_test : public ::testing::Test {
public:
    ~fleet_test() override;

protected:
    static constexpr seconds session_timeout{10};

    fleet_test();

    /// How a process reads the shared topics when it starts.
    struct log_reading {
        std::size_t first = 0; ///< The first record; what stands before it is told if it asks for older ones.
        bool reads = true;     ///< False: not before `catch_up`.
    };
    /// A process that reads the shared topics, from their beginning if nothing else is said; it holds no partition yet.
    group_member& start(milliseconds clock_off, const log_reading& reading);
    group_member& start(milliseconds clock_off = milliseconds{0}) { return start(clock_off, log_reading{}); }
    /// It reads what stands in the shared topics, and then all that is written.
    void catch_up(group_member& member);
    /// The topics take records again, those that waited first.
    void make_writable();
    /// `count` processes, each with the partition of its number.
    void start_group(std::size_t count, const std::vector<milliseconds>& clocks_off = {});
    void assign(group_member& to, std::int32_t partition);
    /// The group has given its partitions to others, and it finds out.
    static void lose_all(group_member& member);
    /// kill -9. Its partitions go to the first that lives, after the session timeout.
    void kill(group_member& victim);

    /// A job on each partition, for app `shop`.
    void append_jobs(std::size_t rounds);
    /// The one whose metric says that it leads. Null: nobody, or more than one.
    group_member* leader();
    /// Recipients with a terminal status: state by openid, over all processes.
    [[nodiscard]] std::map<std::string, std::string> outcomes() const;

    /// Appends to the topics that the group shares, as Kafka does some time later.
    void write(engine::outbound_record record);

    asio::io_context loop;
    manual_clock time{loop};
    fake_log jobs;
    classic_endpoint endpoint{time};
    std::optional<quota_desk> quotas; ///< Empty: WeChat is not asked.
    engine::engine_options options;
    std::vector<engine::log_record> shared;
    std::vector<std::unique_ptr<group_member>> members;
    std::vector<std::string> failures;
    std::map<std::string, steady_time> known_dead; ///< When a send with that token was first refused.
    std::vector<std::string> late_sends;           ///< Those with a token known to be dead for more than a second.
    std::size_t next_job = 0;
    bool writable = true; ///< False: what the group shares waits in the producers.

private:
    void append_soon(group_member& writer, engine::outbound_record record, std::uint64_t ticket);
    void deliver();
    domain::push_reply judge(const scripted_pushes::call& call);

    std::vector<std::function<void()>> unwritten;
};

} // namespace wxcourier::test
