// SPDX-License-Identifier: Apache-2.0
/// @file
/// The day's quotas of the apps' calls, counted over the group, as a concern of the fleet (docs/adr/0016).
#pragma once

#include "common/metrics.hpp"
#include "domain/kinds.hpp"
#include "domain/quota_allowance.hpp"
#include "domain/quota_inquiry.hpp"
#include "domain/quota_ledger.hpp"
#include "domain/send_queue.hpp"
#include "engine/credentials.hpp"
#include "engine/fleet_concern.hpp"
#include "engine/fleet_voice.hpp"
#include "engine/options.hpp"
#include "engine/ports.hpp"
#include "engine/sender_pool.hpp"
#include "engine/task_group.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wxcourier::engine {

/// Lets the send queue send of a call no more than this replica was granted today. Where `quota.daily` is set nothing
/// goes before a grant; elsewhere everything goes until WeChat has said how much the group may send. Asks for more,
/// gives back, and grants while it leads. Not thread-safe.
class fleet_quotas final : public fleet_concern {
public:
    /// What it works with; all of it outlives it.
    struct surroundings {
        domain::send_queue& queue;
        credentials& tokens;
        clock& time;
        metrics_registry& metrics;
        task_group& tasks;
    };
    /// @param options  with `fleet` set; outlives it.
    /// @param on_more  called when more may be sent than before, or less.
    fleet_quotas(const engine_options& options, fleet_voice& voice, surroundings with, std::function<void()> on_more);

    /// Has the leader ask WeChat how much is left: of calls in use without a configured quota, and after refusals.
    void learn_from(quota_api& api) { api_ = &api; }

    /// An app was added to the options.
    void add_app(domain::app_index app);
    /// An app's quota is another one, or none, from now on. The leader's counts.
    void change_app(domain::app_index app);

    /// Begins another day's count if the clock says so, and where the wall clock was set has the queue wait as long as
    /// it says now; the day that it is. Before messages are let go, and before it is decided how long jobs wait.
    sender_pool::quota_day follow_calendar();
    /// Measures, follows the calendar, and says what has to be said. Called every tenth of a second.
    void look();
    /// Messages came: those that nobody has asked a grant for do not wait for the next look.
    void on_work();

    /// WeChat says that the call's quota is used up (45009): how long to wait before the next try, where there is no
    /// reason to believe that it is for the rest of the day. Longer each time.
    [[nodiscard]] std::optional<steady_duration> wait_after_refusal(domain::lane where);

    void on_fleet_record(const domain::fleet_record& record) override;
    [[nodiscard]] bool wants_older() const override { return !reached_; }
    void on_older_record(const domain::fleet_record& record, std::int64_t offset) override;
    void on_caught_up() override { look(); }
    void on_lead_changed() override;
    void on_acknowledged(std::uint64_t ticket) override;
    void on_stopping() override;

private:
    /// One day of a call.
    struct day_state {
        domain::quota_ledger ledger;
        domain::quota_allowance allowance{false};
        domain::quota_inquiry inquiry;
        bool visited = false;      ///< It was today here: `allowance` counts.
        domain::quota_amount used; ///< Of a visited day that is not today: the queue's count when it ended.
        std::uint64_t term = 0;    ///< Of the newest table.
        std::int64_t stands_at = -1;
        bool table_under_way = false;
    };
    struct call_state {
        std::string app;
        std::string call;
        std::optional<domain::lane> where; ///< Empty: the configuration does not name the app (yet).
        const domain::kind_rule* kind = nullptr;
        std::map<std::int64_t, day_state> days;
        day_state* today = nullptr; ///< Null: it has not been looked at.
        domain::send_queue::lane_budget applied;
        domain::quota_amount measured;
        steady_time active_at = steady_time::min();
        bool configured = false;
        bool dropped = false; ///< Its quota was taken out of the configuration.
        bool touched = false; ///< The leader has to see whether there is something to grant.
        bool asking = false;  ///< WeChat.
        bool told_used_up = false;
        unsigned refusals = 0; ///< Parks after 45009 in a row.
        steady_time parked_to = steady_time::min();
        bool shown = false; ///< Its metrics.
    };

    [[nodiscard]] std::string call_name(const domain::kind_rule& kind) const;
    call_state& named(const std::string& app, const std::string& call);
    call_state& call_of(const std::string& app, const std::string& call);
    call_state* find(domain::lane where);
    call_state* find_or_make(domain::lane where);
    void bind(call_state& state, domain::lane where);
    void visit(call_state& state, std::int64_t day);
    void begin_day(std::int64_t day);
    void measure(call_state& state, steady_time now);
    void speak(steady_time now);
    void touch(call_state& state);
    void grant();
    void grant(call_state& state, std::int64_t number, day_state& day);
    void say_table(domain::quota_table_record table, const call_state& state, std::int64_t number, day_state& day);
    void mark(steady_time now);
    void inquire(steady_time now);
    asio::awaitable<void> ask(call_state& state, std::int64_t day);
    [[nodiscard]] const domain::quota_limits* configured(const call_state& state) const;
    [[nodiscard]] domain::quota_limit limit_of(const call_state& state, const day_state& day) const;
    [[nodiscard]] static bool is_exhausted(const day_state& day);
    void apply(call_state& state, steady_time now);
    void show(call_state& state);
    void read(const domain::fleet_record& record, std::int64_t offset, bool older);
    void on_table(const domain::quota_table_record& read, std::int64_t offset, bool older);

    const engine_options& options_;
    fleet_voice& voice_;
    surroundings with_;
    std::function<void()> on_more_;
    quota_api* api_ = nullptr;
    std::deque<call_state> calls_;
    std::map<std::string, call_state*, std::less<>> by_name_; ///< By app and call.
    std::vector<std::vector<call_state*>> by_place_;          ///< By the app's index and the kind's.
    std::vector<call_state*> touched_;
    std::map<std::string, std::int64_t> members_; ///< Others' and this one's last day, for their keys to be forgotten.
    std::int64_t day_ = 0;
    std::uint64_t number_ = 0;    ///< Of the last report.
    std::uint64_t under_way_ = 0; ///< The ticket of the last report; 0: it stands in the topic.
    std::int64_t first_ = -1;     ///< Offset of the first record that was told of; -1: none was.
    std::int64_t through_ = -1;   ///< Everything up to here was read, from the topic's beginning.
    bool reached_ = false;        ///< All of today's tables are known.
    std::uint64_t mark_under_way_ = 0;
    steady_time marked_at_ = steady_time::min();
    steady_time inquired_at_ = steady_time::min();
    std::size_t asking_ = 0;          ///< Questions to WeChat that are under way.
    steady_duration clocks_apart_{0}; ///< From the steady clock to the wall clock, when `apply` went by it last.
    bool stopping_ = false;
    metric_family& used_gauge_;
    metric_family& left_gauge_;
    metric_family& limit_gauge_;
    metric_family& questions_;
};

} // namespace wxcourier::engine
