// SPDX-License-Identifier: Apache-2.0
/// @file
/// An owner for every C handle of librdkafka, so that no path leaks one: a message that is never destroyed keeps
/// rd_kafka_destroy() waiting for ever.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>

namespace wxcourier::kafka {

/// Calls the C function that frees a handle.
template <auto destroy>
struct handle_deleter {
    template <class handle>
    void operator()(handle* owned) const noexcept
    {
        destroy(owned);
    }
};

using conf_handle = std::unique_ptr<rd_kafka_conf_t, handle_deleter<rd_kafka_conf_destroy>>;
using queue_handle = std::unique_ptr<rd_kafka_queue_t, handle_deleter<rd_kafka_queue_destroy>>;
using event_handle = std::unique_ptr<rd_kafka_event_t, handle_deleter<rd_kafka_event_destroy>>;
using error_handle = std::unique_ptr<rd_kafka_error_t, handle_deleter<rd_kafka_error_destroy>>;
using topic_handle = std::unique_ptr<rd_kafka_topic_t, handle_deleter<rd_kafka_topic_destroy>>;
using headers_handle = std::unique_ptr<rd_kafka_headers_t, handle_deleter<rd_kafka_headers_destroy>>;
using metadata_handle = std::unique_ptr<const struct rd_kafka_metadata, handle_deleter<rd_kafka_metadata_destroy>>;
using new_topic_handle = std::unique_ptr<rd_kafka_NewTopic_t, handle_deleter<rd_kafka_NewTopic_destroy>>;
using admin_options_handle = std::unique_ptr<rd_kafka_AdminOptions_t, handle_deleter<rd_kafka_AdminOptions_destroy>>;
using partition_list_handle =
    std::unique_ptr<rd_kafka_topic_partition_list_t, handle_deleter<rd_kafka_topic_partition_list_destroy>>;

/// A client. Shared with the background calls that use it: the last owner destroys it, which can take long, so the
/// loop gives its share away with `destroy_in_background` (background_call.hpp). Queues and topics must go first.
using client_handle = std::shared_ptr<rd_kafka_t>;

} // namespace wxcourier::kafka
