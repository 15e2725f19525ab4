// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/shard_index.h"

#include "core/base/file.h"
#include "core/base/json.h"
#include "core/checkpoint/limits.h"
#include "core/checkpoint/sniff.h"

namespace owq {
namespace {

class Handler : public nlohmann::json_sax<Json> {
public:
    std::unordered_map<std::string, std::string> map;
    std::string problem;
    bool seen = false;

    bool null() override { return value("null"); }
    bool boolean(bool) override { return value("true or false"); }
    bool number_integer(number_integer_t) override { return value("a number"); }
    bool number_unsigned(number_unsigned_t) override { return value("a number"); }
    bool number_float(number_float_t, const string_t&) override { return value("a number"); }
    bool binary(binary_t&) override { return value("binary data"); }
    bool string(string_t& v) override {
        if (!inMap_ || depth_ != 2) return value("a text");
        if (v.empty() || v == "." || v == ".." || v.size() > 255 || v.find_first_of("/\\") != std::string::npos || v.find('\0') != std::string::npos)
            return fail("tensor \"" + tensor_.substr(0, 200) + "\" is said to be in \"" + v.substr(0, 200) + "\", which is no plain file name");
        if (map.size() == limits::kTensors) return fail("names too many tensors");
        return map.emplace(std::move(tensor_), std::move(v)).second || fail("names a tensor twice");
    }
    bool start_object(std::size_t) override {
        if (depth_ == 1 && key_ == "weight_map") {
            if (seen) return fail("has two weight_map");
            inMap_ = seen = true;
        } else if (inMap_) {
            return value("an object");
        }
        return deeper();
    }
    bool key(string_t& key) override {
        if (depth_ == 1) key_ = std::move(key);
        else if (inMap_) {
            if (key.size() > limits::kNameBytes) return fail("names a tensor of " + std::to_string(key.size()) + " bytes");
            tensor_ = std::move(key);
        }
        return true;
    }
    bool end_object() override {
        if (--depth_ == 1) inMap_ = false;
        return true;
    }
    bool start_array(std::size_t) override { return value("a list") && deeper(); }
    bool end_array() override {
        --depth_;
        return true;
    }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
        return fail("is not valid JSON at byte " + std::to_string(position));
    }

private:
    bool fail(std::string text) {
        if (problem.empty()) problem = std::move(text);
        return false;
    }
    // Anything outside the map is skipped; inside it only texts are allowed.
    bool value(const std::string& what) {
        if (depth_ == 0) return fail("is " + what + ", an object was expected");
        if (depth_ == 1 && key_ == "weight_map") return fail("\"weight_map\" is " + what + ", an object was expected");
        if (inMap_) return fail("the file of tensor \"" + tensor_.substr(0, 200) + "\" is " + what + ", a file name was expected");
        return true;
    }
    bool deeper() { return ++depth_ <= 64 || fail("is nested deeper than 64"); }

    int depth_ = 0;
    bool inMap_ = false;
    std::string key_, tensor_;
};

}  // namespace

std::unordered_map<std::string, std::string> readShardIndex(const std::filesystem::path& file) {
    const auto mapped = MappedFile::open(file);
    refuseLfsPointer(mapped->bytes(), file);
    const std::string_view text(reinterpret_cast<const char*>(mapped->bytes().data()), mapped->bytes().size());
    if (text.size() > limits::kHeaderBytes) throw Error("is over the limit of 100 MB", file.string());
    if (text.starts_with("\xef\xbb\xbf")) throw Error("begins with a byte order mark", file.string());
    Handler handler;
    if (!Json::sax_parse(text.begin(), text.end(), &handler))
        throw Error(handler.problem.empty() ? "is not valid JSON" : handler.problem, file.string());
    if (!handler.seen) throw Error("has no \"weight_map\"", file.string(), "Download the index again");
    return std::move(handler.map);
}

}  // namespace owq
