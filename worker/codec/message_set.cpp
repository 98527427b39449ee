// SPDX-License-Identifier: Apache-2.0
#include "codec/merged_value.hpp"
#include "codec/message_contents.hpp"

#include <utility>

namespace wxcourier::codec {

message_set::message_set() = default;
message_set::message_set(message_set&&) noexcept = default;
message_set& message_set::operator=(message_set&&) noexcept = default;
message_set::~message_set() = default;
message_set::message_set(std::unique_ptr<contents> from) noexcept : contents_(std::move(from)) {}

std::size_t message_set::size() const noexcept
{
    if (!contents_)
        return 0;
    return fanned_out() ? contents_->recipients.size() : 1;
}

bool message_set::fanned_out() const noexcept
{
    return contents_ && !contents_->recipients.empty();
}

std::string_view message_set::touser(std::size_t index) const
{
    return fanned_out() ? openid_of(contents_->recipients.at(index)) : contents_->touser;
}

std::string message_set::body(std::size_t index) const
{
    if (!fanned_out())
        return contents_->body;
    const auto& job = *contents_;
    std::string body;
    append_body(body, job.message, job.recipients.at(index), {job.app, job.id, job.takes_client_msg_id});
    return body;
}

std::string_view message_set::only_body() const noexcept
{
    return contents_ ? std::string_view{contents_->body} : std::string_view{};
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
    if (!contents_)
        return {};
    if (!fanned_out()) {
        json_document document;
        if (document.parse(contents_->body, 2 * longest_job) || !document.root())
            return {};
        return look(document.root());
    }
    const auto recipient = contents_->recipients.at(index);
    return recipient.is(json_type::object) ? look(merged_value{contents_->message, recipient})
                                           : look(merged_value{contents_->message});
}

std::size_t message_set::footprint() const noexcept
{
    if (!contents_)
        return 0;
    const auto& job = *contents_;
    return sizeof job + job.touser.capacity() + job.body.capacity() + job.document.footprint() +
           job.recipients.capacity() * sizeof(json_value) + job.app.capacity() + job.id.capacity();
}

} // namespace wxcourier::codec
