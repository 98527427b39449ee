// SPDX-License-Identifier: Apache-2.0
#include "domain/replay_rules.hpp"

#include <gtest/gtest.h>

namespace wxcourier::domain {
namespace {

letter_facts letter()
{
    return {.state = job_state::failed, .reason = "retries_exhausted", .at = wall_time{milliseconds{1'000}}};
}

TEST(replay_rules, a_letter_with_nothing_against_it_is_chosen)
{
    EXPECT_EQ(judge(letter(), {}), letter_verdict::chosen);
    EXPECT_EQ(judge(letter_job{}, {}), letter_verdict::chosen);
}

TEST(replay_rules, the_filter_names_reasons_state_and_time)
{
    letter_filter filter;
    filter.reasons = {"invalid_template", "retries_exhausted"};
    filter.state = job_state::failed;
    filter.since = wall_time{milliseconds{1'000}};
    filter.until = wall_time{milliseconds{1'001}};
    EXPECT_EQ(judge(letter(), filter), letter_verdict::chosen);
    auto other = filter;
    other.reasons = {"invalid_template"};
    EXPECT_EQ(judge(letter(), other), letter_verdict::not_wanted);
    other = filter;
    other.state = job_state::rejected;
    EXPECT_EQ(judge(letter(), other), letter_verdict::not_wanted);
    other = filter;
    other.since = wall_time{milliseconds{1'001}};
    EXPECT_EQ(judge(letter(), other), letter_verdict::not_wanted);
    other = filter;
    other.until = wall_time{milliseconds{1'000}};
    EXPECT_EQ(judge(letter(), other), letter_verdict::not_wanted);
}

TEST(replay_rules, what_was_replayed_or_says_the_same_again_is_left_out)
{
    auto replayed = letter();
    replayed.replayed = true;
    EXPECT_EQ(judge(replayed, {}), letter_verdict::replayed);
    auto repeated = letter();
    repeated.repeated = true;
    EXPECT_EQ(judge(repeated, {}), letter_verdict::repeated);
}

TEST(replay_rules, an_unknown_outcome_must_be_named)
{
    auto unknown = letter();
    unknown.reason = "outcome_unknown";
    auto partly = letter();
    partly.unknown_outcome = true;
    letter_filter other_named;
    other_named.reasons = {"retries_exhausted"};
    letter_filter named;
    named.reasons = {"outcome_unknown"};
    EXPECT_EQ(judge(unknown, {}), letter_verdict::unknown_outcome);
    EXPECT_EQ(judge(unknown, named), letter_verdict::chosen);
    EXPECT_EQ(judge(partly, {}), letter_verdict::unknown_outcome);
    EXPECT_EQ(judge(partly, other_named), letter_verdict::unknown_outcome);
    EXPECT_EQ(judge(partly, named), letter_verdict::chosen);
    EXPECT_EQ(judge(letter(), named), letter_verdict::not_wanted);
}

TEST(replay_rules, a_job_that_comes_back_again_and_again_is_left_out)
{
    auto back = letter();
    back.replays = usual_most_replays - 1;
    EXPECT_EQ(judge(back, {}), letter_verdict::chosen);
    back.replays = usual_most_replays;
    EXPECT_EQ(judge(back, {}), letter_verdict::too_often);
    letter_filter patient;
    patient.most_replays = 10;
    EXPECT_EQ(judge(back, patient), letter_verdict::chosen);
}

TEST(replay_rules, the_filter_names_app_kind_and_id)
{
    letter_job job;
    job.app = "shop";
    job.kind = "official.template";
    job.id = "j1";
    letter_filter filter;
    filter.app = "shop";
    filter.kind = "official.template";
    filter.id = "j1";
    EXPECT_EQ(judge(job, filter), letter_verdict::chosen);
    filter.id = "j2";
    EXPECT_EQ(judge(job, filter), letter_verdict::not_wanted);
    EXPECT_EQ(judge(letter_job{}, filter), letter_verdict::not_wanted) << "nothing could be read of it";
}

TEST(replay_rules, what_is_gone_or_would_be_rejected_again_is_left_out)
{
    letter_job gone;
    gone.gone = true;
    letter_job bad;
    bad.still_bad = true;
    EXPECT_EQ(judge(gone, {}), letter_verdict::gone);
    EXPECT_EQ(judge(bad, {}), letter_verdict::still_bad);
}

TEST(replay_rules, every_verdict_that_is_counted_has_words)
{
    for (const auto verdict : {letter_verdict::replayed, letter_verdict::repeated, letter_verdict::unknown_outcome,
                               letter_verdict::too_often, letter_verdict::gone, letter_verdict::still_bad})
        EXPECT_FALSE(describe(verdict).empty());
}

} // namespace
} // namespace wxcourier::domain
