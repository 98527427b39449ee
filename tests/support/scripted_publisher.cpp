// SPDX-License-Identifier: Apache-2.0
#include "tests/support/scripted_publisher.hpp"

#include "codec/status_codec.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace wxcourier::test {

void scripted_publisher::publish(engine::outbound_record record, std::uint64_t ticket)
{
    if (severed_)
        return;
    waiting.push_back({std::move(record), ticket});
    if (!hold)
        acknowledge_one();
}

void scripted_publisher::acknowledge_one()
{
    auto next = std::move(waiting.front());
    waiting.pop_front();
    auto result = engine::publish_result::acknowledged;
    if (next.record.value && next.record.value->size() > largest_value)
        result = engine::publish_result::too_large;
    else {
        on_stored(next.record);
        stored.push_back(std::move(next.record));
    }
    asio::post(loop_, [this, ticket = next.ticket, result] {
        if (!severed_)
            listener_->on_published(ticket, result);
    });
}

void scripted_publisher::acknowledge_all()
{
    while (!waiting.empty())
        acknowledge_one();
}

std::vector<engine::outbound_record> scripted_publisher::on(std::string_view topic) const
{
    std::vector<engine::outbound_record> found;
    std::copy_if(stored.begin(), stored.end(), std::back_inserter(found),
                 [topic](const auto& each) { return each.topic == topic; });
    return found;
}

std::vector<domain::status_record> scripted_publisher::statuses() const
{
    std::vector<domain::status_record> read;
    for (const auto& each : stored) {
        if (each.topic != status_topic)
            continue;
        auto status = codec::decode_status(each.value.value_or(""));
        if (!status)
            throw std::runtime_error("no status: " + each.value.value_or("(none)"));
        read.push_back(std::move(*status));
    }
    return read;
}

std::vector<domain::status_record> scripted_publisher::statuses(domain::job_state state) const
{
    auto all = statuses();
    std::erase_if(all, [state](const auto& each) { return each.state != state; });
    return all;
}

} // namespace wxcourier::test
