// SPDX-License-Identifier: Apache-2.0
#include "domain/replay_memory.hpp"

namespace wxcourier::domain {
namespace {

std::int64_t last_of(const replay_block& block)
{
    return block.offsets.empty() ? -1 : block.offsets.ranges().back().last;
}

} // namespace

void replay_memory::check(std::int32_t partition, std::int64_t offset, wall_time written_at)
{
    const auto found = blocks_.find(name_of(partition, offset));
    if (found != blocks_.end() && last_of(found->second) == offset && found->second.last_at != written_at)
        blocks_.erase(found);
}

void replay_memory::check_end(std::int32_t partition, std::int64_t end)
{
    std::erase_if(blocks_, [partition, end](const auto& each) {
        return each.first.partition == partition && last_of(each.second) >= end;
    });
}

bool replay_memory::contains(std::int32_t partition, std::int64_t offset) const
{
    const auto found = blocks_.find(name_of(partition, offset));
    return found != blocks_.end() && found->second.offsets.contains(offset);
}

replay_block_name replay_memory::add(std::int32_t partition, std::int64_t offset, wall_time written_at)
{
    const auto name = name_of(partition, offset);
    auto& block = blocks_[name];
    if (offset > last_of(block))
        block.last_at = written_at;
    block.offsets.insert(offset);
    return name;
}

} // namespace wxcourier::domain
