// SPDX-License-Identifier: Apache-2.0
#include "domain/adaptive_pace.hpp"

#include <algorithm>
#include <bit>
#include <chrono>

namespace wxcourier::domain {
namespace {

/// How much of a window's excess the usual latency takes over: where answers stay slow, and going slower does not help,
/// a minute or two makes that the usual.
constexpr double latency_drift = 1.0 / 64;

constexpr std::array<std::string_view, pace_reason_count> words{
    "configured", "system_busy", "minute_limit", "too_many_requests", "timeout", "latency", "outage"};

double seconds_of(steady_duration time) noexcept
{
    return std::chrono::duration<double>(time).count();
}

std::size_t step_of(milliseconds latency, std::size_t steps) noexcept
{
    const auto value = static_cast<std::uint64_t>(std::max<milliseconds::rep>(latency.count(), 0));
    if (value < 4)
        return static_cast<std::size_t>(value);
    const auto power = static_cast<unsigned>(std::bit_width(value)) - 1; // at least 2
    return std::min<std::size_t>(std::size_t{power - 1} * 4 + ((value >> (power - 2)) & 3U), steps - 1);
}

/// The middle of a step.
double latency_of(std::size_t step) noexcept
{
    if (step < 4)
        return static_cast<double>(step);
    const auto power = step / 4 + 1;
    return (4.5 + static_cast<double>(step % 4)) * static_cast<double>(std::uint64_t{1} << (power - 2));
}

} // namespace

std::string_view to_string(pace_reason reason) noexcept
{
    return words.at(static_cast<std::size_t>(reason));
}

pace_reason pushback_of(const push_reply& reply) noexcept
{
    if (reply.failure == transport_failure::timeout)
        return pace_reason::timeout;
    if (reply.http_status == 429 || reply.http_status == 503)
        return pace_reason::too_many_requests;
    if (reply.errcode == -1)
        return pace_reason::system_busy;
    return reply.errcode == 45011 ? pace_reason::minute_limit : pace_reason::none;
}

bool adaptive_pace::on_answer(const push_reply& reply, steady_time began, double per_second, steady_time now) noexcept
{
    if (began < slowed_at_)
        return false;
    if (answers_ == 0) {
        window_began_ = now;
        if (judged_at_ == steady_time::min())
            judged_at_ = now;
    }
    ++answers_;
    const auto pushback = pushback_of(reply);
    if (pushback == pace_reason::minute_limit) // no noise: WeChat's own word that the last minute was too fast
        return slow_down(limits_.decrease, pushback, per_second, now);
    if (pushback != pace_reason::none) {
        ++pushbacks_.at(static_cast<std::size_t>(pushback));
    } else if (reply.reach == reach::answered) {
        ++latencies_.at(step_of(reply.latency, latency_steps));
        ++measured_;
    }
    const auto elapsed = now - window_began_;
    const bool full = elapsed >= limits_.window && answers_ >= limits_.answers;
    // After a silence the window before has long been over.
    return full || now - judged_at_ >= limits_.longest_window ? judge(per_second, now) : false;
}

bool adaptive_pace::judge(double per_second, steady_time now) noexcept
{
    const auto most = std::max_element(pushbacks_.begin(), pushbacks_.end());
    std::size_t sum = 0;
    for (const auto each : pushbacks_)
        sum += each;
    const bool pushed_back =
        sum >= limits_.pushbacks && static_cast<double>(sum) >= limits_.pushback_part * static_cast<double>(answers_);
    const bool rises = latency_rises();
    if (pushed_back)
        return slow_down(limits_.decrease, static_cast<pace_reason>(most - pushbacks_.begin()), per_second, now);
    if (slow_windows_ >= limits_.slow_windows)
        return slow_down(limits_.latency_decrease, pace_reason::latency, per_second, now);
    const bool changed = !rises && speed_up(now);
    open_window(now);
    return changed;
}

bool adaptive_pace::latency_rises() noexcept
{
    if (measured_ < limits_.answers)
        return false;
    std::size_t seen = 0;
    std::size_t step = 0;
    while (seen += latencies_.at(step), seen * 2 < measured_)
        ++step;
    const double median = latency_of(step);
    if (usual_latency_ < 0)
        usual_latency_ = median;
    const bool rises =
        median > limits_.latency_factor * usual_latency_ + static_cast<double>(limits_.latency_margin.count());
    usual_latency_ +=
        median < usual_latency_ ? (median - usual_latency_) / 2 : (median - usual_latency_) * latency_drift;
    slow_windows_ = rises ? slow_windows_ + 1 : 0;
    return rises;
}

bool adaptive_pace::slow_down(double factor, pace_reason why, double per_second, steady_time now) noexcept
{
    const auto elapsed = std::max<steady_duration>(now - window_began_, limits_.window);
    const double went = static_cast<double>(answers_) / seconds_of(elapsed) / per_second;
    const double lowest = std::min(1.0, std::max(limits_.floor, 1 / per_second));
    const double slower = std::max(lowest, factor * std::min(fraction_, went));
    const bool changed = slower < fraction_;
    fraction_ = std::min(fraction_, slower);
    if (fraction_ < 1)
        reason_ = why;
    slowed_at_ = now;
    slow_windows_ = 0;
    open_window(now);
    return changed;
}

bool adaptive_pace::speed_up(steady_time now) noexcept
{
    if (fraction_ >= 1)
        return false;
    // A silence is no proof that WeChat is well: it counts for no more than the longest window.
    const auto passed = std::min(now - judged_at_, limits_.longest_window);
    fraction_ = std::min(1.0, fraction_ + seconds_of(passed) / seconds_of(limits_.recovery));
    if (fraction_ >= 1)
        reason_ = pace_reason::none;
    return true;
}

bool adaptive_pace::on_outage_over(steady_time now) noexcept
{
    slowed_at_ = now;
    open_window(now);
    if (fraction_ <= limits_.after_outage)
        return false;
    fraction_ = limits_.after_outage;
    reason_ = pace_reason::outage;
    return true;
}

void adaptive_pace::open_window(steady_time now) noexcept
{
    judged_at_ = now;
    answers_ = 0;
    measured_ = 0;
    pushbacks_.fill(0);
    latencies_.fill(0);
}

} // namespace wxcourier::domain
