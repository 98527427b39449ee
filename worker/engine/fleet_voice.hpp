// SPDX-License-Identifier: Apache-2.0
/// @file
/// What the parts that the replicas agree on (tokens now) ask of the agreement itself.
#pragma once

#include "domain/fleet_record.hpp"

#include <cstdint>
#include <string>

namespace wxcourier::engine {

/// This replica's place in the group, and how it speaks to the others. Its answers are those of the log as far as it
/// has been read: whoever acts as the leader first reads back a record of its own (docs/adr/0008).
class fleet_voice {
public:
    virtual ~fleet_voice() = default;
    [[nodiscard]] virtual bool leads() const = 0;
    /// The newest term read; one's own while leading.
    [[nodiscard]] virtual std::uint64_t term() const = 0;
    /// The leader's instance id; empty: none is known.
    [[nodiscard]] virtual const std::string& leader() const = 0;
    /// Appends to the fleet topic. It is read back, by all, once it stands there.
    virtual void say(const domain::fleet_record& record) = 0;
    /// Appends an app's sealed token to the token topic.
    virtual void write_token(const std::string& app, std::string value) = 0;
    /// A record of the token topic is not used.
    virtual void on_ignored_token(const std::string& app, std::string_view reason) = 0;
};

} // namespace wxcourier::engine
