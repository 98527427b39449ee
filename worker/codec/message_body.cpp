// SPDX-License-Identifier: Apache-2.0
#include "codec/message_body.hpp"

#include "codec/client_msg_id.hpp"
#include "codec/merged_value.hpp"

#include <optional>
#include <utility>

namespace wxcourier::codec {
namespace {

constexpr std::string_view key_member = "client_msg_id";

/// Writes an object member by member.
class object_writer {
public:
    explicit object_writer(std::string& out) : out_(out) { out_.push_back('{'); }

    void member(std::string_view name, merged_value value)
    {
        begin(name);
        value.append_to(out_);
    }
    void member(std::string_view name, std::string_view text)
    {
        begin(name);
        append_json_string(out_, text);
    }
    void end() { out_.push_back('}'); }

private:
    void begin(std::string_view name)
    {
        if (!std::exchange(first_, false))
            out_.push_back(',');
        append_json_string(out_, name);
        out_.push_back(':');
    }

    std::string& out_;
    bool first_ = true;
};

bool gives_key(const merged_value& message)
{
    const auto given = message.find(key_member);
    return given.is(json_type::string) && !given.text().empty();
}

/// @param touser  added behind the message's members; empty: the message has it.
void append_body(std::string& out, const merged_value& message, std::string_view touser, std::string_view key)
{
    object_writer body{out};
    message.for_each_member([&body, &key](std::string_view name, merged_value value) {
        if (name == "access_token")
            return;
        if (name == key_member && !key.empty()) {
            body.member(name, std::exchange(key, {})); // In the place of a null or an empty string.
            return;
        }
        body.member(name, value);
    });
    if (!touser.empty())
        body.member("touser", touser);
    if (!key.empty())
        body.member(key_member, key);
    body.end();
}

/// Whether the body is the message's own bytes, with at most the key behind its members (it has some: a touser). What
/// holds an escape is written anew, raw UTF-8, and so is what was laid out over lines, which are not worth sending.
bool may_go_raw(json_value message, std::string_view raw, std::string_view key)
{
    return !raw.empty() && raw.find('\\') == std::string_view::npos && raw.find('\n') == std::string_view::npos &&
           !message.find("access_token") && (key.empty() || !message.find(key_member));
}

std::optional<message_key> key_for(const merged_value& message, std::string_view touser, const body_parts& parts)
{
    if (!parts.takes_client_msg_id || gives_key(message))
        return std::nullopt;
    return client_msg_id(parts.app, parts.job_id, touser);
}

std::string_view text_of(const std::optional<message_key>& key)
{
    return key ? std::string_view{key->data(), key->size()} : std::string_view{};
}

} // namespace

std::string_view openid_of(json_value recipient) noexcept
{
    return recipient.type() == json_type::object ? recipient.find("touser").text() : recipient.text();
}

message_body::message_body(json_value message, std::string_view raw, const body_parts& parts)
{
    const merged_value whole{message};
    const auto made = key_for(whole, message.find("touser").text(), parts);
    const auto key = text_of(made);
    if (!may_go_raw(message, raw, key)) {
        own_.reserve(raw.size() + end_.size());
        append_body(own_, whole, {}, key);
        return;
    }
    raw_ = raw.substr(0, raw.size() - 1);
    if (!key.empty()) {
        append_to_end(R"(,"client_msg_id":")");
        append_to_end(key);
        append_to_end("\"");
    }
    append_to_end("}");
}

void message_body::append_to_end(std::string_view text) noexcept
{
    text.copy(end_.data() + end_length_, end_.size() - end_length_);
    end_length_ = static_cast<std::uint8_t>(end_length_ + text.size());
}

void append_body(std::string& out, json_value message, json_value recipient, const body_parts& parts)
{
    const auto openid = openid_of(recipient);
    const bool is_patch = recipient.type() == json_type::object;
    const merged_value whole = is_patch ? merged_value{message, recipient} : merged_value{message};
    append_body(out, whole, is_patch ? std::string_view{} : openid, text_of(key_for(whole, openid, parts)));
}

} // namespace wxcourier::codec
