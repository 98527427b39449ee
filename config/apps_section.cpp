// SPDX-License-Identifier: Apache-2.0
#include "config/network_address.hpp"
#include "config/secret_reader.hpp"
#include "config/secret_setting.hpp"
#include "config/sections.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace wxcourier::config {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view expected_name = "1 to 64 of A-Z a-z 0-9 . _ -";
constexpr std::string_view expected_path = "names with dots between, such as data.access_token";
constexpr int most_a_day = 1'000'000'000;
constexpr std::string_view expected_token_url = "https://HOST/PATH, or http to a loopback address";

void read_app_name(const setting& from, std::string& into)
{
    const auto name = from.text(expected_name);
    if (!name)
        return;
    static constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (name->size() > 64 || name->find_first_not_of(allowed) != std::string::npos)
        from.error("is " + from.shown() + ", expected " + std::string{expected_name});
    else
        into = *name;
}

void read_appid(const setting& from, std::string& into)
{
    const auto appid = from.text("an AppID");
    if (!appid)
        return;
    into = *appid;
    if (appid->size() != 18 || !appid->starts_with("wx") ||
        appid->find_first_not_of("0123456789abcdef", 2) != std::string::npos)
        from.warning("is " + from.shown() + ", expected wx and 16 hexadecimal digits");
}

void read_app_secret(const setting& from, app_settings& into)
{
    const auto reference = read_secret_reference(from);
    if (!reference)
        return;
    into.app_secret_source = reference->source;
    auto text = fetch_secret(*reference);
    if (!text || text->empty())
        return;
    if (const auto flaw = flaw_of_word(*text); !flaw.empty())
        from.error(flaw + ", expected one line of printable ASCII");
    else
        into.app_secret = std::move(*text);
}

/// A token server's URL; it may hold a key in its query, so it is never shown.
void read_token_url(const setting& from, std::string& into)
{
    const auto text = from.text(expected_token_url);
    if (!text)
        return;
    const auto url = parse_url(*text);
    const bool plain = std::all_of(text->begin(), text->end(), [](char each) { return each > ' ' && each <= '~'; });
    const std::string_view problem = !url || !plain       ? "is not a URL"
                                     : url->has_user_info ? "has a user name or password in it"
                                     : url->has_fragment  ? "has a fragment"
                                     : url->scheme == "http" && !is_loopback(url->host)
                                         ? "is plain http to another machine"
                                         : "";
    if (!problem.empty())
        from.error(std::string{problem} + ", expected " + std::string{expected_token_url});
    else
        into = *text;
}

void read_token_header(const setting& header, const setting& header_secret, shared_token_settings& into)
{
    if (const auto name = header.text("the name of an HTTP header")) {
        static constexpr std::string_view allowed =
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";
        if (name->find_first_not_of(allowed) != std::string::npos)
            header.error("is " + header.shown() + ", expected the name of an HTTP header");
        else
            into.header = *name;
    }
    if (header.given() != header_secret.given()) {
        const auto& lone = header.given() ? header : header_secret;
        lone.error(header.given() ? "stands alone, expected the header's value under secret beside it"
                                  : "stands alone, expected the name of the header that carries it beside it");
    }
    const auto reference = read_secret_reference(header_secret);
    if (reference)
        into.header_source = reference->source;
    auto value = reference ? fetch_secret(*reference) : std::nullopt;
    if (!value)
        return;
    const auto text = value->reveal();
    if (std::any_of(text.begin(), text.end(), [](char each) { return each < ' ' || each == '\x7F'; }))
        header_secret.error("holds a character that no HTTP header may, expected printable ASCII");
    else
        into.header_value = std::move(*value);
}

void read_token_path(const setting& from, std::string& into)
{
    const std::string expected{expected_path};
    const auto path = from.text(expected);
    if (!path)
        return;
    if (path->empty() || path->starts_with('.') || path->ends_with('.') || path->find("..") != std::string::npos)
        from.error("is " + from.shown() + ", expected " + expected);
    else
        into = *path;
}

/// The keys of `shared`. With another source they would do nothing, so they are errors there.
void read_shared_token(mapping& keys, const setting& source, token_settings& into)
{
    const bool shared = into.source == token_source::shared;
    const auto url = keys["url"];
    const auto header = keys["header"];
    const auto header_secret = keys["secret"];
    const auto path = keys["path"];
    const auto expires_path = keys["expires_path"];
    const auto ca_file = keys["ca_file"];
    const auto min_interval = keys["min_interval"];
    if (!shared) {
        for (const auto& each : {url, header, header_secret, path, expires_path, ca_file, min_interval})
            if (each.given())
                each.error("is only for a shared token, expected source: shared beside it");
        return;
    }
    if (!url.given())
        source.error("is shared without a url, expected " + std::string{expected_token_url} + " beside it");
    read_token_url(url, into.shared.url);
    read_token_header(header, header_secret, into.shared);
    read_token_path(path, into.shared.path);
    read_token_path(expires_path, into.shared.expires_path);
    read_ca_file(ca_file, into.shared.ca_file);
    min_interval.read(into.shared.min_interval, 1ms, 1h);
}

void read_token(mapping& keys, token_settings& into, bool token_key_given)
{
    const auto source = keys["source"];
    const bool understood = source.choose<token_source>(
        into.source,
        {{"stable", token_source::stable}, {"classic", token_source::classic}, {"shared", token_source::shared}});
    const auto refresh_before = keys["refresh_before"];
    milliseconds before{};
    refresh_before.read(before, 1s, 1h);
    if (before != milliseconds{})
        into.refresh_before = before;
    if (source.given() && !understood) {
        for (const auto* key : {"url", "header", "secret", "path", "expires_path", "ca_file", "min_interval"})
            keys[key]; // known keys, whatever the source was meant to be
        return;
    }
    read_shared_token(keys, source, into);
    if (into.source == token_source::classic && !token_key_given)
        source.error("is classic, which needs the key of the token topic, expected token_key: {file: PATH} with the "
                     "output of: openssl rand -base64 32");
}

void read_quota(mapping& keys, quota_settings& into)
{
    if (const auto daily = keys["daily"]; !daily.is(yaml_node::kind::null)) {
        int count = 0;
        daily.read(count, 1, most_a_day);
        if (count > 0)
            into.daily = count;
    }
    keys["reserve_percent"].read(into.reserve_percent, 0, 90);
}

void read_recipient_limit(const setting& from, std::optional<recipient_settings>& into)
{
    if (!from.given() || from.is(yaml_node::kind::null))
        return;
    mapping::read(from, [&](mapping& keys) {
        into.emplace();
        keys.required("max", "how many messages one recipient may get in a window").read(into->max, 1, 100'000);
        keys.required("window", "a duration such as 24h").read(into->window, 1s, 7 * 24h);
    });
}

void read_limits(mapping& keys, app_settings& into)
{
    mapping::read(keys["rate"], [&](mapping& rate) {
        rate["per_second"].read(into.rate_per_second, 0.001, 100'000);
        rate["burst"].read(into.rate_burst, 1, 1'000'000);
    });
    keys["concurrency"].read(into.concurrency, 1, 10'000);
    mapping::read(keys["quota"], [&](mapping& quota) { read_quota(quota, into.quota); });
    keys["weight"].read(into.weight, 1, 100);
    read_recipient_limit(keys["per_recipient"], into.per_recipient);
}

/// What of an app must differ from, or be looked at together with, the others.
struct identity {
    setting name;
    setting appid;
};

identity read_app(mapping& keys, app_settings& into, bool token_key_given)
{
    const auto name = keys.required("name", expected_name);
    read_app_name(name, into.name);
    keys.required("type", "official_account or mini_program")
        .choose<app_type>(into.type,
                          {{"official_account", app_type::official_account}, {"mini_program", app_type::mini_program}});
    const auto appid = keys.required("appid", "the app's AppID, such as wx0123456789abcdef");
    read_appid(appid, into.appid);
    mapping::read(keys["token"], [&](mapping& token) { read_token(token, into.token, token_key_given); });
    const bool secret_needed = into.token.source != token_source::shared;
    read_app_secret(secret_needed ? keys.required("secret", "{env: NAME} or {file: PATH}") : keys["secret"], into);
    read_limits(keys, into);
    return {name, appid};
}

} // namespace

void read_apps(const setting& from, std::vector<app_settings>& into, bool token_key_given)
{
    const auto items = from.items("a list of apps");
    if (from.is(yaml_node::kind::sequence) && items.empty())
        from.error("is an empty list, expected at least one app");
    std::map<std::string, std::string> names;
    std::map<std::string, std::string> appids;
    for (const auto& item : items) {
        if (item.is(yaml_node::kind::null)) {
            item.error("has no value, expected an app's name, type, appid and secret");
            continue;
        }
        app_settings app;
        mapping::read(item, [&](mapping& keys) {
            const auto [name, appid] = read_app(keys, app, token_key_given);
            if (const auto [first, is_new] = names.try_emplace(app.name, item.path()); !is_new && !app.name.empty())
                name.error("is " + name.shown() + ", the name of " + first->second + " already, expected another");
            if (const auto [first, is_new] = appids.try_emplace(app.appid, item.path()); !is_new && !app.appid.empty())
                appid.warning("is that of " + first->second +
                              " too, expected one app for each AppID: "
                              "their rates add up, and classic tokens end each other");
        });
        into.push_back(std::move(app));
    }
}

} // namespace wxcourier::config
