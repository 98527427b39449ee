// SPDX-License-Identifier: Apache-2.0
#include "app/token_page.hpp"

#include "codec/token_state_codec.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace wxcourier::app {
namespace {

std::string name_of(config::token_source source)
{
    static constexpr std::array<const char*, 3> names{"stable", "classic", "shared"};
    return names.at(static_cast<std::size_t>(source));
}

std::string name_of(domain::token_health health)
{
    static constexpr std::array<const char*, 4> names{"missing", "good", "renewing", "halted"};
    return names.at(static_cast<std::size_t>(health));
}

} // namespace

std::string token_page(const config::settings& settings, const std::string& worker, const engine::courier& courier,
                       steady_time now)
{
    codec::token_states page;
    page.worker = worker;
    for (const auto& app : settings.apps) {
        const auto report = courier.credential_state(*courier.find_app(app.name));
        codec::token_state state;
        state.app = app.name;
        state.source = name_of(app.token.source);
        state.state = name_of(report.health);
        state.reason = report.reason;
        state.detail = report.detail;
        state.owner = report.owner.empty() && report.asks ? worker : report.owner;
        state.generation = report.generation;
        state.expires_in = report.expires_in;
        if (report.asks)
            state.next_call_in =
                std::chrono::ceil<seconds>(std::max(report.next_call, now) - now); // min() stands for "now"
        page.apps.push_back(std::move(state));
    }
    return codec::encode_token_states(page);
}

} // namespace wxcourier::app
