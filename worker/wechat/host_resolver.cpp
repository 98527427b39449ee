// SPDX-License-Identifier: Apache-2.0
#include "wechat/host_resolver.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace wxcourier::wechat {

using asio::ip::tcp;

struct host_resolver::state {
    state(asio::io_context& io, const base_url& url, steady_duration refresh)
        : resolver(io), waiters(io), host(url.host), port(url.port), interval(refresh), fixed(url.is_address)
    {
        if (fixed) {
            addresses.emplace_back(asio::ip::make_address(host), port);
        }
    }

    void finished(const boost::system::error_code& failure, const tcp::resolver::results_type& found)
    {
        running = false;
        error = failure ? failure.message() : std::string();
        if (!failure) {
            addresses.clear();
            for (const auto& entry : found) {
                if (std::find(addresses.begin(), addresses.end(), entry.endpoint()) == addresses.end()) {
                    addresses.push_back(entry.endpoint());
                }
            }
            fresh_until = steady_clock::now() + interval;
        }
        waiters.wake_all();
    }

    tcp::resolver resolver;
    wait_list waiters;
    std::string host;
    std::uint16_t port;
    steady_duration interval;
    bool fixed; ///< The host is an address: DNS is never asked.
    bool running = false;
    address_list addresses;
    steady_time fresh_until{};
    std::string error; ///< Of the last look-up.
};

namespace {

/// Of the time there is to connect, what a look-up may take while older addresses are at hand.
steady_time patience(steady_time now, steady_time deadline, bool has_older)
{
    return has_older ? now + (deadline - now) / 3 : deadline;
}

} // namespace

host_resolver::host_resolver(asio::io_context& io, const base_url& url, steady_duration interval)
    : state_(std::make_shared<state>(io, url, interval))
{
}

host_resolver::~host_resolver()
{
    state_->resolver.cancel();
}

asio::awaitable<host_resolver::answer> host_resolver::resolve(steady_time deadline)
{
    const std::shared_ptr<state> shared = state_;
    const steady_time now = steady_clock::now();
    answer result;
    if (!shared->fixed && now >= shared->fresh_until) {
        if (!shared->running) {
            shared->running = true;
            shared->resolver.async_resolve(
                shared->host, std::to_string(shared->port), tcp::resolver::numeric_service,
                [weak = std::weak_ptr<state>(shared)](const boost::system::error_code& failure,
                                                      const tcp::resolver::results_type& found) {
                    if (const auto alive = weak.lock()) {
                        alive->finished(failure, found);
                    }
                });
        }
        const bool has_older = !shared->addresses.empty();
        const bool woken = co_await shared->waiters.wait(patience(now, deadline, has_older));
        if (!woken && !has_older) {
            result.error = "timed out";
            co_return result;
        }
    }
    result.addresses = shared->addresses;
    if (result.addresses.empty()) {
        result.error = shared->error;
    }
    co_return result;
}

void host_resolver::demote(const tcp::endpoint& address)
{
    address_list& addresses = state_->addresses;
    const auto found = std::find(addresses.begin(), addresses.end(), address);
    if (found != addresses.end()) {
        std::rotate(found, found + 1, addresses.end());
    }
}

void host_resolver::expire()
{
    state_->fresh_until = steady_time{};
}

void host_resolver::stop()
{
    state_->resolver.cancel();
    state_->error = "stopped";
    state_->waiters.wake_all();
}

} // namespace wxcourier::wechat
