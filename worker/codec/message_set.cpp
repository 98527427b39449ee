// SPDX-License-Identifier: Apache-2.0
#include "codec/merged_value.hpp"
#include "codec/message_contents.hpp"

#include <utility>

namespace wxcourier::codec {

message_set::message_set() = default;
message_set::message_set(message_set&&) noexcept = default;
message_set& message_set::operator=(message_set&&) noexcept = default;
message_set::~message_set() = default;
message_set::message_set(std::unique_ptr<fan_out> from) noexcept : fan_out_(std::move(from)) {}
message_set::message_set(message_body body, std::string_view touser, std::string own_touser) noexcept
    : body_(std::move(body)), touser_(touser), own_touser_(std::move(own_touser))
{
}

std::size_t message_set::size() const noexcept
{
    if (fan_out_)
        return fan_out_->recipients.size();
    return body_.text().start.empty() ? 0 : 1;
}

std::string_view message_set::touser(std::size_t index) const
{
    if (fan_out_)
        return openid_of(fan_out_->recipients.at(index));
    return touser_.empty() ? std::string_view{own_touser_} : touser_;
}

std::string message_set::body(std::size_t index) const
{
    if (!fan_out_)
        return body_.text().whole();
    const auto& job = *fan_out_;
    std::string body;
    append_body(body, job.message, job.recipients.at(index), {job.app, job.id, job.takes_client_msg_id});
    return body;
}

body_text message_set::only_body() const noexcept
{
    return body_.text();
}

std::string message_set::template_id(std::size_t index) const
{
    constexpr std::string_view name = "template_id";
    // The retired uniform messages have it one level down.
    const auto look = [&](const auto& message) -> std::string {
        if (const auto found = message.find(name); found.is(json_type::string))
            return std::string(found.text());
        for (const std::string_view part : {"weapp_template_msg", "mp_template_msg"}) {
            const auto below = message.find(part);
            if (!below.is(json_type::object))
                continue;
            if (const auto found = below.find(name); found.is(json_type::string))
                return std::string(found.text());
        }
        return {};
    };
    if (!fan_out_) {
        json_document document;
        if (document.parse(body(index), 2 * longest_job) || !document.root())
            return {};
        return look(document.root());
    }
    const auto recipient = fan_out_->recipients.at(index);
    return recipient.is(json_type::object) ? look(merged_value{fan_out_->message, recipient})
                                           : look(merged_value{fan_out_->message});
}

std::size_t message_set::footprint() const noexcept
{
    if (!fan_out_)
        return body_.footprint() + own_touser_.capacity();
    const auto& job = *fan_out_;
    return sizeof job + job.document.footprint() + job.recipients.capacity() * sizeof(json_value) + job.app.capacity() +
           job.id.capacity();
}

} // namespace wxcourier::codec
