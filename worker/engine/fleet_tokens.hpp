// SPDX-License-Identifier: Apache-2.0
/// @file
/// The tokens of `classic` apps, as a concern of the fleet.
#pragma once

#include "codec/token_record_codec.hpp"
#include "engine/credentials.hpp"
#include "engine/fleet_concern.hpp"
#include "engine/fleet_token_source.hpp"
#include "engine/fleet_voice.hpp"
#include "engine/options.hpp"
#include "engine/ports.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace wxcourier::engine {

/// Gives each `classic` app its source, and each source what concerns it of the two topics. Not thread-safe.
class fleet_tokens final : public fleet_concern {
public:
    /// @param options  with `fleet` set. All references outlive it.
    fleet_tokens(const engine_options& options, fleet_voice& voice, token_api& api, credentials& tokens, clock& time);

    /// An app was added: gives it its source if its tokens are `classic`. @throws std::invalid_argument without a
    /// `token_key`.
    void add_app(domain::app_index app, const app_options& added);
    /// The app gets its tokens elsewhere, or none any more.
    void remove_app(domain::app_index app);

    void on_fleet_record(const domain::fleet_record& record) override;
    void on_other_record(const log_record& record) override;
    void on_lead_changed() override;

private:
    void on_record(const domain::refreshing_record& read);
    void on_record(const domain::refresh_failed_record& read);
    void on_record(const domain::token_rejected_record& read);
    fleet_token_source* source_of(const std::string& app);
    void retire(const std::string& name);

    /// What was read of an app that this replica does not know yet: the others may have been told of it sooner.
    struct early_records {
        std::optional<std::string> token; ///< The value of the last one.
        std::optional<domain::refreshing_record> refreshing;
        std::optional<domain::token_rejected_record> rejected;
    };
    early_records* early(const std::string& app);
    void catch_up(fleet_token_source& source, const std::string& name);

    const fleet_options& settings_;
    const std::string worker_;
    fleet_voice& voice_;
    token_api& api_;
    credentials& tokens_;
    clock& time_;
    std::optional<codec::token_seal> seal_;                              ///< Empty until an app needs it.
    std::map<std::string, std::unique_ptr<fleet_token_source>> sources_; ///< By the app's name.
    std::vector<std::unique_ptr<fleet_token_source>> retired_;           ///< Their keepers may still be in a call.
    std::map<std::string, early_records> early_;                         ///< By the app's name; few.
};

} // namespace wxcourier::engine
