// SPDX-License-Identifier: Apache-2.0
/// @file
/// Which recipients of an app may get a message now: one request at a time for each, none while WeChat holds messages
/// to them back, and no more than their app allows in a span of time.
#pragma once

#include "common/time.hpp"
#include "domain/item_chains.hpp"
#include "domain/keyed_slots.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <string_view>
#include <vector>

namespace wxcourier::domain {

/// A hash of an openid, never 0. Two openids with one hash wait for each other, which does no harm.
using recipient_key = std::uint64_t;
/// Of messages that wait for nobody.
inline constexpr recipient_key no_recipient = 0;

inline recipient_key recipient_key_of(std::string_view openid) noexcept
{
    const recipient_key hash = std::hash<std::string_view>{}(openid);
    return hash == no_recipient ? 1 : hash;
}

/// One recipient gets at most `max` messages of an app in any span of `window`.
struct recipient_limit {
    std::uint32_t max = 1;
    milliseconds window{};

    friend bool operator==(const recipient_limit&, const recipient_limit&) = default;
};

/// The recipients of one app that something is known of: under way, held back, or sent to within the window; and the
/// messages that wait for them, in lines of their own, so that a recipient who must wait costs nobody else a look.
/// Pure: the caller brings the time, which never goes back. Not thread-safe.
class recipient_gate {
public:
    using slot = std::uint32_t;
    static constexpr slot unknown = ~slot{0};
    /// Most sends that are remembered for `recipient_limit`; beyond that the oldest are forgotten before their time.
    static constexpr std::size_t most_remembered = 500'000;

    /// @param chains  links the waiting messages. Must outlive the gate.
    /// @param remember  most sends that are remembered.
    recipient_gate(std::optional<recipient_limit> limit, item_chains& chains, std::size_t remember = most_remembered)
        : limit_(limit), chains_(&chains), remember_(remember)
    {
    }

    /// Another limit from now on; what was remembered counts.
    void set_limit(std::optional<recipient_limit> limit, steady_time now, std::vector<queue_item>& woken);
    [[nodiscard]] bool limited() const noexcept { return limit_.has_value(); }

    /// What is known of a recipient; `unknown`: nothing, so that it may get one.
    [[nodiscard]] slot find(recipient_key who) const noexcept { return recipients_.find(who); }
    [[nodiscard]] bool admits(slot who, steady_time now) const noexcept;

    /// A request to a recipient that is admitted begins. Gives its slot, valid until `leave`.
    slot enter(recipient_key key, slot who);
    /// It has ended; after `enter` only. @param arrived  the recipient got the message, or may have got it.
    /// @param woken  gets the messages that may go now, each the first of its line; they have left the line.
    void leave(slot who, steady_time now, bool arrived, std::vector<queue_item>& woken);

    /// Nothing to that recipient before `until`; an earlier end than the one in force is ignored.
    void hold(recipient_key key, steady_time until);

    /// A message waits for a recipient that is not admitted.
    /// @param line   messages with different numbers here never wait for each other.
    /// @param again  it was woken and found its recipient taken: it goes to the front.
    void wait(queue_item item, slot who, std::uint32_t line, bool again, steady_time now);
    /// A message that was woken from that line goes under way: the next one may be woken when its recipient is free.
    void take_over(slot who, std::uint32_t line);
    /// A message that was woken from that line is no more.
    void drop_woken(recipient_key key, std::uint32_t line, steady_time now, std::vector<queue_item>& woken);

    /// Forgets what is past and wakes who may go. Called when `next_at` has come, or before `admits` under a limit.
    void ripen(steady_time now, std::vector<queue_item>& woken);
    /// When `ripen` has something to do although nothing happens. Empty: never.
    [[nodiscard]] std::optional<steady_time> next_at() const noexcept;

    /// When the recipient is held back or over its limit: until when, as far as is known. Empty: it is not.
    [[nodiscard]] std::optional<steady_time> held_until(recipient_key key, steady_time now) const noexcept;
    /// Whether `held_until` can be anything but empty.
    [[nodiscard]] bool holds_any() const noexcept { return !timers_.empty() || !sends_.empty(); }

    /// Takes out every waiting message for which `gone` says so. How many that were.
    std::size_t remove_if(const std::function<bool(queue_item)>& gone, steady_time now, std::vector<queue_item>& woken);

    [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
    /// Sends that were forgotten before their time.
    [[nodiscard]] std::uint64_t forgotten() const noexcept { return forgotten_; }
    /// Recipients that something is known of.
    [[nodiscard]] std::size_t known() const noexcept { return recipients_.size(); }

private:
    static constexpr std::uint32_t no_line = ~std::uint32_t{0};

    struct recipient {
        steady_time held_until = steady_time::min();
        steady_time timer = steady_time::max(); ///< The entry of `timers_` that counts.
        std::uint32_t sends = 0;                ///< Within the window.
        std::uint32_t first_send = 0;           ///< The number of the oldest …
        std::uint32_t last_send = 0;            ///< … and of the latest of them.
        std::uint32_t lines = no_line;          ///< The first of its lines.
        bool busy = false;                      ///< A request is under way.
    };
    /// Messages that wait for one recipient and may go in each other's place.
    struct line {
        item_list items;
        slot of = unknown;
        std::uint32_t number = 0;
        std::uint32_t next = no_line; ///< Of the same recipient, or among the free ones.
        bool woken = false;           ///< Its first message has been let go and is not under way yet.
    };
    struct send {
        steady_time at;
        slot to;
        std::uint32_t next = 0; ///< The number of the recipient's next one.
    };
    struct timer {
        steady_time at;
        slot who;
        bool operator<(const timer& other) const noexcept { return at > other.at; }
    };

    [[nodiscard]] steady_time free_at(const recipient& who) const noexcept;
    std::uint32_t line_of(slot who, std::uint32_t number, bool make);
    void free_line(slot who, std::uint32_t at);
    void remember(slot who, steady_time now, std::vector<queue_item>& woken);
    void forget_oldest(steady_time now, std::vector<queue_item>& woken);
    void arm(slot who, steady_time at);
    void settle(slot who, steady_time now, std::vector<queue_item>& woken);

    std::optional<recipient_limit> limit_;
    item_chains* chains_;
    std::size_t remember_;
    keyed_slots<recipient> recipients_;
    std::vector<line> lines_;
    std::uint32_t free_lines_ = no_line;
    std::deque<send> sends_;       ///< By time; numbered on from `first_send_`.
    std::uint32_t first_send_ = 0; ///< The number of the first of `sends_`; may wrap around.
    std::priority_queue<timer> timers_;
    std::size_t waiting_ = 0;
    std::uint64_t forgotten_ = 0;
};

} // namespace wxcourier::domain
