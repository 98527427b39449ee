// SPDX-License-Identifier: Apache-2.0
/// @file
/// How many bytes of jobs are in memory, as permits that give their share back when they go.
#pragma once

#include <cstddef>
#include <utility>

namespace wxcourier::engine {

/// A sum of bytes. Must outlive its permits. Not thread-safe.
class memory_budget {
public:
    /// A share of the sum; returned when it is destroyed.
    class permit {
    public:
        permit() = default;
        permit(memory_budget& from, std::size_t bytes) : from_(&from), bytes_(bytes) { from.used_ += bytes; }
        permit(permit&& other) noexcept : from_(std::exchange(other.from_, nullptr)), bytes_(other.bytes_) {}
        permit& operator=(permit&& other) noexcept
        {
            std::swap(from_, other.from_);
            std::swap(bytes_, other.bytes_);
            return *this;
        }
        ~permit()
        {
            if (from_ != nullptr)
                from_->used_ -= bytes_;
        }

    private:
        memory_budget* from_ = nullptr;
        std::size_t bytes_ = 0;
    };

    [[nodiscard]] std::size_t used() const noexcept { return used_; }

private:
    std::size_t used_ = 0;
};

} // namespace wxcourier::engine
