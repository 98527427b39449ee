// SPDX-License-Identifier: Apache-2.0
/// @file
/// `{env: NAME}`, `{file: PATH}` and `{value: TEXT}`: how the configuration refers to a secret. No finding made here
/// shows what stands in such a place: people put the secret itself where its name belongs.
#pragma once

#include "common/secret.hpp"
#include "config/settings.hpp"
#include "config/yaml_reader.hpp"

#include <optional>
#include <string>

namespace wxcourier::config {

/// A well-formed reference that has not been followed yet.
struct secret_reference {
    secret_source source;
    secret value;           ///< Of `{value: …}` only.
    std::string shown_name; ///< As the file has it: a `${VARIABLE}` in it may be the secret itself.
    setting named;          ///< The value behind `env`, `file` or `value`: where findings go.
    setting whole;          ///< The mapping around it.
};

enum class inline_value : std::uint8_t {
    warned_of, ///< `{value: …}` works, with a warning.
    refused,
};

/// Whose secret it is: commands that only talk to Kafka do without the others.
enum class secret_owner : std::uint8_t { worker, kafka_client };

/// Reads the reference at `from`. Empty: absent, or a finding was made.
std::optional<secret_reference> read_secret_reference(const setting& from,
                                                      inline_value inlined = inline_value::warned_of);

/// Follows it: reads the variable or the file. Where secrets are ignored, an empty secret. Empty optional: a finding
/// was made.
std::optional<secret> fetch_secret(const secret_reference& reference, secret_owner owner = secret_owner::worker);

} // namespace wxcourier::config
