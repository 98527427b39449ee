// SPDX-License-Identifier: Apache-2.0
/// @file
/// The jobs topics and the delayed topics as a member of the consumer group: assignments, records, commits. The one
/// real implementation of engine::job_source.
#pragma once

#include "engine/ports.hpp"
#include "kafka/background_call.hpp"
#include "kafka/client_log.hpp"
#include "kafka/client_settings.hpp"
#include "kafka/event_queue.hpp"
#include "kafka/handles.hpp"
#include "kafka/offset_commits.hpp"
#include "kafka/partition_positions.hpp"
#include "kafka/wake_signal.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace wxcourier::kafka {

/// What the consumer has done so far; counts unless a line says otherwise.
struct consumer_stats {
    std::uint64_t records = 0;
    std::uint64_t rebalances_assigned = 0; ///< By kind: partitions came,
    std::uint64_t rebalances_revoked = 0;  ///< were asked back,
    std::uint64_t rebalances_lost = 0;     ///< or had gone already.
    std::uint64_t commits_committed = 0;   ///< Partitions of commits, by result.
    std::uint64_t commits_rejected = 0;
    std::uint64_t commits_metadata_too_large = 0;
    std::uint64_t commits_failed = 0;
    std::uint64_t positions_fallen_off = 0; ///< Positions that were below the log's start.
    std::uint64_t records_fallen_off = 0;   ///< Records that were gone before they were read.
    std::uint64_t errors = 0;               ///< Reported by librdkafka, which gets over them by itself.
    std::uint64_t assigned_partitions = 0;  ///< Now.
    std::uint64_t stopped_partitions = 0;   ///< Now: those whose commit lies beyond the log's end.
    std::uint64_t fetched_records = 0;      ///< Now: waiting in the queues to be polled.
};

/// See engine::job_source. Each partition has its own queue inside librdkafka, with bounds of its own, so backpressure
/// is simply not to poll: rd_kafka_pause_partitions would throw away what was fetched and fetch it again. The epoch of
/// a partition is its assignment id; nothing carries over from one assignment to the next.
///
/// Every rebalance event is answered at once. Partitions that come are taken in two steps: first none of them, then,
/// when a background call has read the group's commits and what the partitions hold, all at explicit offsets. So
/// the group is never kept waiting by an unreachable coordinator, and librdkafka never chooses an offset by itself.
class job_consumer final : public engine::job_source {
public:
    /// Opens the client. Throws configuration_error.
    job_consumer(asio::any_io_executor loop, consumer_settings settings);
    job_consumer(const job_consumer&) = delete;
    job_consumer& operator=(const job_consumer&) = delete;
    /// Never blocks; a consumer that was not closed leaves its group by the session timeout.
    ~job_consumer() override;

    /// Joins the group. `listener` outlives the consumer or its close.
    void start(engine::job_source_listener& listener);

    std::optional<engine::inbound_record> poll(engine::assignment_id assignment) override;
    std::uint64_t commit(const std::vector<engine::offset_commit>& offsets) override;
    void release(const std::vector<engine::assignment_id>& going) override;

    /// Leaves the group and destroys the client; to be called when the engine has drained and committed. All
    /// assignments end at once and nothing is handed out any more; commits under way are still answered. False: not
    /// done by the deadline, and left to threads of its own.
    asio::awaitable<bool> close(steady_time deadline);

    /// Whether it has been a member of the group since the start, with or without partitions.
    [[nodiscard]] bool joined() const noexcept { return joined_; }
    /// The partitions that are not read because their commit lies beyond the log's end: `topic/partition`.
    [[nodiscard]] std::vector<std::string> stopped_partitions() const;
    [[nodiscard]] consumer_stats stats() const;
    /// How many records lie between the last one handed out and the log's end as the last fetch saw it. Without the
    /// partitions of which that is not known yet. Asks nobody: does not block.
    [[nodiscard]] std::map<topic_partition, std::int64_t> lag() const;
    /// When the client's events were served last, for a watchdog.
    [[nodiscard]] steady_time last_served() const noexcept { return last_served_; }

private:
    /// One partition in one assignment.
    struct open_partition {
        topic_partition where;
        queue_handle queue;
        std::int64_t position = RD_KAFKA_OFFSET_BEGINNING; ///< Next to be handed out, or a logical start.
        bool tell_age = false; ///< Its first record's age goes to the log: the group had no commit here.
        bool going = false;    ///< Asked back by the group, not released yet.
        bool stopped = false;  ///< Not read: its position lies beyond the log's end.
    };
    /// Partitions that came and whose positions are being looked up.
    struct pending_assign {
        std::set<topic_partition> wanted; ///< What has not been revoked meanwhile.
        std::vector<partition_position> found;
    };
    /// Partitions the group wants back and the engine still drains.
    struct revocation {
        bool incremental = false;
        std::set<engine::assignment_id> awaited;
        std::set<engine::assignment_id> going;
    };

    void on_event(event_handle event);
    void on_served();
    void on_error(rd_kafka_event_t* event);
    void on_rebalance(rd_kafka_event_t* event);
    void on_assign(std::vector<topic_partition> partitions);
    void on_positions(const std::shared_ptr<pending_assign>& pending);
    void on_revoke(const std::vector<topic_partition>& partitions);
    void on_partition_error(engine::assignment_id id, rd_kafka_event_t* event);
    void on_watermarks(engine::assignment_id id, std::optional<watermarks> held);

    [[nodiscard]] bool choose_start(const partition_position& found, open_partition& opened);
    [[nodiscard]] bool is_read_from_start(const std::string& topic) const;
    void report_backlog(const std::vector<partition_position>& found) const;
    void tell_age(open_partition& opened, const engine::inbound_record& record);
    void look_up_after_reset(engine::assignment_id id);
    void reposition(engine::assignment_id id, std::int64_t position);
    void stop_partition(engine::assignment_id id, const watermarks& held);
    void assign_all();
    void assign_more(const std::set<engine::assignment_id>& ids);
    void take_from_client(const std::set<engine::assignment_id>& ids);
    void end_assignments(const std::set<engine::assignment_id>& ids);
    void finish_revocation();
    [[nodiscard]] bool leave_group();
    void fail(const std::string& why);
    void complete_commit(std::uint64_t number, const std::vector<engine::commit_result>& results);
    void report(rd_kafka_error_t* failed, const char* doing);
    [[nodiscard]] partition_list_handle make_list(const std::set<engine::assignment_id>& ids) const;
    [[nodiscard]] std::set<engine::assignment_id> open_ids() const;

    asio::any_io_executor loop_;
    consumer_settings settings_;
    engine::job_source_listener* listener_ = nullptr;
    client_handle client_;
    client_log log_{"consumer"};
    std::map<engine::assignment_id, open_partition> open_;
    std::vector<std::shared_ptr<pending_assign>> pending_assigns_;
    std::optional<revocation> revocation_;
    offset_commits commits_{log_, [this](std::uint64_t number, const std::vector<engine::commit_result>& results) {
                                complete_commit(number, results);
                            }};
    background_calls background_;
    std::set<std::string> age_told_;
    wake_signal changed_;
    consumer_stats stats_;
    steady_time last_served_;
    engine::assignment_id last_assignment_ = 0;
    std::uint64_t last_commit_ = 0;
    bool incremental_ = false; ///< The group rebalances cooperatively.
    bool joined_ = false;
    bool failed_ = false;
    bool closing_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); ///< Fences what was posted to the loop.
    std::unique_ptr<event_queue> events_;                        ///< Goes before the client and the queues it watches.
};

} // namespace wxcourier::kafka
