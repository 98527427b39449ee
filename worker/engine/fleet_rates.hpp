// SPDX-License-Identifier: Apache-2.0
/// @file
/// The apps' rates, which hold for the whole group, as a concern of the fleet (docs/adr/0009).
#pragma once

#include "common/metrics.hpp"
#include "domain/rate_book.hpp"
#include "domain/rate_borrower.hpp"
#include "domain/rate_lender.hpp"
#include "domain/rate_meter.hpp"
#include "domain/send_queue.hpp"
#include "engine/fleet_concern.hpp"
#include "engine/fleet_voice.hpp"
#include "engine/options.hpp"
#include "engine/ports.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace wxcourier::engine {

/// Keeps the rates of the send queue at what this replica has been lent: says what it could use, reads what the leader
/// shares out, and shares out itself while it leads. Until something has been lent to it, it sends nothing. Not
/// thread-safe.
class fleet_rates final : public fleet_concern {
public:
    /// @param options  with `fleet` set. All references outlive it.
    /// @param on_more  called when more may be sent than before.
    fleet_rates(const engine_options& options, fleet_voice& voice, domain::send_queue& queue, clock& time,
                metrics_registry& metrics, std::function<void()> on_more);

    /// An app was added to the queue, under the next index.
    void add_app(const app_options& added);
    /// An app's whole rate from now on, by an operator or a changed configuration. The leader's counts.
    void set_limit(domain::app_index app, double per_second, double burst);

    // Partitions held weigh when there is not enough for all.
    void on_assigned(const std::vector<partition_assignment>& assigned);
    void on_gone(const std::vector<assignment_id>& gone);

    /// Measures, and says what has to be said. Called every tenth of a second.
    void look();
    /// Messages came: where nothing may be sent because nobody has asked for it, this asks at once.
    void on_work();

    void on_fleet_record(const domain::fleet_record& record) override;
    void on_caught_up() override;
    void on_lead_changed() override;
    void on_acknowledged(std::uint64_t ticket) override;
    void on_stopping() override;

private:
    struct app_state {
        std::string name;
        domain::rate_amount limit;
        domain::rate_meter meter;
        metric_series* lent = nullptr;
        metric_series* wanted = nullptr;
    };

    void measure(steady_time now);
    void speak(steady_time now);
    void lend(steady_time now);
    void forget_the_dead(steady_time now);
    void speak_for_the_dead();
    void apply(steady_time now);
    [[nodiscard]] std::int64_t weight_of(const std::string& app) const;

    const engine_options& options_;
    fleet_voice& voice_;
    domain::send_queue& queue_;
    clock& time_;
    std::function<void()> on_more_;
    domain::rate_book book_;
    domain::rate_borrower borrower_;
    domain::rate_lender lender_;
    std::deque<app_state> apps_; ///< By the app's index.
    /// More than one of a name where an app was removed and came back as another one: they divide the name's share
    /// while the last messages of the first go.
    std::map<std::string, std::vector<domain::app_index>> by_name_;
    std::map<assignment_id, std::string> held_;       ///< Partitions' topics.
    std::map<std::string, std::uint64_t> spoken_for_; ///< Last words said for the dead, by member.
    std::uint64_t report_ = 0;                        ///< The ticket of the last report; 0: it stands in the topic.
    std::uint64_t applied_ = 0;                       ///< borrower_.changes() that the queue knows …
    bool told_all_ = false;                           ///< … of every app, under its present limit.
    steady_time measured_ = steady_time::min();
    bool stopping_ = false;
    metric_family& lent_gauge_;
    metric_family& wanted_gauge_;
};

} // namespace wxcourier::engine
