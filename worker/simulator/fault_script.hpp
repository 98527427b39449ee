// SPDX-License-Identifier: Apache-2.0
/// @file
/// What is to go wrong, and for whom: scripts in openids that begin with `sim-`, and rules added at run time.
#pragma once

#include "common/time.hpp"
#include "simulator/dice.hpp"
#include "simulator/text_map.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace wxcourier::simulator {

/// How one answer goes wrong. The members combine: a latency with an errcode, a status with HTML.
struct fault {
    std::optional<int> errcode; ///< Instead of a success; a request that is refused anyway keeps its own error.
    std::string errmsg;         ///< Empty: the code's usual text.
    std::optional<unsigned> http_status;    ///< Instead of 200, as a gateway in front of the API answers.
    bool html = false;                      ///< A web page instead of JSON.
    bool empty = false;                     ///< No body at all.
    std::optional<std::size_t> reset_after; ///< RST after so many bytes of the response; 0: before any.
    std::optional<std::size_t> stall_after; ///< Silence after so many bytes, until the client gives up.
    std::optional<std::size_t> truncate_to; ///< So many bytes of the body, less than announced, then an orderly end.
    bool truncate_half = false;             ///< The same with half of the body.
    std::optional<milliseconds> drip;       ///< One byte of the response at a time, with this pause between.
    milliseconds latency{0};                ///< On top of the settings'.
    bool expire_token = false;              ///< All tokens of the app end with this request, which gets 42001.
    std::optional<bool> accepted;           ///< Whether WeChat takes the message although the answer goes wrong.

    /// Whether the message counts as sent: as `accepted` says, else not for a gateway's answer, and yes where the
    /// fault lies in how the answer travels.
    [[nodiscard]] bool is_processed() const noexcept;
};

/// Which requests a rule is for; empty members match all.
struct fault_match {
    std::string touser; ///< With a `*` at its end: every openid that begins so.
    std::string path;
    std::string appid;
    double probability = 1.0;
};

struct fault_rule {
    fault_match match;
    std::optional<std::uint64_t> times; ///< How often, at most; empty: always.
    fault what;
};

/// Not thread-safe. Scripts in openids come first, then the rules in the order they were added; the first that
/// matches is the one.
class fault_script {
public:
    void add(fault_rule rule);

    /// Removes all rules and forgets how often each openid has failed.
    void clear();

    /// What is to happen to this request. Names the rule, so that it can be counted.
    struct choice {
        fault what;
        std::uint64_t rule = 0; ///< 0: the openid's own script.
        std::string openid;     ///< Whose script is to be counted; empty: it has no end.
    };
    [[nodiscard]] std::optional<choice> choose(std::string_view touser, std::string_view path, std::string_view appid,
                                               dice& random) const;

    /// Counts one use: to be called when the fault has been played, which an earlier error can prevent.
    void used(const choice& played);

private:
    struct numbered_rule {
        std::uint64_t number;
        fault_rule rule;
    };

    std::deque<numbered_rule> rules_;
    std::uint64_t last_number_ = 0;
    text_map<unsigned> openid_uses_;
};

/// The script in an openid.
struct openid_script {
    fault what;
    unsigned times = 0; ///< Fails so often, then succeeds; 0: always fails.
};

/// Reads `sim-[once-|twice-|thrice-]FAULT[-…]`, docs/simulator.md. Empty: it does not begin with `sim-`. What begins
/// so and cannot be read is a script that answers 40003 and says why.
std::optional<openid_script> parse_openid_script(std::string_view openid);

} // namespace wxcourier::simulator
