// SPDX-License-Identifier: Apache-2.0
#include "kafka/client_log.hpp"

#include <array>

namespace wxcourier::kafka {
namespace {

/// librdkafka's levels are syslog's. Most of what it reports at `error` is a connection it will open again by itself,
/// so nobody has to act at once: one step down.
log::level from_syslog(int severity, std::string_view facility)
{
    // "Property X is a consumer property and will be ignored by this producer": the properties are shared on purpose.
    // "allow.auto.create.topics=false not supported by broker": no broker of the last ten years, but the mock cluster.
    if (facility == "CONFWARN" || facility == "AUTOCREATE" || severity >= 7) {
        return log::level::debug;
    }
    if (severity >= 5) {
        return log::level::info;
    }
    return severity >= 3 ? log::level::warn : log::level::error;
}

} // namespace

void client_log::write_log(rd_kafka_event_t* event)
{
    const char* facility = "";
    const char* text = "";
    int severity = 6;
    if (rd_kafka_event_log(event, &facility, &text, &severity) != 0) {
        return;
    }
    write(from_syslog(severity, facility), facility, text, facility);
}

void client_log::write_error(rd_kafka_resp_err_t error, std::string_view text)
{
    // A connection that fails is in librdkafka's own log as well.
    const bool logged = error == RD_KAFKA_RESP_ERR__TRANSPORT || error == RD_KAFKA_RESP_ERR__RESOLVE;
    write(logged ? log::level::debug : log::level::warn, rd_kafka_err2name(error), text, rd_kafka_err2name(error));
}

void client_log::write(log::level at, std::string_view kind, std::string_view message, std::string_view detail)
{
    if (!log::enabled(at)) {
        return;
    }
    // Debug lines were asked for, all of them.
    const auto admitted =
        at <= log::level::debug ? log_throttle::decision{true, 0} : throttle_.admit(kind, steady_clock::now());
    if (!admitted.pass) {
        return;
    }
    if (admitted.kept_back > 0) {
        log::write(at, "kafka", message, {{"client", role_}, {"kind", detail}, {"kept_back", admitted.kept_back}});
    } else {
        log::write(at, "kafka", message, {{"client", role_}, {"kind", detail}});
    }
}

} // namespace wxcourier::kafka
