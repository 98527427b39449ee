// SPDX-License-Identifier: Apache-2.0
/// @file
/// One `classic` app's tokens: fetched by the group's leader alone, used by all replicas.
#pragma once

#include "codec/token_record_codec.hpp"
#include "domain/send_queue.hpp"
#include "domain/shared_token.hpp"
#include "domain/shared_token_log.hpp"
#include "engine/condition.hpp"
#include "engine/credentials.hpp"
#include "engine/fleet_voice.hpp"
#include "engine/ports.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::engine {

/// The leader says on the log that it begins, reads that back, calls WeChat, and writes the token, sealed. Everybody
/// else takes the token from the log. Never two calls under way in the group: whoever leads next has read the
/// announcement of a call before it leads, and waits out the longest that it can take.
class fleet_token_source final : public token_source {
public:
    /// A fetch that could not begin within this time of its announcement does not begin.
    static constexpr seconds begin_limit{3};
    /// More than what ends a call at its timeout.
    static constexpr seconds call_margin{2};

    /// What it works with; all of it outlives it.
    struct surroundings {
        fleet_voice& voice;
        token_api& api;
        credentials& tokens;
        clock& time;
        const codec::token_seal& seal;
    };
    /// @param call_timeout  the longest that the token call takes.
    /// @param worker        this instance's id.
    fleet_token_source(surroundings with, domain::app_index app, codec::token_place place, milliseconds call_timeout,
                       std::string worker);

    [[nodiscard]] domain::app_index app() const noexcept { return app_; }
    /// Asks for nothing more, and is told nothing more.
    void retire() noexcept { retired_ = true; }

    [[nodiscard]] bool asks() const override { return !retired_ && with_.voice.leads(); }
    asio::awaitable<token_reply> ask(token_request request) override;
    void on_dead(const access_token& token, bool proven) override;
    [[nodiscard]] std::string owner() const override { return with_.voice.leader(); }

    // What was read. `live`: as it was written, not while catching up.

    /// A record of the token topic under this app's key. The term it tells of, if it may be believed.
    std::optional<std::uint64_t> on_token_record(std::string_view value, bool live);
    /// Records of the fleet topic, the first two by who led when they were written.
    void on_refreshing(domain::token_stamp stamp);
    void on_refresh_failed(const domain::refresh_failed_record& read, bool live);
    void on_token_rejected(const domain::token_rejected_record& read);
    /// This replica leads now, or no longer.
    void on_lead_changed();

private:
    [[nodiscard]] token_reply reply_of(const domain::shared_token& token, bool live) const;
    asio::awaitable<std::optional<domain::token_stamp>> announce();
    token_reply publish(token_reply reply, domain::token_stamp stamp);

    surroundings with_;
    domain::app_index app_;
    codec::token_place place_;
    std::string worker_;
    domain::shared_token_log log_;
    std::optional<domain::shared_token> newest_;
    domain::token_stamp dead_;                     ///< The newest token that WeChat is known to call dead.
    std::optional<domain::token_stamp> announced_; ///< Of the fetch that this replica begins, or makes.
    bool retired_ = false;
    bool confirmed_ = false; ///< Its announcement was read back.
    condition changed_;
};

} // namespace wxcourier::engine
