// SPDX-License-Identifier: Apache-2.0
#include "domain/fleet_record.hpp"

namespace wxcourier::domain {
namespace {

std::string key_of(const leading_record& /*record*/)
{
    return "@group";
}

std::string key_of(const refreshing_record& record)
{
    return record.app;
}

std::string key_of(const refresh_failed_record& record)
{
    return record.app;
}

std::string key_of(const token_rejected_record& record)
{
    return record.app;
}

std::string key_of(const operator_probe_record& /*record*/)
{
    return "@operator/probe";
}

/// The last word about each target stays.
std::string key_of(const operator_change_record& record)
{
    const auto& [app, kind, template_id] = record.change.target;
    using enum operator_change::action;
    const auto* const register_of = record.change.what == rate      ? "@operator/rate/"
                                    : record.change.what == renewed ? "@operator/renewed/"
                                                                    : "@operator/pause/";
    return register_of + app + '/' + kind + '/' + template_id;
}

std::string key_of(const operator_state_record& /*record*/)
{
    return "@operator/state";
}

std::string key_of(const rate_report_record& record)
{
    return report_key(record.member);
}

std::string key_of(const rate_table_record& /*record*/)
{
    return "@rates";
}

std::string key_of(const quota_report_record& record)
{
    return quota_report_key(record.member);
}

/// The day's last table stays, however long nobody has used the quota.
std::string key_of(const quota_table_record& record)
{
    return "@quota/table/" + record.app + '/' + record.call;
}

std::string key_of(const quota_mark_record& /*record*/)
{
    return "@quota/mark";
}

} // namespace

std::string quota_report_key(const std::string& member)
{
    return "@quota/report/" + member;
}

std::string report_key(const std::string& member)
{
    return "@rates/" + member;
}

std::string log_key(const fleet_record& record)
{
    return std::visit([](const auto& each) { return key_of(each); }, record);
}

} // namespace wxcourier::domain
