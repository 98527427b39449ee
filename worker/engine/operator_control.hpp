// SPDX-License-Identifier: Apache-2.0
/// @file
/// What operators say at run time (pauses, rates), agreed on by the whole group over the fleet topic and carried out
/// here (docs/adr/0014).
#pragma once

#include "common/metrics.hpp"
#include "domain/operator_state.hpp"
#include "domain/send_queue.hpp"
#include "engine/condition.hpp"
#include "engine/fleet_concern.hpp"
#include "engine/fleet_voice.hpp"
#include "engine/options.hpp"
#include "engine/ports.hpp"
#include "engine/sender_pool.hpp"
#include "engine/status_reporter.hpp"
#include "engine/task_group.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wxcourier::engine {

/// Whom an operator's word is for.
enum class operator_scope : std::uint8_t {
    group,    ///< Every replica, also those that start later.
    instance, ///< This process, until it ends.
};

/// What became of an operator's word.
struct operator_outcome {
    enum class result : std::uint8_t {
        done,
        unchanged,   ///< It held already.
        no_room,     ///< As much as may be is paused, or has a rate of its own.
        not_known,   ///< The log has not been read yet: what holds is not known.
        not_written, ///< The fleet topic takes no records now. Nothing was said.
        unconfirmed, ///< It was handed to Kafka and not read back in time: it may still come into force.
    };
    result what = result::done;
    wall_time in_force_at{};            ///< Of `done`, by this replica's clock.
    std::optional<std::int64_t> offset; ///< Of `done` in the group: where it stands in the fleet topic.
};

/// Holds what operators have said and has the queue, the rates and the senders follow it. A word for the group is
/// appended to the fleet topic and holds, here as everywhere, once it is read there. Until the log has been read no app
/// sends: a pause outlives restarts. While leading, repeats all that holds every minute. Not thread-safe.
class operator_control final : public fleet_concern {
public:
    /// The leader's snapshots come so often.
    static constexpr seconds snapshot_interval{60};
    /// How long a caller waits for a word to be written and read back.
    static constexpr seconds answer_limit{4};
    /// Without the log for so long, it is an error worth waking somebody.
    static constexpr seconds patience{10};

    /// What it works with; all of it outlives it.
    struct surroundings {
        domain::send_queue& queue;
        sender_pool& senders;
        status_reporter& reporter;
        clock& time;
        metrics_registry& metrics;
    };
    /// @param on_rate    called when an app's `limits_of` has changed.
    /// @param on_change  called when apps may send more, or less.
    operator_control(const engine_options& options, surroundings with, std::function<void(domain::app_index)> on_rate,
                     std::function<void()> on_change);

    /// Has the group follow: without it every word holds here alone. Before start().
    void join(fleet_voice& voice);
    /// An app was added: what operators said about it holds for it.
    void add_app(domain::app_index app);

    /// Starts its coroutine, which ends after stop().
    void start(task_group& tasks);
    void stop();

    // The calls. `by` names the operator.
    asio::awaitable<operator_outcome> pause(domain::pause_target target, operator_scope scope, std::string by);
    asio::awaitable<operator_outcome> resume(domain::pause_target target, operator_scope scope, std::string by);
    asio::awaitable<operator_outcome> change_rate(std::string app, domain::rate_patch patch, operator_scope scope,
                                                  std::string by);
    /// This replica has got the app another access token because an operator wanted one: the other replicas hear of it.
    void announce_token(const std::string& app);
    /// Told of an app for which another replica has got such a token.
    void on_token_renewed(std::function<void(const std::string&)> told) { on_token_renewed_ = std::move(told); }
    /// An operator did something else, at this process alone: on the log and the status topic.
    void tell(std::string_view reason, const domain::pause_target& about, const std::string& by);

    /// What holds for the whole group, and what for this process on top.
    [[nodiscard]] const domain::operator_state& group() const noexcept { return group_; }
    [[nodiscard]] const domain::operator_state& instance() const noexcept { return instance_; }
    /// Whether `group()` is all that was ever said.
    [[nodiscard]] bool known() const noexcept { return voice_ == nullptr || known_; }
    /// The limits that an app goes by, instead of the configuration's.
    [[nodiscard]] domain::rate_override limits_of(domain::app_index app) const;
    /// Since when this process has an app or a kind of it wait. Empty: it does not.
    [[nodiscard]] std::optional<steady_time> paused_since(domain::lane where) const;

    void on_fleet_record(const domain::fleet_record& record) override;
    [[nodiscard]] bool wants_older() const override;
    void on_older_record(const domain::fleet_record& record, std::int64_t offset) override;
    void on_caught_up() override;
    void on_lead_changed() override;
    void on_acknowledged(std::uint64_t ticket) override;

private:
    /// What the queue was told about an app.
    struct app_effect {
        std::optional<steady_time> paused_since;
        std::vector<std::optional<steady_time>> lanes_paused_since;
        domain::rate_override limits;
        bool some_template = false;
    };
    class turn;

    asio::awaitable<void> run();
    asio::awaitable<operator_outcome> agree(std::function<domain::operator_change()> word, operator_scope scope);
    asio::awaitable<operator_outcome> agree_in_group(std::function<domain::operator_change()> word);
    asio::awaitable<bool> said(const domain::fleet_record& record, const std::string& id, steady_time deadline);
    void read(const domain::fleet_record& record, std::int64_t offset);
    void note_own(const domain::operator_change& change, bool news, std::int64_t offset);
    void publish(const domain::operator_change& change, std::string_view scope);
    void say_snapshot();
    void follow();
    void follow(domain::app_index app);
    [[nodiscard]] bool holds(const delivery& message) const;
    [[nodiscard]] std::string next_id();

    const engine_options& options_;
    surroundings with_;
    std::function<void(domain::app_index)> on_rate_;
    std::function<void()> on_change_;
    std::function<void(const std::string&)> on_token_renewed_;
    fleet_voice* voice_ = nullptr;
    domain::operator_state group_;
    domain::operator_state instance_;
    std::deque<app_effect> effects_;
    std::int64_t first_ = -1;   ///< Offset of the first record that was told of; -1: none was.
    std::int64_t through_ = -1; ///< Everything up to here is in `group_`.
    bool reached_ = false;      ///< A snapshot reaches to where reading began.
    bool known_ = false;
    bool stopping_ = false;
    std::uint64_t words_ = 0;
    bool busy_ = false;              ///< A call is under way; the next one waits for it.
    std::string awaited_;            ///< The id that a call waits for; empty: it has been read.
    operator_outcome read_back_;     ///< What became of the word that was awaited.
    std::uint64_t unwritten_ = 0;    ///< The ticket of a record of a call that Kafka has not acknowledged; 0: none.
    std::uint64_t snapshot_out_ = 0; ///< The same of a snapshot.
    steady_time snapshot_due_{};
    steady_time started_at_{};
    condition changed_;
    std::unique_ptr<alarm> alarm_;
    metric_family& paused_gauge_;
    metric_family& changes_;
};

} // namespace wxcourier::engine
