// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/half.h"
#include "core/checkpoint/torch_pickle.h"
#include "core/pack/packed_model.h"
#include "core/pack/tensor_stream.h"
#include "tests/core/pack/golden.h"

namespace owq {
namespace {
namespace fs = std::filesystem;
using testing::HasSubstr;

class WriteModel : public testing::TestWithParam<const char*> {
protected:
    WriteModel() : run(GetParam()) {
        folder = fs::path(testing::TempDir()) / ("write_model-" + std::to_string(::getpid()));
        fs::remove_all(folder);
        fs::create_directories(folder);
        source.base = Checkpoint::open(fs::path(OWQ_SAMPLE) / (std::string("sample-") + GetParam()));
        source.linear = [this](const std::string& name) { return run.linear(name); };
        source.linears = shapes();
        source.targetBits = 3.05;
    }
    ~WriteModel() override { fs::remove_all(folder); }

    std::vector<LinearShape> shapes() const {
        std::vector<LinearShape> all;
        for (const std::string& name : run.linears) {
            const QuantizedLinear q = source.linear(name);
            all.push_back({name, q.rows, q.columns, q.bits, int64_t(q.weakColumns.size()), q.groupSize, q.symmetric});
        }
        return all;
    }
    size_t entries() const {
        return size_t(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
    }

    golden::Run run;
    fs::path folder;
    PackSource source;
    Progress progress;
};

bool same(const Tensor& a, const Tensor& b) {
    return a.dtype == b.dtype && a.shape == b.shape && std::memcmp(a.data, b.data, a.bytes()) == 0;
}

TEST_P(WriteModel, AuthorsFileIsReproduced) {
    const PackResult result = writeModel(source, PackFormat::owqPth, folder / "out.pth", false, progress, {});
    EXPECT_EQ(result.bytes, fs::file_size(folder / "out.pth"));
    EXPECT_EQ(entries(), 1u);
    const PickleValue ours = readTorchFile(folder / "out.pth"), theirs = readTorchFile(run.packed);
    const auto& a = std::get<PickleDict>(ours.find("model_state_dict")->value);
    const auto& b = std::get<PickleDict>(theirs.find("model_state_dict")->value);
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
        ASSERT_EQ(a[i].key, b[i].key) << "at " << i;
        EXPECT_TRUE(same(std::get<Tensor>(a[i].value.value), std::get<Tensor>(b[i].value.value)))
            << a[i].key;
    }
    const auto& counts = std::get<PickleDict>(ours.find("n_out_dict")->value);
    const auto& theirCounts = std::get<PickleDict>(theirs.find("n_out_dict")->value);
    ASSERT_EQ(counts.size(), theirCounts.size());
    for (size_t i = 0; i < counts.size(); ++i) {
        EXPECT_EQ(counts[i].key, theirCounts[i].key);
        EXPECT_EQ(std::get<int64_t>(counts[i].value.find("n_out")->value),
                  std::get<int64_t>(theirCounts[i].value.find("n_out")->value));
    }
    EXPECT_EQ(std::get<PickleDType>(ours.find("dtype")->value).dtype, DType::f16);
    EXPECT_EQ(std::get<int64_t>(ours.find("bits")->value), 3);
    EXPECT_TRUE(std::get<bool>(ours.find("packing")->value));
    for (size_t i = 0; i < 5; ++i)
        EXPECT_EQ(std::get<PickleDict>(ours.value)[i].key, std::get<PickleDict>(theirs.value)[i].key);
}

TEST_P(WriteModel, AuthorsFileOpens) {
    const auto model = PackedModel::open(run.packed);
    EXPECT_TRUE(PackedModel::isPackedTorchFile(run.packed));
    EXPECT_EQ(model->bits(), 3);
    EXPECT_EQ(model->linears().size(), run.linears.size());
    for (const std::string& name : run.linears) {
        const QuantizedLinear expected = run.linear(name), got = model->linear(name);
        EXPECT_EQ(got.codes, expected.codes) << name;
        EXPECT_EQ(got.zero, expected.zero) << name;
        EXPECT_EQ(got.weakColumns, expected.weakColumns) << name;
        EXPECT_TRUE(model->has(name + ".bias")) << name;
        EXPECT_FALSE(model->has(name + ".qweight"));
    }
    EXPECT_THROW(model->linear("lm_head"), Error);
    EXPECT_THROW(model->tensor("nothing"), Error);
}

TEST_P(WriteModel, FolderComesBack) {
    const PackResult result = writeModel(source, PackFormat::owq, folder / "packed", false, progress, {});
    EXPECT_EQ(result.verification.size(), 3u);
    EXPECT_THAT(result.verification[1], HasSubstr("F16"));
    ASSERT_TRUE(PackedModel::isPackedFolder(folder / "packed"));
    const auto model = PackedModel::open(folder / "packed");
    EXPECT_EQ(model->config()["quantization_config"]["bits"], 3);
    EXPECT_EQ(model->config()["quantization_config"]["target_bits"], 3.05);
    EXPECT_EQ(model->config()["model_type"], GetParam());
    const std::string& name = run.linears[3];
    EXPECT_EQ(model->linear(name).codes, run.linear(name).codes);
    EXPECT_EQ(model->find(name)->weakColumns, int64_t(run.linear(name).weakColumns.size()));
    for (const char* file : {"tokenizer.json", "tokenizer_config.json", "generation_config.json"})
        EXPECT_EQ(readText(folder / "packed" / file), readText(source.base->folder() / file));
    EXPECT_LT(fs::file_size(folder / "packed/model.safetensors"),
              fs::file_size(source.base->folder() / "model.safetensors"));
    EXPECT_EQ(entries(), 1u);
}

TEST_P(WriteModel, DenseFolderHoldsTheDequantizedWeights) {
    writeModel(source, PackFormat::dense, folder / "dense", false, progress, {});
    const auto dense = Checkpoint::open(folder / "dense");
    EXPECT_FALSE(dense->config().contains("quantization_config"));
    EXPECT_EQ(dense->tensors().size(), source.base->tensors().size());
    const std::string& name = run.linears[0];
    const QuantizedLinear q = run.linear(name);
    const std::vector<float> w = dense->read(name + ".weight").toFloat();
    const int64_t weak = q.weakColumns.empty() ? 1 : q.weakColumns[0] + 1;  // a column that is not weak
    const float expected = q.scale[5] * (float(q.codes[5 * q.columns + weak]) - q.zero[5]);
    EXPECT_NEAR(w[5 * q.columns + weak], expected, std::abs(expected) / 1024);
    if (q.weakColumns.empty()) return;
    const float stored = halfToFloat(floatToHalf(q.weakWeight[5 * q.weakColumns.size()]));
    EXPECT_EQ(w[5 * q.columns + q.weakColumns[0]], stored);
}

TEST_P(WriteModel, DifferencesAreFound) {
    writeModel(source, PackFormat::owq, folder / "packed", false, progress, {});
    const auto original = source.linear;
    const auto difference = [&](auto change) -> std::string {
        source.linear = [&](const std::string& name) {
            QuantizedLinear q = original(name);
            if (name == run.linears.back()) change(q);
            return q;
        };
        try {
            verifyModel(source, PackFormat::owq, folder / "packed", progress, {});
        } catch (const Error& e) {
            return e.what();
        }
        return "no error";
    };
    EXPECT_THAT(difference([](auto& q) { q.codes[100] ^= 1; }), HasSubstr("codes"));
    EXPECT_THAT(difference([](auto& q) { q.zero[7] += 1; }), HasSubstr("zeros"));
    EXPECT_THAT(difference([](auto& q) { q.scale[7] *= 1.01f; }), HasSubstr("scales"));
    EXPECT_THAT(difference([](auto& q) { q.weakColumns.clear(), q.weakWeight.clear(); }),
                HasSubstr(run.linear(run.linears.back()).weakColumns.empty() ? "no error" : "weak columns"));
    EXPECT_EQ(difference([](auto&) {}), "no error");
}

TEST_P(WriteModel, AStopLeavesNothingBehind) {
    for (PackFormat format : {PackFormat::owq, PackFormat::owqPth, PackFormat::dense}) {
        std::stop_source stop;
        int seen = 0;
        Progress stopping([&](const ProgressUpdate&) {
            if (++seen == 8) stop.request_stop();
        });
        EXPECT_THROW(writeModel(source, format, folder / "x", false, stopping, stop.get_token()), Cancelled);
        EXPECT_EQ(entries(), 0u) << packFormatName(format);
    }
}

TEST_P(WriteModel, AnErrorNamesTheLinearAndLeavesNothingBehind) {
    source.linear = [this](const std::string& name) {
        QuantizedLinear q = run.linear(name);
        if (name == run.linears[4]) q.zero[1] = 2.5f;
        return q;
    };
    for (PackFormat format : {PackFormat::owq, PackFormat::owqPth}) {
        try {
            writeModel(source, format, folder / "x", false, progress, {});
            FAIL();
        } catch (const Error& e) {
            EXPECT_EQ(e.where(), run.linears[4]);
            EXPECT_THAT(e.remedy(), HasSubstr("dense"));
        }
        EXPECT_EQ(entries(), 0u);
    }
}

TEST_P(WriteModel, WhatDoesNotFitIsRefusedBeforeAnythingIsWritten) {
    bool asked = false;
    source.linear = [&](const std::string& name) {
        asked = true;
        return run.linear(name);
    };
    const auto refusal = [&](PackTarget target, auto change) -> std::string {
        const std::vector<LinearShape> kept = source.linears;
        change(source.linears[2]);
        std::string text = "no error";
        try {
            writeModel(source, target, folder / "x", false, progress, {});
        } catch (const Error& e) {
            text = e.what();
        }
        source.linears = kept;
        return text;
    };
    const PackTarget folderTarget = PackFormat::owq, authors = PackFormat::owqPth;
    EXPECT_THAT(refusal(folderTarget, [](auto& s) { s.bits = 5; }), HasSubstr("holds 2, 3, 4 or 8 bits"));
    EXPECT_THAT(refusal(folderTarget, [](auto& s) { s.groupSize = 64; }), HasSubstr("other groups"));
    EXPECT_THAT(refusal(authors, [](auto& s) { s.bits = 2; }), HasSubstr("holds 3 or 4 bits"));
    EXPECT_THAT(refusal(authors, [](auto& s) { s.bits = 4; }), HasSubstr("one width"));
    EXPECT_THAT(refusal(authors, [](auto& s) { s.groupSize = 64; }), HasSubstr("one grid per row"));
    EXPECT_THAT(refusal(authors, [](auto& s) { s.symmetric = true; }), HasSubstr("asymmetric"));
    for (PackFormat format : {PackFormat::owqPth, PackFormat::dense})
        EXPECT_THAT(refusal({format, PackLayout::storage}, [](auto&) {}), HasSubstr("belongs to the format owq"));
    EXPECT_FALSE(asked);
    EXPECT_EQ(entries(), 0u);
}

TEST_P(WriteModel, TheStorageFavouredFolderComesBackAndIsSmaller) {
    const PackResult latency = writeModel(source, PackFormat::owq, folder / "latency", false, progress, {});
    const PackResult storage =
        writeModel(source, {PackFormat::owq, PackLayout::storage}, folder / "storage", false, progress, {});
    const auto model = PackedModel::open(folder / "storage");
    EXPECT_EQ(model->layout(), PackLayout::storage);
    EXPECT_EQ(model->config()["quantization_config"]["layout"], "storage");
    int64_t dropped = 0;
    for (const std::string& name : run.linears) {
        const QuantizedLinear expected = run.linear(name), got = model->linear(name);
        EXPECT_EQ(got.codes, expected.codes) << name;
        EXPECT_EQ(got.zero, expected.zero) << name;
        EXPECT_EQ(got.weakColumns, expected.weakColumns) << name;
        dropped += expected.rows * int64_t(expected.weakColumns.size()) * expected.bits;
    }
    EXPECT_GT(dropped, 0);
    EXPECT_EQ(int64_t(latency.packedBytes - storage.packedBytes), dropped / 8);
    EXPECT_EQ(verifyModel(source, PackFormat::owq, folder / "storage", progress, {}), latency.verification);
}

TEST_P(WriteModel, AFolderWhoseConfigLiesAboutItIsRefused) {
    writeModel(source, {PackFormat::owq, PackLayout::storage}, folder / "x", false, progress, {});
    const Json config = readJson(folder / "x" / "config.json");
    const auto refusal = [&](const char* key, Json value) -> std::string {
        Json other = config;
        other["quantization_config"][key] = std::move(value);
        writeJson(folder / "x" / "config.json", other);
        try {
            const auto model = PackedModel::open(folder / "x");
            model->linear(run.linears[0]);
        } catch (const Error& e) {
            return e.what();
        }
        return "no error";
    };
    EXPECT_EQ(refusal("layout", "storage"), "no error");
    EXPECT_THAT(refusal("layout", "latency"), HasSubstr("no 3-bit packed weight in the layout latency"));
    EXPECT_THAT(refusal("layout", "dense"), HasSubstr("latency, storage"));
    EXPECT_THAT(refusal("bits", 4), HasSubstr("no 4-bit packed weight"));
    EXPECT_THAT(refusal("bits", 5), HasSubstr("5-bit"));
    EXPECT_THAT(refusal("group_size", -1), HasSubstr("negative"));
    EXPECT_THAT(refusal("group_size", 64), HasSubstr(".scales"));
    EXPECT_THAT(refusal("symmetric", true), HasSubstr(".zeros"));
}

TEST_P(WriteModel, LinearsMayDifferInWidth) {
    const auto original = source.linear;
    source.linear = [=, this](const std::string& name) {
        QuantizedLinear q = original(name);
        if (name == run.linears[1]) q.bits = 4;  // the codes stay below 8
        return q;
    };
    source.linears = shapes();
    EXPECT_THROW(writeModel(source, PackFormat::owqPth, folder / "x.pth", false, progress, {}), Error);
    writeModel(source, PackFormat::owq, folder / "x", false, progress, {});
    const auto model = PackedModel::open(folder / "x");
    EXPECT_EQ(model->find(run.linears[0])->bits, 3);
    EXPECT_EQ(model->find(run.linears[1])->bits, 4);
    EXPECT_EQ(model->linear(run.linears[1]).codes, run.linear(run.linears[1]).codes);
}

TEST_P(WriteModel, WhatIsThereIsKeptUnlessReplaced) {
    fs::create_directories(folder / "x");
    writeText(folder / "x" / "mine.txt", "mine");
    EXPECT_THROW(writeModel(source, PackFormat::owq, folder / "x", false, progress, {}), Error);
    EXPECT_TRUE(fs::exists(folder / "x" / "mine.txt"));
    writeModel(source, PackFormat::owq, folder / "x/", true, progress, {});
    EXPECT_FALSE(fs::exists(folder / "x" / "mine.txt"));
    EXPECT_TRUE(PackedModel::isPackedFolder(folder / "x"));
    EXPECT_EQ(entries(), 1u);
    EXPECT_THROW(writeModel(source, PackFormat::dense, source.base->folder(), true, progress, {}), Error);
}

INSTANTIATE_TEST_SUITE_P(Samples, WriteModel, testing::Values("llama", "opt"));

TEST(ShardedStream, CutsAtTheLimitAndWritesAnIndex) {
    const fs::path folder = fs::path(testing::TempDir()) / ("shards-" + std::to_string(::getpid()));
    fs::create_directories(folder);
    writeText(folder / "config.json", "{}");
    std::vector<TensorPlan> plan{
        {"a", DType::u8, {60}}, {"b", DType::u8, {50}}, {"c", DType::f32, {0}}, {"d", DType::u8, {200}}};
    ShardedStream out(folder, plan, 100);
    for (const TensorPlan& p : plan)
        out.write(
            p.name,
            Tensor{p.dtype, p.shape,
                   reinterpret_cast<const std::byte*>(std::string(200, char('0' + p.shape[0] % 7)).data()),
                   nullptr});
    out.commit();
    EXPECT_TRUE(fs::exists(folder / "model-00003-of-00003.safetensors"));
    const auto back = Checkpoint::open(folder);
    EXPECT_EQ(back->tensors().size(), 4u);
    EXPECT_EQ(back->find("d")->file.filename(), "model-00003-of-00003.safetensors");
    EXPECT_EQ(char(back->read("b").data[49]), '1');
    fs::remove_all(folder);
}

}  // namespace
}  // namespace owq
