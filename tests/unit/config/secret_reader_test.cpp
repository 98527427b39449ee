// SPDX-License-Identifier: Apache-2.0
#include "config/secret_reader.hpp"
#include "temporary_file.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include <sys/stat.h>

namespace wxcourier::config {
namespace {

using kind = secret_source::kind;

secret_reading read_file_with(std::string_view contents)
{
    const temporary_file file{contents};
    return read_secret({kind::file, file.path()});
}

TEST(SecretReader, DropsTheLineEndsAtTheEnd)
{
    for (const auto* contents : {"word", "word\n", "word\r\n", "word\n\n"})
        EXPECT_EQ(read_file_with(contents).text.value().reveal(), "word");
    EXPECT_EQ(read_file_with(" two\nlines \n").text.value().reveal(), " two\nlines ");
}

TEST(SecretReader, TakesNoEmptySecretAndNoNulByte)
{
    EXPECT_EQ(read_file_with("").failure, "is empty");
    EXPECT_EQ(read_file_with("\r\n").failure, "is empty");
    EXPECT_EQ(read_file_with(std::string_view{"a\0b", 3}).failure, "holds a NUL byte");
}

TEST(SecretReader, ReadsSixtyFourKibibytesAtMost)
{
    EXPECT_EQ(read_file_with(std::string(max_secret_bytes, 'x')).text.value().reveal().size(), max_secret_bytes);
    EXPECT_EQ(read_file_with(std::string(max_secret_bytes + 1, 'x')).failure, "is larger than 64 KiB");
    EXPECT_EQ(read_secret({kind::file, "/dev/zero"}).failure, "is not a regular file");
}

TEST(SecretReader, DoesNotWaitForAPipe)
{
    const temporary_file name{""};
    std::filesystem::remove(name.path());
    ASSERT_EQ(::mkfifo(name.path().c_str(), 0600), 0);
    EXPECT_EQ(read_secret({kind::file, name.path()}).failure, "is not a regular file");
}

TEST(SecretReader, ReadsTheFileAnewEachTime)
{
    const temporary_file file{"before"};
    const secret_source source{kind::file, file.path()};
    EXPECT_EQ(read_secret(source).text.value().reveal(), "before");
    file.write("after");
    EXPECT_EQ(read_secret(source).text.value().reveal(), "after");
}

TEST(SecretReader, ReadsTheEnvironment)
{
    ::setenv("WXCOURIER_TEST_SECRET", "word\n", 1);
    const secret_source source{kind::environment, "WXCOURIER_TEST_SECRET"};
    EXPECT_EQ(read_secret(source).text.value().reveal(), "word");
    ::setenv("WXCOURIER_TEST_SECRET", "", 1);
    EXPECT_EQ(read_secret(source).failure, "is empty");
    ::unsetenv("WXCOURIER_TEST_SECRET");
    EXPECT_EQ(read_secret(source).failure, "is not set");
}

TEST(SecretReader, SaysWhyAFileCannotBeRead)
{
    EXPECT_EQ(read_secret({kind::file, "/nonexistent/secret"}).failure, "cannot be read: No such file or directory");
    EXPECT_EQ(read_secret({kind::file, "/"}).failure, "is not a regular file");
}

TEST(SecretReader, HasNothingToReadForAValue)
{
    EXPECT_EQ(read_secret({kind::value, ""}).failure, "is not read again");
    EXPECT_EQ(read_secret({}).failure, "is not read again");
}

TEST(SecretSource, IsDescribedByItsName)
{
    EXPECT_EQ(describe({kind::environment, "SHOP"}), "the environment variable SHOP");
    EXPECT_EQ(describe({kind::file, "/run/secrets/shop"}), "the file /run/secrets/shop");
    EXPECT_EQ(describe({kind::value, ""}), "the configuration");
}

TEST(SecretReader, SaysWhatIsWrongWithAWord)
{
    EXPECT_EQ(flaw_of_word(secret{"0123456789abcdef0123456789abcdef"}), "");
    EXPECT_EQ(flaw_of_word(secret{std::string(512, 'x')}), "");
    EXPECT_EQ(flaw_of_word(secret{std::string(513, 'x')}), "is longer than 512 characters");
    EXPECT_EQ(flaw_of_word(secret{}), "is empty");
    for (const auto* text : {"two words", "two\nlines", "\xEF\xBB\xBFmarked", "bell\a"})
        EXPECT_EQ(flaw_of_word(secret{text}), "holds a blank, a line end or a character that is not ASCII");
}

} // namespace
} // namespace wxcourier::config
