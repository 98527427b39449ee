// SPDX-License-Identifier: Apache-2.0
#include "engine/fleet.hpp"

#include "codec/fleet_record_codec.hpp"
#include "common/log.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::engine {
namespace {

/// Tickets of the fleet's records; those of statuses count up from 1 (status_reporter).
constexpr std::uint64_t first_ticket = std::uint64_t{1} << 63U;
/// A reason to ignore records is logged so often at most; the metric counts each.
constexpr seconds tell_interval{60};
/// The key of what is about no app.
constexpr std::string_view group_key = "@group";

std::string key_of(const domain::fleet_record& record)
{
    return std::visit(
        [](const auto& each) {
            if constexpr (requires { each.app; })
                return each.app;
            else
                return std::string(group_key);
        },
        record);
}

} // namespace

fleet::fleet(const engine_options& options, record_publisher& publisher, token_api& api, credentials& tokens,
             clock& time, metrics_registry& metrics)
    : options_(options), settings_(*options.fleet), publisher_(publisher), time_(time), seal_(settings_.token_key),
      leadership_(settings_.member), alarm_(time.make_alarm()), next_ticket_(first_ticket),
      ignored_(metrics["wxcourier_fleet_records_ignored_total"]),
      leader_gauge_(metrics["wxcourier_fleet_leader"].with()), term_gauge_(metrics["wxcourier_fleet_term"].with())
{
    for (domain::app_index app = 0; app < options.apps.size(); ++app) {
        const auto& each = options.apps[app];
        if (each.token.origin != domain::token_origin::classic)
            continue;
        auto source = std::make_unique<fleet_token_source>(
            fleet_token_source::surroundings{*this, api, tokens, time, seal_}, app,
            codec::token_place{settings_.tokens_topic, each.name, each.appid}, settings_.call_timeout, options.worker);
        tokens.use_source(app, *source);
        sources_.emplace(each.name, std::move(source));
    }
}

void fleet::start(task_group& tasks)
{
    tasks.spawn(run());
}

void fleet::stop()
{
    stopping_ = true;
    leadership_.set_candidate(false);
    follow_lead();
    alarm_->wake();
}

asio::awaitable<void> fleet::run()
{
    while (!stopping_) {
        const auto now = time_.now();
        // One at a time: while Kafka is away, they must not pile up in the producer.
        if (const auto term = leadership_.to_announce(now); term && announcing_ == 0) {
            leadership_.on_announced(*term, now);
            announcing_ = publish(
                {settings_.fleet_topic,
                 std::string(group_key),
                 codec::encode_fleet_record(domain::leading_record{*term, leadership_.member(), options_.worker}),
                 {}});
        }
        co_await alarm_->wait_until(announcing_ == 0 ? leadership_.next_look() : std::nullopt);
    }
}

void fleet::on_assigned(const std::vector<partition_assignment>& assigned)
{
    for (const auto& each : assigned)
        if (each.topic == settings_.leading_topic && each.partition == 0)
            first_partition_ = each.id;
    leadership_.set_candidate(first_partition_.has_value() && !stopping_);
    alarm_->wake();
}

void fleet::on_gone(const std::vector<assignment_id>& gone)
{
    if (!first_partition_ || std::find(gone.begin(), gone.end(), *first_partition_) == gone.end())
        return;
    first_partition_.reset();
    leadership_.set_candidate(false);
    follow_lead();
}

// ----------------------------------------------------------------------------------------------------------------- in

void fleet::on_log_record(const log_record& record)
{
    if (record.topic == settings_.fleet_topic)
        on_fleet_record(record.value.value_or(""));
    else
        on_token_record(record);
}

void fleet::on_log_caught_up()
{
    caught_up_ = true;
    leadership_.on_caught_up();
    alarm_->wake();
}

void fleet::on_fleet_record(std::string_view value)
{
    const auto read = codec::decode_fleet_record(value);
    if (read.record)
        std::visit([this](const auto& each) { on_record(each); }, *read.record);
    else if (!read.unknown)
        ignore("fleet", "", "malformed");
    follow_lead();
}

void fleet::on_record(const domain::leading_record& read)
{
    if (!leadership_.on_leading(read))
        ignore("fleet", "", "old_term");
    alarm_->wake();
}

void fleet::on_record(const domain::refreshing_record& read)
{
    auto* const source = source_of(read.app);
    if (!leadership_.accepts(read.stamp.term))
        ignore("fleet", read.app, "old_term");
    else if (source != nullptr)
        source->on_refreshing(read.stamp);
}

void fleet::on_record(const domain::refresh_failed_record& read)
{
    // Also of a leader that was replaced meanwhile: its call has ended.
    if (auto* const source = source_of(read.app))
        source->on_refresh_failed(read, caught_up_);
}

void fleet::on_record(const domain::token_rejected_record& read)
{
    if (auto* const source = source_of(read.app))
        source->on_token_rejected(read);
}

void fleet::on_token_record(const log_record& record)
{
    auto* const source = source_of(record.key.value_or(""));
    if (source == nullptr || !record.value)
        return; // an app that this replica does not know, or no longer; a tombstone takes nothing away
    if (const auto term = source->on_token_record(*record.value, caught_up_))
        leadership_.on_term(*term);
    follow_lead();
}

fleet_token_source* fleet::source_of(const std::string& app)
{
    const auto found = sources_.find(app);
    return found == sources_.end() ? nullptr : found->second.get();
}

void fleet::on_ignored_token(const std::string& app, std::string_view reason)
{
    ignore("tokens", app, reason);
}

void fleet::ignore(std::string_view topic, std::string_view app, std::string_view reason)
{
    ignored_.with({std::string(topic), std::string(reason)}).add();
    auto& told = told_.try_emplace(std::string(topic) + '/' + std::string(reason), steady_time::min()).first->second;
    const auto now = time_.now();
    if (told != steady_time::min() && now - told < tell_interval)
        return;
    told = now;
    log::warn("fleet", "a record that the replicas share is ignored",
              {{"topic", topic}, {"app", app}, {"reason", reason}});
}

/// Tells of the lead, when it has changed.
void fleet::follow_lead()
{
    term_gauge_.set(static_cast<double>(leadership_.term()));
    if (leadership_.leads() == led_)
        return;
    led_ = leadership_.leads();
    leader_gauge_.set(led_ ? 1 : 0);
    log::info("fleet",
              led_ ? "this replica leads the group: it fetches the classic tokens" : "another replica may lead",
              {{"term", leadership_.term()}});
    for (const auto& [name, each] : sources_)
        each->on_lead_changed();
    alarm_->wake();
}

// ---------------------------------------------------------------------------------------------------------------- out

void fleet::say(const domain::fleet_record& record)
{
    publish({settings_.fleet_topic, key_of(record), codec::encode_fleet_record(record), {}});
}

void fleet::write_token(const std::string& app, std::string value)
{
    publish({settings_.tokens_topic, app, std::move(value), {}});
}

std::uint64_t fleet::publish(outbound_record record)
{
    const auto ticket = next_ticket_++;
    publisher_.publish(std::move(record), ticket);
    return ticket;
}

bool fleet::on_published(std::uint64_t ticket)
{
    if (ticket < first_ticket)
        return false;
    if (ticket == announcing_) {
        announcing_ = 0;
        alarm_->wake();
    }
    return true;
}

} // namespace wxcourier::engine
