// SPDX-License-Identifier: Apache-2.0
#include "simulator/field_rules.hpp"

#include <gtest/gtest.h>

#include <string>

namespace wxcourier::simulator {
namespace {

struct row {
    const char* name;
    std::string value;
    field_verdict expected;
};

constexpr auto fine = field_verdict::fine;
constexpr auto invalid = field_verdict::invalid;
constexpr auto empty = field_verdict::empty;

std::string times(std::string_view text, int count)
{
    std::string result;
    while (count-- > 0) {
        result += text;
    }
    return result;
}

class field_rules_test : public testing::TestWithParam<row> {};

TEST_P(field_rules_test, a_value_is_judged_by_the_type_in_the_name)
{
    EXPECT_EQ(check_field(GetParam().name, GetParam().value), GetParam().expected)
        << GetParam().name << ": " << GetParam().value;
}

INSTANTIATE_TEST_SUITE_P(
    texts, field_rules_test,
    testing::Values(row{"thing1", times("我", 20), fine}, row{"thing1", times("我", 21), invalid},
                    row{"thing1", "", empty}, row{"thing1", "a\nb", invalid}, row{"thing1", "a\xFF", invalid},
                    row{"thing12", "😀", fine}, row{"short_thing3", "短", fine}, row{"letter1", "abcXYZ", fine},
                    row{"letter1", "ab1", invalid}, row{"letter1", times("a", 33), invalid},
                    row{"symbol1", "!?-", fine}, row{"symbol1", "a", invalid}, row{"symbol1", "!!!!!!", invalid},
                    row{"character_string1", times("a", 32), fine}, row{"character_string1", times("a", 33), invalid},
                    row{"character_string1", "A-1", fine}, row{"character_string1", "A我", invalid},
                    row{"name1", times("王", 10), fine}, row{"name1", times("王", 11), invalid},
                    row{"name1", times("a", 20), fine}, row{"name1", "王abcdefghij", invalid},
                    row{"phrase1", "已完成", fine}, row{"phrase1", "已完成了没有", invalid},
                    row{"phrase1", "ok", invalid}, row{"const1", "开", fine}, row{"enum1", "A", fine}));

INSTANTIATE_TEST_SUITE_P(
    numbers, field_rules_test,
    testing::Values(row{"number01", "12", fine}, row{"number01", "1.5", fine}, row{"number01", ".5", invalid},
                    row{"number01", "5.", invalid}, row{"number01", "1.2.3", invalid}, row{"number01", "一", invalid},
                    row{"number01", times("1", 32), fine}, row{"number01", times("1", 33), invalid},
                    row{"amount1", "¥100.50", fine}, row{"amount1", "100元", fine}, row{"amount1", "￥1元", fine},
                    row{"amount1", "12345678901", invalid}, row{"amount1", "abc", invalid},
                    row{"amount1", "元", invalid}, row{"phone_number1", "+86-0766-66888866", fine},
                    row{"phone_number1", "+86-0766-668888661", invalid}, row{"phone_number1", "ext1", invalid},
                    row{"car_number1", "粤A8Z888挂", fine}, row{"car_number1", "粤A粤8888", invalid},
                    row{"car_number1", "粤A8Z8889挂", invalid}));

INSTANTIATE_TEST_SUITE_P(
    times_and_dates, field_rules_test,
    testing::Values(row{"time1", "15:01", fine}, row{"time1", "15:01:30", fine}, row{"time1", "25:01", invalid},
                    row{"time1", "15:60", invalid}, row{"time1", "2019年10月1日 15:01", fine},
                    row{"time1", "2019-10-01 15:01:00", fine}, row{"time1", "2019-10-01", invalid},
                    row{"time1", "15:01~16:02", fine}, row{"time1", "2019年10月1日 15:01 ~ 16:00", fine},
                    row{"time1", "15:01~", invalid}, row{"time1", "soon", invalid}, row{"date1", "2019年10月1日", fine},
                    row{"date1", "2019年10月1日 15:01", fine}, row{"date1", "2019年10月", fine},
                    row{"date1", "10月1日", fine}, row{"date1", "2019-10-01", fine}, row{"date1", "2019/10/1", fine},
                    row{"date1", "2019.10.01~2019.10.03", fine}, row{"date1", "10-01", fine},
                    row{"date1", "2019-13-01", invalid}, row{"date1", "2019年10月32日", invalid},
                    row{"date1", "15:01", invalid}, row{"date1", "10月", invalid}));

INSTANTIATE_TEST_SUITE_P(historic_fields, field_rules_test,
                         testing::Values(row{"first", "", fine}, row{"remark", "a\nb", fine},
                                         row{"keyword1", times("长", 300), fine}, row{"thing", "", fine},
                                         row{"1", "", fine}, row{"", "", fine}));

} // namespace
} // namespace wxcourier::simulator
