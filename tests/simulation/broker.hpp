// SPDX-License-Identifier: Apache-2.0
/// @file
/// Kafka, as far as couriers see it: the jobs topic, the group, its commits, the status and dead-letter topics.
#pragma once

#include "engine/ports.hpp"
#include "tests/simulation/chronicle.hpp"
#include "tests/simulation/facts.hpp"
#include "tests/simulation/setting.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace wxcourier::simulation {

class process;

/// Checks with every commit and every status that the contract holds.
class broker {
public:
    broker(test::manual_clock& time, chronicle& record, facts& truth, const setting& how);

    // ------------------------------------------------------------------------------------------ what processes call
    std::optional<engine::inbound_record> poll(process& by, engine::assignment_id assignment);
    std::uint64_t commit(process& by, std::vector<engine::offset_commit> offsets);
    void release(process& by, const std::vector<engine::assignment_id>& going);
    void publish(process& by, engine::outbound_record record, std::uint64_t ticket);

    // ------------------------------------------------------------------------------------------- what happens to it
    void append(std::int32_t partition, engine::inbound_record record);
    void join(process& newcomer);
    /// Has a process told of what stands in the fleet topic, and then of all that is written there.
    void follow(process& reader);
    /// A process has ended: in order, or by a crash that is noticed after a while.
    void leave(process& gone, bool in_order);
    /// Moves partitions about.
    void rebalance();
    /// The group takes a process for dead; it learns of that later.
    void expel(process& victim);
    /// Takes neither records nor commits until then.
    void go_down(steady_duration how_long) { down_until_ = time_.now() + how_long; }
    /// Keeps no metadata longer than that until then.
    void shrink_metadata(std::size_t bytes, steady_duration how_long);
    /// From now on nothing goes wrong here.
    void behave() { well_behaved_ = true; }

    // ------------------------------------------------------------------------------------------------ what is known
    [[nodiscard]] const commit_fact& committed(std::int32_t partition) const
    {
        return partitions_[at(partition)].stored;
    }
    /// All records of all partitions are committed.
    [[nodiscard]] bool all_committed() const;
    /// Somebody ended without order while it held the partition, or commits were kept without metadata.
    [[nodiscard]] bool disturbed(std::int32_t partition) const { return partitions_[at(partition)].disturbed; }
    /// An assignment as its process was told of it; null: it never was.
    struct told_assignment {
        std::int32_t partition = 0;
        commit_fact from;              ///< What stood committed when it began.
        std::int64_t position = 0;     ///< What it reads next.
        bool without_metadata = false; ///< A commit of it was kept without its metadata, or stands as if it were.
    };
    [[nodiscard]] const told_assignment* told(engine::assignment_id id) const;
    /// Whether the group still sees it so.
    [[nodiscard]] bool owns(engine::assignment_id id) const;

private:
    struct partition {
        std::vector<engine::inbound_record> records;
        commit_fact stored;
        bool has_commit = false;
        process* owner = nullptr;
        engine::assignment_id assignment = 0;
        bool moving = false; ///< Being revoked.
        bool disturbed = false;
    };

    static std::size_t at(std::int32_t partition) { return static_cast<std::size_t>(partition); }
    steady_duration delay();
    steady_duration until_up() const;
    void assign(std::int32_t number);
    void take_away(std::int32_t number);
    void revoke(const std::vector<std::int32_t>& going);
    void apply(process& by, std::uint64_t number, const std::vector<engine::offset_commit>& offsets);
    engine::commit_result store(const engine::offset_commit& commit);
    void check_commit(std::int32_t number, const commit_fact& next);
    void check_job(const job_fact& job);
    void take_record(process& by, const engine::outbound_record& record);
    void tell_of_log(process& reader, bool all_there_was);
    void take_status(const process& by, const std::string& json);

    test::manual_clock& time_;
    chronicle& record_;
    facts& truth_;
    const setting& how_;
    std::vector<partition> partitions_;
    std::vector<process*> members_;
    std::vector<engine::log_record> fleet_log_;
    std::vector<process*> followers_;
    std::map<engine::assignment_id, told_assignment> told_;
    engine::assignment_id last_assignment_ = 0;
    std::uint64_t last_commit_ = 0;
    steady_time down_until_{};
    steady_time metadata_short_until_{};
    std::size_t longest_metadata_ = 4096;
    bool well_behaved_ = false;
};

} // namespace wxcourier::simulation
