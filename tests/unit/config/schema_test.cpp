// SPDX-License-Identifier: Apache-2.0
// Holds config/schema/config.schema.json and the example files to what the loader does.
#include "config/environment.hpp"
#include "config/load.hpp"
#include "config/sections.hpp"
#include "config/yaml_document.hpp"
#include "config/yaml_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

namespace wxcourier::config {
namespace {

const std::string root_folder = WXCOURIER_SOURCE_DIR "/";

/// A file that has every key, whatever the one excludes of the other.
constexpr std::string_view every_key = R"(
kafka:
  bootstrap_servers: b
  group_id: g
  start: latest
  properties: {client.rack: r, sasl.password: {env: X}, ssl.key.pem: {file: /x}}
topics:
  jobs: [a, {name: b, apps: [classic]}]
  status: s
  dead_letter: d
  delayed: w
  tokens: t
  fleet: f
  create: {partitions: 1, replication: 1}
wechat: {base_urls: [https://a.example], ca_file: /x, connect_timeout: 1s, request_timeout: 1s}
apps:
- name: classic
  type: mini_program
  appid: wx0123456789abcdef
  secret: {env: X}
  token: {source: classic, refresh_before: 1m}
  rate: {per_second: 1, burst: 1}
  concurrency: 1
  quota: {daily: 1, reserve_percent: 1}
  weight: 1
  per_recipient: {max: 1, window: 1s}
- name: shared
  type: mini_program
  appid: wx1123456789abcdef
  token: {source: shared, url: https://t.example/, header: h, secret: {file: /x}, path: p, expires_path: e, ca_file: /c, min_interval: 1s}
delivery:
  guarantee: at_least_once
  ordering: none
  on_unknown: retry
  retry: {initial: 1s, max: 1s, give_up_after: 1s, network: {max: 1s, give_up_after: 1s}, busy: {max: 1s, give_up_after: 1s},
          recipient: {max: 1s, give_up_after: 1s}}
  max_age: 1s
  max_delay: 1s
  commit_interval: 1s
  revoke_timeout: 1s
  drain_timeout: 1s
  dry_run: false
token_key: {file: /x}
http: {listen: "a:1"}
admin: {listen: "a:2", token: {file: /x}}
log: {level: info, format: text}
)";

std::string read_all(const std::string& path)
{
    std::ifstream in{root_folder + path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// JSON is YAML, and this module's tests have a reader of that.
YAML::Node schema()
{
    return YAML::Load(read_all("config/schema/config.schema.json"));
}

YAML::Node resolved(const YAML::Node& part, const YAML::Node& root)
{
    if (!part["$ref"])
        return part;
    const auto name = part["$ref"].as<std::string>();
    return root["$defs"][name.substr(name.rfind('/') + 1)];
}

std::string joined(const std::string& path, const std::string& key)
{
    return path.empty() ? key : path + '.' + key;
}

/// The keys that the schema allows below `part`, as `load_context::known_keys` writes them.
void collect_keys(const YAML::Node& part, const std::string& path, const YAML::Node& root, std::set<std::string>& keys)
{
    const auto here = resolved(part, root);
    for (const auto& each : here["properties"]) {
        const auto key = joined(path, each.first.as<std::string>());
        keys.insert(key);
        collect_keys(each.second, key, root, keys);
    }
    if (here["additionalProperties"] && here["additionalProperties"].IsMap()) {
        keys.insert(path + ".*");
        collect_keys(here["additionalProperties"], path + ".*", root, keys);
    }
    if (here["items"])
        collect_keys(here["items"], path + "[]", root, keys);
    for (const auto& each : here["anyOf"])
        collect_keys(each, path, root, keys);
}

/// The defaults that the schema names below `part`, as a document.
YAML::Node collect_defaults(const YAML::Node& part, const YAML::Node& root)
{
    YAML::Node document{YAML::NodeType::Map};
    for (const auto& each : resolved(part, root)["properties"]) {
        const auto key = each.first.as<std::string>();
        if (each.second["default"])
            document[key] = each.second["default"];
        else if (each.second["properties"])
            document[key] = collect_defaults(each.second, root);
    }
    return document;
}

load_context read(const std::string& text)
{
    load_context context{.want = secrets::ignored};
    const auto document = parse_yaml(text, context.found);
    settings unused;
    if (document)
        read_settings(setting{context, *document}, unused);
    return context;
}

settings load(const std::string& text)
{
    auto outcome = load_text(text, secrets::ignored);
    for (const auto& error : outcome.errors)
        ADD_FAILURE() << to_string(error, "text") << "\n" << text;
    return outcome.loaded.value_or(settings{});
}

TEST(Schema, AllowsTheKeysTheLoaderKnowsAndNoOther)
{
    const auto context = read(std::string{every_key});
    for (const auto& error : context.found.errors)
        ADD_FAILURE() << to_string(error, "every_key");
    std::set<std::string> allowed;
    collect_keys(schema(), "", schema(), allowed);
    EXPECT_THAT(context.known_keys, testing::ContainerEq(allowed));
}

TEST(Schema, ClosesEveryMapping)
{
    // A mapping of the schema that took any key would let an editor pass what the loader refuses.
    const auto text = read_all("config/schema/config.schema.json");
    const auto count = [&](const std::string& what) {
        std::size_t found = 0;
        for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
            ++found;
        return found;
    };
    const auto conditions = std::size_t{4}; // "properties" inside if and else, which add no keys
    const auto the_key_of_kafka = std::size_t{1};
    EXPECT_EQ(count("\"properties\": {"), count("\"additionalProperties\": false") + conditions + the_key_of_kafka);
}

TEST(Schema, NamesTheDefaultsOfTheCode)
{
    const auto root = schema();
    auto document = collect_defaults(root, root);
    document["kafka"]["bootstrap_servers"] = "b";
    auto app = collect_defaults(root["properties"]["apps"]["items"], root);
    app["token"].remove("path");         // defaults of a shared token only
    app["token"].remove("min_interval"); // likewise
    app["name"] = "shop";
    app["type"] = "mini_program";
    app["appid"] = "wx0123456789abcdef";
    app["secret"]["env"] = "X";
    document["apps"].push_back(app);
    std::ostringstream written;
    written << document;
    const auto without =
        load("kafka: {bootstrap_servers: b}\n"
             "apps: [{name: shop, type: mini_program, appid: wx0123456789abcdef, secret: {env: X}}]\n");
    EXPECT_TRUE(load(written.str()) == without) << written.str();
    EXPECT_THAT(written.str(), testing::HasSubstr("give_up_after: 6h")) << "the defaults were found";
}

TEST(Schema, NamesTheDefaultsOfASharedToken)
{
    const auto root = schema();
    const auto token = root["properties"]["apps"]["items"]["properties"]["token"]["properties"];
    EXPECT_EQ(token["path"]["default"].as<std::string>(), shared_token_settings{}.path);
    EXPECT_EQ(token["min_interval"]["default"].as<std::string>(), "1s");
    EXPECT_EQ(shared_token_settings{}.min_interval, std::chrono::seconds{1});
}

TEST(ExampleFile, HoldsEveryDefault)
{
    const auto read = load(read_all("config/wxcourier.yaml"));
    const auto defaults =
        load("kafka: {bootstrap_servers: \"127.0.0.1:9092\"}\n"
             "apps: [{name: shop, type: official_account, appid: wx0123456789abcdef, secret: {env: SHOP_SECRET}}]\n");
    EXPECT_TRUE(read == defaults);
    EXPECT_TRUE(load_text(read_all("config/wxcourier.yaml"), secrets::ignored).warnings.empty());
}

TEST(ExampleFile, NamesEveryKey)
{
    const auto text = read_all("config/wxcourier.yaml");
    for (const auto& key : read(std::string{every_key}).known_keys) {
        const auto name = key.substr(key.rfind('.') + 1);
        EXPECT_TRUE(name == "*" || text.find(name + ":") != std::string::npos) << key;
    }
}

TEST(DevelopmentFile, Loads)
{
    const auto read = load(read_all("config/dev.yaml"));
    ASSERT_EQ(read.apps.size(), 2U);
    EXPECT_EQ(read.apps[0].name, "shop");
    EXPECT_EQ(read.apps[1].name, "mini");
    EXPECT_EQ(read.topics.create, topic_creation{});
}

} // namespace
} // namespace wxcourier::config
