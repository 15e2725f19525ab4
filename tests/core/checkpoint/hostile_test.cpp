// SPDX-License-Identifier: Apache-2.0
// Every hostile file of tests/data/hostile that concerns this room: it opens with the listed values, or is refused by a message
// that names the file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/checkpoint/checkpoint.h"
#include "tests/core/checkpoint/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Case {
    std::string id, kind, expect;
    Json json;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.id; }

// Cases of kind model_dir whose fault is in the files or in the JSON of config.json, not in what the config says.
bool concernsFiles(const std::string& id) {
    for (const char* refused : {"md_no_config", "md_cfg_array", "md_cfg_cut", "md_cfg_infinity"})
        if (id == refused) return true;
    return id.starts_with("md_ok") || id.starts_with("md_index") || id == "md_both_formats" || id.starts_with("md_nan") || id == "md_inf_weight";
}

std::vector<Case> cases() {
    std::vector<Case> all;
    const Json index = readJson(fs::path(OWQ_TEST_DATA) / "hostile/index.json");
    for (const Json& c : index.at("cases")) {
        Case one{c.at("id"), c.at("kind"), c.at("expect"), c};
        if (one.kind == "safetensors" || one.kind == "pickle" || (one.kind == "model_dir" && concernsFiles(one.id))) all.push_back(std::move(one));
    }
    return all;
}

double expected(const Json& v) {
    if (!v.is_string()) return v.is_boolean() ? double(v.get<bool>()) : v.get<double>();
    const std::string text = v;
    return text == "nan" ? NAN : text == "inf" ? INFINITY : -INFINITY;
}

std::vector<double> values(const Tensor& t) {
    std::vector<double> out;
    if (t.dtype == DType::f64) {
        out.resize(size_t(t.count()));
        std::memcpy(out.data(), t.data, t.bytes());
    } else if (t.dtype == DType::boolean) {
        for (int64_t i = 0; i < t.count(); ++i) out.push_back(double(t.data[i]));
    } else if (t.dtype == DType::f16 || t.dtype == DType::bf16 || t.dtype == DType::f32) {
        for (float v : t.toFloat()) out.push_back(v);
    } else {
        for (int64_t v : t.toInteger()) out.push_back(double(v));
    }
    return out;
}

void expectTensors(const TensorFile& file, const Json& tensors) {
    EXPECT_EQ(file.tensors().size(), tensors.size());
    for (const auto& [name, want] : tensors.items()) {
        ASSERT_NE(file.find(name), nullptr) << name;
        const Tensor t = file.read(name);
        EXPECT_EQ(owq::name(t.dtype), want.at("dtype").get<std::string>()) << name;
        EXPECT_EQ(t.shape, want.at("shape").get<std::vector<int64_t>>()) << name;
        EXPECT_EQ(file.find(name)->bytes, t.bytes()) << name;
        const std::vector<double> have = values(t);
        ASSERT_EQ(have.size(), want.at("data").size()) << name;
        for (size_t i = 0; i < have.size(); ++i) {
            const double w = expected(want.at("data")[i]);
            EXPECT_TRUE(have[i] == w || (std::isnan(have[i]) && std::isnan(w))) << name << " " << i << ": " << have[i] << " for " << w;
        }
    }
}

class Hostile : public testing::TestWithParam<Case> {};

TEST_P(Hostile, OpensOrIsRefused) {
    const Case& c = GetParam();
    TemporaryFolder folder;
    std::string target;
    for (const auto& [name, stored] : c.json.at("files").items()) {
        fs::copy_file(fs::path(OWQ_TEST_DATA) / "hostile" / stored.get<std::string>(), folder.path() / name);
        target = name;
    }
    try {
        if (c.kind == "model_dir") {
            const auto checkpoint = Checkpoint::open(folder.path());
            EXPECT_GT(checkpoint->tensors().size(), 0u);
            for (const TensorInfo& info : checkpoint->tensors()) EXPECT_EQ(checkpoint->read(info.name).bytes(), info.bytes);
            if (c.id == "md_both_formats") {
                EXPECT_EQ(checkpoint->files().front().filename(), "model.safetensors");
            }
        } else {
            const auto file = openTensorFile(folder.path() / target);
            for (const TensorInfo& info : file->tensors()) file->read(info.name);
            if (c.json.contains("tensors")) expectTensors(*file, c.json.at("tensors"));
        }
        EXPECT_NE(c.expect, "reject") << c.json.at("why");
    } catch (const Error& e) {
        EXPECT_NE(c.expect, "accept") << e.what();
        EXPECT_THAT(e.what(), HasSubstr(folder.path().string()));
        if (c.kind != "model_dir") {
            EXPECT_THAT(e.what(), HasSubstr(target));
        }
        RecordProperty("message", e.what());
    }
}

INSTANTIATE_TEST_SUITE_P(Golden, Hostile, testing::ValuesIn(cases()), [](const auto& info) { return info.param.id; });

TEST(HostileMessages, SayWhatIsWrong) {
    const auto refusal = [](const char* stored) -> std::string {
        try {
            openTensorFile(fs::path(OWQ_TEST_DATA) / "hostile" / stored);
        } catch (const Error& e) {
            return e.what();
        }
        return "accepted";
    };
    EXPECT_THAT(refusal("pickle/pk_text.bin"), HasSubstr("Git LFS pointer"));
    EXPECT_THAT(refusal("pickle/pk_evil_os_system.bin"), HasSubstr("system, which is not on the list of harmless names; nothing was executed"));
    EXPECT_THAT(refusal("pickle/pk_evil_inst.bin"), HasSubstr("opcode 0x69"));
    EXPECT_THAT(refusal("pickle/pk_zip_bomb_100mb.bin"), HasSubstr("compressed"));
    EXPECT_THAT(refusal("pickle/pk_view_past_storage.bin"), HasSubstr("reaches past its storage of 6 elements"));
    EXPECT_THAT(refusal("safetensors/st_offsets_overlap.safetensors"), HasSubstr("overlaps another"));
    EXPECT_THAT(refusal("safetensors/st_offsets_past_end.safetensors"), HasSubstr("cut off"));
    EXPECT_THAT(refusal("safetensors/st_header_len_over_cap.safetensors"), HasSubstr("states a header of"));
}

}  // namespace
}  // namespace owq
