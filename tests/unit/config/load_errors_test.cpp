// SPDX-License-Identifier: Apache-2.0
// Every way we know to get a configuration wrong, with every finding that is made of it, word for word: the messages
// are what people work with.
#include "config/load.hpp"
#include "config/yaml_document.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ostream>
#include <string>
#include <vector>

namespace wxcourier::config {
namespace {

const std::string kafka_line = "kafka: {bootstrap_servers: 127.0.0.1:9092}\n";
const std::string apps_line =
    "apps: [{name: shop, type: official_account, appid: wx0123456789abcdef, secret: {value: s3cr3t-word}}]\n";

/// Two lines with all that is required; `rest` begins on the third.
std::string well_formed(const std::string& rest)
{
    return kafka_line + apps_line + rest;
}

/// `apps` begins on the second line.
std::string with_apps(const std::string& apps)
{
    return kafka_line + apps;
}

/// The body of `kafka` begins on the second line.
std::string with_kafka(const std::string& body)
{
    return "kafka:\n" + body + '\n' + apps_line;
}

/// An app whose `key` stands on the seventh line, in column 3.
std::string with_app(const std::string& key)
{
    return kafka_line +
           "apps:\n"
           "- name: shop\n"
           "  type: official_account\n"
           "  appid: wx0123456789abcdef\n"
           "  secret: {value: s3cr3t-word}\n"
           "  " +
           key;
}

struct bad_configuration {
    std::string name;
    std::string text;
    std::vector<std::string> expected; ///< `LINE:COLUMN: what`, in the order of the file.
};

std::ostream& operator<<(std::ostream& out, const bad_configuration& each)
{
    return out << each.name;
}

// clang-format off
const std::vector<bad_configuration> bad_configurations{
    {"EmptyFile", "",
     {"1:1: the file is empty, expected at least kafka.bootstrap_servers and apps"}},
    {"OnlyComments", "# nothing\n"
"---",
     {"1:1: the file is empty, expected at least kafka.bootstrap_servers and apps"}},
    {"RootIsAList", "- kafka",
     {"1:1: the file is a list, expected a mapping"}},
    {"RootIsAWord", "kafka",
     {R"(1:1: the file is "kafka", expected a mapping)"}},
    {"NothingRequired", "log: {level: info}",
     {R"(1:1: missing key "bootstrap_servers" in kafka, expected brokers as HOST:PORT,HOST:PORT)", R"(1:1: missing key "apps", expected a list of apps)"}},
    {"NulByte", std::string{"kafka:\0x\n", 9},
     {"1:7: a NUL byte, expected text"}},
    {"ControlCharacter", "kafka: x\x04y\n",
     {"1:9: a control character, expected text"}},
    {"NotUtf8", "log: {level: info}\nkafka: \xC3(\n",
     {"2:8: a byte that is not UTF-8, expected UTF-8 text"}},
    {"Utf16", std::string{"\xFF\xFEk\0", 4},
     {"1:1: a byte that is not UTF-8, expected UTF-8 text"}},
    {"SyntaxBracket", "kafka: {bootstrap_servers: x",
     {"1:29: not YAML: end of map flow not found, expected a } for every {"}},
    {"SyntaxMapValue", "kafka: a: b",
     {"1:9: not YAML: illegal map value, expected KEY: VALUE lines with matching indentation, quotes and brackets"}},
    {"SyntaxTab", "kafka:\n"
"\tbootstrap_servers: x:1",
     {"2:1: a tab, expected spaces for indentation"}},
    {"SyntaxToken", "kafka:\n"
"  group_id: @x",
     {"2:13: not YAML: unknown token, expected quotes around a value with a special character"}},
    {"SyntaxUnquotedVariable", "apps: [{name: ${NAME}}]",
     {"1:16: not YAML: end of map flow not found, expected quotes around ${NAME} inside [ ] or { }"}},
    {"SyntaxEscapeIsNotShown", R"(token_key: {value: "abc\qdef"})",
     {"1:26: not YAML: unknown escape character, expected KEY: VALUE lines with matching indentation, quotes and brackets"}},
    {"Anchor", well_formed("log: &log {level: info}"),
     {"3:6: anchors are not read, expected the value alone"}},
    {"AnchorAndAlias", well_formed("log: &log {level: info}\n"
"http: *log"),
     {"3:6: anchors are not read, expected the value alone", "4:7: aliases are not read, expected the value itself"}},
    {"UndefinedAliasIsNotShown", well_formed("token_key: {value: *hunter2}"),
     {"3:20: aliases are not read, expected the value itself, in quotes where it begins with *"}},
    {"Tag", well_formed("log: {level: !!str info}"),
     {"3:14: tags are not read, expected the value alone"}},
    {"TaggedMapping", well_formed("log: !log {levle: info}"),
     {"3:6: tags are not read, expected the value alone"}},
    {"SecondDocument", well_formed("---\n"
"log: {level: info}"),
     {"3:1: a second document begins, expected one per file"}},
    {"TooDeep", well_formed("x: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"),
     {"3:19: nested too deep, expected at most 16 levels"}},
    {"ComplexKey", well_formed("? [log]\n"
": x"),
     {"3:3: a key is not a word, expected KEY: VALUE"}},
    {"NullKey", well_formed("~: x"),
     {"3:1: a key is not a word, expected KEY: VALUE"}},
    {"MergeKey", well_formed("log:\n"
"  <<: {level: info}"),
     {R"(4:3: unknown key "<<" in log, expected level or format)"}},
    {"DuplicateKey", well_formed("log:\n"
"  level: info\n"
"  format: text\n"
"  level: warn"),
     {R"(6:3: duplicate key "level", expected it once; it stands on line 4 already)"}},
    {"DuplicateSection", well_formed("log: {level: info}\n"
"http: {}\n"
"log: {level: warn}"),
     {R"(5:1: duplicate key "log", expected it once; it stands on line 3 already)"}},
    {"UnknownKeyNear", well_formed("wechat:\n"
"  request_timout: 3s"),
     {R"(4:3: unknown key "request_timout" in wechat, did you mean "request_timeout"?)"}},
    {"UnknownKeyOtherCase", well_formed("wechat:\n"
"  requestTimeout: 3s"),
     {R"(4:3: unknown key "requestTimeout" in wechat, did you mean "request_timeout"?)"}},
    {"UnknownKeyFar", well_formed("log:\n"
"  colour: red"),
     {R"(4:3: unknown key "colour" in log, expected level or format)"}},
    {"UnknownSection", well_formed("loging: {level: info}"),
     {R"(3:1: unknown key "loging", expected kafka, token_key, apps, topics, wechat, delivery, http, admin or log)"}},
    {"UnknownKeyIsEscaped", well_formed(R"(log: {"a\e[31m\"b": 1})"),
     {R"(3:7: unknown key "a\x1b[31m\"b" in log, expected level or format)"}},
    {"ManyAtOnceInFileOrder", well_formed("log: {level: loud}\n"
"delivery: {dry_run: yes, max_age: 5}\n"
"wechat: {connect_timeout: 3}"),
     {R"(3:14: log.level is "loud", expected trace, debug, info, warn, error or off)", R"(4:21: delivery.dry_run is "yes", expected true or false)", R"(4:35: delivery.max_age is "5" without a unit, expected a whole number with ms, s, m, h or d, such as 10s)", R"(5:27: wechat.connect_timeout is "3" without a unit, expected a whole number with ms, s, m, h or d, such as 10s)"}},
    {"SectionIsAWord", well_formed("wechat: fast"),
     {R"(3:9: wechat is "fast", expected a mapping)"}},
    {"SectionIsAList", well_formed("wechat: [fast]"),
     {"3:9: wechat is a list, expected a mapping"}},
    {"UnsetVariable", well_formed(R"(http: {listen: "${WXCOURIER_TEST_UNSET}:80"})"),
     {"3:16: the environment variable WXCOURIER_TEST_UNSET is not set, expected a value for ${WXCOURIER_TEST_UNSET}"}},
    {"UnclosedVariable", well_formed("http:\n"
"  listen: ${HOME"),
     {"4:11: a ${ without a variable's name and }, expected ${NAME}, or $${ for the text ${"}},
    {"NamelessVariable", well_formed("http:\n"
"  listen: ${}:80"),
     {"4:11: a ${ without a variable's name and }, expected ${NAME}, or $${ for the text ${"}},
    {"BadVariableName", well_formed("http:\n"
"  listen: ${1X}:80"),
     {"4:11: a ${ without a variable's name and }, expected ${NAME}, or $${ for the text ${"}},
    {"VariableValueIsNotShown", well_formed("http:\n"
"  listen: ${WXCOURIER_TEST_PASSWORD}"),
     {R"(4:11: http.listen is "${WXCOURIER_TEST_PASSWORD}", expected HOST:PORT or "[IPV6]:PORT")"}},
    {"VariableWithControlCharacter", well_formed("topics:\n"
"  status: ${WXCOURIER_TEST_CONTROL}"),
     {"4:11: topics.status holds a control character, expected a topic's name"}},
    {"VariableNotUtf8", well_formed("topics:\n"
"  status: ${WXCOURIER_TEST_BYTES}"),
     {"4:11: the environment variable WXCOURIER_TEST_BYTES is not UTF-8, expected UTF-8 text"}},
    {"KafkaMissing", "apps: [{name: shop, type: official_account, appid: wx0123456789abcdef, secret: {value: s3cr3t-word}}]",
     {R"(1:1: missing key "bootstrap_servers" in kafka, expected brokers as HOST:PORT,HOST:PORT)"}},
    {"BootstrapMissing", with_kafka("  group_id: x"),
     {R"(2:3: missing key "bootstrap_servers" in kafka, expected brokers as HOST:PORT,HOST:PORT)"}},
    {"BootstrapNull", with_kafka("  bootstrap_servers:\n"
"  group_id: x"),
     {"2:3: kafka.bootstrap_servers has no value, expected brokers as HOST:PORT,HOST:PORT"}},
    {"BootstrapEmpty", with_kafka(R"(  bootstrap_servers: "")"),
     {"2:22: kafka.bootstrap_servers is empty, expected brokers as HOST:PORT,HOST:PORT"}},
    {"BootstrapList", with_kafka("  bootstrap_servers: [a:1, b:2]"),
     {"2:22: kafka.bootstrap_servers is a list, expected brokers as HOST:PORT,HOST:PORT"}},
    {"BootstrapBadPort", with_kafka("  bootstrap_servers: a:9092,b:99999"),
     {R"(2:22: kafka.bootstrap_servers is "a:9092,b:99999", expected brokers as HOST:PORT,HOST:PORT)"}},
    {"BootstrapEmptyEntry", with_kafka("  bootstrap_servers: a:9092,"),
     {R"(2:22: kafka.bootstrap_servers is "a:9092,", expected brokers as HOST:PORT,HOST:PORT)"}},
    {"GroupIdMapping", with_kafka("  bootstrap_servers: a\n"
"  group_id: {env: X}"),
     {"3:13: kafka.group_id is a mapping, expected the name of a consumer group"}},
    {"Start", with_kafka("  bootstrap_servers: a\n"
"  start: first"),
     {R"(3:10: kafka.start is "first", expected earliest, latest or error)"}},
    {"OwnedProperties", with_kafka("  bootstrap_servers: a\n"
"  properties:\n"
"    enable.auto.commit: true\n"
"    enable.auto.offset.store: true\n"
"    auto.offset.reset: latest\n"
"    isolation.level: read_committed\n"
"    acks: 1\n"
"    enable.idempotence: false\n"
"    group.id: x\n"
"    bootstrap.servers: y"),
     {R"(4:5: the property "enable.auto.commit" is set by wxcourier itself, expected it left out)", R"(5:5: the property "enable.auto.offset.store" is set by wxcourier itself, expected it left out)", R"(6:5: the property "auto.offset.reset" is set by wxcourier itself, expected kafka.start)", R"(7:5: the property "isolation.level" is set by wxcourier itself, expected it left out)", R"(8:5: the property "acks" is set by wxcourier itself, expected it left out)", R"(9:5: the property "enable.idempotence" is set by wxcourier itself, expected it left out)", R"(10:5: the property "group.id" is set by wxcourier itself, expected kafka.group_id)", R"(11:5: the property "bootstrap.servers" is set by wxcourier itself, expected kafka.bootstrap_servers)"}},
    {"OwnedPropertyAliases", with_kafka("  bootstrap_servers: a\n"
"  properties:\n"
"    metadata.broker.list: x\n"
"    request.required.acks: 1\n"
"    auto.commit.enable: true"),
     {R"(4:5: the property "metadata.broker.list" is set by wxcourier itself, expected kafka.bootstrap_servers)", R"(5:5: the property "request.required.acks" is set by wxcourier itself, expected it left out)", R"(6:5: the property "auto.commit.enable" is set by wxcourier itself, expected it left out)"}},
    {"PropertyName", with_kafka("  bootstrap_servers: a\n"
"  properties: {sasl.password=hunter2}"),
     {"3:16: not the name of a librdkafka property, expected lower-case letters, digits and dots"}},
    {"PropertyNull", with_kafka("  bootstrap_servers: a\n"
"  properties:\n"
"    client.id:"),
     {"4:5: kafka.properties.client.id has no value, expected a value, {env: NAME} or {file: PATH}"}},
    {"PropertyList", with_kafka("  bootstrap_servers: a\n"
"  properties:\n"
"    client.id: [a]"),
     {"4:16: kafka.properties.client.id is a list, expected a value, {env: NAME} or {file: PATH}"}},
    {"PropertyInlineValue", with_kafka("  bootstrap_servers: a\n"
"  properties:\n"
"    sasl.password: {value: hunter2}"),
     {"4:21: unknown key in kafka.properties.sasl.password, expected env or file"}},
    {"PropertyUnsetSecret", with_kafka("  bootstrap_servers: a\n"
"  properties:\n"
"    sasl.password: {env: WXCOURIER_TEST_UNSET}"),
     {"4:26: kafka.properties.sasl.password: the environment variable WXCOURIER_TEST_UNSET is not set, expected the secret there"}},
    {"PropertiesList", with_kafka("  bootstrap_servers: a\n"
"  properties: [a]"),
     {"3:15: kafka.properties is a list, expected a mapping"}},
    {"TopicName", well_formed("topics:\n"
"  status: push status"),
     {R"(4:11: topics.status is "push status", expected 1 to 249 of A-Z a-z 0-9 . _ -)"}},
    {"TopicDots", well_formed("topics: {dead_letter: ..}"),
     {R"(3:23: topics.dead_letter is "..", expected 1 to 249 of A-Z a-z 0-9 . _ -)"}},
    {"TopicTwice", well_formed("topics: {status: x, dead_letter: x}"),
     {"3:34: topics.dead_letter names a topic that topics.status takes already, expected one of its own"}},
    {"TopicIsADefault", well_formed("topics:\n"
"  status: push.jobs"),
     {"4:11: topics.status names a topic that topics.jobs takes already, expected one of its own"}},
    {"TopicIsADelayedOne", well_formed("topics:\n"
"  jobs: [push.delayed.1m]"),
     {"4:10: topics.jobs[0] names a topic that topics.delayed takes already, expected one of its own"}},
    {"JobsTwice", well_formed("topics:\n"
"  jobs: [a, {name: a}]"),
     {"4:20: topics.jobs[1].name names a topic that topics.jobs[0] takes already, expected one of its own"}},
    {"JobsEmpty", well_formed("topics:\n"
"  jobs: []"),
     {"4:9: topics.jobs is an empty list, expected a list of topics, such as [push.jobs]"}},
    {"JobsWord", well_formed("topics:\n"
"  jobs: push.jobs"),
     {R"(4:9: topics.jobs is "push.jobs", expected a list of topics, such as [push.jobs])"}},
    {"JobsNull", well_formed("topics:\n"
"  jobs:"),
     {"4:3: topics.jobs has no value, expected a list of topics, such as [push.jobs]"}},
    {"JobsEntryWithoutName", well_formed("topics:\n"
"  jobs:\n"
"  - apps: [shop]"),
     {R"(5:5: missing key "name" in topics.jobs[0], expected a topic's name)"}},
    {"JobsUnknownApp", well_formed("topics:\n"
"  jobs:\n"
"  - {name: a, apps: [shop, shpo, kiosk]}"),
     {R"(5:28: topics.jobs[0].apps[1] is "shpo", which is no app's name, did you mean "shop"?)", R"(5:34: topics.jobs[0].apps[2] is "kiosk", which is no app's name, expected one of those under apps)"}},
    {"JobsAppsEmpty", well_formed("topics:\n"
"  jobs:\n"
"  - {name: a, apps: []}"),
     {"5:21: topics.jobs[0].apps is an empty list, expected an app's name, or the key left out for all apps"}},
    {"CreateWord", well_formed("topics: {create: yes}"),
     {R"(3:18: topics.create is "yes", expected null, true or {partitions: 12, replication: -1})"}},
    {"CreateList", well_formed("topics: {create: [12]}"),
     {"3:18: topics.create is a list, expected null, true or {partitions: 12, replication: -1}"}},
    {"CreatePartitions", well_formed("topics:\n"
"  create:\n"
"    partitions: 0\n"
"    replication: 0"),
     {R"(5:17: topics.create.partitions is "0", expected 1 to 10000)", "6:18: topics.create.replication is 0, expected a number of replicas, or -1 for the broker's default"}},
    {"OctalNumber", well_formed("topics:\n"
"  create: {partitions: 010}"),
     {R"(4:24: topics.create.partitions is "010", expected a whole number without leading zeros)"}},
    {"HexNumber", well_formed("topics:\n"
"  create: {partitions: 0x10}"),
     {R"(4:24: topics.create.partitions is "0x10", expected a whole number)"}},
    {"QuotedNumber", well_formed("topics:\n"
R"(  create: {partitions: "12"})"),
     {R"(4:24: topics.create.partitions is "12", expected a whole number without quotes)"}},
    {"FractionalNumber", well_formed("topics:\n"
"  create: {partitions: 1.5}"),
     {R"(4:24: topics.create.partitions is "1.5", expected a whole number)"}},
    {"HugeNumber", well_formed("topics:\n"
"  create: {partitions: 99999999999999999999}"),
     {R"(4:24: topics.create.partitions is "99999999999999999999", expected 1 to 10000)"}},
    {"BaseUrlWord", well_formed("wechat:\n"
"  base_urls: https://api.weixin.qq.com"),
     {R"(4:14: wechat.base_urls is "https://api.weixin.qq.com", expected a list of https://HOST or https://HOST:PORT)"}},
    {"BaseUrlEmptyList", well_formed("wechat:\n"
"  base_urls: []"),
     {"4:14: wechat.base_urls is an empty list, expected https://HOST or https://HOST:PORT"}},
    {"BaseUrlPath", well_formed("wechat:\n"
"  base_urls: [https://a.example/cgi-bin]"),
     {"4:15: wechat.base_urls[0] has a path, expected https://HOST or https://HOST:PORT"}},
    {"BaseUrlUserInfo", well_formed("wechat:\n"
R"(  base_urls: ["https://me:hunter2@a.example"])"),
     {"4:15: wechat.base_urls[0] has a user name or password in it, expected https://HOST or https://HOST:PORT"}},
    {"BaseUrlQuery", well_formed("wechat:\n"
"  base_urls: [https://a.example?x]"),
     {"4:32: not YAML: unknown token, expected quotes around a value with a special character"}},
    {"BaseUrlHttp", well_formed("wechat:\n"
"  base_urls: [http://a.example]"),
     {"4:15: wechat.base_urls[0] is plain http to another machine, expected https://HOST or https://HOST:PORT"}},
    {"BaseUrlNoUrl", well_formed("wechat:\n"
R"(  base_urls: [api.weixin.qq.com, "https://", "https://a:0", "ftp://a"])"),
     {"4:15: wechat.base_urls[0] is not a URL, expected https://HOST or https://HOST:PORT", "4:34: wechat.base_urls[1] is not a URL, expected https://HOST or https://HOST:PORT", "4:46: wechat.base_urls[2] is not a URL, expected https://HOST or https://HOST:PORT", "4:61: wechat.base_urls[3] is not a URL, expected https://HOST or https://HOST:PORT"}},
    {"BaseUrlTwice", well_formed("wechat:\n"
"  base_urls: [https://a, https://a/]"),
     {"4:26: wechat.base_urls[1] stands in the list already, expected each URL once"}},
    {"CaFileMissing", well_formed("wechat:\n"
"  ca_file: /nonexistent/ca.pem"),
     {"4:12: wechat.ca_file names a file that cannot be read: No such file or directory, expected a PEM file with CA certificates"}},
    {"CaFileDirectory", well_formed("wechat:\n"
"  ca_file: /"),
     {"4:12: wechat.ca_file names a file that is not a regular file, expected a PEM file with CA certificates"}},
    {"CaFileNotPem", well_formed("wechat:\n"
"  ca_file: /etc/passwd"),
     {"4:12: wechat.ca_file names a file without a certificate, expected a PEM file with CA certificates"}},
    {"DurationBare", well_formed("wechat:\n"
"  request_timeout: 10"),
     {R"(4:20: wechat.request_timeout is "10" without a unit, expected a whole number with ms, s, m, h or d, such as 10s)"}},
    {"DurationZero", well_formed("wechat:\n"
"  request_timeout: 0s"),
     {R"(4:20: wechat.request_timeout is "0s", expected 1ms to 5m)"}},
    {"DurationUnit", well_formed("wechat:\n"
"  request_timeout: 10sec"),
     {R"(4:20: wechat.request_timeout is "10sec", expected a whole number with ms, s, m, h or d, such as 10s)"}},
    {"DurationSpace", well_formed("wechat:\n"
"  request_timeout: 10 s"),
     {R"(4:20: wechat.request_timeout is "10 s", expected a whole number with ms, s, m, h or d, such as 10s)"}},
    {"DurationFraction", well_formed("wechat:\n"
"  request_timeout: 1.5s"),
     {R"(4:20: wechat.request_timeout is "1.5s", expected a whole number with ms, s, m, h or d, such as 10s)"}},
    {"DurationNegative", well_formed("wechat:\n"
"  request_timeout: -1s"),
     {R"(4:20: wechat.request_timeout is "-1s", expected a whole number with ms, s, m, h or d, such as 10s)"}},
    {"DurationTooLong", well_formed("wechat:\n"
"  request_timeout: 99999999999999999999d"),
     {R"(4:20: wechat.request_timeout is "99999999999999999999d", expected 1ms to 5m)"}},
    {"DurationNull", well_formed("wechat:\n"
"  request_timeout: null"),
     {"4:20: wechat.request_timeout has no value, expected a duration such as 10s"}},
    {"DurationList", well_formed("wechat:\n"
"  request_timeout: [1s]"),
     {"4:20: wechat.request_timeout is a list, expected a duration such as 10s"}},
    {"AppsMissing", "kafka: {bootstrap_servers: 127.0.0.1:9092}",
     {R"(1:1: missing key "apps", expected a list of apps)"}},
    {"AppsEmpty", with_apps("apps: []"),
     {"2:7: apps is an empty list, expected at least one app"}},
    {"AppsNull", with_apps("apps:"),
     {"2:1: apps has no value, expected a list of apps"}},
    {"AppsMapping", with_apps("apps: {shop: {}}"),
     {"2:7: apps is a mapping, expected a list of apps"}},
    {"AppEmpty", with_apps("apps:\n"
"- {}"),
     {R"(3:3: missing key "name" in apps[0], expected 1 to 64 of A-Z a-z 0-9 . _ -)", R"(3:3: missing key "type" in apps[0], expected official_account or mini_program)", R"(3:3: missing key "appid" in apps[0], expected the app's AppID, such as wx0123456789abcdef)", R"(3:3: missing key "secret" in apps[0], expected {env: NAME} or {file: PATH})"}},
    {"AppNull", with_apps("apps:\n"
"-"),
     {"3:1: apps[0] has no value, expected an app's name, type, appid and secret"}},
    {"AppWord", with_apps("apps: [shop]"),
     {R"(2:8: apps[0] is "shop", expected a mapping)"}},
    {"AppNameCharacters", with_apps("apps:\n"
"- {name: my shop, type: mini_program, appid: wx0123456789abcdef, secret: {value: s}}"),
     {R"(3:10: apps[0].name is "my shop", expected 1 to 64 of A-Z a-z 0-9 . _ -)"}},
    {"AppNameLong", with_apps("apps:\n"
"- {name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, type: mini_program, appid: wx0123456789abcdef, secret: {value: s}}"),
     {R"(3:10: apps[0].name is "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…", expected 1 to 64 of A-Z a-z 0-9 . _ -)"}},
    {"AppNameTwice", with_apps("apps:\n"
"- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: {value: s}}\n"
"- {name: a, type: mini_program, appid: wx1123456789abcdef, secret: {value: s}}"),
     {R"(4:10: apps[1].name is "a", the name of apps[0] already, expected another)"}},
    {"AppType", with_apps("apps:\n"
"- {name: a, type: miniprogram, appid: wx0123456789abcdef, secret: {value: s}}"),
     {R"(3:19: apps[0].type is "miniprogram", expected official_account or mini_program)"}},
    {"SecretWord", with_apps("apps:\n"
"- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: hunter2}"),
     {"3:68: apps[0].secret is not a reference to a secret, expected {env: NAME} or {file: PATH}"}},
    {"SecretNull", with_apps("apps:\n"
"- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: }"),
     {"3:60: apps[0].secret is not a reference to a secret, expected {env: NAME} or {file: PATH}"}},
    {"SecretList", with_apps("apps:\n"
"- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: [hunter2]}"),
     {"3:68: apps[0].secret is not a reference to a secret, expected {env: NAME} or {file: PATH}"}},
    {"SecretUnnamedKey", with_apps("apps:\n"
"- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: {hunter2}}"),
     {"3:69: unknown key in apps[0].secret, expected env, file or value"}},
    {"SecretMisspeltKey", with_apps("apps:\n"
"- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: {vlaue: hunter2}}"),
     {R"(3:69: unknown key in apps[0].secret, did you mean "value"?)"}},
    {"SecretEmptyMapping", with_apps("apps:\n"
"- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: {}}"),
     {"3:68: apps[0].secret names no source, expected {env: NAME} or {file: PATH}"}},
    {"SecretTwoSources", with_apps("apps:\n"
"- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: {env: A, file: b}}"),
     {"3:68: apps[0].secret names more than one source, expected {env: NAME} or {file: PATH}"}},
    {"SecretEmptyValue", with_apps("apps:\n"
R"(- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: {value: ""}})"),
     {"3:76: apps[0].secret.value is empty, expected the secret"}},
    {"SecretEnvName", with_apps("apps:\n"
"- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: {env: hunter-2}}"),
     {"3:74: apps[0].secret.env is not the name of an environment variable, expected letters, digits and underscores"}},
    {"SecretUnset", with_apps("apps:\n"
"- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: {env: WXCOURIER_TEST_UNSET}}"),
     {"3:74: apps[0].secret: the environment variable WXCOURIER_TEST_UNSET is not set, expected the secret there"}},
    {"SecretEmptyVariable", with_apps("apps:\n"
"- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: {env: WXCOURIER_TEST_EMPTY}}"),
     {"3:74: apps[0].secret: the environment variable WXCOURIER_TEST_EMPTY is empty, expected the secret there"}},
    {"SecretNoFile", with_apps("apps:\n"
"- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: {file: /nonexistent/secret}}"),
     {"3:75: apps[0].secret: the file /nonexistent/secret cannot be read: No such file or directory, expected the secret there"}},
    {"SecretDirectory", with_apps("apps:\n"
"- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: {file: /dev}}"),
     {"3:75: apps[0].secret: the file /dev is not a regular file, expected the secret there"}},
    {"TokenSource", with_app("token: {source: static}"),
     {R"(7:19: apps[0].token.source is "static", expected stable, classic or shared)"}},
    {"TokenWord", with_app("token: classic"),
     {R"(7:10: apps[0].token is "classic", expected a mapping)"}},
    {"ClassicWithoutKey", with_app("token: {source: classic}"),
     {"7:19: apps[0].token.source is classic, which needs the key of the token topic, expected token_key: {file: PATH} with the output of: openssl rand -base64 32"}},
    {"RefreshBeforeBare", with_app("token: {refresh_before: 600}"),
     {R"(7:27: apps[0].token.refresh_before is "600" without a unit, expected a whole number with ms, s, m, h or d, such as 10s)"}},
    {"SharedKeysElsewhere", with_app("token: {source: stable, url: https://a/, path: x}"),
     {"7:32: apps[0].token.url is only for a shared token, expected source: shared beside it", "7:50: apps[0].token.path is only for a shared token, expected source: shared beside it"}},
    {"SharedWithoutUrl", with_app("token: {source: shared}"),
     {"7:19: apps[0].token.source is shared without a url, expected https://HOST/PATH, or http to a loopback address beside it"}},
    {"SharedHttp", with_app(R"(token: {source: shared, url: "http://tokens.example/?key=hunter2"})"),
     {"7:32: apps[0].token.url is plain http to another machine, expected https://HOST/PATH, or http to a loopback address"}},
    {"SharedUserInfo", with_app(R"(token: {source: shared, url: "https://me:hunter2@tokens.example/"})"),
     {"7:32: apps[0].token.url has a user name or password in it, expected https://HOST/PATH, or http to a loopback address"}},
    {"SharedHeaderAlone", with_app("token: {source: shared, url: https://t.example/, header: X-Key}"),
     {"7:60: apps[0].token.header stands alone, expected the header's value under secret beside it"}},
    {"SharedSecretAlone", with_app("token: {source: shared, url: https://t.example/, secret: {value: x}}"),
     {"7:60: apps[0].token.secret stands alone, expected the name of the header that carries it beside it"}},
    {"SharedHeaderName", with_app(R"(token: {source: shared, url: https://t.example/, header: "X Key", secret: {value: x}})"),
     {R"(7:60: apps[0].token.header is "X Key", expected the name of an HTTP header)"}},
    {"SharedHeaderValue", with_app(R"(token: {source: shared, url: https://t.example/, header: X-Key, secret: {value: "a\r\nb"}})"),
     {"7:75: apps[0].token.secret holds a character that no HTTP header may, expected printable ASCII"}},
    {"SharedPath", with_app("token: {source: shared, url: https://t.example/, path: a..b}"),
     {R"(7:58: apps[0].token.path is "a..b", expected names with dots between, such as data.access_token)"}},
    {"SharedExpiresPath", with_app("token: {source: shared, url: https://t.example/, expires_path: .a}"),
     {R"(7:66: apps[0].token.expires_path is ".a", expected names with dots between, such as data.access_token)"}},
    {"SharedUrlWithBytes", with_app("token: {source: shared, url: \"https://t.example/\u00e9\"}"),
     {"7:32: apps[0].token.url is not a URL, expected https://HOST/PATH, or http to a loopback address"}},
    {"SharedCaFile", with_app("token: {source: shared, url: https://t.example/, ca_file: /nonexistent.pem}"),
     {"7:61: apps[0].token.ca_file names a file that cannot be read: No such file or directory, expected a PEM file with CA certificates"}},
    {"SharedKeysOfStable", with_app("token: {ca_file: /x, expires_path: e}"),
     {"7:20: apps[0].token.ca_file is only for a shared token, expected source: shared beside it", "7:38: apps[0].token.expires_path is only for a shared token, expected source: shared beside it"}},
    {"SecretOfTwoLines", with_apps("apps:\n"
"- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: {value: \"hunter2\\nhunter3\"}}"),
     {"3:68: apps[0].secret holds a blank, a line end or a character that is not ASCII, expected one line of printable ASCII"}},
    {"RateZero", with_app("rate: {per_second: 0}"),
     {R"(7:22: apps[0].rate.per_second is "0", expected 0.001 to 100000)"}},
    {"RateWord", with_app("rate: {per_second: fast, burst: 0}"),
     {R"(7:22: apps[0].rate.per_second is "fast", expected a number)", R"(7:35: apps[0].rate.burst is "0", expected 1 to 1000000)"}},
    {"RateInfinite", with_app("rate: {per_second: .inf}"),
     {R"(7:22: apps[0].rate.per_second is ".inf", expected a number)"}},
    {"RateExponent", with_app("rate: {per_second: 1e3}"),
     {R"(7:22: apps[0].rate.per_second is "1e3", expected a number)"}},
    {"RateBare", with_app("rate: 200"),
     {R"(7:9: apps[0].rate is "200", expected a mapping)"}},
    {"Concurrency", with_app("concurrency: 0"),
     {R"(7:16: apps[0].concurrency is "0", expected 1 to 10000)"}},
    {"QuotaZero", with_app("quota: {daily: 0, reserve_percent: 91}"),
     {R"(7:18: apps[0].quota.daily is "0", expected 1 to 1000000000)", R"(7:38: apps[0].quota.reserve_percent is "91", expected 0 to 90)"}},
    {"QuotaBare", with_app("quota: 1000"),
     {R"(7:10: apps[0].quota is "1000", expected a mapping)"}},
    {"QuotaKey", with_app("quota: {dayly: 5}"),
     {R"(7:11: unknown key "dayly" in apps[0].quota, did you mean "daily"?)"}},
    {"WeightZero", with_app("weight: 0"),
     {R"(7:11: apps[0].weight is "0", expected 1 to 100)"}},
    {"WeightFraction", with_app("weight: 1.5"),
     {R"(7:11: apps[0].weight is "1.5", expected a whole number)"}},
    {"PerRecipientIncomplete", with_app("per_recipient: {}"),
     {R"(7:18: missing key "max" in apps[0].per_recipient, expected how many messages one recipient may get in a window)", R"(7:18: missing key "window" in apps[0].per_recipient, expected a duration such as 24h)"}},
    {"PerRecipientBare", with_app("per_recipient: 5"),
     {R"(7:18: apps[0].per_recipient is "5", expected a mapping)"}},
    {"PerRecipientBounds", with_app("per_recipient: {max: 0, window: 8d}"),
     {R"(7:24: apps[0].per_recipient.max is "0", expected 1 to 100000)", R"(7:35: apps[0].per_recipient.window is "8d", expected 1s to 7d)"}},
    {"PerRecipientUnit", with_app("per_recipient: {max: 1, window: 3600}"),
     {R"(7:35: apps[0].per_recipient.window is "3600" without a unit, expected a whole number with ms, s, m, h or d, such as 10s)"}},
    {"Guarantee", well_formed("delivery: {guarantee: exactly_once}"),
     {R"(3:23: delivery.guarantee is "exactly_once", expected at_least_once or at_most_once)"}},
    {"Ordering", well_formed("delivery: {ordering: true}"),
     {R"(3:22: delivery.ordering is "true", expected none or key)"}},
    {"OnUnknown", well_formed("delivery: {on_unknown: drop}"),
     {R"(3:24: delivery.on_unknown is "drop", expected retry or report)"}},
    {"RetryOrder", well_formed("delivery:\n"
"  retry: {initial: 2m}"),
     {"4:20: delivery.retry.initial makes the first wait (2m) longer than the longest (1m), expected initial to be at most max"}},
    {"RetryBare", well_formed("delivery:\n"
"  retry: {max: 60}"),
     {R"(4:16: delivery.retry.max is "60" without a unit, expected a whole number with ms, s, m, h or d, such as 10s)"}},
    {"YesIsNotTrue", well_formed("delivery: {dry_run: yes}"),
     {R"(3:21: delivery.dry_run is "yes", expected true or false)"}},
    {"QuotedTrue", well_formed(R"(delivery: {dry_run: "true"})"),
     {R"(3:21: delivery.dry_run is "true", expected true or false without quotes)"}},
    {"TokenKeyShort", well_formed("token_key: {value: aHVudGVyMg==}"),
     {"3:12: token_key is not base64 of 32 bytes, expected the output of: openssl rand -base64 32"}},
    {"TokenKeyNotBase64", well_formed(R"(token_key: {value: "===========================================!"})"),
     {"3:12: token_key is not base64 of 32 bytes, expected the output of: openssl rand -base64 32"}},
    {"TokenKeyWord", well_formed("token_key: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
     {"3:12: token_key is not a reference to a secret, expected {env: NAME} or {file: PATH}"}},
    {"ListenWithoutPort", well_formed("http: {listen: 127.0.0.1}"),
     {R"(3:16: http.listen is "127.0.0.1", expected HOST:PORT or "[IPV6]:PORT")"}},
    {"ListenBarePort", well_formed("http: {listen: 8080}"),
     {R"(3:16: http.listen is "8080", expected HOST:PORT or "[IPV6]:PORT")"}},
    {"ListenPort", well_formed(R"(http: {listen: "127.0.0.1:65536"})"),
     {R"(3:16: http.listen is "127.0.0.1:65536", expected HOST:PORT or "[IPV6]:PORT")"}},
    {"ListenIpv6", well_formed(R"(http: {listen: "::1:8080"})"),
     {R"(3:16: http.listen is "::1:8080", expected HOST:PORT or "[IPV6]:PORT")"}},
    {"ListenNull", well_formed("http: {listen: null}"),
     {R"(3:16: http.listen has no value, expected HOST:PORT or "[IPV6]:PORT")"}},
    {"AdminTokenShort", well_formed(R"(admin: {listen: "127.0.0.1:9000", token: {value: hunter2}})"),
     {"3:42: admin.token is shorter than 16 characters, expected a longer one"}},
    {"AdminTokenSpaces", well_formed(R"(admin: {listen: "127.0.0.1:9000", token: {value: hunter2 hunter2 hunter2}})"),
     {"3:42: admin.token holds a character that no bearer token may, expected printable ASCII without spaces"}},
    {"AdminTokenUnset", well_formed(R"(admin: {listen: "127.0.0.1:9000", token: {env: WXCOURIER_TEST_UNSET}})"),
     {"3:48: admin.token: the environment variable WXCOURIER_TEST_UNSET is not set, expected the secret there"}},
    {"AdminAddressTaken", well_formed(R"(admin: {listen: "127.0.0.1:8080", token: {value: hunter2-hunter2-hunter2}})"),
     {R"(3:17: admin.listen is "127.0.0.1:8080", which is http.listen already, expected an address of its own)"}},
    {"LogLevel", well_formed("log: {level: loud}"),
     {R"(3:14: log.level is "loud", expected trace, debug, info, warn, error or off)"}},
    {"LogFormat", well_formed("log: {format: xml}"),
     {R"(3:15: log.format is "xml", expected text or json)"}},
    {"LongLine", "log: " + std::string(8192, 'x') + "\n",
     {"1:1: a line of more than 8 KiB, expected shorter ones"}},
    {"LargeFile", std::string(max_file_bytes + 1, '\n'),
     {"1:1: the file is larger than 256 KiB, expected a configuration"}},
    {"ColumnsCountCharacters", well_formed(R"(log: {"lével": info, level: "läut"})"),
     {R"(3:7: unknown key "lével" in log, did you mean "level"?)", R"(3:29: log.level is "läut", expected trace, debug, info, warn, error or off)"}},
    {"VariableInASecretsPlaceIsNotShown", with_apps("apps:\n"
R"(- {name: a, type: mini_program, appid: wx0123456789abcdef, secret: {file: "/nonexistent/${WXCOURIER_TEST_PASSWORD}"}})"),
     {"3:75: apps[0].secret: the file /nonexistent/${WXCOURIER_TEST_PASSWORD} cannot be read: No such file or directory, expected the secret there"}},
    {"KeysOfARefusedSourceAreKnown", with_app("token: {source: wrong, url: x}"),
     {R"(7:19: apps[0].token.source is "wrong", expected stable, classic or shared)"}},
    {"UnclosedQuote", "kafka:\n"
"  group_id: 'x",
     {"2:3: not YAML: a quote that opens after this never closes, expected its end"}},
};
// clang-format on

class load_errors : public testing::TestWithParam<bad_configuration> {
protected:
    static void SetUpTestSuite()
    {
        ::unsetenv("WXCOURIER_TEST_UNSET");
        ::setenv("WXCOURIER_TEST_EMPTY", "\n", 1);
        ::setenv("WXCOURIER_TEST_PASSWORD", "hunter2", 1);
        ::setenv("WXCOURIER_TEST_CONTROL", "a\nb", 1);
        ::setenv("WXCOURIER_TEST_BYTES", "\xFF", 1);
    }
};

TEST_P(load_errors, AreFoundWithTheirPlaces)
{
    const auto outcome = load_text(GetParam().text);
    EXPECT_FALSE(outcome.loaded);
    std::vector<std::string> errors;
    errors.reserve(outcome.errors.size());
    for (const auto& error : outcome.errors)
        errors.push_back(to_string(error, "").substr(1));
    EXPECT_EQ(errors, GetParam().expected);
}

TEST_P(load_errors, NeverShowASecret)
{
    const auto outcome = load_text(GetParam().text);
    for (const auto* found : {&outcome.errors, &outcome.warnings})
        for (const auto& each : *found) {
            EXPECT_EQ(each.what.find("hunter2"), std::string::npos) << each.what;
            EXPECT_EQ(each.what.find("s3cr3t"), std::string::npos) << each.what;
        }
}

INSTANTIATE_TEST_SUITE_P(every, load_errors, testing::ValuesIn(bad_configurations),
                         [](const auto& each) { return each.param.name; });

} // namespace
} // namespace wxcourier::config
