// SPDX-License-Identifier: Apache-2.0
/// @file
/// Values by a 64-bit key, in numbered slots that are used again: what every message looks up must not allocate.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace wxcourier::domain {

/// A hash table whose values have numbers: whoever knows a value's number finds it without its key. Finding, making and
/// erasing look at one short chain; memory grows to the most values there ever were at once. The keys are hashes
/// already. References are valid until the next `make`. Not thread-safe.
template <typename Value>
class keyed_slots {
public:
    using slot = std::uint32_t;
    static constexpr slot none = ~slot{0};

    /// The slot of a key; `none`: there is none.
    [[nodiscard]] slot find(std::uint64_t key) const noexcept
    {
        if (buckets_.empty())
            return none;
        auto at = buckets_[bucket_of(key)];
        while (at != none && entries_[at].key != key)
            at = entries_[at].next;
        return at;
    }

    /// A slot with a fresh value for a key that has none.
    slot make(std::uint64_t key)
    {
        if (size_ >= buckets_.size())
            grow();
        if (free_ == none) {
            free_ = static_cast<slot>(entries_.size());
            entries_.emplace_back();
        }
        const auto at = free_;
        auto& made = entries_[at];
        free_ = made.next;
        auto& head = buckets_[bucket_of(key)];
        made.key = key;
        made.next = head;
        made.used = true;
        head = at;
        ++size_;
        return at;
    }

    void erase(slot at)
    {
        auto* link = &buckets_[bucket_of(entries_[at].key)];
        while (*link != at)
            link = &entries_[*link].next;
        *link = entries_[at].next;
        entries_[at] = entry{};
        entries_[at].next = free_;
        free_ = at;
        --size_;
    }

    [[nodiscard]] Value& operator[](slot at) noexcept { return entries_[at].value; }
    [[nodiscard]] const Value& operator[](slot at) const noexcept { return entries_[at].value; }
    [[nodiscard]] bool used(slot at) const noexcept { return at < entries_.size() && entries_[at].used; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Calls `each(value)` for every value.
    template <typename F>
    void for_each(F each)
    {
        for (auto& entry : entries_)
            if (entry.used)
                each(entry.value);
    }

private:
    struct entry {
        std::uint64_t key = 0;
        Value value{};
        slot next = none; ///< In its bucket, or among the free ones.
        bool used = false;
    };

    static constexpr std::size_t fewest_buckets = 64;

    [[nodiscard]] std::size_t bucket_of(std::uint64_t key) const noexcept
    {
        // Fibonacci hashing: the high bits, where a poor hash has been mixed.
        return (key * 0x9E3779B97F4A7C15ULL) >> (64U - static_cast<unsigned>(std::countr_zero(buckets_.size())));
    }

    void grow()
    {
        buckets_.assign(buckets_.empty() ? fewest_buckets : buckets_.size() * 2, none);
        for (slot at = 0; at < entries_.size(); ++at)
            if (entries_[at].used)
                entries_[at].next = std::exchange(buckets_[bucket_of(entries_[at].key)], at);
    }

    std::vector<entry> entries_;
    std::vector<slot> buckets_; ///< As many as a power of two; the first of each chain.
    slot free_ = none;
    std::size_t size_ = 0;
};

} // namespace wxcourier::domain
