// SPDX-License-Identifier: Apache-2.0
/// @file
/// What is posted to WeChat for one message of a job.
#pragma once

#include "codec/json_document.hpp"

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace wxcourier::codec {

/// What is posted, in two pieces: `end` goes out behind `start`.
struct body_text {
    body_text() = default;
    template <std::convertible_to<std::string_view> T>
    body_text(const T& whole) : start(whole) // NOLINT(google-explicit-constructor): any text is a body
    {
    }
    body_text(std::string_view first, std::string_view second) : start(first), end(second) {}

    [[nodiscard]] std::size_t size() const noexcept { return start.size() + end.size(); }
    [[nodiscard]] std::string whole() const { return std::string(start).append(end); }

    std::string_view start;
    std::string_view end;
};

/// What a body is made of besides the job's `message`.
struct body_parts {
    std::string_view app;
    std::string_view job_id;
    bool takes_client_msg_id = false; ///< The kind does: a message without one gets ours.
};

/// The openid of a recipient: the string itself, or the object's `touser`.
std::string_view openid_of(json_value recipient) noexcept;

/// The body of a message that names its recipient itself: word for word, without `access_token`, with a `client_msg_id`
/// where the kind takes one and the job gives none. In two pieces, so that the message's own bytes, where they need no
/// change, go out from where they came to lie: no copy, and no second one in memory.
class message_body {
public:
    message_body() = default;
    /// @param raw  the message as it stood in the job, if it is at hand; must outlive this object then.
    message_body(json_value message, std::string_view raw, const body_parts& parts);

    /// Valid while this object stays where it is.
    [[nodiscard]] body_text text() const noexcept
    {
        return {raw_.empty() ? std::string_view{own_} : raw_, {end_.data(), end_length_}};
    }
    /// Bytes of memory that it holds besides its own, about.
    [[nodiscard]] std::size_t footprint() const noexcept { return own_.capacity(); }

private:
    void append_to_end(std::string_view text) noexcept;

    std::string_view raw_; ///< Without the closing brace.
    std::string own_;      ///< Where the bytes had to change.
    std::array<char, 52> end_{};
    std::uint8_t end_length_ = 0;
};

/// Appends the body for one of `recipients`: an openid is added to the message, an object is merged into it.
void append_body(std::string& out, json_value message, json_value recipient, const body_parts& parts);

} // namespace wxcourier::codec
