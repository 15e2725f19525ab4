// SPDX-License-Identifier: Apache-2.0
#include "core/text/documents.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include "core/text/corpus.h"
#include "tests/core/text/text_test_support.h"

namespace owq {
namespace {

using testing::HasSubstr;
using Texts = std::vector<std::string>;
class Documents : public FolderTest {
protected:
    std::filesystem::path zipped(const std::string& name, const std::string& text, bool cut = false) const {
        const std::string path = (folder / name).string();
        gzFile out = gzopen(path.c_str(), "wb");
        gzwrite(out, text.data(), unsigned(text.size()));
        gzclose(out);
        if (cut) std::filesystem::resize_file(path, std::filesystem::file_size(path) - 8);
        return path;
    }
};

TEST_F(Documents, TextIsOneDocument) {
    EXPECT_EQ(readDocuments(write("a.txt", "one\ntwo\n")), Texts{"one\ntwo\n"});
    EXPECT_EQ(readDocuments(write("b.txt", "\xef\xbb\xbfone")), Texts{"\xef\xbb\xbfone"});
    EXPECT_EQ(readDocuments(zipped("a.txt.gz", "one")), Texts{"one"});
    EXPECT_EQ(readRows(write("c.txt", "one\n\ntwo")), (Texts{"one\n", "\n", "two"}));
}

TEST_F(Documents, JsonLines) {
    const std::string lines = "{\"text\": \"one\"}\n\n{\"url\": 1, \"text\": \"tw\\u00f6\\n\"}\r\n{\"text\": \"\"}";
    const Texts expected{"one", "tw\xc3\xb6\n", ""};
    EXPECT_EQ(readDocuments(write("a.jsonl", lines)), expected);
    EXPECT_EQ(readDocuments(zipped("c4.00000-of-01024.json.gz", lines)), expected);
    EXPECT_EQ(readDocuments(folder / "a.jsonl", 1), Texts{"one"});
    EXPECT_EQ(readRows(folder / "a.jsonl"), expected);
}

TEST_F(Documents, AMalformedLineIsNamedWithItsNumber) {
    EXPECT_THAT(errorOf([&] { readDocuments(write("a.jsonl", "{\"text\": \"a\"}\n\n{\"text\": \n")); }),
                testing::AllOf(HasSubstr("line 3"), HasSubstr("a.jsonl")));
    EXPECT_THAT(errorOf([&] { readDocuments(write("b.jsonl", "{\"body\": \"a\"}\n")); }),
                testing::AllOf(HasSubstr("line 1"), HasSubstr("text")));
    EXPECT_THAT(errorOf([&] { readDocuments(write("c.jsonl", "{\"text\": \"\xff\"}\n")); }), HasSubstr("line 1"));
    EXPECT_THAT(errorOf([&] { readDocuments(write("d.jsonl", "\n")); }), HasSubstr("no documents"));
}

TEST_F(Documents, UnreadableFilesAreErrors) {
    EXPECT_THAT(errorOf([&] { readDocuments(write("a.txt", "ab\xff")); }), HasSubstr("byte 2"));
    EXPECT_THAT(errorOf([&] { readDocuments(folder / "none.txt"); }), HasSubstr("none.txt"));
    EXPECT_THAT(errorOf([&] { readDocuments(folder); }), HasSubstr(folder.string()));
    EXPECT_THAT(errorOf([&] { readDocuments(zipped("cut.txt.gz", std::string(1000, 'x'), true)); }), HasSubstr("cut.txt.gz"));
}

}  // namespace
}  // namespace owq
