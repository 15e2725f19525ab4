// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <exception>
#include <stdexcept>
#include <string>

namespace owq {

/// A failure that a person can act on: what happened, where (file, tensor, layer), what to do.
/// what() joins the three to one line: "where: happened. remedy".
class Error : public std::runtime_error {
public:
    explicit Error(std::string happened, std::string where = {}, std::string remedy = {});

    const std::string& happened() const { return happened_; }
    const std::string& where() const { return where_; }
    const std::string& remedy() const { return remedy_; }

private:
    std::string happened_, where_, remedy_;
};

/// Thrown by checkStop when a person asked the job to stop. Not an Error: nothing is wrong.
class Cancelled : public std::exception {
public:
    const char* what() const noexcept override { return "stopped on request"; }
};

}  // namespace owq
