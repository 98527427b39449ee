// SPDX-License-Identifier: Apache-2.0
/// @file
/// A command whose work is a coroutine.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

namespace wxcourier::commands {

/// Runs the loop until the work has ended. @return the exit code that it gives. @throws what it throws.
int run_to_end(boost::asio::io_context& io, boost::asio::awaitable<int> work);

} // namespace wxcourier::commands
