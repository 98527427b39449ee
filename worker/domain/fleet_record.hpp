// SPDX-License-Identifier: Apache-2.0
/// @file
/// What replicas say to each other on the fleet topic (`topics.fleet`), whose one partition puts it into one order.
#pragma once

#include "common/time.hpp"
#include "domain/operator_state.hpp"
#include "domain/quota_amount.hpp"
#include "domain/token_stamp.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

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

/// Names a table of rates: later terms go before numbers.
struct rate_version {
    std::uint64_t term = 0;   ///< Of the leader that wrote it; 0: none.
    std::uint64_t number = 0; ///< Counts up within the term.

    friend auto operator<=>(const rate_version&, const rate_version&) = default;
};

/// A part of an app's rate, in thousandths: whole numbers, so that sums are exact.
struct rate_amount {
    std::int64_t rate = 0;  ///< Thousandths of a permit a second.
    std::int64_t burst = 0; ///< Thousandths of a permit.

    friend bool operator==(const rate_amount&, const rate_amount&) = default;
};

/// What a member could use of an app's rate.
struct rate_demand {
    std::string app;
    std::int64_t wanted = 0; ///< Thousandths of a permit a second.
    std::int64_t weight = 1; ///< When there is not enough for all: the partitions that it holds.

    friend bool operator==(const rate_demand&, const rate_demand&) = default;
};

/// A member says that it lives, what it needs, and which table it has put into force. Reading this back is what lets it
/// use its shares for a while (domain/rate_borrower).
struct rate_report_record {
    std::string member;
    std::uint64_t number = 0;         ///< Counts this member's reports from 1.
    rate_version applied;             ///< The newest table that it goes by.
    bool leaving = false;             ///< It uses nothing any more.
    std::vector<rate_demand> demands; ///< An app that is not named needs nothing.
    std::string seat{};               ///< The place that only one living process can have; empty: it has none.

    friend bool operator==(const rate_report_record&, const rate_report_record&) = default;
};

struct rate_share {
    std::string member;
    rate_amount amount;

    friend bool operator==(const rate_share&, const rate_share&) = default;
};

/// All shares of one app; who is not named has none.
struct app_shares {
    std::string app;
    std::vector<rate_share> shares;

    friend bool operator==(const app_shares&, const app_shares&) = default;
};

/// A member whose right to its shares has ended, because it has not been heard of after that report.
struct silent_member {
    std::string member;
    std::uint64_t last_report = 0;

    friend bool operator==(const silent_member&, const silent_member&) = default;
};

/// The leader shares rates out. Void for everybody where a silent member has spoken before it in the log after all.
struct rate_table_record {
    rate_version version;
    std::vector<silent_member> silent;
    std::vector<app_shares> apps; ///< An app that is not named keeps its shares.

    friend bool operator==(const rate_table_record&, const rate_table_record&) = default;
};

/// What a member says of one call's quota. Counts are of messages of that day, since it began.
struct quota_demand {
    std::string app;
    std::string call; ///< A kind's name; of a dry run with a word before it, since it uses up nothing of WeChat's.
    quota_amount spent;
    quota_amount kept;         ///< It has bound itself to use no more than this without a newer table.
    quota_amount wanted;       ///< What it would like to have left, for the messages that wait and the next ones.
    std::uint64_t refused = 0; ///< How often WeChat has said that the quota is used up (45009).

    friend bool operator==(const quota_demand&, const quota_demand&) = default;
};

/// A member asks for more of its calls' quotas, gives back, or tells of refusals.
struct quota_report_record {
    std::string member;
    std::uint64_t number = 0; ///< Counts this member's reports from 1.
    std::int64_t day = 0;     ///< By this member's clock (day_in_china).
    bool leaving = false;     ///< Its last: what it has not spent it will not spend.
    std::vector<quota_demand> calls;

    friend bool operator==(const quota_report_record&, const quota_report_record&) = default;
};

struct quota_grant {
    std::string member;
    std::uint64_t report = 0; ///< The member's last report that this takes into account.
    quota_amount amount;      ///< Since the day began.

    friend bool operator==(const quota_grant&, const quota_grant&) = default;
};

/// The leader says what each member may use of one call's quota on one day. It replaces the one before.
struct quota_table_record {
    std::uint64_t term = 0;
    std::int64_t day = 0;
    std::string app;
    std::string call;
    quota_limit limit;      ///< Of the group.
    bool exhausted = false; ///< WeChat says that nothing is left: nobody sends, whatever it was granted.
    quota_amount gone;      ///< What counts as used by members that are not named any more.
    std::vector<quota_grant> grants;

    friend bool operator==(const quota_table_record&, const quota_table_record&) = default;
};

/// The leader says from where on today's tables stand in the log, so that who has read from there need not read more.
struct quota_mark_record {
    std::uint64_t term = 0;
    std::int64_t from = 0; ///< An offset of the fleet topic.

    friend bool operator==(const quota_mark_record&, const quota_mark_record&) = default;
};

/// A new kind of record is a new alternative here, with its code in codec/fleet_record_codec and a concern of the
/// engine (engine/fleet_concern) that reads it. Releases that do not know it skip it.
using fleet_record =
    std::variant<leading_record, refreshing_record, refresh_failed_record, token_rejected_record, operator_probe_record,
                 operator_change_record, operator_state_record, rate_report_record, rate_table_record,
                 quota_report_record, quota_table_record, quota_mark_record>;

/// The record's key. The topic is compacted: of what was said under one key more than an hour ago only the last stays,
/// so what must outlive that needs a key of its own. App names hold neither `@` nor `/`.
std::string log_key(const fleet_record& record);
/// The key of a member's reports; when it has gone for good, somebody forgets it (fleet_voice::forget).
std::string report_key(const std::string& member);
/// The same of its reports about quotas.
std::string quota_report_key(const std::string& member);

} // namespace wxcourier::domain
