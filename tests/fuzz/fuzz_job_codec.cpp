// SPDX-License-Identifier: Apache-2.0
// Any bytes on the jobs topic end in a job or in a rejection, and nothing but a sound body is ever posted.
#include "codec/job_codec.hpp"
#include "codec/json_document.hpp"
#include "codec/utf8.hpp"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace wxcourier;

void require(bool holds)
{
    if (!holds)
        std::abort();
}

void require_utf8(std::string_view text)
{
    while (!text.empty()) {
        const auto length = codec::utf8_sequence(text);
        require(length > 0);
        text.remove_prefix(length);
    }
}

void require_name(std::string_view name)
{
    require(!name.empty() && name.size() <= 4 * codec::longest_name);
    require_utf8(name);
}

/// A body is JSON on its own, names its recipient, and says again what it says when it is read and written once more.
void require_body(const codec::message_set& messages, std::size_t index)
{
    const auto body = messages.body(index);
    codec::json_document document;
    require(!document.parse(body, 2 * codec::longest_job));
    const auto root = document.root();
    require(root.is(codec::json_type::object));
    require(!root.find("access_token"));
    require(root.find("touser").text() == messages.touser(index));
    require_name(messages.touser(index));
    std::string again;
    codec::append_json(again, root);
    require(again == body);
}

void require_sound(const codec::decoded_job& decoded)
{
    const auto& job = decoded.job;
    const auto& messages = decoded.messages;
    require_name(job.id);
    require(job.kind != nullptr);
    require(job.labels.size() <= codec::most_labels);
    require(messages.size() >= 1 && messages.size() <= codec::most_recipients);
    require(messages.fanned_out() || messages.size() == 1);
    for (std::size_t index = 0; index < std::min<std::size_t>(messages.size(), 16); ++index) {
        require_body(messages, index);
        const auto key = job.kind->takes_client_msg_id;
        require(!key || messages.body(index).find("\"client_msg_id\":\"") != std::string::npos);
    }
}

void require_sound(const codec::rejection& rejected)
{
    require(!rejected.reason.empty() && !rejected.error.empty() && rejected.error.size() < 1024);
    require_utf8(rejected.error);
    for (const auto* const name : {&rejected.id, &rejected.app, &rejected.kind, &rejected.touser}) {
        if (*name)
            require_name(**name);
    }
    if (!rejected.labels)
        return;
    for (const auto& [name, value] : *rejected.labels) {
        require_name(name);
        require_utf8(value);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const codec::job_rules rules{
        {{"shop", domain::app_type::official_account}, {"mini", domain::app_type::mini_program}},
        {},
        std::chrono::hours{24 * 7}};
    constexpr wall_time now = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
    const std::string_view value{reinterpret_cast<const char*>(data), size};
    std::visit([](const auto& result) { require_sound(result); }, codec::decode_job(value, rules, now));
    return 0;
}
