// SPDX-License-Identifier: Apache-2.0
#include "codec/client_msg_id.hpp"
#include "codec/job_codec.hpp"
#include "codec/json_document.hpp"
#include "codec/merged_value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace wxcourier::codec {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

constexpr wall_time now = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

job_rules rules()
{
    return {{{"shop", domain::app_type::official_account}, {"mini", domain::app_type::mini_program}},
            {},
            std::chrono::hours{24 * 7}};
}

using outcome = std::variant<decoded_job, rejection>;

outcome decode(std::optional<std::string_view> value)
{
    return decode_job(value, rules(), now);
}

/// The rejection's text; `accepted` for a job.
std::string error_of(const outcome& result)
{
    const auto* const rejected = std::get_if<rejection>(&result);
    return rejected == nullptr ? "accepted" : rejected->error;
}

/// A job with the value that its messages point into.
struct accepted_job : decoded_job {
    std::unique_ptr<const std::string> value;
};

accepted_job accept(std::string_view value)
{
    auto kept = std::make_unique<const std::string>(value);
    auto result = decode(*kept);
    if (auto* const accepted = std::get_if<decoded_job>(&result))
        return {std::move(*accepted), std::move(kept)};
    ADD_FAILURE() << error_of(result);
    return {};
}

std::string key_of(std::string_view app, std::string_view id, std::string_view touser)
{
    const auto key = client_msg_id(app, id, touser);
    return {key.data(), key.size()};
}

rejection refuse(std::optional<std::string_view> value)
{
    auto result = decode(value);
    if (auto* const rejected = std::get_if<rejection>(&result))
        return std::move(*rejected);
    ADD_FAILURE() << "accepted";
    return {};
}

std::string read_file(const std::string& below_the_repository)
{
    std::ifstream file{WXCOURIER_SOURCE_DIR "/" + below_the_repository};
    EXPECT_TRUE(file.is_open()) << below_the_repository;
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// A job of kind `official.template` around the members of its message.
std::string template_job(const std::string& message_members, const std::string& fields = "")
{
    return R"({"id":"j","app":"shop","kind":"official.template","message":{)" + message_members + "}" + fields + "}";
}

// ---------------------------------------------------------------------------------------------------------------
// tests/unit/codec/job_table.json: tests/system/test_schemas.py holds the same jobs against the schema.

TEST(job_codec, judges_every_job_of_the_table_as_it_says)
{
    const auto text = read_file("tests/unit/codec/job_table.json");
    json_document table;
    ASSERT_EQ(table.parse(text, text.size()), std::nullopt);
    const auto bases = table.root().find("bases");
    const auto jobs = table.root().find("jobs");
    ASSERT_GT(jobs.size(), 200U);
    for (const auto row : jobs.children()) {
        const auto base = row.find("base");
        const auto whole =
            base ? merged_value{bases.find(base.text()), row.find("change")} : merged_value{row.find("job")};
        std::string job;
        whole.append_to(job);
        const auto result = decode(job);
        const auto expected = row.find("error") ? row.find("error").text() : "accepted";
        EXPECT_EQ(error_of(result), expected) << row.find("name").text() << ": " << job;
        if (const auto* const rejected = std::get_if<rejection>(&result)) {
            const auto reason = row.find("reason") ? row.find("reason").text() : "invalid_job";
            EXPECT_EQ(rejected->reason, reason) << row.find("name").text();
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------
// The article

TEST(job_codec, sends_the_articles_bodies_word_for_word)
{
    std::istringstream lines{read_file("config/examples/article.ndjson")};
    std::vector<accepted_job> jobs;
    for (std::string line; std::getline(lines, line);)
        jobs.push_back(accept(line));
    ASSERT_THAT(jobs, SizeIs(3));

    EXPECT_EQ(jobs[0].job.id, "article-1");
    EXPECT_EQ(jobs[0].job.app, "shop");
    EXPECT_EQ(jobs[0].job.kind, domain::find_kind("official.template"));
    EXPECT_EQ(jobs[0].messages.touser(0), "o_rbq1TOgERuflYd7PsiE9H565Oo");
    EXPECT_EQ(jobs[0].messages.body(0),
              R"({"touser":"o_rbq1TOgERuflYd7PsiE9H565Oo","template_id":"n44_YbDNEqrrSEEvd8The8HpWYo1gWOVAXj7zIz4vHA",)"
              R"("url":"http://www.baidu.com","data":{"remark":{"value":"不积跬步无以至千里，加油！"},)"
              R"("keyword3":{"value":"2019-06-09"},"first":{"value":"石头同学，提醒您背单词啦"},)"
              R"("keyword1":{"value":"巅峰单词800个背诵"},"keyword2":{"value":"今日背诵单词任务未完成"}},)"
              R"("client_msg_id":"01a2d9284525e6f085e8f6b09fa2ce08"})");
    EXPECT_THAT(jobs[1].messages.body(0), HasSubstr(R"("miniprogram":{"appid":"wx2210554e092c3f99",)"
                                                    R"("pagepath":"pages/index/index"},"data":{)"));
    EXPECT_EQ(jobs[2].job.app, "mini");
    EXPECT_EQ(jobs[2].messages.touser(0), "ogYQ75G33BMpuKOjKjIIOiFP7cF4");
    EXPECT_EQ(jobs[2].messages.body(0),
              R"({"touser":"ogYQ75G33BMpuKOjKjIIOiFP7cF4","template_id":"-SvDCjf6VG7lGAITKmdhHp6ZBQx1huJdBMO9hFAgI0w",)"
              R"("page":"pages/index/index","form_id":"b7ed924575c449a080bb140e90a6f326",)"
              R"("data":{"keyword1":{"value":"石头"},"keyword2":{"value":"2019年5月18日 13:00 - 15:00"},)"
              R"("keyword3":{"value":"雅思学习（第二课时）"},"keyword4":{"value":"学习成就未来，每一步都是成长"}}})");
}

TEST(job_codec, takes_the_articles_layout_too)
{
    const auto job = accept(R"({
    "id": "a", "app": "shop",
    "kind": "official.template",
    "message": {
        "touser": "o1",
        "template_id": "t",
        "data": { "first": { "value": "x y" } }
    }
}
)");
    EXPECT_EQ(job.messages.body(0),
              R"({"touser":"o1","template_id":"t","data":{"first":{"value":"x y"}},"client_msg_id":")" +
                  key_of("shop", "a", "o1") + "\"}");
}

// ---------------------------------------------------------------------------------------------------------------
// Bodies

TEST(job_codec, leaves_numbers_text_and_order_of_a_body_alone)
{
    const std::string members =
        R"("z":1.0,"touser":"o1","y":1e5,"x":12345678901234567890,"w":-0.10,"template_id":"t",)"
        R"("data":{"b":{"value":1.50},"a":{"value":"/\"\\\n"}},"client_msg_id":"k","v":[true,null,{}])";
    EXPECT_EQ(accept(template_job(members)).messages.body(0), "{" + members + "}");
}

TEST(job_codec, writes_escaped_characters_raw)
{
    const auto job = accept(
        template_job(R"("touser":"o\u0031","template_id":"\u4e2d\ud83d\ude00\/","data":{},"client_msg_id":"k")"));
    EXPECT_EQ(job.messages.touser(0), "o1");
    EXPECT_EQ(job.messages.body(0), R"({"touser":"o1","template_id":"中😀/","data":{},"client_msg_id":"k"})");
    EXPECT_EQ(error_of(decode(template_job(R"("touser":"o1","template_id":"\ud83d","data":{})"))),
              "byte 90: half of a surrogate pair");
    EXPECT_EQ(error_of(decode(template_job(R"("touser":"o1","template_id":"\ude00","data":{})"))),
              "/message/template_id: half of a surrogate pair");
}

TEST(job_codec, sets_client_msg_id_only_where_the_kind_takes_one_and_the_job_gives_none)
{
    const auto key = key_of("shop", "j", "o1");
    const auto body = [](const std::string& members) { return accept(template_job(members)).messages.body(0); };
    const std::string rest = R"("touser":"o1","template_id":"t","data":{})";
    EXPECT_EQ(body(rest), "{" + rest + R"(,"client_msg_id":")" + key + "\"}");
    EXPECT_EQ(body(R"("client_msg_id":"mine",)" + rest), R"({"client_msg_id":"mine",)" + rest + "}");
    EXPECT_EQ(body(R"("client_msg_id":"",)" + rest), R"({"client_msg_id":")" + key + "\"," + rest + "}");
    EXPECT_EQ(body(R"("client_msg_id":null,)" + rest), R"({"client_msg_id":")" + key + "\"," + rest + "}");

    const auto custom = accept(R"({"id":"j","app":"shop","kind":"official.custom","message":)"
                               R"({"touser":"o1","msgtype":"text","text":{"content":"x"}}})");
    EXPECT_EQ(custom.messages.body(0), R"({"touser":"o1","msgtype":"text","text":{"content":"x"}})");
}

TEST(job_codec, drops_access_token_at_the_top_of_a_message_only)
{
    const auto job = accept(template_job(
        R"("access_token":"21_secret","touser":"o1","template_id":"t","data":{"access_token":{"value":"no token"}},"client_msg_id":"k")"));
    EXPECT_EQ(job.messages.body(0),
              R"({"touser":"o1","template_id":"t","data":{"access_token":{"value":"no token"}},"client_msg_id":"k"})");
    const auto many = accept(template_job(
        R"("access_token":"21_secret","template_id":"t","data":{},"client_msg_id":"k")",
        R"(,"recipients":["o1",{"access_token":"22_secret","touser":"o2"},{"touser":"o3","access_token":null}])"));
    EXPECT_EQ(many.messages.body(0), R"({"template_id":"t","data":{},"client_msg_id":"k","touser":"o1"})");
    EXPECT_EQ(many.messages.body(1), R"({"template_id":"t","data":{},"client_msg_id":"k","touser":"o2"})");
    EXPECT_EQ(many.messages.body(2), R"({"template_id":"t","data":{},"client_msg_id":"k","touser":"o3"})");
}

// ---------------------------------------------------------------------------------------------------------------
// Recipients

TEST(job_codec, merges_each_recipient_into_the_message)
{
    const auto job = accept(R"({"id":"j","app":"mini","kind":"miniprogram.subscribe",
        "message":{"template_id":"t","page":"index","data":{"thing1":{"value":"a"},"thing2":{"value":"b"}}},
        "recipients":["o1",
                      {"touser":"o2","data":{"thing2":{"value":"\u4e2d"},"thing3":{"value":1.0}}},
                      {"page":null,"touser":"o3","template_id":"u"}]})");
    ASSERT_TRUE(job.messages.fanned_out());
    ASSERT_EQ(job.messages.size(), 3U);
    EXPECT_EQ(job.messages.touser(0), "o1");
    EXPECT_EQ(job.messages.touser(1), "o2");
    EXPECT_EQ(job.messages.touser(2), "o3");
    EXPECT_EQ(
        job.messages.body(0),
        R"({"template_id":"t","page":"index","data":{"thing1":{"value":"a"},"thing2":{"value":"b"}},"touser":"o1"})");
    EXPECT_EQ(
        job.messages.body(1),
        R"({"template_id":"t","page":"index","data":{"thing1":{"value":"a"},"thing2":{"value":"中"},"thing3":{"value":1.0}},"touser":"o2"})");
    EXPECT_EQ(job.messages.body(2),
              R"({"template_id":"u","data":{"thing1":{"value":"a"},"thing2":{"value":"b"}},"touser":"o3"})");
}

TEST(job_codec, gives_each_recipient_its_own_client_msg_id_unless_the_merged_message_has_one)
{
    const auto job = accept(template_job(R"("template_id":"t","data":{})",
                                         R"(,"recipients":["o1",{"touser":"o2","client_msg_id":"mine"}])"));
    EXPECT_EQ(job.messages.body(0),
              R"({"template_id":"t","data":{},"touser":"o1","client_msg_id":")" + key_of("shop", "j", "o1") + "\"}");
    EXPECT_EQ(job.messages.body(1), R"({"template_id":"t","data":{},"touser":"o2","client_msg_id":"mine"})");
}

TEST(job_codec, fans_out_even_to_one)
{
    const auto one = accept(template_job(R"("template_id":"t","data":{})", R"(,"recipients":["o1"])"));
    EXPECT_TRUE(one.messages.fanned_out());
    EXPECT_EQ(one.messages.size(), 1U);
    const auto plain = accept(template_job(R"("touser":"o1","template_id":"t","data":{})"));
    EXPECT_FALSE(plain.messages.fanned_out());
    EXPECT_EQ(plain.messages.size(), 1U);
    EXPECT_EQ(message_set{}.size(), 0U);
    EXPECT_FALSE(message_set{}.fanned_out());
}

std::string job_with_recipients(int count)
{
    std::string list;
    for (int i = 0; i < count; ++i)
        list += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\"";
    return template_job(R"("template_id":"t","data":{"first":{"value":"x"}})", ",\"recipients\":[" + list + "]");
}

TEST(job_codec, takes_ten_thousand_recipients_and_no_more)
{
    const auto value = job_with_recipients(10'000);
    auto job = accept(value);
    ASSERT_EQ(job.messages.size(), 10'000U);
    EXPECT_EQ(job.messages.touser(9'999), "9999");
    EXPECT_THAT(job.messages.body(9'999), HasSubstr(R"("touser":"9999")"));
    EXPECT_LT(job.messages.footprint(), 10 * value.size());
    EXPECT_GT(job.messages.footprint(), value.size());
    EXPECT_EQ(error_of(decode(job_with_recipients(10'001))), "/recipients: 10001 recipients, expected 1 to 10000");

    // Bodies come from the job's own memory: neither the record nor the next job matters any more.
    const message_set kept = std::move(job.messages);
    accept(job_with_recipients(5));
    EXPECT_EQ(kept.touser(7'777), "7777");
}

TEST(job_codec, rejects_the_whole_job_for_one_bad_recipient_of_many)
{
    auto value = job_with_recipients(10'000);
    value.replace(value.find("\"9999\""), 6, "{\"touser\":\"1\"}");
    EXPECT_EQ(error_of(decode(value)), "/recipients/9999: the openid of /recipients/1 again");
}

// A message of 40,000 fields judged anew for each of 10,000 recipients would take minutes.
TEST(job_codec, judges_a_large_message_once_for_all_recipients)
{
    std::string fields;
    for (int i = 0; i < 20'000; ++i)
        fields += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":{\"value\":1}";
    std::string list;
    for (int i = 0; i < 10'000; ++i)
        list += (i == 0 ? "" : ",") + ("{\"touser\":\"" + std::to_string(i)) + "\",\"data\":{\"7\":{\"value\":2}}}";
    const auto value = template_job(R"("template_id":"t","data":{)" + fields + "}", ",\"recipients\":[" + list + "]");
    ASSERT_LT(value.size(), longest_job);
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(accept(value).messages.size(), 10'000U);
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds{20});
}

// ---------------------------------------------------------------------------------------------------------------
// Fields

TEST(job_codec, reads_every_field)
{
    const auto job = accept(template_job(R"("touser":"o1","template_id":"t","data":{})",
                                         R"(,"not_before":"2026-01-01T08:00:00.250+08:00","expire_at":1767312000000,)"
                                         R"("priority":"high","labels":{"b":"1","a":"\u4e2d"})"))
                         .job;
    EXPECT_EQ(job.id, "j");
    EXPECT_EQ(job.app, "shop");
    EXPECT_EQ(job.kind, domain::find_kind("official.template"));
    EXPECT_EQ(job.not_before, now + milliseconds{250});
    EXPECT_EQ(job.expire_at, now + std::chrono::hours{24});
    EXPECT_EQ(job.priority, domain::priority::high);
    EXPECT_THAT(job.labels, ElementsAre(Pair("b", "1"), Pair("a", "中")));

    const auto plain = accept(template_job(R"("touser":"o1","template_id":"t","data":{})")).job;
    EXPECT_EQ(plain.not_before, std::nullopt);
    EXPECT_EQ(plain.expire_at, std::nullopt);
    EXPECT_EQ(plain.priority, domain::priority::normal);
    EXPECT_THAT(plain.labels, SizeIs(0));
}

TEST(job_codec, forbids_apps_that_the_topic_does_not_name)
{
    const auto value = template_job(R"("touser":"o1","template_id":"t","data":{})");
    auto narrow = rules();
    narrow.allowed_apps = {"mini", "other"};
    const auto result = decode_job(value, narrow, now);
    EXPECT_EQ(error_of(result), "/app: not allowed on this topic");
    EXPECT_EQ(std::get<rejection>(result).reason, "forbidden_app");
    EXPECT_EQ(std::get<rejection>(result).app, "shop");
    narrow.allowed_apps = {"shop"};
    EXPECT_EQ(error_of(decode_job(value, narrow, now)), "accepted");
}

// ---------------------------------------------------------------------------------------------------------------
// Bad bytes

TEST(job_codec, rejects_what_is_no_json_object)
{
    const auto good = template_job(R"("touser":"o1","template_id":"t","data":{})");
    const auto at_end = "byte " + std::to_string(good.size()) + ": ";
    const std::vector<std::pair<std::string, std::string>> table{
        {"", "an empty value, expected a JSON object"},
        {" ", "byte 1: no JSON value"},
        {"\0"s, "byte 0: a NUL byte"},
        {good + "\0"s, at_end + "a NUL byte"},
        {good + good, at_end + "something behind the JSON value"},
        {good + "x", at_end + "something behind the JSON value"},
        {"\xEF\xBB\xBF" + good, "byte 0: a byte order mark, expected the JSON value"},
        {good.substr(0, good.size() - 1),
         "byte " + std::to_string(good.size() - 1) + ": expected a comma or } behind the member"},
        {"not json", "byte 1: no JSON value"},
        {"[]", "the value is an array, expected a JSON object"},
        {"\xFF\xFE{\0}\0"s, "byte 3: a NUL byte"},
        {"{\"id\":\"\xC3\x28\"}", "byte 7: not UTF-8"},
        {std::string(100'000, '['), "byte 64: nested deeper than 64"},
        {std::string(longest_job + 1, ' '), "1000001 bytes, expected at most 1000000"},
        {std::string(std::size_t{2} << 20, '{'), "2097152 bytes, expected at most 1000000"},
        {R"({"id":"a","id":"a"})", "/id: duplicate key"},
    };
    for (const auto& [value, error] : table) {
        const auto rejected = refuse(value);
        EXPECT_EQ(rejected.error, error);
        EXPECT_EQ(rejected.reason, "invalid_job");
    }
    EXPECT_EQ(refuse(std::nullopt).error, "no value, expected a JSON object");
    EXPECT_EQ(refuse(std::nullopt).reason, "invalid_job");
}

TEST(job_codec, takes_a_job_of_the_greatest_length_and_depth)
{
    auto value = template_job(R"("touser":"o1","template_id":"t","data":{})");
    value.append(longest_job - value.size(), ' ');
    EXPECT_EQ(error_of(decode(value)), "accepted");
    // The job's and the message's braces are two.
    const auto nested = [](std::size_t depth) {
        return template_job(R"("touser":"o1","template_id":"t","data":{},"x":)" + std::string(depth, '[') +
                            std::string(depth, ']'));
    };
    EXPECT_EQ(error_of(decode(nested(62))), "accepted");
    EXPECT_THAT(error_of(decode(nested(63))), HasSubstr(": nested deeper than 64"));
}

TEST(job_codec, refuses_a_duplicate_key_wherever_it_stands)
{
    EXPECT_EQ(error_of(decode(template_job(R"("touser":"o1","touser":"o2","template_id":"t","data":{})"))),
              "/message/touser: duplicate key");
    EXPECT_EQ(error_of(decode(template_job(R"("template_id":"t","data":{})",
                                           R"(,"recipients":["o1",{"touser":"o2","x":{"a":1,"a":1}}])"))),
              "/recipients/1/x/a: duplicate key");
}

TEST(job_codec, takes_ninety_thousand_keys_in_stride)
{
    std::string members;
    for (int i = 0; i < 90'000; ++i)
        members += ",\"" + std::to_string(i) + "\":1";
    const auto before = std::chrono::steady_clock::now();
    EXPECT_EQ(error_of(decode(template_job(R"("touser":"o1","template_id":"t","data":{})" + members))), "accepted");
    EXPECT_EQ(error_of(decode("{" + members.substr(1) + "}")).substr(0, 17), "/0: unknown field");
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds{20});
}

// ---------------------------------------------------------------------------------------------------------------
// What a rejection says about the job

TEST(job_codec, names_a_rejected_job_as_far_as_it_can_be_read)
{
    const auto whole = refuse(R"({"id":"j","app":"nobody","kind":"x.y","message":{"touser":"o1"},"labels":{"a":"b"}})");
    EXPECT_EQ(whole.reason, "unknown_app");
    EXPECT_EQ(whole.id, "j");
    EXPECT_EQ(whole.app, "nobody");
    EXPECT_EQ(whole.kind, "x.y");
    EXPECT_EQ(whole.touser, "o1");
    ASSERT_TRUE(whole.labels);
    EXPECT_THAT(*whole.labels, ElementsAre(Pair("a", "b")));

    const auto deep = refuse(R"({"id":"j","app":"shop","message":{"touser":"o1","x":)" + std::string(100'000, '['));
    EXPECT_EQ(deep.id, "j");
    EXPECT_EQ(deep.app, "shop");
    EXPECT_EQ(deep.kind, std::nullopt);
    EXPECT_EQ(deep.touser, "o1");
    EXPECT_EQ(deep.labels, std::nullopt);

    const auto cut = refuse(R"({"id":"j","app":"shop")");
    EXPECT_EQ(cut.id, std::nullopt);
    EXPECT_EQ(cut.app, std::nullopt);

    const auto unlabelled = refuse(R"({"id":"j"})");
    ASSERT_TRUE(unlabelled.labels);
    EXPECT_THAT(*unlabelled.labels, SizeIs(0));

    const auto nothing = refuse("x");
    EXPECT_EQ(nothing.id, std::nullopt);
    EXPECT_EQ(nothing.labels, std::nullopt);
}

TEST(job_codec, says_nothing_of_a_rejected_job_that_is_not_valid_itself)
{
    const auto bad = refuse(R"({"id":"a\nb","app":7,"kind":"","message":{"touser":["o1"]},"labels":{"a":1}})");
    EXPECT_EQ(bad.id, std::nullopt);
    EXPECT_EQ(bad.app, std::nullopt);
    EXPECT_EQ(bad.kind, std::nullopt);
    EXPECT_EQ(bad.touser, std::nullopt);
    EXPECT_EQ(bad.labels, std::nullopt);

    const auto twice = refuse(
        R"({"id":"a","id":"b","app":"shop","message":{"touser":"o1","touser":"o2"},"labels":{"a":"1","a":"2"}})");
    EXPECT_EQ(twice.id, std::nullopt);
    EXPECT_EQ(twice.app, "shop");
    EXPECT_EQ(twice.touser, std::nullopt);
    EXPECT_EQ(twice.labels, std::nullopt);

    // Halves of surrogate pairs would make the status no JSON.
    const auto halved = refuse(R"({"id":"\udc00","app":"shop","labels":{"a":"\udc00"}})");
    EXPECT_EQ(halved.error, "/id: half of a surrogate pair");
    EXPECT_EQ(halved.id, std::nullopt);
    EXPECT_EQ(halved.labels, std::nullopt);
}

TEST(job_codec, gives_no_recipient_for_a_rejected_job_with_recipients)
{
    EXPECT_EQ(refuse(template_job(R"("touser":"o1","template_id":"t")", R"(,"recipients":["o2"])")).touser,
              std::nullopt);
}

TEST(job_codec, keeps_values_out_of_error_texts)
{
    const auto secret = "s3cr3t"s;
    for (const auto& value :
         {R"({"id":["s3cr3t"]})"s, R"({"id":"j","app":"s3cr3t"})"s, R"({"id":"j","app":"shop","kind":"s3cr3t"})"s,
          template_job(R"("access_token":"s3cr3t","touser":"o1")"), template_job(R"("touser":{"s3cr3t":1})"),
          template_job(R"("touser":"s3cr3t\n")"),
          template_job(R"("touser":"o1","template_id":"t","data":{"first":"s3cr3t"})"),
          R"({"id":"j","priority":"s3cr3t",)"s, R"({"id":"j","app":"shop" "s3cr3t"})"s})
        EXPECT_THAT(refuse(value).error, Not(HasSubstr(secret))) << value;
    EXPECT_LT(refuse("{\"" + std::string(500'000, 'k') + "\":1}").error.size(), 300U);
}

} // namespace
} // namespace wxcourier::codec
