// SPDX-License-Identifier: Apache-2.0
/// @file
/// The engine's clock over the system's and Asio's timers.
#pragma once

#include "common/moment.hpp"
#include "engine/ports.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace wxcourier::app {

/// Time as it is. Its alarms live on one executor; not thread-safe.
class real_clock final : public engine::clock {
public:
    explicit real_clock(engine::asio::any_io_executor executor) : executor_(std::move(executor)) {}

    [[nodiscard]] steady_time now() const override { return moment::steady_now(); }
    [[nodiscard]] wall_time wall_now() const override { return moment::wall_now(); }
    [[nodiscard]] std::unique_ptr<engine::alarm> make_alarm() override;

private:
    engine::asio::any_io_executor executor_;
};

} // namespace wxcourier::app
