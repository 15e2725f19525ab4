// SPDX-License-Identifier: Apache-2.0
#include "core/text/documents.h"

#include <zlib.h>

#include <memory>

#include "core/base/file.h"
#include "core/base/progress.h"
#include "core/text/corpus.h"
#include "core/text/utf8.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
constexpr size_t kTextLimit = size_t(1) << 32;  // bytes kept of one file; a compressed file can claim any size
constexpr size_t kLineLimit = 256u << 20;

// Bytes of a plain or gzipped file in pieces (zlib passes plain files through).
class Source {
public:
    explicit Source(const fs::path& file) : name_(file.string()), file_(gzopen(file.c_str(), "rb")) {
        if (!file_ || fs::is_directory(file)) throw Error("cannot be opened", name_);
        gzbuffer(file_.get(), 1u << 18);
    }
    std::string_view next() {
        const int count = gzread(file_.get(), buffer_.data(), unsigned(buffer_.size()));
        int code = Z_OK;
        const char* text = gzerror(file_.get(), &code);
        if (count < 0 || (code != Z_OK && code != Z_STREAM_END))
            throw Error(std::string("reading failed: ") + (code == Z_BUF_ERROR ? "the compressed file ends early" : text), name_);
        return {buffer_.data(), size_t(count)};
    }

private:
    struct Close {
        void operator()(gzFile_s* f) const { gzclose(f); }
    };
    std::string name_;
    std::unique_ptr<gzFile_s, Close> file_;
    std::vector<char> buffer_ = std::vector<char>(1u << 18);
};

std::string readWhole(const fs::path& file) {
    Source source(file);
    std::string text;
    for (std::string_view part = source.next(); !part.empty(); part = source.next()) {
        if (text.size() + part.size() > kTextLimit) throw Error("the text is larger than 4 GiB", file.string());
        text += part;
    }
    requireUtf8(text, file.string());
    return text;
}

}  // namespace

bool isJsonLines(const fs::path& file) {
    const fs::path name = file.extension() == ".gz" ? file.stem() : file.filename();
    const fs::path extension = name.extension();
    return extension == ".jsonl" || extension == ".ndjson" || extension == ".json";
}

std::vector<std::string> readDocuments(const fs::path& file, size_t limit) {
    if (!fs::exists(file)) throw Error("no such file", file.string());
    return isJsonLines(file) ? readJsonLines(file, limit) : std::vector<std::string>{readWhole(file)};
}

void eachLine(const fs::path& file, const std::function<bool(std::string& line, const std::string& where)>& visit, const std::stop_token& stop) {
    if (!fs::exists(file)) throw Error("no such file", file.string());
    Source source(file);
    std::string line;
    size_t number = 1;
    const auto where = [&] { return file.string() + ": line " + std::to_string(number); };
    for (std::string_view part = source.next(); !part.empty(); part = source.next()) {
        checkStop(stop);
        for (size_t from = 0; from < part.size();) {
            const size_t end = part.find('\n', from);
            line += part.substr(from, end == std::string_view::npos ? end : end - from);
            if (line.size() > kLineLimit) throw Error("line is longer than 256 MiB", where());
            if (end == std::string_view::npos) break;
            checkStop(stop);
            if (!visit(line, where())) return;
            line.clear();
            ++number;
            from = end + 1;
        }
    }
    if (!line.empty()) visit(line, where());
}

void eachJsonLine(const fs::path& file, const std::function<bool(const Json& object, const std::string& where)>& visit, const std::stop_token& stop) {
    eachLine(
        file,
        [&](const std::string& line, const std::string& where) {
            return line.find_first_not_of(" \t\r") == std::string::npos || visit(parseJson(line, where), where);
        },
        stop);
}

std::vector<std::string> readJsonLines(const fs::path& file, size_t limit) {
    std::vector<std::string> documents;
    size_t kept = 0;
    eachJsonLine(file, [&](const Json& object, const std::string& where) {
        documents.push_back(required<std::string>(object, "text", where));
        kept += documents.back().size();
        if (kept > kTextLimit) throw Error("the documents are larger than 4 GiB", file.string());
        return !limit || documents.size() < limit;
    });
    if (documents.empty()) throw Error("no documents", file.string());
    return documents;
}

std::vector<std::string> readDocuments(const fs::path& file) { return readDocuments(file, 0); }

std::vector<std::string> readRows(const fs::path& file) {
    std::vector<std::string> documents = readDocuments(file);
    if (isJsonLines(file)) return documents;
    std::vector<std::string> rows;
    const std::string& text = documents[0];
    for (size_t from = 0; from < text.size();) {
        const size_t end = text.find('\n', from);
        const size_t next = end == std::string::npos ? text.size() : end + 1;
        rows.push_back(text.substr(from, next - from));
        from = next;
    }
    return rows;
}

}  // namespace owq
