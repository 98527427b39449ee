// SPDX-License-Identifier: Apache-2.0
/// @file
/// Everything the engine asks of the world. Each port has one real implementation (kafka/, wechat/, app) and one fake
/// (tests/support). All of it lives on the one event loop: no call may block, none needs a lock.
#pragma once

#include "codec/message_body.hpp"
#include "common/secret.hpp"
#include "common/time.hpp"
#include "domain/kinds.hpp"
#include "domain/push_reply.hpp"
#include "domain/quota_inquiry.hpp"
#include "domain/token_refresh_plan.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wxcourier::engine {

namespace asio = boost::asio;

/// Something one coroutine waits on: a time, or to be woken before it.
class alarm {
public:
    virtual ~alarm() = default;
    /// Completes with true when `deadline` is reached (never without one), with false when woken. A wake that nobody
    /// waited for is kept for the next wait. One waiter at a time.
    virtual asio::awaitable<bool> wait_until(std::optional<steady_time> deadline) = 0;
    virtual void wake() = 0;
};

/// Time, and waiting for it. Real: Asio's steady timer. Fake: moved by hand.
class clock {
public:
    virtual ~clock() = default;
    [[nodiscard]] virtual steady_time now() const = 0;
    [[nodiscard]] virtual wall_time wall_now() const = 0;
    /// The alarm must not outlive the clock.
    [[nodiscard]] virtual std::unique_ptr<alarm> make_alarm() = 0;
};

// ----------------------------------------------------------------------------------------------------------------
// Kafka

/// Names one assignment of one partition to this process; never used twice. It is the partition's epoch: what belongs
/// to an assignment that has ended cannot touch the offsets of a later one.
using assignment_id = std::uint64_t;

struct header {
    std::string name;
    std::optional<std::string> value; ///< Kafka knows headers without a value.
};

struct partition_assignment {
    assignment_id id = 0;
    std::string topic;
    std::int32_t partition = 0;
    std::optional<std::int64_t> committed; ///< The group's commit; empty: none, `kafka.start` decides.
    std::string commit_metadata;           ///< What stands with the commit; whatever was written there.
};

struct inbound_record {
    assignment_id assignment = 0;
    std::int64_t offset = 0;
    wall_time timestamp{}; ///< The record's Kafka timestamp.
    std::optional<std::string> key;
    std::optional<std::string> value; ///< Empty: a tombstone.
    std::vector<header> headers;
};

struct offset_commit {
    assignment_id assignment = 0;
    std::int64_t next_offset = 0; ///< Every record below it is finished.
    std::string metadata;         ///< Printable; at most 4,096 bytes reach the broker.
};

/// How a commit ended, for each partition of it.
enum class commit_result : std::uint8_t {
    committed,
    rejected,           ///< Not ours any more, or refused: never tried again as it is.
    metadata_too_large, ///< Try again without metadata.
    failed,             ///< Kafka was not reachable: worth another try.
};

/// What the consumer tells the engine. Called on the loop, never from inside a call of the port.
class job_source_listener {
public:
    virtual ~job_source_listener() = default;
    /// Partitions came; reading begins at the commit (or at `kafka.start`) once this returns.
    virtual void on_assigned(const std::vector<partition_assignment>& assigned) = 0;
    /// Partitions go: the engine ends what is in flight, commits, and then calls `job_source::release` (in time:
    /// `delivery.revoke_timeout`). Until then they still belong to this process.
    virtual void on_revoking(const std::vector<assignment_id>& going) = 0;
    /// Partitions are gone already (session lost): nothing may be committed for them. No release is expected.
    virtual void on_lost(const std::vector<assignment_id>& gone) = 0;
    /// Records may be waiting: `poll` every open assignment until it is empty.
    virtual void on_records() = 0;
    /// Outcome of a `commit`, entry by entry in its order.
    virtual void on_committed(std::uint64_t commit, const std::vector<commit_result>& results) = 0;
    /// The consumer is beyond repair (fenced, fatal): the process has to end with 1.
    virtual void on_source_failed(const std::string& why) = 0;
};

/// The jobs topics and the delayed topics, as a member of the consumer group. Records wait inside the source until they
/// are polled, within bounds of its own: not polling a partition is how the engine applies backpressure.
class job_source {
public:
    virtual ~job_source() = default;
    /// The next record of an assignment, in offset order. Empty: none has been fetched yet, or the assignment has gone.
    virtual std::optional<inbound_record> poll(assignment_id assignment) = 0;
    /// Starts a commit; `on_committed` gets the returned number.
    virtual std::uint64_t commit(const std::vector<offset_commit>& offsets) = 0;
    /// Answers `on_revoking`: the named assignments are given up now.
    virtual void release(const std::vector<assignment_id>& going) = 0;
};

struct outbound_record {
    std::string topic;
    std::optional<std::string> key;
    std::optional<std::string> value;
    std::vector<header> headers;
    std::optional<std::int32_t> partition{}; ///< Empty: the key decides.
};

enum class publish_result : std::uint8_t {
    acknowledged, ///< By all in-sync replicas.
    too_large,    ///< The broker refuses its size, for good.
};

/// What the publisher tells the engine. Called on the loop, never from inside `publish`.
class publisher_listener {
public:
    virtual ~publisher_listener() = default;
    /// Exactly once for every `publish`, in any order. A publisher that cannot reach Kafka keeps trying.
    virtual void on_published(std::uint64_t ticket, publish_result result) = 0;
};

/// Writes statuses and dead letters. Never drops one: full queues, lost brokers and fatal producer errors are waited
/// out inside, the record kept. What waits in it is bounded by the engine, which admits no new job while its own wait.
class record_publisher {
public:
    virtual ~record_publisher() = default;
    /// Takes a record; `ticket` comes back with its outcome.
    virtual void publish(outbound_record record, std::uint64_t ticket) = 0;
};

/// A record of a topic that every replica reads whole.
struct log_record {
    std::string topic;
    std::optional<std::string> key;
    std::optional<std::string> value; ///< Empty: a tombstone.
    std::int64_t offset = 0;
};

/// What a follower of the fleet and the token topic tells the engine: all that stands there, then all that is written,
/// each topic's partition in its order. Called on the loop.
class fleet_log_listener {
public:
    virtual ~fleet_log_listener() = default;
    virtual void on_log_record(const log_record& record) = 0;
    /// Asked when the end has been reached: whether something that still holds may stand in front of where following
    /// began. If so, and if something stands there, all that is left of the fleet topic from its first record on is
    /// told with `on_older_record`, before `on_log_caught_up`.
    [[nodiscard]] virtual bool wants_older() const { return false; }
    virtual void on_older_record(const log_record& /*record*/) {}
    /// All that stood in the topics when following began has been told. Once.
    virtual void on_log_caught_up() = 0;
};

// ---------------------------------------------------------------------------------------------------------------
// WeChat

/// An app's access token and which one it is: generations count up from 1 within this process.
struct access_token {
    secret text;
    std::uint64_t generation = 0;
};

/// Asked by a push_api each time it could write a request's first byte: what counts at WeChat is when a request
/// arrives, and to open a connection may have taken seconds since it was decided to send it.
class write_gate {
public:
    virtual ~write_gate() = default;
    /// True: it may be written now, and must be at once. False: `opened` says when.
    [[nodiscard]] virtual bool opens() = 0;
    /// After `opens` said no. Completes with true when it may be written now, with false when it is not to be written.
    virtual asio::awaitable<bool> opened() = 0;
};

struct push_request {
    const domain::kind_rule* kind = nullptr;
    codec::body_text body;      ///< JSON, as it goes out. Valid until `send` completes.
    std::string_view token;     ///< The access token's text. Valid until `send` completes.
    write_gate* gate = nullptr; ///< Null: it may always be written. Valid until `send` completes.
};

/// Sends one message. One attempt: no retry inside.
class push_api {
public:
    virtual ~push_api() = default;
    /// Completes with what came of it, within the connect and request timeouts; never throws for the far end's doing.
    /// Cancellation (terminal): completes with `transport_failure::cancelled`; the message may have been delivered.
    /// Where the request's gate stays shut: with `cancelled` and `reach::not_sent`.
    virtual asio::awaitable<domain::push_reply> send(push_request request) = 0;
};

struct token_request {
    domain::token_call call = domain::token_call::stable;
    std::string_view appid; ///< Valid until the call completes; so is the secret.
    std::string_view app_secret;
};

/// A token, or why there is none.
struct token_reply {
    secret token; ///< Empty: none came.
    seconds expires_in{0};
    std::optional<int> errcode; ///< WeChat's, where it answered with one.
    std::string errmsg;         ///< WeChat's text, or what the transport said.
};

/// WeChat's two token calls. One attempt: no retry inside.
class token_api {
public:
    virtual ~token_api() = default;
    /// Completes within the connect and request timeouts; never throws for the far end's doing.
    virtual asio::awaitable<token_reply> fetch(token_request request) = 0;
};

struct quota_request {
    const domain::kind_rule* kind = nullptr; ///< Whose call is asked about.
    std::string_view token;                  ///< The access token's text. Valid until the call completes.
};

/// What WeChat says of a call's quota, or why it says nothing.
struct quota_reply {
    std::optional<domain::quota_standing> standing;
    std::optional<int> errcode; ///< WeChat's, where it answered with one.
    std::string errmsg;         ///< WeChat's text, or what the transport said.
};

/// WeChat's call about quotas (openapi/quota/get). One attempt: no retry inside.
class quota_api {
public:
    virtual ~quota_api() = default;
    /// Completes within the connect and request timeouts; never throws for the far end's doing.
    virtual asio::awaitable<quota_reply> ask(quota_request request) = 0;
};

/// Where one app's tokens come from, if not simply from WeChat's calls (token_api). Asked by the app's keeper in
/// engine/credentials, one call at a time; it decides when (domain/token_refresh_plan).
///
/// A source that merely follows what another replica fetches answers `asks()` with false and brings each token with
/// `credentials::bring`; when it becomes the one that asks, or no longer is, it calls `credentials::look_again`.
class token_source {
public:
    virtual ~token_source() = default;
    /// Whether this process is the one that asks.
    [[nodiscard]] virtual bool asks() const { return true; }
    /// One attempt, with a bound on its time; never throws for the far end's doing. Only called while `asks()`. May
    /// answer with a token that is good already instead of fetching one.
    virtual asio::awaitable<token_reply> ask(token_request request) = 0;
    /// WeChat called this token dead. Once for each generation, and before the `ask` that follows from it.
    /// @param proven  a send had worked with it before.
    virtual void on_dead(const access_token& /*token*/, bool /*proven*/) {}
    /// Who asks: a replica's id, for /readyz, metrics and `wxcourier token`. Empty: this process, on its own.
    [[nodiscard]] virtual std::string owner() const { return {}; }
};

} // namespace wxcourier::engine
