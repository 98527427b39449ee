// SPDX-License-Identifier: Apache-2.0
#include "kafka/job_consumer.hpp"

#include "common/log.hpp"
#include "kafka/client_config.hpp"
#include "kafka/message_copy.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace wxcourier::kafka {
namespace {

using engine::assignment_id;
using engine::commit_result;

constexpr auto consumer_events = RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT | RD_KAFKA_EVENT_ERROR |
                                 RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_FETCH;
/// cooperative-sticky loses assignments before this version (librdkafka #4059).
constexpr int first_safe_cooperative = 0x020a0000;

/// Whether the group's members assign the partitions themselves; in the protocol of KIP-848 the broker does, and its
/// settings hold.
bool is_classic(const consumer_settings& settings)
{
    const auto protocol = settings.client.properties.find("group.protocol");
    return protocol == settings.client.properties.end() || protocol->second.reveal() != "consumer";
}

conf_handle consumer_conf(const consumer_settings& settings)
{
    const bool classic = is_classic(settings);
    const char* strategy = rd_kafka_version() >= first_safe_cooperative ? "cooperative-sticky" : "range,roundrobin";
    return make_conf(settings.client,
                     {
                         {"partition.assignment.strategy", classic ? strategy : ""},
                         // A killed replica's partitions wait so long for their next owner: librdkafka's 45 s are many.
                         // But a session that ends while the cluster finds the group another coordinator (about 10 s
                         // when that one froze) costs much more, hence a little longer than that.
                         {"session.timeout.ms", classic ? "12000" : ""},
                         {"heartbeat.interval.ms", classic ? "1000" : ""},
                         // Bounds of what is fetched ahead, for each partition: with 12 partitions 6 MiB at most, and
                         // still enough for a poll every few milliseconds (6,000 jobs are 0.1 s of work). A larger
                         // record always gets through: these are soft limits, to the broker and to librdkafka.
                         {"queued.min.messages", "500"},
                         {"queued.max.messages.kbytes", "512"},
                         {"fetch.message.max.bytes", "262144"},
                         {"fetch.max.bytes", "1048576"},
                         {"fetch.error.backoff.ms", "100"},
                         // For so long a broker holds a request that finds nothing. While enough of the backlog has
                         // been fetched, only the delayed topics are asked for; where those are empty, nothing else can
                         // be fetched until they are answered: with 100 ms a topic of one partition gave 14,000 jobs/s
                         // instead of 41,000. Each request is 70 µs of an idle worker's CPU.
                         {"fetch.wait.max.ms", "30"},
                         {"check.crcs", "true"},
                     },
                     {
                         {"group.id", settings.group_id},
                         // Commits are the engine's alone: explicit, with metadata, after the statuses.
                         {"enable.auto.commit", "false"},
                         {"enable.auto.offset.store", "false"},
                         {"enable.partition.eof", "false"},
                         {"allow.auto.create.topics", "false"},
                         {"isolation.level", "read_committed"},
                         // An offset out of range is an event to be looked into, never a silent jump.
                         {"auto.offset.reset", "error"},
                     },
                     consumer_events);
}

std::vector<topic_partition> partitions_of(rd_kafka_event_t* event)
{
    std::vector<topic_partition> partitions;
    if (const auto* list = rd_kafka_event_topic_partition_list(event)) {
        for (int index = 0; index < list->cnt; ++index) {
            partitions.push_back({list->elems[index].topic, list->elems[index].partition});
        }
    }
    return partitions;
}

} // namespace

job_consumer::job_consumer(asio::any_io_executor loop, consumer_settings settings)
    : loop_(std::move(loop)), settings_(std::move(settings)),
      client_(open_client(RD_KAFKA_CONSUMER, consumer_conf(settings_))), background_(loop_), changed_(loop_),
      last_served_(steady_clock::now())
{
    // One queue for everything but records: the main queue's events and the log come to the consumer's.
    rd_kafka_poll_set_consumer(client_.get());
    queue_handle queue(rd_kafka_queue_get_consumer(client_.get()));
    rd_kafka_set_log_queue(client_.get(), queue.get());
    events_ = std::make_unique<event_queue>(
        loop_, std::move(queue), [this](event_handle event) { on_event(std::move(event)); }, [this] { on_served(); });
}

job_consumer::~job_consumer()
{
    for (auto& [id, partition] : open_) {
        event_queue::unwatch(partition.queue.get());
    }
    open_.clear();
    events_.reset();
    if (client_ != nullptr) {
        // The thread goes on alone: a destructor does not wait for brokers.
        background_.destroy(std::move(client_));
    }
}

void job_consumer::start(engine::job_source_listener& listener)
{
    listener_ = &listener;
    partition_list_handle topics(rd_kafka_topic_partition_list_new(static_cast<int>(settings_.topics.size())));
    for (const std::string& topic : settings_.topics) {
        rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    }
    const auto error = rd_kafka_subscribe(client_.get(), topics.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        throw configuration_error("cannot subscribe to the jobs topics: " + describe(error));
    }
}

// ----------------------------------------------------------------------------------------------------------------
// Records

std::optional<engine::inbound_record> job_consumer::poll(assignment_id assignment)
{
    const auto found = open_.find(assignment);
    if (found == open_.end() || found->second.going || found->second.stopped) {
        return std::nullopt;
    }
    open_partition& partition = found->second;
    // The length first: polling an empty queue costs a timed wait, if one of no time.
    while (rd_kafka_queue_length(partition.queue.get()) > 0) {
        const event_handle event(rd_kafka_queue_poll(partition.queue.get(), 0));
        if (event == nullptr) {
            break;
        }
        if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_FETCH) {
            on_partition_error(assignment, event.get());
            continue;
        }
        const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get());
        if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            on_partition_error(assignment, event.get());
            continue;
        }
        engine::inbound_record record{assignment,         message->offset,      copy_timestamp(*message),
                                      copy_key(*message), copy_value(*message), copy_headers(*message)};
        partition.position = message->offset + 1;
        ++stats_.records;
        if (partition.tell_age) {
            tell_age(partition, record);
        }
        return record;
    }
    return std::nullopt;
}

void job_consumer::tell_age(open_partition& opened, const engine::inbound_record& record)
{
    opened.tell_age = false;
    if (!age_told_.insert(opened.where.topic).second) {
        return;
    }
    const auto age = std::chrono::duration_cast<seconds>(std::chrono::system_clock::now() - record.timestamp);
    log::info("kafka", "first record of a topic the group had no commit in",
              {{"topic", opened.where.topic}, {"age_s", static_cast<std::int64_t>(age.count())}});
}

void job_consumer::on_partition_error(assignment_id id, rd_kafka_event_t* event)
{
    const open_partition& partition = open_.at(id);
    const auto error = rd_kafka_event_error(event);
    if (error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
        look_up_after_reset(id);
        return;
    }
    ++stats_.errors;
    log_.write_error(error, partition.where.topic + "/" + std::to_string(partition.where.partition) + ": " +
                                rd_kafka_event_error_string(event));
}

// ----------------------------------------------------------------------------------------------------------------
// Events

void job_consumer::on_event(event_handle event)
{
    switch (rd_kafka_event_type(event.get())) {
    case RD_KAFKA_EVENT_REBALANCE:
        on_rebalance(event.get());
        break;
    case RD_KAFKA_EVENT_OFFSET_COMMIT:
        commits_.on_event(client_.get(), events_->get(), event.get());
        break;
    case RD_KAFKA_EVENT_ERROR:
        on_error(event.get());
        break;
    case RD_KAFKA_EVENT_LOG:
        log_.write_log(event.get());
        break;
    default: // Nothing else was asked for; statistics may come by a property and are not used.
        break;
    }
}

void job_consumer::on_served()
{
    last_served_ = steady_clock::now();
    changed_.notify();
    if (listener_ == nullptr || closing_) {
        return;
    }
    // An eventfd does not say which queue filled, and a queue fills without a word when it was not quite empty.
    const bool waiting = std::any_of(open_.begin(), open_.end(), [](const auto& each) {
        return !each.second.going && !each.second.stopped && rd_kafka_queue_length(each.second.queue.get()) > 0;
    });
    if (waiting) {
        listener_->on_records();
    }
}

void job_consumer::on_error(rd_kafka_event_t* event)
{
    ++stats_.errors;
    if (rd_kafka_event_error_is_fatal(event) != 0) {
        fail("Kafka consumer: " + describe(rd_kafka_event_error(event)) + ": " + rd_kafka_event_error_string(event));
        return;
    }
    log_.write_error(rd_kafka_event_error(event), rd_kafka_event_error_string(event));
}

void job_consumer::fail(const std::string& why)
{
    if (failed_ || closing_) {
        return;
    }
    failed_ = true;
    log::error("kafka", "the consumer cannot go on", {{"error", why}});
    const auto gone = open_ids();
    pending_assigns_.clear();
    revocation_.reset();
    end_assignments(gone);
    if (!gone.empty()) {
        listener_->on_lost({gone.begin(), gone.end()});
    }
    listener_->on_source_failed(why);
}

// ----------------------------------------------------------------------------------------------------------------
// Rebalances

void job_consumer::on_rebalance(rd_kafka_event_t* event)
{
    const char* protocol = rd_kafka_rebalance_protocol(client_.get());
    incremental_ = protocol != nullptr && std::strcmp(protocol, "COOPERATIVE") == 0;
    const auto partitions = partitions_of(event);
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        on_assign(partitions);
    } else {
        on_revoke(partitions);
    }
}

void job_consumer::on_assign(std::vector<topic_partition> partitions)
{
    ++stats_.rebalances_assigned;
    joined_ = true;
    log::info("kafka", "partitions assigned", {{"count", static_cast<std::uint64_t>(partitions.size())}});
    // The first of the two steps (see the class): it lets the partitions that stay go on, and later rebalances come.
    const partition_list_handle none(rd_kafka_topic_partition_list_new(0));
    if (incremental_) {
        report(rd_kafka_incremental_assign(client_.get(), none.get()), "assign");
    } else {
        rd_kafka_assign(client_.get(), none.get());
    }
    if (partitions.empty() || closing_ || failed_) {
        return;
    }
    auto pending = std::make_shared<pending_assign>();
    pending->wanted.insert(partitions.begin(), partitions.end());
    pending_assigns_.push_back(pending);
    auto found = std::make_shared<std::vector<partition_position>>();
    background_.start(
        [client = client_, partitions = std::move(partitions), found](const std::atomic<bool>& cancelled) {
            *found = look_up_positions(client.get(), partitions, cancelled);
        },
        [this, pending, found] {
            pending->found = std::move(*found);
            on_positions(pending);
        });
}

void job_consumer::on_positions(const std::shared_ptr<pending_assign>& pending)
{
    // A revocation may stand in the queue already; librdkafka would take a late assign for an answer to it.
    events_->serve_now();
    const auto place = std::find(pending_assigns_.begin(), pending_assigns_.end(), pending);
    if (place == pending_assigns_.end() || closing_ || failed_) {
        return;
    }
    pending_assigns_.erase(place);
    std::erase_if(pending->found, [&](const auto& each) { return !pending->wanted.contains(each.where); });
    report_backlog(pending->found);
    std::vector<open_partition> opening(pending->found.size());
    for (std::size_t index = 0; index < opening.size(); ++index) {
        if (!choose_start(pending->found[index], opening[index])) {
            return;
        }
    }
    if (opening.empty()) {
        return;
    }
    std::vector<engine::partition_assignment> assigned;
    std::set<assignment_id> ids;
    for (std::size_t index = 0; index < opening.size(); ++index) {
        const auto& [where, committed, metadata, held] = pending->found[index];
        queue_handle queue(rd_kafka_queue_get_partition(client_.get(), where.topic.c_str(), where.partition));
        // Forwarding to nothing marks the queue as the application's own: the start of the fetcher leaves it alone.
        rd_kafka_queue_forward(queue.get(), nullptr);
        events_->watch(queue.get());
        opening[index].where = where;
        opening[index].queue = std::move(queue);
        const assignment_id id = ++last_assignment_;
        assigned.push_back({id, where.topic, where.partition, committed, metadata});
        ids.insert(id);
        open_.emplace(id, std::move(opening[index]));
    }
    listener_->on_assigned(assigned);
    if (incremental_) {
        assign_more(ids);
    } else {
        assign_all();
    }
}

bool job_consumer::choose_start(const partition_position& found, open_partition& opened)
{
    const auto& [where, committed, metadata, held] = found;
    if (lies_beyond_end(found)) {
        opened.position = *committed;
        opened.stopped = true;
        log::error("kafka",
                   "partition stopped: its committed offset lies beyond the end of the log; was the topic "
                   "made anew? Reset the group's offset to read it again",
                   {{"topic", where.topic},
                    {"partition", where.partition},
                    {"committed", *committed},
                    {"log_end", held->high}});
    } else if (committed && held && *committed < held->low) {
        opened.position = held->low;
        ++stats_.positions_fallen_off;
        stats_.records_fallen_off += static_cast<std::uint64_t>(held->low - *committed);
        log::error("kafka", "records were deleted before they were read; going on at the log's start",
                   {{"topic", where.topic},
                    {"partition", where.partition},
                    {"committed", *committed},
                    {"log_start", held->low}});
    } else if (committed) {
        opened.position = *committed;
    } else if (is_read_from_start(where.topic)) {
        opened.position = held ? held->low : RD_KAFKA_OFFSET_BEGINNING;
    } else if (settings_.start == start_position::error) {
        fail("topic " + where.topic + ", partition " + std::to_string(where.partition) + ": group " +
             settings_.group_id + " has no committed offset and kafka.start is `error`; set it to `earliest` or " +
             "`latest`, or commit an offset for the group");
        return false;
    } else if (settings_.start == start_position::latest) {
        opened.position = held ? held->high : RD_KAFKA_OFFSET_END;
    } else {
        opened.position = held ? held->low : RD_KAFKA_OFFSET_BEGINNING;
        opened.tell_age = true;
    }
    return true;
}

bool job_consumer::is_read_from_start(const std::string& topic) const
{
    return std::find(settings_.read_from_start.begin(), settings_.read_from_start.end(), topic) !=
           settings_.read_from_start.end();
}

void job_consumer::report_backlog(const std::vector<partition_position>& found) const
{
    std::map<std::string, std::int64_t> ahead; // By topic.
    for (const partition_position& each : found) {
        if (!each.committed && each.held && !is_read_from_start(each.where.topic)) {
            ahead[each.where.topic] += each.held->high - each.held->low;
        }
    }
    const char* start = settings_.start == start_position::latest ? "skipping them" : "reading them all";
    for (const auto& [topic, records] : ahead) {
        log::info("kafka", "the group has no commit in partitions of this topic",
                  {{"topic", topic}, {"records_ahead", records}, {"start", start}});
    }
}

void job_consumer::on_revoke(const std::vector<topic_partition>& partitions)
{
    const bool lost = rd_kafka_assignment_lost(client_.get()) != 0;
    ++(lost ? stats_.rebalances_lost : stats_.rebalances_revoked);
    std::set<assignment_id> going;
    for (const auto& [id, partition] : open_) {
        if (!incremental_ || std::find(partitions.begin(), partitions.end(), partition.where) != partitions.end()) {
            going.insert(id);
        }
    }
    for (const auto& pending : pending_assigns_) {
        for (const topic_partition& each : partitions) {
            pending->wanted.erase(each);
        }
    }
    if (!incremental_) {
        pending_assigns_.clear();
    }
    log::info("kafka", lost ? "partitions lost" : "partitions revoked",
              {{"count", static_cast<std::uint64_t>(partitions.size())}});
    revocation_ = revocation{incremental_, {}, going};
    if (lost || closing_ || failed_ || going.empty()) {
        finish_revocation();
        if (lost && !going.empty() && !closing_ && !failed_) {
            listener_->on_lost({going.begin(), going.end()});
        }
        return;
    }
    for (const assignment_id id : going) {
        open_.at(id).going = true;
    }
    revocation_->awaited = going;
    listener_->on_revoking({going.begin(), going.end()});
}

void job_consumer::release(const std::vector<assignment_id>& going)
{
    if (!revocation_) {
        return;
    }
    for (const assignment_id id : going) {
        revocation_->awaited.erase(id);
    }
    if (revocation_->awaited.empty()) {
        finish_revocation();
    }
}

/// Answers the group. In the eager protocol everything goes, whatever was asked.
void job_consumer::finish_revocation()
{
    const revocation ended = std::move(*revocation_);
    revocation_.reset();
    if (ended.incremental) {
        take_from_client(ended.going);
    } else {
        rd_kafka_assign(client_.get(), nullptr);
    }
    end_assignments(ended.going);
}

void job_consumer::end_assignments(const std::set<assignment_id>& ids)
{
    for (const assignment_id id : ids) {
        const auto found = open_.find(id);
        if (found == open_.end()) {
            continue;
        }
        rd_kafka_queue_t* queue = found->second.queue.get();
        event_queue::unwatch(queue);
        // The fetcher has been stopped, so this destroys what it had fetched instead of handing it out.
        for (int drained = 0; rd_kafka_queue_length(queue) > 0 && drained < 10'000; ++drained) {
            const event_handle outdated(rd_kafka_queue_poll(queue, 0));
            if (outdated == nullptr) {
                break;
            }
        }
        open_.erase(found);
    }
}

// ----------------------------------------------------------------------------------------------------------------
// Fetch positions

std::set<assignment_id> job_consumer::open_ids() const
{
    std::set<assignment_id> ids;
    for (const auto& [id, partition] : open_) {
        ids.insert(id);
    }
    return ids;
}

/// The partitions that are read, at the positions to read them from.
partition_list_handle job_consumer::make_list(const std::set<assignment_id>& ids) const
{
    partition_list_handle list(rd_kafka_topic_partition_list_new(static_cast<int>(ids.size())));
    for (const assignment_id id : ids) {
        const auto found = open_.find(id);
        if (found != open_.end() && !found->second.stopped) {
            const topic_partition& where = found->second.where;
            rd_kafka_topic_partition_list_add(list.get(), where.topic.c_str(), where.partition)->offset =
                found->second.position;
        }
    }
    return list;
}

void job_consumer::assign_all()
{
    const auto list = make_list(open_ids());
    const auto error = rd_kafka_assign(client_.get(), list.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        log::error("kafka", "cannot read the assigned partitions", {{"error", describe(error)}});
    }
}

void job_consumer::assign_more(const std::set<assignment_id>& ids)
{
    const auto list = make_list(ids);
    report(rd_kafka_incremental_assign(client_.get(), list.get()), "assign");
}

void job_consumer::take_from_client(const std::set<assignment_id>& ids)
{
    const auto list = make_list(ids);
    report(rd_kafka_incremental_unassign(client_.get(), list.get()), "unassign");
}

void job_consumer::look_up_after_reset(assignment_id id)
{
    auto held = std::make_shared<std::optional<watermarks>>();
    const open_partition& partition = open_.at(id);
    background_.start(
        [client = client_, where = partition.where, position = partition.position,
         held](const std::atomic<bool>& cancelled) {
            *held = look_up_watermarks(client.get(), where, position, cancelled);
        },
        [this, id, held] { on_watermarks(id, *held); });
}

/// The position of an assignment was out of the log's range, by the broker's word.
void job_consumer::on_watermarks(assignment_id id, std::optional<watermarks> held)
{
    const auto found = open_.find(id);
    if (found == open_.end() || found->second.going || closing_ || !held) {
        return;
    }
    const open_partition& partition = found->second;
    if (partition.position < 0) { // A logical start that could not be resolved.
        reposition(id, partition.position == RD_KAFKA_OFFSET_END ? held->high : held->low);
    } else if (partition.position < held->low) {
        ++stats_.positions_fallen_off;
        stats_.records_fallen_off += static_cast<std::uint64_t>(held->low - partition.position);
        log::error("kafka", "records were deleted before they were read; going on at the log's start",
                   {{"topic", partition.where.topic},
                    {"partition", partition.where.partition},
                    {"position", partition.position},
                    {"log_start", held->low}});
        reposition(id, held->low);
    } else if (partition.position <= held->high) {
        reposition(id, partition.position); // A leader that was behind for a moment.
    } else {
        stop_partition(id, *held);
    }
}

void job_consumer::stop_partition(assignment_id id, const watermarks& held)
{
    open_partition& partition = open_.at(id);
    if (incremental_) {
        take_from_client({id});
    }
    partition.stopped = true;
    log::error("kafka",
               "partition stopped: its position lies beyond the end of the log; was the topic made anew? Reset "
               "the group's offset to read it again",
               {{"topic", partition.where.topic},
                {"partition", partition.where.partition},
                {"position", partition.position},
                {"log_end", held.high}});
}

/// Starts the fetcher anew. The eager protocol knows no change to a part of the assignment: there all start anew, each
/// where it was.
void job_consumer::reposition(assignment_id id, std::int64_t position)
{
    open_.at(id).position = position;
    if (incremental_) {
        take_from_client({id});
        assign_more({id});
    } else if (!revocation_) {
        assign_all();
    }
}

// ----------------------------------------------------------------------------------------------------------------
// Commits

std::uint64_t job_consumer::commit(const std::vector<engine::offset_commit>& offsets)
{
    const std::uint64_t number = ++last_commit_;
    std::vector<std::optional<committed_position>> positions;
    for (const engine::offset_commit& each : offsets) {
        const auto found = open_.find(each.assignment);
        if (found == open_.end()) {
            positions.emplace_back(); // The epoch has ended: not sent.
        } else {
            positions.push_back(committed_position{found->second.where, each.next_offset, each.metadata});
        }
    }
    std::vector<commit_result> refused(offsets.size(), commit_result::rejected);
    if (!closing_ && commits_.start(client_.get(), events_->get(), number, std::move(positions), refused)) {
        return number;
    }
    asio::post(loop_, [this, number, refused = std::move(refused), alive = std::weak_ptr(alive_)] {
        if (!alive.expired()) {
            complete_commit(number, refused);
        }
    });
    return number;
}

void job_consumer::complete_commit(std::uint64_t number, const std::vector<commit_result>& results)
{
    for (const commit_result result : results) {
        switch (result) {
        case commit_result::committed:
            ++stats_.commits_committed;
            break;
        case commit_result::rejected:
            ++stats_.commits_rejected;
            break;
        case commit_result::metadata_too_large:
            ++stats_.commits_metadata_too_large;
            break;
        case commit_result::failed:
            ++stats_.commits_failed;
            break;
        }
    }
    listener_->on_committed(number, results);
}

// ----------------------------------------------------------------------------------------------------------------
// The end, and the rest

/// Ends everything this process holds and starts to leave. False: there is no group to leave.
bool job_consumer::leave_group()
{
    log::info("kafka", "leaving the consumer group", {{"partitions", static_cast<std::uint64_t>(open_.size())}});
    pending_assigns_.clear();
    background_.cancel_all();
    // A rebalance that waits in the queue could not be answered any more once the close has begun (librdkafka #4527).
    events_->serve_now();
    if (revocation_) {
        finish_revocation();
    }
    const auto held = open_ids();
    if (incremental_) {
        take_from_client(held);
    } else {
        rd_kafka_assign(client_.get(), nullptr);
    }
    end_assignments(held);
    const error_handle refused(rd_kafka_consumer_close_queue(client_.get(), events_->get()));
    if (refused != nullptr) { // A fatal error.
        log::warn("kafka", "the consumer cannot leave its group", {{"error", rd_kafka_error_string(refused.get())}});
    }
    return refused == nullptr;
}

asio::awaitable<bool> job_consumer::close(steady_time deadline)
{
    closing_ = true;
    bool left = leave_group();
    if (left) {
        std::function<bool()> closed = [this] { return rd_kafka_consumer_closed(client_.get()) != 0; };
        left = co_await changed_.wait_for(std::move(closed), deadline);
    }
    co_await background_.wait_idle(deadline);
    events_->serve_now();
    commits_.give_up();
    events_.reset();
    background_.destroy(std::move(client_));
    const bool destroyed = co_await background_.wait_idle(deadline);
    if (!left || !destroyed) {
        log::warn("kafka", "the consumer did not close in time; the group notices by its session timeout",
                  {{"left_group", left ? "yes" : "no"}});
    }
    co_return left&& destroyed;
}

void job_consumer::report(rd_kafka_error_t* failed, const char* doing)
{
    const error_handle error(failed);
    if (error != nullptr) {
        log::error("kafka", "librdkafka refuses a change of the assignment",
                   {{"change", doing}, {"error", rd_kafka_error_string(error.get())}});
    }
}

std::vector<std::string> job_consumer::stopped_partitions() const
{
    std::vector<std::string> stopped;
    for (const auto& [id, partition] : open_) {
        if (partition.stopped) {
            stopped.push_back(partition.where.topic + "/" + std::to_string(partition.where.partition));
        }
    }
    return stopped;
}

consumer_stats job_consumer::stats() const
{
    consumer_stats now = stats_;
    now.assigned_partitions = open_.size();
    for (const auto& [id, partition] : open_) {
        now.stopped_partitions += partition.stopped ? 1 : 0;
        now.fetched_records += rd_kafka_queue_length(partition.queue.get());
    }
    return now;
}

std::map<topic_partition, std::int64_t> job_consumer::lag() const
{
    std::map<topic_partition, std::int64_t> behind;
    for (const auto& [id, partition] : open_) {
        watermarks seen{RD_KAFKA_OFFSET_INVALID, RD_KAFKA_OFFSET_INVALID};
        const auto known = rd_kafka_get_watermark_offsets(client_.get(), partition.where.topic.c_str(),
                                                          partition.where.partition, &seen.low, &seen.high);
        if (known == RD_KAFKA_RESP_ERR_NO_ERROR && seen.high >= 0 && partition.position >= 0) {
            behind[partition.where] = std::max<std::int64_t>(0, seen.high - partition.position);
        }
    }
    return behind;
}

} // namespace wxcourier::kafka
