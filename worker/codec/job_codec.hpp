// SPDX-License-Identifier: Apache-2.0
/// @file
/// Bytes of a jobs record → a job and its messages, or the reason why it is none. The worker and `enqueue` share it.
#pragma once

#include "codec/message_body.hpp"
#include "domain/push_job.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wxcourier::codec {

/// A job's value is at most this long; a longer one is rejected without being parsed.
inline constexpr std::size_t longest_job = 1'000'000;
/// Deepest nesting of a job, its own braces included.
inline constexpr std::size_t deepest_job = 64;
/// Most recipients of one job.
inline constexpr std::size_t most_recipients = 10'000;
/// Longest `id`, `app`, `kind` and openid, in characters, all of them printable.
inline constexpr std::size_t longest_name = 128;
/// Most labels of one job, and the most characters of a label's name (printable) and value.
inline constexpr std::size_t most_labels = 16;
inline constexpr std::size_t longest_label_name = 64;
inline constexpr std::size_t longest_label_value = 256;

/// The messages of one accepted job. Bodies are made when they are asked for, so that a job with 10,000 recipients
/// costs the memory of its document and not of 10,000 bodies. Of a job with one message it points into the value that
/// was decoded, which must outlive it.
class message_set {
public:
    message_set();
    message_set(message_set&&) noexcept;
    message_set& operator=(message_set&&) noexcept;
    ~message_set();

    [[nodiscard]] std::size_t size() const noexcept;
    /// The job had `recipients`, be it one.
    [[nodiscard]] bool fanned_out() const noexcept { return fan_out_ != nullptr; }
    /// The openid of message `index`. Valid while this object lives.
    [[nodiscard]] std::string_view touser(std::size_t index) const;
    /// What is posted for message `index`: the job's `message` word for word (raw UTF-8, numbers as they were, members
    /// in their order), merged with the recipient's object by RFC 7396, without `access_token`, with `client_msg_id`
    /// where the kind takes one and the job gives none.
    [[nodiscard]] std::string body(std::size_t index) const;
    /// The same for a job with one message: made already, valid while this object lives. Empty for other jobs.
    [[nodiscard]] body_text only_body() const noexcept;
    /// The template that message `index` names; empty: none. Parses the body of a job with one message: for the rare
    /// moments when somebody asks.
    [[nodiscard]] std::string template_id(std::size_t index) const;
    /// Bytes of memory it holds, about.
    [[nodiscard]] std::size_t footprint() const noexcept;

    struct fan_out;
    explicit message_set(std::unique_ptr<fan_out> from) noexcept;
    /// One message. Where the openid stands in the value, `touser` does; elsewhere `own_touser` is it.
    message_set(message_body body, std::string_view touser, std::string own_touser) noexcept;

private:
    // In place and not behind a pointer: nearly all jobs have one message.
    message_body body_;
    std::string_view touser_;
    std::string own_touser_;
    std::unique_ptr<fan_out> fan_out_;
};

struct decoded_job {
    domain::push_job job;
    message_set messages;
};

/// Why a record is no job, and as much of it as could be read, for its status.
struct rejection {
    std::string_view
        reason;        ///< The status topic's word: `invalid_job`, `unknown_app`, `unknown_kind`, `forbidden_app`.
    std::string error; ///< For people; names the JSON pointer of the offence. Never holds a value of the job's
                       ///< that could be a secret.
    std::optional<std::string> id;
    std::optional<std::string> app;
    std::optional<std::string> kind;
    std::optional<domain::label_list> labels;
    std::optional<std::string> touser; ///< Empty for a job with `recipients`.
};

/// An app as the decoder needs to know it.
struct known_app {
    std::string name;
    domain::app_type type = domain::app_type::official_account;
};

/// What a job is held against.
struct job_rules {
    std::vector<known_app> apps;
    std::vector<std::string> allowed_apps; ///< Of the topic the job came over; empty: all.
    milliseconds max_delay{};              ///< The furthest `not_before` may lie ahead.
};

/// Decodes one record's value. Never throws for what the bytes are: any input ends in a job or a rejection.
/// @param value  empty: a record without a value (rejected). Must outlive the job's messages.
/// @param now    what `not_before` is compared with.
std::variant<decoded_job, rejection> decode_job(std::optional<std::string_view> value, const job_rules& rules,
                                                wall_time now);

} // namespace wxcourier::codec
