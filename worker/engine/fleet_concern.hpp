// SPDX-License-Identifier: Apache-2.0
/// @file
/// One of the things that the replicas agree on over the fleet topic: tokens, rates, quotas, operators' actions.
#pragma once

#include "domain/fleet_record.hpp"
#include "engine/ports.hpp"

#include <cstdint>

namespace wxcourier::engine {

/// Joined to the fleet with `fleet::join`, before its log is read. Is told everything in the log's order and takes what
/// it knows; a record it does not know is another concern's. All calls come on the loop; none may throw.
class fleet_concern {
public:
    virtual ~fleet_concern() = default;
    /// A record of the fleet topic. Who leads is settled before: `fleet_voice` answers as of this place of the log.
    virtual void on_fleet_record(const domain::fleet_record& record) = 0;
    /// Whether it needs what stands in front of where following began; see fleet_log_listener::wants_older.
    [[nodiscard]] virtual bool wants_older() const { return false; }
    /// A record of the fleet topic from its beginning on, also those that were told already. `offset`: where it stands.
    virtual void on_older_record(const domain::fleet_record& /*record*/, std::int64_t /*offset*/) {}
    /// A record of another topic that the follower reads; its term counts if it may be believed.
    virtual void on_other_record(const log_record& /*record*/) {}
    /// All that stood in the topics when following began has been told. Once.
    virtual void on_caught_up() {}
    /// This replica leads now, or no longer.
    virtual void on_lead_changed() {}
    /// What was said with this ticket (fleet_voice::say) stands in the topic; it may have been read back before.
    virtual void on_acknowledged(std::uint64_t /*ticket*/) {}
    /// The worker ends: last words may be said now, they still reach the topic.
    virtual void on_stopping() {}
};

} // namespace wxcourier::engine
