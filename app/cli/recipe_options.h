// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include "core/budget/recipe.h"

namespace owq::cli {

/// The options that make up a Recipe.
struct RecipeArguments {
    Recipe recipe;
    std::string method = "owq", metric = "sensitivity";

    /// `whole`: also what only quantizing needs (method, order, damping…).
    void add(CLI::App& command, bool whole);
    /// Throws UsageError when options contradict each other. `fixedBudget`: bits and weak columns come from a file, which is
    /// allocated anew only where that is asked for.
    Recipe resolve(uint64_t seed, bool fixedBudget = false) const;

private:
    CLI::Option *refine_ = nullptr, *damping_ = nullptr, *correction_ = nullptr, *allocation_ = nullptr;
};

}  // namespace owq::cli
