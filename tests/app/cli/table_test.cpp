// SPDX-License-Identifier: Apache-2.0
#include "app/cli/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace owq::cli {
namespace {

TEST(Table, AlignsColumns) {
    Table table({"name", ">rows", "note"});
    table.add({"q_proj", "256", ""});
    table.add({"\xc3\xa9", "1024", "odd"});
    std::ostringstream out;
    table.print(out);
    EXPECT_EQ(out.str(), "  name    rows  note\n  q_proj   256\n  \xc3\xa9       1024  odd\n");
}

TEST(Table, FactsHaveNoTitles) {
    Table table = Table::facts();
    table.add({"family", "opt"});
    table.add({"size", "1 B"});
    std::ostringstream out;
    table.print(out);
    EXPECT_EQ(out.str(), "  family  opt\n  size    1 B\n");
}

}  // namespace
}  // namespace owq::cli
