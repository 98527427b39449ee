// SPDX-License-Identifier: Apache-2.0
#include "engine/fleet.hpp"

#include "codec/fleet_record_codec.hpp"
#include "common/log.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace wxcourier::engine {
namespace {

/// Tickets of the fleet's records; those of statuses count up from 1 (status_reporter).
constexpr std::uint64_t first_ticket = std::uint64_t{1} << 63U;
/// A reason to ignore records is logged so often at most; the metric counts each.
constexpr seconds tell_interval{60};

} // namespace

fleet::fleet(const engine_options& options, record_publisher& publisher, clock& time, metrics_registry& metrics)
    : options_(options), settings_(*options.fleet), publisher_(publisher), time_(time), leadership_(settings_.member),
      alarm_(time.make_alarm()), next_ticket_(first_ticket), ignored_(metrics["wxcourier_fleet_records_ignored_total"]),
      leader_gauge_(metrics["wxcourier_fleet_leader"].with()), term_gauge_(metrics["wxcourier_fleet_term"].with())
{
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
    for (auto* const each : concerns_)
        each->on_stopping();
    alarm_->wake();
}

asio::awaitable<void> fleet::run()
{
    while (!stopping_) {
        const auto now = time_.now();
        // One at a time: while Kafka is away, they must not pile up in the producer.
        if (const auto term = leadership_.to_announce(now); term && announcing_ == 0) {
            leadership_.on_announced(*term, now);
            announcing_ = say(domain::leading_record{*term, leadership_.member(), options_.worker});
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
    if (record.topic == settings_.fleet_topic) {
        position_ = record.offset;
        if (record.value) // a tombstone only tells compaction
            on_fleet_record(*record.value);
    } else {
        for (auto* const each : concerns_)
            each->on_other_record(record);
    }
    follow_lead();
}

void fleet::on_log_caught_up()
{
    caught_up_ = true;
    leadership_.on_caught_up();
    for (auto* const each : concerns_)
        each->on_caught_up();
    alarm_->wake();
}

bool fleet::wants_older() const
{
    return std::any_of(concerns_.begin(), concerns_.end(), [](const auto* each) { return each->wants_older(); });
}

void fleet::on_older_record(const log_record& record)
{
    if (record.topic != settings_.fleet_topic || !record.value)
        return;
    const auto read = codec::decode_fleet_record(*record.value);
    if (!read.record)
        return; // told of when it came the usual way, or too old to be worth a word
    for (auto* const each : concerns_)
        each->on_older_record(*read.record, record.offset);
}

void fleet::on_fleet_record(std::string_view value)
{
    const auto read = codec::decode_fleet_record(value);
    if (!read.record) {
        if (!read.unknown)
            ignore("fleet", "", "malformed");
        return;
    }
    if (const auto* const leading = std::get_if<domain::leading_record>(&*read.record)) {
        if (!leadership_.on_leading(*leading))
            ignore("fleet", "", "old_term");
        alarm_->wake();
    }
    for (auto* const each : concerns_)
        each->on_fleet_record(*read.record);
}

bool fleet::accepts(std::uint64_t term, const std::string& app)
{
    if (leadership_.accepts(term))
        return true;
    ignore("fleet", app, "old_term");
    return false;
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
    log::info("fleet", led_ ? "this replica leads the group" : "another replica may lead",
              {{"term", leadership_.term()}});
    for (auto* const each : concerns_)
        each->on_lead_changed();
    alarm_->wake();
}

// ---------------------------------------------------------------------------------------------------------------- out

std::uint64_t fleet::say(const domain::fleet_record& record)
{
    return publish({settings_.fleet_topic, domain::log_key(record), codec::encode_fleet_record(record), {}});
}

void fleet::forget(const std::string& key)
{
    publish({settings_.fleet_topic, key, std::nullopt, {}});
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
    for (auto* const each : concerns_)
        each->on_acknowledged(ticket);
    return true;
}

} // namespace wxcourier::engine
