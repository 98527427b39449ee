// SPDX-License-Identifier: Apache-2.0
#include "engine/status_reporter.hpp"

#include "codec/status_codec.hpp"
#include "common/log.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::engine {
namespace {

/// More are not gathered, however soon they come.
constexpr std::size_t most_gathered = 256;
/// Map nodes that are kept for the next records: an allocation less for each.
constexpr std::size_t most_spare = 1024;

/// A producer's headers that travel on to the status: trace context and its own `x-…`.
bool passes_to_status(std::string_view name)
{
    return name == "traceparent" || name == "tracestate" || name.starts_with("x-");
}

std::string key_of(const codec::status_view& status)
{
    if (status.state == domain::job_state::event)
        return "@event";
    if (status.id)
        return std::string(*status.id);
    return to_string(status.source != nullptr ? *status.source : domain::source_position{});
}

} // namespace

status_reporter::status_reporter(const engine_options& options, record_publisher& publisher, clock& time,
                                 metrics_registry& metrics)
    : options_(options), publisher_(publisher), time_(time), alarm_(time.make_alarm()),
      dead_letters_(metrics["wxcourier_dead_letters_published_total"]),
      pending_gauge_(metrics["wxcourier_statuses_pending"].with())
{
    for (std::size_t i = 0; i < published_.size(); ++i)
        published_.at(i) = &metrics["wxcourier_statuses_published_total"].with(
            {std::string(to_string(static_cast<domain::job_state>(i)))});
}

codec::status_view status_reporter::status_of(const delivery& message, domain::job_state state,
                                              std::string_view reason) const
{
    const auto& job = *message.job;
    codec::status_view status;
    status.id = job.job.id;
    status.app = job.job.app;
    status.kind = job.job.kind->name;
    status.labels = &job.job.labels;
    status.touser = job.messages.touser(message.index);
    status.state = state;
    status.reason = reason;
    status.errcode = message.errcode;
    status.errmsg = message.errmsg;
    status.msgid = message.msgid;
    status.attempts = message.history.attempts;
    status.enqueued_at = job.record.enqueued_at;
    status.source = &job.source;
    status.worker = options_.worker;
    return status;
}

void status_reporter::report_end(const delivery& ended, domain::job_state state, std::string_view reason, bool may_wait,
                                 std::function<void()> acknowledged)
{
    auto status = status_of(ended, state, reason);
    status.finished_at = time_.wall_now();
    if (!may_wait || options_.gather_statuses == milliseconds{0} || stopping_) {
        write_gathered();
        publish_status(status, ended.job->record.headers, std::move(acknowledged));
        return;
    }
    const auto ticket = enter({std::move(acknowledged), nullptr, published_.at(static_cast<std::size_t>(state))});
    gathered_.push_back({record_of(status, ended.job->record.headers), ticket});
    if (gathered_.size() >= most_gathered) {
        write_gathered();
    } else if (!write_at_) {
        write_at_ = time_.now() + options_.gather_statuses;
        alarm_->wake();
    }
}

void status_reporter::write_gathered()
{
    write_at_.reset();
    for (auto& each : gathered_)
        publisher_.publish(std::move(each.record), each.ticket);
    gathered_.clear();
}

asio::awaitable<void> status_reporter::run()
{
    while (!stopping_) {
        if (write_at_ && *write_at_ <= time_.now())
            write_gathered();
        co_await alarm_->wait_until(write_at_);
    }
}

void status_reporter::stop()
{
    stopping_ = true;
    write_gathered();
    alarm_->wake();
}

void status_reporter::report_deferral(const delivery& waiting, std::string_view reason, wall_time retry_at)
{
    auto status = status_of(waiting, domain::job_state::deferred, reason);
    status.retry_at = retry_at;
    publish_status(status, waiting.job->record.headers, [] {});
}

void status_reporter::report_rejection(const original_record& record, const domain::source_position& source,
                                       const codec::rejection& why, std::function<void()> acknowledged)
{
    domain::status_record status;
    status.id = why.id;
    status.app = why.app;
    status.kind = why.kind;
    status.labels = why.labels;
    status.touser = why.touser;
    status.state = domain::job_state::rejected;
    status.reason = why.reason;
    status.errmsg = why.error;
    status.enqueued_at = record.enqueued_at;
    status.finished_at = time_.wall_now();
    status.source = source;
    status.worker = options_.worker;
    const auto both = [left = std::make_shared<int>(2), done = std::move(acknowledged)] {
        if (--*left == 0)
            done();
    };
    publish_status(status, record.headers, both);
    publish_dead_letter(record,
                        {.state = domain::job_state::rejected,
                         .reason = why.reason,
                         .error = why.error,
                         .source = source,
                         .at = time_.wall_now()},
                        both);
}

void status_reporter::report_event(std::string_view reason, const domain::pause_target& about,
                                   domain::operator_event operation)
{
    const auto given = [](const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); };
    domain::status_record status;
    status.app = given(about.app);
    status.kind = given(about.kind);
    status.state = domain::job_state::event;
    status.reason = reason;
    status.enqueued_at = time_.wall_now();
    status.finished_at = status.enqueued_at;
    status.worker = options_.worker;
    status.operation = std::move(operation);
    status.operation->template_id = about.template_id;
    publish_status(status, {}, [] {});
}

void status_reporter::bury(const job_in_progress& job, std::function<void()> acknowledged)
{
    codec::dead_letter_note note{.state = domain::job_state::failed,
                                 .reason = job.failed_for(),
                                 .error = job.failure_text,
                                 .source = job.source,
                                 .at = time_.wall_now(),
                                 .attempts = job.failure_log.get()};
    if (job.messages.fanned_out()) {
        note.failed_recipients = job.failed.ranges();
        note.unknown_recipients = job.unknown.ranges();
        note.attempts_at = job.failure_index;
    }
    publish_dead_letter(job.record, note, std::move(acknowledged));
}

void status_reporter::publish_status(const codec::status_view& status, const std::vector<header>& headers,
                                     std::function<void()> acknowledged)
{
    publish(record_of(status, headers),
            {std::move(acknowledged), nullptr, published_.at(static_cast<std::size_t>(status.state))});
}

outbound_record status_reporter::record_of(const codec::status_view& status, const std::vector<header>& headers) const
{
    outbound_record record{options_.status_topic, key_of(status), codec::encode_status(status), {}};
    std::copy_if(headers.begin(), headers.end(), std::back_inserter(record.headers),
                 [](const header& each) { return passes_to_status(each.name); });
    return record;
}

void status_reporter::publish_dead_letter(const original_record& record, const codec::dead_letter_note& note,
                                          std::function<void()> acknowledged)
{
    outbound_record letter{options_.dead_letter_topic, record.key, std::nullopt, {}};
    std::copy_if(record.headers.begin(), record.headers.end(), std::back_inserter(letter.headers),
                 [](const header& each) { return !codec::gives_way_in_dead_letter(each.name); });
    for (auto& [name, value] : codec::dead_letter_headers(note))
        letter.headers.push_back({std::move(name), std::move(value)});
    auto smaller = letter;
    smaller.value = std::string{};
    smaller.headers.push_back({"wxcourier.truncated", std::to_string(record.value ? record.value->size() : 0)});
    letter.value = record.value;
    publish(std::move(letter), {std::move(acknowledged), std::make_unique<outbound_record>(std::move(smaller)),
                                &dead_letters_.with({std::string(note.reason)})});
}

void status_reporter::move(outbound_record record, std::function<void()> acknowledged, std::function<void()> refused)
{
    publish(std::move(record), {std::move(acknowledged), nullptr, nullptr, std::move(refused)});
}

void status_reporter::publish(outbound_record record, pending_record pending)
{
    const auto ticket = enter(std::move(pending));
    publisher_.publish(std::move(record), ticket);
}

std::uint64_t status_reporter::enter(pending_record pending)
{
    const auto ticket = next_ticket_++;
    if (spare_.empty()) {
        pending_.emplace(ticket, std::move(pending));
    } else {
        auto node = std::move(spare_.back());
        spare_.pop_back();
        node.key() = ticket;
        node.mapped() = std::move(pending);
        pending_.insert(std::move(node));
    }
    pending_gauge_.set(static_cast<double>(pending_.size()));
    return ticket;
}

void status_reporter::on_published(std::uint64_t ticket, publish_result result)
{
    auto node = pending_.extract(ticket);
    if (node.empty())
        return;
    auto done = std::exchange(node.mapped(), {});
    if (spare_.size() < most_spare)
        spare_.push_back(std::move(node));
    pending_gauge_.set(static_cast<double>(pending_.size()));
    if (result == publish_result::too_large && done.without_value) {
        auto smaller = std::move(*done.without_value);
        done.without_value.reset();
        publish(std::move(smaller), std::move(done));
        return;
    }
    if (result == publish_result::too_large && done.refused) {
        done.refused();
        return;
    }
    if (result == publish_result::too_large)
        log::error("reporter", "the broker refuses a record for its size; raise max.message.bytes of the topic", {});
    else if (done.counted != nullptr)
        done.counted->add();
    done.acknowledged();
}

} // namespace wxcourier::engine
