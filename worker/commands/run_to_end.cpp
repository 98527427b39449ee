// SPDX-License-Identifier: Apache-2.0
#include "commands/run_to_end.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace wxcourier::commands {

int run_to_end(boost::asio::io_context& io, boost::asio::awaitable<int> work)
{
    int exit_code = 1;
    boost::asio::co_spawn(io, std::move(work), [&](std::exception_ptr failure, int code) {
        if (failure)
            std::rethrow_exception(failure);
        exit_code = code;
        io.stop();
    });
    io.run();
    return exit_code;
}

} // namespace wxcourier::commands
