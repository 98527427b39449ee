// SPDX-License-Identifier: Apache-2.0
/// @file
/// A job from the moment its record was accepted until its offset finishes, and one message of it.
#pragma once

#include "codec/job_codec.hpp"
#include "domain/attempt_log.hpp"
#include "domain/delayed_job.hpp"
#include "domain/delivery_decision.hpp"
#include "domain/index_set.hpp"
#include "domain/keyed_slots.hpp"
#include "domain/push_job.hpp"
#include "domain/send_queue.hpp"
#include "engine/memory_budget.hpp"
#include "engine/ports.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::engine {

/// The record as it came: what a dead letter repeats byte for byte.
struct original_record {
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::vector<header> headers;
    wall_time enqueued_at{}; ///< The record's Kafka timestamp; of a job that came back, the first one's.
};

/// Shared by the job's messages; gone with the last of them.
struct job_in_progress {
    assignment_id assignment = 0;   ///< The epoch: of an ended assignment no offset is touched any more.
    std::int64_t offset = 0;        ///< Of the record it was read from, in that assignment.
    wall_time written_at{};         ///< That record's Kafka timestamp.
    domain::source_position source; ///< Where it was first read.
    original_record record;
    domain::push_job job;
    codec::message_set messages; ///< May point into the record's value.
    domain::lane lane;
    memory_budget::permit memory;
    memory_budget::permit app_memory;       ///< The same, of its app's.
    std::shared_ptr<const void> app_in_use; ///< While any job holds it, a removed app still has something to send.
    /// When it expires, and by which rule (`expired` or `too_old`).
    std::optional<wall_time> expires_at;
    std::string_view expiry_reason;

    /// `ordering: key`: names its record's key while it has that key to itself; see key_order.
    std::uint32_t key_slot = domain::keyed_slots<int>::none;

    // Waiting on delayed topics.
    /// It came from there; what it had taken along. Few jobs do, so it is not in place: what is in memory is above all
    /// jobs that did not.
    std::unique_ptr<const domain::delayed_job> came_back;
    bool may_stand_twice = false;   ///< A copy may stand on a delayed topic: it goes there, to meet it.
    bool stays = false;             ///< It cannot go there: too large, with the headers.
    std::string_view reported_wait; ///< The present wait stands on the status topic, for this reason.
    std::vector<domain::attempted_message> attempted; ///< Its messages that were attempted and are not in memory.

    // Progress over the messages.
    std::size_t next_message = 0; ///< The first that was not admitted yet.
    std::size_t admitted = 0;     ///< Under way: admitted, and their statuses not acknowledged.
    std::size_t unreported = 0;   ///< Messages whose statuses are not acknowledged.
    domain::index_set finished;   ///< What a restart does not send: statuses acknowledged; at_most_once: sent.
    domain::index_set failed;     ///< Ended `failed` …
    domain::index_set unknown;    ///< … and may have arrived all the same.
    std::map<std::string_view, std::size_t> failure_reasons;
    std::string failure_text;                         ///< WeChat's words on the latest failure …
    std::unique_ptr<domain::attempt_log> failure_log; ///< … and the attempts at that message; null: not known here …
    std::size_t failure_index = 0;                    ///< … which is this one of them.
    bool offset_finished = false;                     ///< at_most_once: before its message was sent.
    std::size_t sent_messages = 0;                    ///< Of a job without recipients: requests were made for it.

    /// The most frequent reason among the failed ones. Empty: none failed.
    [[nodiscard]] std::string_view failed_for() const noexcept
    {
        const auto most =
            std::max_element(failure_reasons.begin(), failure_reasons.end(),
                             [](const auto& left, const auto& right) { return left.second < right.second; });
        return most == failure_reasons.end() ? std::string_view{} : most->first;
    }
};

/// One message to one recipient, from its admission until its terminal status is acknowledged.
struct delivery {
    enum class stage : std::uint8_t { free, queued, sending, reporting };

    std::shared_ptr<job_in_progress> job;
    std::size_t index = 0; ///< Which of the job's messages.
    domain::recipient_key recipient = domain::no_recipient;
    stage at = stage::free;
    std::string body; ///< Of a job with recipients: made when first sent; kept for a repeat, which must be equal.
    domain::attempt_history history;
    std::optional<steady_duration> first_active; ///< The lane's own clock at the first attempt.
    steady_time ready_at{};                      ///< While queued: when its own wait ends.
    std::string_view wait_reason;                ///< While queued: what for, if the wait is its own.
    steady_time popped_at{};                     ///< While being sent: when it left the queue.
    /// While queued: an operator has its template wait; when its own wait ends.
    std::optional<steady_time> held_from;
    steady_time held_since{};
    steady_duration held_active{};               ///< The lane's own clock at that moment.
    bool repeats = false;                        ///< The next attempt draws on the retry budget.
    bool committed = false;                      ///< at_most_once: the commit that covers it is acknowledged.
    bool deferral_reported = false;              ///< The present wait stands on the status topic.
    wall_time deferred_until = wall_time::max(); ///< What was reported; `max`: nobody knows. When it has passed another
                                                 ///< wait is worth another status.
    domain::job_state ended_as{};                ///< While reporting: its terminal state …
    std::string_view end_reason;                 ///< … and why.
    std::optional<int> errcode;                  ///< WeChat's last answer …
    std::string errmsg;                          ///< … in words.
    std::unique_ptr<domain::attempt_log> log;    ///< Null until an attempt was not accepted.
    std::string msgid;
};

} // namespace wxcourier::engine
