// SPDX-License-Identifier: Apache-2.0
/// @file
/// What `wxcourier replay` reads and writes: a dead letter's headers, the headers of a replayed job, and the memory of
/// what has been replayed.
#pragma once

#include "common/time.hpp"
#include "domain/commit_progress.hpp"
#include "domain/push_job.hpp"
#include "domain/replay_memory.hpp"
#include "domain/status_record.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wxcourier::codec {

/// Headers whose names begin so are wxcourier's own; a replayed job leaves those of its letter behind.
inline constexpr std::string_view own_header_prefix = "wxcourier.";
/// How often a job has been replayed. On a replayed job, and on the letter that it may come to.
inline constexpr std::string_view replay_header = "wxcourier.replay";
/// Of a letter: the recipients that failed. Of a replayed job: the only ones that it is sent to.
inline constexpr std::string_view recipients_header = "wxcourier.recipients";

using header_view = std::pair<std::string_view, std::string_view>;

/// A dead letter's own headers (docs/reference.md).
struct dead_letter {
    domain::job_state state = domain::job_state::failed;
    std::string reason;
    domain::source_position source;
    wall_time at{};
    std::optional<std::string> recipients; ///< As they stand: `0-99,731`.
    std::optional<std::size_t> truncated;  ///< Bytes that its value had, where it has none.
    bool unknown_outcome = false;          ///< Some of its recipients ended `outcome_unknown`.
    int replays = 0;
};

/// Of headers that stand twice the later one counts: the worker adds its own behind the producer's. Empty: no letter.
std::optional<dead_letter> read_dead_letter(std::span<const header_view> headers);

/// What a record's headers say of a replay.
struct replay_note {
    int replays = 0; ///< 0: it is no replayed job.
    /// The only recipients it is sent to; empty: all.
    std::optional<std::vector<domain::index_range>> recipients;
    bool malformed = false; ///< There are such headers, and they cannot be read: nothing may be sent.
};

replay_note read_replay_note(std::span<const header_view> headers);

/// A block of the memory as a record's key and value.
std::string encode_block_name(const domain::replay_block_name& name);
std::string encode_block(const domain::replay_block& block);
/// Empty: of another version, or none.
std::optional<domain::replay_block_name> decode_block_name(std::string_view key);
std::optional<domain::replay_block> decode_block(std::string_view value);

} // namespace wxcourier::codec
