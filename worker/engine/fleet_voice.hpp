// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the parts that the replicas agree on (tokens, rates, quotas) ask of the agreement itself.
#pragma once

#include "domain/fleet_record.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace wxcourier::engine {

/// This replica's place in the group, and how it speaks to the others. Its answers are those of the log as far as it
/// has been read: whoever acts as the leader first reads back a record of its own (docs/adr/0008).
class fleet_voice {
public:
    virtual ~fleet_voice() = default;
    [[nodiscard]] virtual bool leads() const = 0;
    /// The newest term read; one's own while leading.
    [[nodiscard]] virtual std::uint64_t term() const = 0;
    /// A record of another topic tells of this term: the next leader's must be above it.
    virtual void on_term(std::uint64_t term) = 0;
    /// Whether a leader's record with that term, read now, was written by the one who led at this place of the log.
    /// False is counted and logged.
    [[nodiscard]] virtual bool accepts(std::uint64_t term, const std::string& app) = 0;
    /// The leader's instance id; empty: none is known.
    [[nodiscard]] virtual const std::string& leader() const = 0;
    /// Names this run of this process; never used twice.
    [[nodiscard]] virtual const std::string& member() const = 0;
    /// Whether the log has been read to the end it had at the start: what comes now comes as it is written.
    [[nodiscard]] virtual bool caught_up() const = 0;
    /// Where the record of the fleet topic that is told of, or was last, stands there; -1: none was.
    [[nodiscard]] virtual std::int64_t position() const = 0;
    /// Appends to the fleet topic. It is read back, by all, once it stands there; `fleet_concern::on_acknowledged`
    /// gets the ticket. While Kafka is away records wait in the producer: have one at a time under way.
    virtual std::uint64_t say(const domain::fleet_record& record) = 0;
    /// Takes a key's last word away, so that compaction forgets it: of a member that has gone.
    virtual void forget(const std::string& key) = 0;
    /// Appends an app's sealed token to the token topic.
    virtual void write_token(const std::string& app, std::string value) = 0;
    /// A record of a shared topic is not used: counted, and logged now and then.
    virtual void ignore(std::string_view topic, std::string_view app, std::string_view reason) = 0;
};

} // namespace wxcourier::engine
