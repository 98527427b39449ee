// SPDX-License-Identifier: Apache-2.0
/// @file
/// Lines of messages that cost nothing to join or to leave: each message holds the number of the next one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wxcourier::domain {

/// Names a message in the queue; the caller's own number, each in the queue once. Small numbers that are used again:
/// memory grows with the highest one.
using queue_item = std::uint32_t;

/// A line: the numbers of its first and its last message. Joined and left through item_chains only.
struct item_list {
    static constexpr queue_item nobody = ~queue_item{0};

    queue_item first = nobody;
    queue_item last = nobody;

    [[nodiscard]] bool empty() const noexcept { return first == nobody; }
};

/// The links of all lines. A message stands in one line at a time. Not thread-safe.
class item_chains {
public:
    /// Before a message joins its first line.
    void make_room(queue_item item)
    {
        if (item >= next_.size())
            next_.resize(std::size_t{item} + 1, item_list::nobody);
    }

    void push_back(item_list& list, queue_item item) noexcept
    {
        next_[item] = item_list::nobody;
        (list.empty() ? list.first : next_[list.last]) = item;
        list.last = item;
    }

    void push_front(item_list& list, queue_item item) noexcept
    {
        next_[item] = list.first;
        if (list.empty())
            list.last = item;
        list.first = item;
    }

    /// The first of a line that is not empty.
    queue_item pop_front(item_list& list) noexcept
    {
        const auto item = list.first;
        list.first = next_[item];
        if (list.empty())
            list.last = item_list::nobody;
        return item;
    }

    /// How many stand in a line, counted up to `most`.
    [[nodiscard]] std::size_t count(const item_list& list, std::size_t most) const noexcept
    {
        std::size_t counted = 0;
        for (auto item = list.first; item != item_list::nobody && counted < most; item = next_[item])
            ++counted;
        return counted;
    }

    /// Takes out every message for which `gone` says so. How many that were.
    template <typename F>
    std::size_t remove_if(item_list& list, const F& gone)
    {
        std::size_t removed = 0;
        item_list kept;
        for (auto item = list.first; item != item_list::nobody;) {
            const auto next = next_[item];
            if (gone(item))
                ++removed;
            else
                push_back(kept, item);
            item = next;
        }
        list = kept;
        return removed;
    }

private:
    std::vector<queue_item> next_;
};

} // namespace wxcourier::domain
