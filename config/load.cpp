// SPDX-License-Identifier: Apache-2.0
#include "config/load.hpp"

#include "config/environment.hpp"
#include "config/file_reader.hpp"
#include "config/sections.hpp"
#include "config/yaml_document.hpp"
#include "config/yaml_reader.hpp"

#include <utility>

namespace wxcourier::config {

void read_settings(const setting& document, settings& into)
{
    mapping::read(document, [&](mapping& keys) {
        mapping::read(keys["kafka"], [&](mapping& kafka) { read_kafka(kafka, into.kafka); });
        const auto token_key = keys["token_key"];
        read_token_key(token_key, into.token_key);
        const bool token_key_given = token_key.given() && !token_key.is(yaml_node::kind::null);
        read_apps(keys.required("apps", "a list of apps"), into.apps, token_key_given);
        mapping::read(keys["topics"], [&](mapping& topics) { read_topics(topics, into.topics, into.apps); });
        mapping::read(keys["wechat"], [&](mapping& wechat) { read_wechat(wechat, into.wechat); });
        mapping::read(keys["delivery"], [&](mapping& delivery) { read_delivery(delivery, into.delivery); });
        mapping::read(keys["http"], [&](mapping& http) { read_http(http, into.http); });
        mapping::read(keys["admin"], [&](mapping& admin) { read_admin(admin, into.admin, into.http); });
        mapping::read(keys["log"], [&](mapping& log) { read_log(log, into.log); });
    });
}

load_outcome load_text(std::string_view text, secrets want, const property_check& check_property)
{
    load_context context{.want = want, .check_property = check_property};
    settings read;
    if (auto document = parse_yaml(text, context.found)) {
        substitute_environment(*document, context.found);
        read_settings(setting{context, *document}, read);
    }
    context.found.sort();
    load_outcome outcome{std::nullopt, std::move(context.found.errors), std::move(context.found.warnings)};
    if (outcome.errors.empty())
        outcome.loaded = std::move(read);
    return outcome;
}

load_outcome load_file(const std::string& path, secrets want, const property_check& check_property)
{
    const auto file = read_file(path, max_file_bytes, file_kind::any);
    if (file.failure.empty())
        return load_text(file.text, want, check_property);
    load_outcome outcome;
    outcome.errors.push_back({1, 1, "the file " + file.failure + ", expected a configuration"});
    return outcome;
}

} // namespace wxcourier::config
