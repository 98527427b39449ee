// SPDX-License-Identifier: Apache-2.0
#include "commands/progress_bar.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <unistd.h>

namespace wxcourier::commands {
namespace {

constexpr std::uint64_t width = 40;
constexpr milliseconds redraw_interval{100};

} // namespace

progress_bar::progress_bar(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total), shown_(isatty(STDERR_FILENO) == 1)
{
}

progress_bar::~progress_bar()
{
    if (shown_)
        std::fputs("\r\x1b[K", stderr);
}

void progress_bar::update(std::uint64_t done)
{
    const auto now = steady_clock::now();
    if (!shown_ || now < next_draw_)
        return;
    next_draw_ = now + redraw_interval;
    draw(done);
}

void progress_bar::draw(std::uint64_t done)
{
    std::string line = "\r" + what_ + ' ';
    if (total_ != 0) {
        const auto filled = static_cast<std::size_t>(std::min(done, total_) * width / total_);
        line += '[' + std::string(filled, '#') + std::string(width - filled, ' ') + "] " +
                std::to_string(std::min(done, total_) * 100 / total_) + " %";
    } else {
        line += std::to_string(done);
    }
    line += "\x1b[K";
    std::fputs(line.c_str(), stderr);
    std::fflush(stderr);
}

} // namespace wxcourier::commands
