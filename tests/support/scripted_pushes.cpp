// SPDX-License-Identifier: Apache-2.0
#include "tests/support/scripted_pushes.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace wxcourier::test {

std::string touser_of(std::string_view body)
{
    constexpr std::string_view member = R"("touser":")";
    const auto found = body.find(member);
    if (found == std::string_view::npos)
        throw std::runtime_error("a body without touser: " + std::string(body));
    const auto begin = found + member.size();
    return std::string(body.substr(begin, body.find('"', begin) - begin));
}

void scripted_pushes::reply_to(const std::string& touser, std::vector<domain::push_reply> replies)
{
    for (auto& each : replies)
        scripted_[touser].push_back(std::move(each));
}

domain::push_reply scripted_pushes::next_reply(const call& what)
{
    auto& scripted = scripted_[what.touser];
    if (scripted.empty())
        return otherwise(what);
    auto reply = std::move(scripted.front());
    scripted.pop_front();
    return reply;
}

asio::awaitable<domain::push_reply> scripted_pushes::send(engine::push_request request)
{
    if (const auto wait = connecting(touser_of(request.body.start)); wait > steady_duration{0}) {
        const auto alarm = time_.make_alarm();
        connecting_.push_back(alarm.get());
        const bool there = co_await alarm->wait_until(time_.now() + wait);
        std::erase(connecting_, alarm.get());
        if (!there) {
            domain::push_reply cut;
            cut.reach = domain::reach::unknown;
            cut.failure = domain::transport_failure::cancelled;
            co_return cut;
        }
    }
    if (request.gate != nullptr && !request.gate->opens()) {
        const bool opened = co_await request.gate->opened();
        if (!opened) {
            domain::push_reply unsent;
            unsent.failure = domain::transport_failure::cancelled;
            co_return unsent;
        }
    }
    calls.push_back({touser_of(request.body.start), request.body.whole(), std::string(request.token),
                     request.kind->name, time_.now()});
    const auto what = calls.back();
    const auto number = calls.size();
    auto& place = parked_[number];
    place.what = what;
    most_at_once = std::max(most_at_once, parked_.size());
    if (!hold)
        time_.after(latency(what), [self = std::weak_ptr(self_), number] {
            if (const auto still_there = self.lock())
                (*still_there)->answer_due(number);
        });
    auto reply = co_await place.waits.wait();
    parked_.erase(number);
    reply.latency = std::chrono::duration_cast<milliseconds>(time_.now() - what.at);
    co_return reply;
}

void scripted_pushes::answer_due(std::uint64_t number)
{
    const auto found = parked_.find(number);
    if (found != parked_.end() && found->second.waits.parked())
        found->second.waits.complete(next_reply(found->second.what));
}

void scripted_pushes::answer_one(domain::push_reply with)
{
    const auto first =
        std::find_if(parked_.begin(), parked_.end(), [](const auto& each) { return each.second.waits.parked(); });
    if (first == parked_.end())
        throw std::runtime_error("no request waits");
    first->second.waits.complete(std::move(with));
    time_.settle();
}

void scripted_pushes::answer(const std::string& touser, domain::push_reply with)
{
    const auto found = std::find_if(parked_.begin(), parked_.end(), [&touser](const auto& each) {
        return each.second.what.touser == touser && each.second.waits.parked();
    });
    if (found == parked_.end())
        throw std::runtime_error("no request to " + touser + " waits");
    found->second.waits.complete(std::move(with));
    time_.settle();
}

void scripted_pushes::answer_all(const domain::push_reply& with)
{
    for (auto* const each : connecting_) // no answer may come before they are there: they are cut off
        each->wake();
    for (auto& [number, each] : parked_)
        if (each.waits.parked())
            each.waits.complete(with);
    time_.settle();
}

std::size_t scripted_pushes::sends_to(const std::string& touser) const
{
    return static_cast<std::size_t>(
        std::count_if(calls.begin(), calls.end(), [&touser](const auto& each) { return each.touser == touser; }));
}

} // namespace wxcourier::test
