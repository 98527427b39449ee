// SPDX-License-Identifier: Apache-2.0
#include "app/configuration_watch.hpp"
#include "common/log.hpp"
#include "engine/task_group.hpp"
#include "tests/support/manual_clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

namespace wxcourier::app {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

/// A folder with a file in it, watched by hand-moved time. A content that begins with "bad" is refused by the loader,
/// one that begins with "unfit" by whoever follows; "same" is no difference.
class watched_file : public testing::Test {
public:
    ~watched_file() override
    {
        watch_->stop();
        time_.settle();
        fs::remove_all(folder_);
    }

protected:
    watched_file()
    {
        log::configure(log::level::off, log::format::text);
        std::string name = (fs::temp_directory_path() / "wxcourier-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        write("same");
        watch_file(path());
    }
    void watch_file(const fs::path& file)
    {
        watch_ = std::make_unique<configuration_watch>(
            file.string(), time_, metrics_, loop_.get_executor(), [this](std::string_view text) { return load(text); },
            [this](const config::settings& wanted) { return follow(wanted); });
    }

    void write(const std::string& text) const { std::ofstream(path(), std::ios::trunc | std::ios::binary) << text; }
    [[nodiscard]] fs::path path() const { return folder_ / "wxcourier.yaml"; }
    void begin()
    {
        tasks_.spawn(watch_->run());
        time_.settle();
    }
    void looks(int count)
    {
        for (int i = 0; i < count; ++i)
            time_.advance(configuration_watch::interval);
    }
    double reloads(const char* result) { return metrics_["wxcourier_config_reloads_total"].with({result}).value(); }
    double gauge(const char* name) { return metrics_[name].with().value(); }

    /// As kubelet does it: a new folder, and a link to it that is renamed into the place of the old one.
    void swap_link(const std::string& version, const std::string& text) const
    {
        fs::create_directory(folder_ / version);
        std::ofstream(folder_ / version / "wxcourier.yaml") << text;
        fs::create_directory_symlink(version, folder_ / "..data_tmp");
        fs::rename(folder_ / "..data_tmp", folder_ / "..data");
    }

    fs::path folder_;
    asio::io_context loop_;
    test::manual_clock time_{loop_};
    metrics_registry metrics_;
    std::vector<std::string> loaded_;
    std::vector<std::string> followed_;
    engine::task_group tasks_{loop_.get_executor(), time_,
                              [](std::exception_ptr failure) { std::rethrow_exception(failure); }};
    std::unique_ptr<configuration_watch> watch_;

    config::load_outcome load(std::string_view text)
    {
        loaded_.emplace_back(text);
        config::load_outcome outcome;
        if (text.starts_with("bad")) {
            outcome.errors.push_back({1, 1, std::string(text)});
        } else {
            outcome.loaded.emplace();
            outcome.loaded->kafka.group_id = text;
        }
        return outcome;
    }
    configuration_watch::following follow(const config::settings& wanted)
    {
        const auto& text = wanted.kafka.group_id;
        configuration_watch::following result;
        if (text.starts_with("unfit"))
            result.refusals.push_back(text);
        else
            followed_.push_back(text);
        result.changed = text != "same";
        return result;
    }
};

TEST_F(watched_file, the_first_look_only_learns_what_is_in_force)
{
    begin();
    looks(10);
    EXPECT_THAT(loaded_, ElementsAre("same"));
    EXPECT_EQ(reloads("applied") + reloads("unchanged") + reloads("refused"), 0);
}

TEST_F(watched_file, a_change_between_the_start_and_the_first_look_is_followed)
{
    write("new");
    begin();
    EXPECT_THAT(followed_, ElementsAre("new"));
    EXPECT_EQ(reloads("applied"), 1);
}

TEST_F(watched_file, a_changed_content_is_followed_once_two_looks_agree)
{
    begin();
    const auto since = gauge("wxcourier_config_applied_timestamp_seconds");
    write("new");
    looks(1);
    EXPECT_THAT(followed_, ElementsAre("same"));
    looks(1);
    EXPECT_THAT(followed_, ElementsAre("same", "new"));
    looks(5);
    EXPECT_THAT(followed_, ElementsAre("same", "new"));
    EXPECT_EQ(reloads("applied"), 1);
    EXPECT_EQ(gauge("wxcourier_config_applied_timestamp_seconds"), since + 4);
}

TEST_F(watched_file, a_file_that_is_being_written_is_not_read)
{
    begin();
    for (const auto* const each : {"ba", "bad", "bad half", "good now"}) {
        write(each);
        looks(1);
    }
    EXPECT_THAT(loaded_, ElementsAre("same"));
    looks(1);
    EXPECT_THAT(followed_, ElementsAre("same", "good now"));
    EXPECT_EQ(reloads("refused"), 0);
}

TEST_F(watched_file, a_touch_is_no_change)
{
    begin();
    write("same");
    fs::last_write_time(path(), fs::file_time_type::clock::now() + std::chrono::hours(1));
    looks(5);
    EXPECT_THAT(loaded_, ElementsAre("same"));
}

TEST_F(watched_file, a_swap_of_kubernetes_link_is_followed)
{
    fs::remove(path());
    swap_link("..1", "same");
    fs::create_symlink("..data/wxcourier.yaml", path());
    begin();
    swap_link("..2", "new");
    looks(2);
    EXPECT_THAT(followed_, ElementsAre("same", "new"));
}

TEST_F(watched_file, a_refused_content_is_told_once_and_the_one_in_force_stays)
{
    begin();
    write("bad 1");
    looks(20);
    EXPECT_EQ(reloads("refused"), 1);
    EXPECT_EQ(gauge("wxcourier_config_refused"), 1);
    EXPECT_THAT(followed_, ElementsAre("same"));
    write("unfit");
    looks(20);
    EXPECT_EQ(reloads("refused"), 2);
    write("good");
    looks(2);
    EXPECT_THAT(followed_, ElementsAre("same", "good"));
    EXPECT_EQ(gauge("wxcourier_config_refused"), 0);
}

TEST_F(watched_file, going_back_to_what_is_in_force_ends_the_refusal)
{
    begin();
    write("bad");
    looks(3);
    ASSERT_EQ(gauge("wxcourier_config_refused"), 1);
    write("same");
    looks(3);
    EXPECT_EQ(gauge("wxcourier_config_refused"), 0);
    EXPECT_THAT(followed_, ElementsAre("same"));
    write("bad");
    looks(3);
    EXPECT_EQ(reloads("refused"), 2) << "and the same mistake is told again";
}

TEST_F(watched_file, what_a_refused_file_lacks_may_come_later)
{
    begin();
    write("unfit");
    looks(3);
    ASSERT_EQ(reloads("refused"), 1);
    loaded_.clear();
    looks(3);
    EXPECT_EQ(loaded_.size(), 3U) << "it is tried at each look";
}

TEST_F(watched_file, a_file_that_vanishes_changes_nothing)
{
    begin();
    fs::remove(path());
    looks(1);
    EXPECT_EQ(reloads("refused"), 0) << "an editor may be replacing it";
    looks(5);
    EXPECT_EQ(reloads("refused"), 1);
    write("new");
    looks(2);
    EXPECT_THAT(followed_, ElementsAre("same", "new"));
    EXPECT_EQ(gauge("wxcourier_config_refused"), 0);
}

TEST_F(watched_file, a_folder_in_its_place_is_refused)
{
    begin();
    fs::remove(path());
    fs::create_directory(path());
    looks(2);
    EXPECT_EQ(reloads("refused"), 1);
}

TEST_F(watched_file, a_request_takes_the_file_as_it_stands)
{
    begin();
    write("new");
    watch_->look_now();
    time_.settle();
    EXPECT_THAT(followed_, ElementsAre("same", "new"));
    write("same");
    looks(2);
    watch_->look_now();
    time_.settle();
    EXPECT_EQ(reloads("unchanged"), 2) << "once followed, once asked for";
    write("bad");
    watch_->look_now();
    time_.settle();
    watch_->look_now();
    time_.settle();
    EXPECT_EQ(reloads("refused"), 2) << "whoever asks gets an answer each time";
}

TEST_F(watched_file, a_request_before_the_start_is_kept)
{
    write("new");
    watch_->look_now();
    time_.settle();
    EXPECT_THAT(loaded_, IsEmpty());
    begin();
    EXPECT_THAT(followed_, ElementsAre("new"));
}

TEST_F(watched_file, a_request_while_stopping_does_nothing)
{
    begin();
    watch_->stop();
    watch_->look_now();
    time_.settle();
    EXPECT_THAT(loaded_, ElementsAre("same"));
    EXPECT_EQ(tasks_.running(), 0U);
}

TEST_F(watched_file, without_a_file_nothing_is_watched)
{
    watch_file("");
    begin();
    watch_->look_now();
    looks(2);
    EXPECT_THAT(loaded_, IsEmpty());
    EXPECT_EQ(tasks_.running(), 0U);
}

} // namespace
} // namespace wxcourier::app
