// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/safetensors_header.h"

#include <optional>
#include <unordered_set>

#include "core/base/error.h"
#include "core/checkpoint/limits.h"

namespace owq {
namespace {

class Handler : public nlohmann::json_sax<Json> {
public:
    SafetensorsHeader header;
    std::string problem;

    bool null() override { return unexpected("null"); }
    bool boolean(bool) override { return unexpected("true or false"); }
    bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
    bool number_float(number_float_t, const string_t&) override { return unexpected("a number that is not whole"); }
    bool number_unsigned(number_unsigned_t v) override {
        if (!inList_) return unexpected("a number");
        if (v > uint64_t(INT64_MAX)) return fail("number " + std::to_string(v) + " is too large");
        std::vector<int64_t>& list = field_ == "shape" ? entry_.info.shape : offsets_;
        if (list.size() == limits::kRank) return fail("\"" + field_ + "\" has more than " + std::to_string(limits::kRank) + " numbers");
        list.push_back(int64_t(v));
        return true;
    }
    bool string(string_t& v) override {
        if (inList_ || level_ != 2) return unexpected("a text");
        if (inMetadata_) {
            header.metadata.emplace_back(field_, std::move(v));
            return true;
        }
        if (field_ != "dtype") return unexpected("a text");
        try {
            entry_.info.dtype = dtypeFromName(v);
        } catch (const Error& e) {
            return fail(e.happened());
        }
        return true;
    }
    bool binary(binary_t&) override { return unexpected("binary data"); }

    bool start_object(std::size_t) override {
        if (inList_ || level_ == 2) return unexpected("an object");
        ++level_;
        fields_.clear();
        entry_ = {};
        entry_.info.name = name_;
        offsets_.clear();
        return true;
    }
    bool key(string_t& key) override {
        if (level_ == 1) {
            if (key.size() > limits::kNameBytes) return fail("a tensor name is " + std::to_string(key.size()) + " bytes long");
            name_ = key;
            inMetadata_ = key == "__metadata__";
            return names_.insert(std::move(key)).second || fail("name appears twice");
        }
        field_ = key;
        if (!inMetadata_ && key != "dtype" && key != "shape" && key != "data_offsets") return fail("unknown field \"" + key.substr(0, 80) + "\"");
        return fields_.insert(std::move(key)).second || fail("field \"" + field_.substr(0, 80) + "\" appears twice");
    }
    bool end_object() override {
        return --level_ != 1 || inMetadata_ || finishEntry();
    }
    bool start_array(std::size_t) override {
        if (inList_ || level_ != 2 || inMetadata_ || (field_ != "shape" && field_ != "data_offsets")) return unexpected("a list");
        inList_ = true;
        return true;
    }
    bool end_array() override {
        inList_ = false;
        return true;
    }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
        name_.clear();
        return fail("header is not valid JSON at byte " + std::to_string(position));
    }

private:
    bool fail(std::string text) {
        if (problem.empty()) problem = (name_.empty() ? "" : "tensor \"" + name_.substr(0, 200) + "\": ") + std::move(text);
        return false;
    }
    bool unexpected(const std::string& what) {
        if (level_ == 0) return fail("header is " + what + ", an object was expected");
        if (level_ == 1) return fail("is " + what + ", an object was expected");
        return fail("\"" + field_.substr(0, 80) + "\" holds " + what);
    }
    bool finishEntry() {
        for (const char* need : {"dtype", "shape", "data_offsets"})
            if (!fields_.contains(need)) return fail("\"" + std::string(need) + "\" is missing");
        if (offsets_.size() != 2 || offsets_[0] > offsets_[1]) return fail("data_offsets are not a begin and an end");
        entry_.begin = uint64_t(offsets_[0]);
        entry_.end = uint64_t(offsets_[1]);
        entry_.info.bytes = entry_.end - entry_.begin;
        uint64_t count = 0, bytes = 0;
        if (!elementCount(entry_.info.shape, count) || __builtin_mul_overflow(count, byteSize(entry_.info.dtype), &bytes))
            return fail("shape " + shapeText(entry_.info.shape) + " is too large");
        if (bytes != entry_.info.bytes)
            return fail("shape " + shapeText(entry_.info.shape) + " of " + std::string(owq::name(entry_.info.dtype)) + " needs " +
                        std::to_string(bytes) + " bytes, its data_offsets span " + std::to_string(entry_.info.bytes));
        if (header.entries.size() == limits::kTensors) return fail("the file holds too many tensors");
        header.entries.push_back(std::move(entry_));
        return true;
    }

    int level_ = 0;  // 1: in the header, 2: in an entry
    bool inList_ = false, inMetadata_ = false;
    std::string name_, field_;
    std::unordered_set<std::string> names_, fields_;
    SafetensorsEntry entry_;
    std::vector<int64_t> offsets_;
};

}  // namespace

bool elementCount(const std::vector<int64_t>& shape, uint64_t& count) {
    int64_t product = 1;
    bool empty = false;
    for (int64_t d : shape) {
        if (d < 0) return false;
        if (d == 0)
            empty = true;
        else if (__builtin_mul_overflow(product, d, &product))
            return false;
    }
    count = empty ? 0 : uint64_t(product);
    return true;
}

SafetensorsHeader parseSafetensorsHeader(std::string_view json, const std::string& where) {
    if (!json.starts_with('{')) throw Error("header does not begin with \"{\": this is no safetensors file", where);
    Handler handler;
    if (!Json::sax_parse(json.begin(), json.end(), &handler))
        throw Error(handler.problem.empty() ? "header is not valid JSON" : handler.problem, where);
    return std::move(handler.header);
}

}  // namespace owq
