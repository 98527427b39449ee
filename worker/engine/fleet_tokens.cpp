// SPDX-License-Identifier: Apache-2.0
#include "engine/fleet_tokens.hpp"

#include <variant>

namespace wxcourier::engine {
namespace {

/// Apps of which records are kept before they are known.
constexpr std::size_t most_early_apps = 256;

} // namespace

fleet_tokens::fleet_tokens(const engine_options& options, fleet_voice& voice, token_api& api, credentials& tokens,
                           clock& time)
    : settings_(*options.fleet), worker_(options.worker), voice_(voice), api_(api), tokens_(tokens), time_(time)
{
    for (domain::app_index app = 0; app < options.apps.size(); ++app)
        add_app(app, options.apps[app]);
}

void fleet_tokens::add_app(domain::app_index app, const app_options& added)
{
    if (added.token.origin != domain::token_origin::classic)
        return;
    if (!seal_)
        seal_.emplace(settings_.token_key);
    auto source = std::make_unique<fleet_token_source>(
        fleet_token_source::surroundings{voice_, api_, tokens_, time_, *seal_}, app,
        codec::token_place{settings_.tokens_topic, added.name, added.appid}, settings_.call_timeout, worker_);
    tokens_.use_source(app, *source);
    retire(added.name);
    catch_up(*sources_.emplace(added.name, std::move(source)).first->second, added.name);
}

void fleet_tokens::remove_app(domain::app_index app)
{
    for (const auto& [name, source] : sources_)
        if (source->app() == app) {
            retire(std::string(name));
            return;
        }
}

void fleet_tokens::retire(const std::string& name)
{
    const auto found = sources_.find(name);
    if (found == sources_.end())
        return;
    found->second->retire();
    retired_.push_back(std::move(found->second));
    sources_.erase(found);
}

fleet_tokens::early_records* fleet_tokens::early(const std::string& app)
{
    if (const auto found = early_.find(app); found != early_.end())
        return &found->second;
    return app.empty() || early_.size() >= most_early_apps ? nullptr : &early_[app];
}

void fleet_tokens::catch_up(fleet_token_source& source, const std::string& name)
{
    const auto found = early_.find(name);
    if (found == early_.end())
        return;
    const auto known = std::move(found->second);
    early_.erase(found);
    // As when catching up at the start: how long ago they were written is not known here.
    if (known.token)
        if (const auto term = source.on_token_record(*known.token, false))
            voice_.on_term(*term);
    if (known.rejected)
        source.on_token_rejected(*known.rejected);
    if (known.refreshing)
        source.on_refreshing(known.refreshing->stamp);
}

void fleet_tokens::on_fleet_record(const domain::fleet_record& record)
{
    std::visit(
        [this](const auto& each) {
            if constexpr (requires { this->on_record(each); })
                on_record(each);
        },
        record);
}

void fleet_tokens::on_record(const domain::refreshing_record& read)
{
    if (!voice_.accepts(read.stamp.term, read.app))
        return;
    if (auto* const source = source_of(read.app))
        source->on_refreshing(read.stamp);
    else if (auto* const kept = early(read.app))
        kept->refreshing = read;
}

void fleet_tokens::on_record(const domain::refresh_failed_record& read)
{
    // Also of a leader that was replaced meanwhile: its call has ended.
    if (auto* const source = source_of(read.app))
        source->on_refresh_failed(read, voice_.caught_up());
}

void fleet_tokens::on_record(const domain::token_rejected_record& read)
{
    if (auto* const source = source_of(read.app))
        source->on_token_rejected(read);
    else if (auto* const kept = early(read.app))
        kept->rejected = read;
}

void fleet_tokens::on_other_record(const log_record& record)
{
    if (record.topic != settings_.tokens_topic)
        return;
    if (!record.value)
        return; // a tombstone takes nothing away
    auto* const source = source_of(record.key.value_or(""));
    if (source == nullptr) {
        if (auto* const kept = early(record.key.value_or("")))
            kept->token = record.value;
        return;
    }
    if (const auto term = source->on_token_record(*record.value, voice_.caught_up()))
        voice_.on_term(*term);
}

void fleet_tokens::on_lead_changed()
{
    for (const auto& [name, each] : sources_)
        each->on_lead_changed();
}

fleet_token_source* fleet_tokens::source_of(const std::string& app)
{
    const auto found = sources_.find(app);
    return found == sources_.end() ? nullptr : found->second.get();
}

} // namespace wxcourier::engine
