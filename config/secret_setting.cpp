// SPDX-License-Identifier: Apache-2.0
#include "config/secret_setting.hpp"

#include "config/environment.hpp"
#include "config/secret_reader.hpp"

#include <algorithm>
#include <utility>

namespace wxcourier::config {

namespace {

constexpr std::string_view expected_reference = "expected {env: NAME} or {file: PATH}";

std::optional<secret_reference> read_one(const setting& named, const setting& whole, secret_source::kind from)
{
    secret_reference reference{{from, {}}, {}, named.written(), named, whole};
    if (from == secret_source::kind::value) {
        auto text = named.raw_text("the secret");
        if (!text)
            return std::nullopt;
        if (text->empty()) {
            named.error("is empty, expected the secret");
            return std::nullopt;
        }
        whole.warning("holds the secret itself, " + std::string{expected_reference});
        reference.value = secret{std::move(*text)};
        return reference;
    }
    auto name = named.text(from == secret_source::kind::file ? "a file's path" : "a variable's name");
    if (!name)
        return std::nullopt;
    if (from == secret_source::kind::environment && !is_environment_name(*name)) {
        named.error("is not the name of an environment variable, expected letters, digits and underscores");
        return std::nullopt;
    }
    reference.source.name = std::move(*name);
    return reference;
}

} // namespace

std::optional<secret_reference> read_secret_reference(const setting& from, inline_value inlined)
{
    std::optional<secret_reference> result;
    if (!from.given())
        return result;
    if (!from.is(yaml_node::kind::mapping) && !from.is(yaml_node::kind::refused)) {
        from.error("is not a reference to a secret, " + std::string{expected_reference});
        return result;
    }
    mapping::read(from, [&](mapping& keys) {
        keys.conceal_unknown();
        std::vector<std::pair<secret_source::kind, setting>> given{{secret_source::kind::environment, keys["env"]},
                                                                   {secret_source::kind::file, keys["file"]}};
        if (inlined == inline_value::warned_of)
            given.emplace_back(secret_source::kind::value, keys["value"]);
        std::erase_if(given, [](const auto& each) { return !each.second.given(); });
        if (given.size() == 1)
            result = read_one(given.front().second, from, given.front().first);
        else if (given.size() > 1 || keys.all_known())
            from.error((given.empty() ? "names no source, " : "names more than one source, ") +
                       std::string{expected_reference});
    });
    return result;
}

std::optional<secret> fetch_secret(const secret_reference& reference, secret_owner owner)
{
    if (reference.source.from == secret_source::kind::value)
        return reference.value;
    const auto want = reference.named.context().want;
    if (want == secrets::ignored || (want == secrets::of_kafka && owner != secret_owner::kafka_client))
        return secret{};
    auto read = read_secret(reference.source);
    if (!read.text) {
        const auto& named = reference.named;
        const auto as_written = describe({reference.source.from, reference.shown_name});
        named.context().found.error(named.at(), reference.whole.path() + ": " + as_written + ' ' + read.failure +
                                                    ", expected the secret there");
    }
    return std::move(read.text);
}

} // namespace wxcourier::config
