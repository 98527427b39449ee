// SPDX-License-Identifier: Apache-2.0
/// @file
/// The registry's numbers in Prometheus' text format, by prometheus-cpp.
#pragma once

#include "common/metrics.hpp"

#include <string>

namespace wxcourier::ops {

/// Refreshes the registry and writes all of it; families without a series are left out.
std::string expose(metrics_registry& metrics);

/// The content type that goes with it.
inline constexpr const char* exposition_content_type = "text/plain; version=0.0.4; charset=utf-8";

} // namespace wxcourier::ops
