// SPDX-License-Identifier: Apache-2.0
/// @file
/// A place on this machine that only one living process can have: who has it knows that its last holder is dead.
#pragma once

#include <string>
#include <string_view>

namespace wxcourier::app {

/// The first free seat of a group, held until the process ends, however it ends: the kernel takes it back, and not
/// before the last thread is gone (a process that is stopped keeps it). Seats belong to one boot of one machine and, in
/// it, to one network namespace; a container that is started again in its pod finds its seat again.
class process_seat {
public:
    /// @param group  whose seats these are; processes of different groups do not meet.
    explicit process_seat(std::string_view group);
    process_seat(const process_seat&) = delete;
    process_seat& operator=(const process_seat&) = delete;
    ~process_seat();

    /// Names the seat all over the world. Empty: there is none to be had, and nothing is known of anybody's death.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
    int socket_ = -1;
    std::string name_;
};

} // namespace wxcourier::app
