// SPDX-License-Identifier: Apache-2.0
#include "tests/support/manual_clock.hpp"

#include "tests/support/parked_call.hpp"

#include <algorithm>
#include <stdexcept>

namespace wxcourier::test {
namespace {

/// Turns of the loop without any time going by: far more than a test's traffic needs.
constexpr int most_turns = 1'000'000;

} // namespace

class manual_clock::hand_moved_alarm final : public engine::alarm {
public:
    explicit hand_moved_alarm(manual_clock& owner) : owner_(owner) {}
    hand_moved_alarm(const hand_moved_alarm&) = delete;
    hand_moved_alarm& operator=(const hand_moved_alarm&) = delete;
    ~hand_moved_alarm() override { forget_deadline(); }

    asio::awaitable<bool> wait_until(std::optional<steady_time> deadline) override
    {
        if (std::exchange(woken_, false))
            co_return false;
        if (deadline) {
            entry_ = {std::max(*deadline, owner_.now_), owner_.asked_++};
            owner_.due_.emplace(*entry_, [this] { fire(true); });
        }
        const bool reached = co_await call_.wait();
        co_return reached;
    }

    void wake() override
    {
        if (call_.parked())
            fire(false);
        else
            woken_ = true;
    }

private:
    void fire(bool reached)
    {
        forget_deadline();
        call_.complete(reached);
    }
    void forget_deadline()
    {
        if (entry_)
            owner_.due_.erase(*std::exchange(entry_, std::nullopt));
    }

    manual_clock& owner_;
    parked_call<bool> call_;
    std::optional<key> entry_;
    bool woken_ = false;
};

manual_clock::manual_clock(asio::io_context& loop) : loop_(loop) {}
manual_clock::~manual_clock() = default;

wall_time manual_clock::wall_now() const
{
    return wall_time{std::chrono::floor<milliseconds>(now_.time_since_epoch()) + wall_};
}

std::unique_ptr<engine::alarm> manual_clock::make_alarm()
{
    return std::make_unique<hand_moved_alarm>(*this);
}

void manual_clock::at(steady_time when, std::function<void()> what)
{
    due_.emplace(key{std::max(when, now_), asked_++}, std::move(what));
}

void manual_clock::settle()
{
    loop_.restart();
    for (int turns = 0; loop_.poll_one() != 0 || run_due();)
        if (++turns > most_turns)
            throw std::runtime_error("the loop never settles: a coroutine is turning round and round");
}

bool manual_clock::run_due()
{
    if (due_.empty() || due_.begin()->first.first > now_)
        return false;
    const auto what = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    what();
    loop_.restart();
    return true;
}

bool manual_clock::advance_to_next(steady_time limit)
{
    settle();
    if (due_.empty() || due_.begin()->first.first > limit) {
        now_ = std::max(now_, limit);
        return false;
    }
    now_ = due_.begin()->first.first;
    settle();
    return true;
}

void manual_clock::advance(steady_duration by)
{
    const auto limit = now_ + by;
    while (advance_to_next(limit)) {
    }
}

bool manual_clock::advance_until(const std::function<bool()>& done, steady_duration longest)
{
    const auto limit = now_ + longest;
    settle();
    while (!done())
        if (!advance_to_next(limit))
            return done();
    return true;
}

} // namespace wxcourier::test
