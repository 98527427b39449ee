// SPDX-License-Identifier: Apache-2.0
/// @file
/// A push_api whose answers and latencies a test writes down.
#pragma once

#include "engine/ports.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/parked_call.hpp"
#include "tests/support/replies.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace wxcourier::test {

/// Accepts every message at once, but for what is scripted.
class scripted_pushes final : public engine::push_api {
public:
    struct call {
        std::string touser;
        std::string body;
        std::string token;
        std::string_view kind;
        steady_time at{};
    };

    explicit scripted_pushes(manual_clock& time) : time_(time) {}

    asio::awaitable<domain::push_reply> send(engine::push_request request) override;

    /// The next requests for that recipient are answered so, in this order; then as `otherwise` says.
    void reply_to(const std::string& touser, std::vector<domain::push_reply> replies);

    /// Requests that wait for the test, while `hold`.
    [[nodiscard]] std::size_t pending() const { return parked_.size(); }
    /// Answers a waiting request: the oldest one, or that of a recipient.
    void answer_one(domain::push_reply with = accepted());
    void answer(const std::string& touser, domain::push_reply with = accepted());
    void answer_all(const domain::push_reply& with = accepted());

    /// How often a message to that recipient was sent.
    [[nodiscard]] std::size_t sends_to(const std::string& touser) const;

    bool hold = false;
    std::function<domain::push_reply(const call&)> otherwise = [](const call&) { return accepted(); };
    /// How long it takes to open a connection for a request; `calls` has it once it is written.
    std::function<steady_duration(const std::string& touser)> connecting = [](const auto&) {
        return steady_duration{0};
    };
    std::function<steady_duration(const call&)> latency = [](const call&) { return steady_duration{0}; };
    std::vector<call> calls; ///< All there were.
    std::size_t most_at_once = 0;

private:
    struct parked {
        call what;
        parked_call<domain::push_reply> waits;
    };

    domain::push_reply next_reply(const call& what);
    void answer_due(std::uint64_t number);

    manual_clock& time_;
    std::map<std::string, std::deque<domain::push_reply>> scripted_;
    std::map<std::uint64_t, parked> parked_; ///< By the number of the request.
    std::vector<engine::alarm*> connecting_; ///< Of requests whose connections are being opened.
    std::shared_ptr<scripted_pushes*> self_ = std::make_shared<scripted_pushes*>(this); ///< What the clock keeps of it.
};

inline void PrintTo(const scripted_pushes::call& call, std::ostream* out)
{
    *out << call.touser << " at " << call.at.time_since_epoch() / milliseconds{1} << " ms";
}

/// The `touser` of a body.
std::string touser_of(std::string_view body);

} // namespace wxcourier::test
