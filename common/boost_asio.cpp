// SPDX-License-Identifier: Apache-2.0
// The one translation unit that compiles Asio's and Beast's bodies; every other one sees declarations only, which
// takes seconds off each of them.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
