// SPDX-License-Identifier: Apache-2.0
#include "app/app_roster.hpp"

#include "app/settings_mapping.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace wxcourier::app {
namespace {

const config::app_settings& app_named(const std::string& name, const config::settings& in)
{
    return *std::find_if(in.apps.begin(), in.apps.end(), [&name](const auto& each) { return each.name == name; });
}

/// The apps that need a source of tokens which they did not have before.
std::vector<std::string> with_new_tokens(const config::difference& found)
{
    auto names = found.added;
    for (const auto& each : found.changed)
        if (each.identity || each.token)
            names.push_back(each.name);
    return names;
}

} // namespace

app_roster::app_roster(engine::asio::io_context& io, engine::courier& courier, secret_watch& secrets,
                       config::settings& in_force)
    : io_(io), courier_(courier), secrets_(secrets), in_force_(in_force), shares_tokens_(shares_tokens(in_force))
{
    for (const auto& app : in_force.apps) {
        const auto index = *courier_.find_app(app.name);
        if (app.token.source == config::token_source::shared) {
            auto& server = outside_[index].server;
            server = std::make_unique<wechat::shared_token_client>(io_, shared_token_of(in_force, app));
            courier_.tokens().use_source(index, *server);
        }
        watch_secret(index, app);
    }
}

std::vector<std::string> app_roster::follow(const config::difference& found, const config::settings& wanted)
{
    server_map servers;
    auto refusals = make_servers(found, wanted, servers);
    if (!refusals.empty())
        return refusals;
    for (const auto& name : found.removed)
        remove(name);
    for (const auto& each : found.changed)
        change(each, app_named(each.name, wanted), servers);
    for (const auto& name : found.added)
        add(app_named(name, wanted), servers);
    return {};
}

void app_roster::stop()
{
    for (const auto& [app, each] : outside_)
        if (each.server)
            each.server->stop();
    for (const auto& each : replaced_)
        each->stop();
}

/// All that can fail, before anything is changed.
std::vector<std::string> app_roster::make_servers(const config::difference& found, const config::settings& wanted,
                                                  server_map& into)
{
    std::vector<std::string> refusals;
    for (const auto& name : with_new_tokens(found)) {
        const auto& app = app_named(name, wanted);
        if (app.token.source == config::token_source::classic && !shares_tokens_)
            refusals.push_back("apps." + name +
                               ".token.source is classic, and there was no token_key when this process started, which "
                               "needs a restart: the key and the token topic are taken up at the start only");
        if (app.token.source != config::token_source::shared)
            continue;
        try {
            into[name] = std::make_unique<wechat::shared_token_client>(io_, shared_token_of(in_force_, app));
        } catch (const std::exception& error) {
            refusals.push_back("apps." + name + ".token: " + error.what());
        }
    }
    return refusals;
}

void app_roster::add(const config::app_settings& app, server_map& servers)
{
    auto server = std::move(servers[app.name]);
    const auto index = courier_.add_app(app_options_of(app), server.get());
    auto& kept = outside_[index];
    if (kept.server) // the app was here before
        replaced_.push_back(std::move(kept.server));
    kept.server = std::move(server);
    watch_secret(index, app);
}

void app_roster::remove(const std::string& name)
{
    const auto index = *courier_.find_app(name);
    courier_.remove_app(index);
    // What is in memory still gets its token from the same server.
    if (const auto found = outside_.find(index); found != outside_.end())
        secrets_.remove(std::exchange(found->second.watch, 0));
}

void app_roster::change(const config::app_difference& difference, const config::app_settings& app, server_map& servers)
{
    if (difference.identity) {
        remove(app.name);
        add(app, servers);
        return;
    }
    const auto index = *courier_.find_app(app.name);
    const auto options = app_options_of(app);
    if (difference.limits)
        courier_.change_limits(index, options.limits);
    if (difference.token) {
        auto server = std::move(servers[app.name]);
        courier_.change_tokens(index, options, server.get());
        auto& kept = outside_[index].server;
        if (kept)
            replaced_.push_back(std::move(kept));
        kept = std::move(server);
    } else if (difference.secret && app.token.source != config::token_source::shared) {
        courier_.tokens().offer_secret(index, app.app_secret);
    }
    if (difference.token || difference.secret)
        watch_secret(index, app);
}

/// Watches the file that the app's secret stands in now, and no other of the app's.
void app_roster::watch_secret(domain::app_index app, const config::app_settings& of)
{
    auto& kept = outside_[app];
    secrets_.remove(std::exchange(kept.watch, 0));
    const auto noted = [this, name = of.name](auto take) {
        for (auto& each : in_force_.apps)
            if (each.name == name)
                take(each);
    };
    if (auto* const server = kept.server.get())
        kept.watch = secrets_.add(of.name, of.token.shared.header_source, of.token.shared.header_value,
                                  [this, server, app, noted](secret value) {
                                      noted([&value](auto& each) { each.token.shared.header_value = value; });
                                      server->set_header_value(std::move(value));
                                      courier_.tokens().ask_soon(app);
                                  });
    else
        kept.watch = secrets_.add(of.name, of.app_secret_source, of.app_secret, [this, app, noted](secret value) {
            noted([&value](auto& each) { each.app_secret = value; });
            courier_.tokens().offer_secret(app, std::move(value));
        });
}

} // namespace wxcourier::app
