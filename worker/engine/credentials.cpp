// SPDX-License-Identifier: Apache-2.0
#include "engine/credentials.hpp"

#include "engine/token_keeper.hpp"

#include <utility>

namespace wxcourier::engine {

credentials::credentials(const std::deque<app_options>& apps, token_api& api, domain::send_queue& queue, clock& time,
                         metrics_registry& metrics, std::function<double()> jitter, std::function<void()> on_change)
    : apps_(apps), api_(api), queue_(queue), time_(time), metrics_(metrics), jitter_(std::move(jitter)),
      on_change_(std::move(on_change))
{
    while (keepers_.size() < apps_.size())
        add_app();
}

credentials::~credentials() = default;

std::unique_ptr<token_keeper> credentials::make_keeper(domain::app_index app,
                                                       std::shared_ptr<const access_token> before)
{
    return std::make_unique<token_keeper>(app, apps_[app], std::move(before), api_, queue_, time_, metrics_, jitter_,
                                          on_change_);
}

void credentials::add_app()
{
    keepers_.push_back(make_keeper(static_cast<domain::app_index>(keepers_.size()), nullptr));
}

void credentials::renew_keeper(domain::app_index app)
{
    auto& keeper = keepers_[app];
    keeper->stop();
    auto fresh = make_keeper(app, keeper->current());
    replaced_.push_back(std::exchange(keeper, std::move(fresh)));
}

void credentials::start_app(domain::app_index app)
{
    if (tasks_ != nullptr)
        tasks_->spawn(keepers_[app]->run());
}

void credentials::stop_app(domain::app_index app)
{
    keepers_[app]->stop();
}

void credentials::use_source(domain::app_index app, token_source& source)
{
    keepers_[app]->use_source(source);
}

void credentials::bring(domain::app_index app, const token_reply& reply)
{
    keepers_[app]->bring(reply);
}

void credentials::offer_secret(domain::app_index app, secret offered)
{
    keepers_[app]->offer_secret(std::move(offered));
}

void credentials::ask_soon(domain::app_index app)
{
    keepers_[app]->ask_soon();
}

void credentials::replace_token(domain::app_index app, bool for_group)
{
    std::function<void()> done;
    if (for_group)
        done = [this, app] {
            if (on_replaced_)
                on_replaced_(app);
        };
    keepers_[app]->replace(std::move(done));
}

void credentials::take_up_replaced(domain::app_index app)
{
    keepers_[app]->take_up_replaced();
}

void credentials::look_again(domain::app_index app)
{
    keepers_[app]->look_again();
}

void credentials::start(task_group& tasks)
{
    tasks_ = &tasks;
    for (const auto& each : keepers_)
        tasks.spawn(each->run());
}

void credentials::stop()
{
    for (const auto& each : keepers_)
        each->stop();
}

std::shared_ptr<const access_token> credentials::current(domain::app_index app) const
{
    return keepers_[app]->current();
}

void credentials::on_rejected(domain::app_index app, std::uint64_t generation)
{
    keepers_[app]->on_rejected(generation);
}

void credentials::on_accepted(domain::app_index app, std::uint64_t generation)
{
    keepers_[app]->on_accepted(generation);
}

void credentials::on_account_refused(domain::app_index app, std::string_view reason, const std::string& detail)
{
    keepers_[app]->on_account_refused(reason, detail);
}

credential_report credentials::report(domain::app_index app) const
{
    return keepers_[app]->report();
}

} // namespace wxcourier::engine
