// SPDX-License-Identifier: Apache-2.0
/// @file
/// What `GET /tokens` answers: state and owner of every app's token.
#pragma once

#include "config/settings.hpp"
#include "engine/courier.hpp"

#include <string>

namespace wxcourier::app {

/// JSON (codec/token_state_codec). Never holds a token.
/// @param settings  those in force: each of its apps is known to the courier.
/// @param worker    this instance's id.
std::string token_page(const config::settings& settings, const std::string& worker, const engine::courier& courier,
                       steady_time now);

} // namespace wxcourier::app
