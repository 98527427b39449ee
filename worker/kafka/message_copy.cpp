// SPDX-License-Identifier: Apache-2.0
#include "kafka/message_copy.hpp"

namespace wxcourier::kafka {
namespace {

std::optional<std::string> copy_bytes(const void* data, std::size_t size)
{
    if (data == nullptr) {
        return std::nullopt;
    }
    return std::string(static_cast<const char*>(data), size);
}

} // namespace

std::optional<std::string> copy_key(const rd_kafka_message_t& message)
{
    return copy_bytes(message.key, message.key_len);
}

std::optional<std::string> copy_value(const rd_kafka_message_t& message)
{
    return copy_bytes(message.payload, message.len);
}

std::vector<engine::header> copy_headers(const rd_kafka_message_t& message)
{
    std::vector<engine::header> copied;
    rd_kafka_headers_t* headers = nullptr; // Parsed on demand; stays the message's.
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return copied;
    }
    const std::size_t count = rd_kafka_header_cnt(headers);
    copied.reserve(count);
    for (std::size_t index = 0; index < count; ++index) {
        const char* name = nullptr;
        const void* value = nullptr;
        std::size_t size = 0;
        if (rd_kafka_header_get_all(headers, index, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR) {
            copied.push_back({name, copy_bytes(value, size)});
        }
    }
    return copied;
}

wall_time copy_timestamp(const rd_kafka_message_t& message)
{
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const std::int64_t timestamp = rd_kafka_message_timestamp(&message, &type);
    return wall_time(milliseconds(type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? 0 : timestamp));
}

} // namespace wxcourier::kafka
