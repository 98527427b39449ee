// SPDX-License-Identifier: Apache-2.0
/// @file
/// What replicas say to each other on the fleet topic (`topics.fleet`), whose one partition puts it into one order.
#pragma once

#include "common/time.hpp"
#include "domain/operator_state.hpp"
#include "domain/token_stamp.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace wxcourier::domain {

/// A replica takes the lead with a new term, or says that it still leads.
struct leading_record {
    std::uint64_t term = 0;
    std::string member; ///< Names one run of one process.
    std::string worker; ///< The instance's id, for people.

    friend bool operator==(const leading_record&, const leading_record&) = default;
};

/// The leader is about to fetch an app's token: nobody else may until it is known what came of it.
struct refreshing_record {
    std::string app;
    token_stamp stamp; ///< The token to be.

    friend bool operator==(const refreshing_record&, const refreshing_record&) = default;
};

/// The leader's fetch gave no token.
struct refresh_failed_record {
    std::string app;
    token_stamp stamp; ///< As in its `refreshing`.
    std::optional<int> errcode;
    std::string errmsg;

    friend bool operator==(const refresh_failed_record&, const refresh_failed_record&) = default;
};

/// A replica was told by WeChat that the token is dead.
struct token_rejected_record {
    std::string app;
    token_stamp stamp;   ///< The dead token.
    bool proven = false; ///< A send of that replica had worked with it before.

    friend bool operator==(const token_rejected_record&, const token_rejected_record&) = default;
};

/// A replica asks whether the log takes words now, before it says an operator's: what cannot be written then is not
/// left behind half done. Nothing follows from it.
struct operator_probe_record {
    std::string id; ///< Names the question; never used twice.

    friend bool operator==(const operator_probe_record&, const operator_probe_record&) = default;
};

/// An operator pauses something, lets it go on, or changes an app's rate.
struct operator_change_record {
    std::string id; ///< Names the word; never used twice.
    operator_change change;

    friend bool operator==(const operator_change_record&, const operator_change_record&) = default;
};

/// The leader repeats all that operators have said, for those who do not read the log from its beginning.
struct operator_state_record {
    operator_snapshot all;

    friend bool operator==(const operator_state_record&, const operator_state_record&) = default;
};

/// A new kind of record is a new alternative here, with its code in codec/fleet_record_codec and a concern of the
/// engine (engine/fleet_concern) that reads it. Releases that do not know it skip it.
using fleet_record = std::variant<leading_record, refreshing_record, refresh_failed_record, token_rejected_record,
                                  operator_probe_record, operator_change_record, operator_state_record>;

/// The record's key. The topic is compacted: of what was said under one key more than an hour ago only the last stays,
/// so what must outlive that needs a key of its own. App names hold neither `@` nor `/`.
std::string log_key(const fleet_record& record);

} // namespace wxcourier::domain
