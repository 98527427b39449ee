// SPDX-License-Identifier: Apache-2.0
#include "simulator/received_log.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::simulator {

namespace {

constexpr std::size_t most_bytes = std::size_t{256} << 20U;

} // namespace

std::uint64_t received_log::add(received_request request)
{
    request.sequence = ++last_;
    bytes_ += request.body.size();
    requests_.push_back(std::move(request));
    while (!requests_.empty() && (requests_.size() > keep_ || bytes_ > most_bytes)) {
        bytes_ -= requests_.front().body.size();
        requests_.pop_front();
    }
    return last_;
}

std::uint64_t received_log::visit(std::uint64_t since, std::size_t limit,
                                  const std::function<void(const received_request&)>& each) const
{
    if (requests_.empty()) {
        return std::min(since, last_);
    }
    const std::uint64_t first = requests_.front().sequence;
    std::uint64_t next = std::min(std::max(since + 1, first), last_ + 1);
    for (; limit > 0 && next <= last_; --limit, ++next) {
        each(requests_[next - first]);
    }
    return next - 1;
}

void received_log::reset()
{
    requests_.clear();
    bytes_ = 0;
    last_ = 0;
}

} // namespace wxcourier::simulator
