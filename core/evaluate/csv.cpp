// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/csv.h"

#include "core/base/error.h"
#include "core/text/documents.h"

namespace owq {
namespace {

constexpr size_t kRecordLimit = 16u << 20;  // an open quote would swallow the rest of the file

/// Takes a record's lines one by one.
class Record {
public:
    /// Whether the record ends with this line.
    bool take(const std::string& line) {
        const size_t end = !line.empty() && line.back() == '\r' ? line.size() - 1 : line.size();
        for (size_t i = 0; i < end; ++i) {
            const char c = line[i];
            if (!quoted_) {
                if (c == ',') {
                    next();
                } else if (c == '"' && field_.empty() && !closed_) {
                    quoted_ = true;
                } else if (c == '"' || closed_) {
                    throw Error("a quote stands in the middle of a field", where);
                } else {
                    field_ += c;
                }
            } else if (c != '"') {
                field_ += c;
            } else if (i + 1 < end && line[i + 1] == '"') {
                field_ += c;
                ++i;
            } else {
                quoted_ = false;
                closed_ = true;
            }
        }
        if (quoted_) {
            field_ += '\n';
            size_ += end + 1;
            if (size_ > kRecordLimit) throw Error("a quote is not closed within 16 MiB", where);
            return false;
        }
        next();
        return true;
    }

    std::string where;  ///< of its first line
    std::vector<std::string> fields;
    bool open() const { return quoted_; }

private:
    void next() {
        fields.push_back(std::move(field_));
        field_.clear();
        closed_ = false;
    }

    std::string field_;
    bool quoted_ = false, closed_ = false;
    size_t size_ = 0;
};

}  // namespace

void eachCsvRecord(const std::filesystem::path& file,
                   const std::function<void(std::vector<std::string>& fields, const std::string& where)>& visit, const std::stop_token& stop) {
    Record record;
    const auto take = [&](const std::string& line, const std::string& where) {
        if (record.where.empty()) record.where = where;
        const bool blank = !record.open() && line.find_first_not_of(" \t\r") == std::string::npos;
        if (!blank && !record.take(line)) return true;
        if (!blank) visit(record.fields, record.where);
        record = {};
        return true;
    };
    eachLine(file, take, stop);
    if (record.open()) throw Error("a quote is not closed", record.where);
}

}  // namespace owq
