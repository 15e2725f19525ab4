// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/checkpoint/torch_pickle.h"
#include "tests/core/checkpoint/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

Tensor number(float v) { return Tensor::f32({1}, {v}); }

// Two shards with an index, in either format.
void writeSharded(const fs::path& folder, const std::string& stem, const std::string& format) {
    writeText(folder / "config.json", R"({"model_type": "opt"})");
    Json map = Json::object();
    for (int i = 1; i <= 2; ++i) {
        const std::string file = stem + "-0000" + std::to_string(i) + "-of-00002" + format, name = "w" + std::to_string(i);
        if (format == ".bin") writeTorchFile(folder / file, {PickleDict{{name, {number(float(i))}}}});
        else writeSafetensors(folder / file, {{name, number(float(i))}});
        map[name] = file;
    }
    writeJson(folder / (stem + format + ".index.json"), Json{{"metadata", {{"total_size", 8}}}, {"weight_map", map}});
}

std::string refusal(const fs::path& path) {
    try {
        Checkpoint::open(path);
    } catch (const Error& e) {
        return e.what();
    }
    return "accepted";
}

TEST(Checkpoint, SampleOpensByFolderAndByFile) {
    for (const char* sample : {"sample-opt", "sample-llama"}) {
        const fs::path folder = fs::path(OWQ_SAMPLE) / sample;
        const auto checkpoint = Checkpoint::open(folder);
        EXPECT_EQ(checkpoint->files().size(), 1u);
        EXPECT_TRUE(checkpoint->config().contains("model_type"));
        EXPECT_EQ(Checkpoint::open(folder / "model.safetensors")->tensors().size(), checkpoint->tensors().size());
        EXPECT_EQ(Checkpoint::open(folder / "")->folder(), folder);
        uint64_t sum = 0;
        for (size_t i = 0; i < checkpoint->tensors().size(); ++i) {
            const TensorInfo& info = checkpoint->tensors()[i];
            if (i > 0) {
                EXPECT_LT(checkpoint->tensors()[i - 1].name, info.name);
            }
            EXPECT_EQ(checkpoint->find(info.name), &info);
            sum += checkpoint->read(info.name).bytes();
        }
        EXPECT_EQ(checkpoint->bytes(), sum);
        EXPECT_EQ(checkpoint->find("nothing"), nullptr);
        EXPECT_THROW(checkpoint->read("nothing"), Error);
    }
}

TEST(Checkpoint, ShardsOpenByFolderIndexAndShard) {
    for (const char* format : {".safetensors", ".bin"}) {
        TemporaryFolder folder;
        const std::string stem = std::string(format) == ".bin" ? "pytorch_model" : "model";
        writeSharded(folder.path(), stem, format);
        for (const std::string& given : {std::string(), stem + format + ".index.json", stem + "-00002-of-00002" + format}) {
            const auto checkpoint = Checkpoint::open(folder.path() / given);
            ASSERT_EQ(checkpoint->tensors().size(), 2u) << given;
            EXPECT_EQ(checkpoint->files().size(), 2u);
            EXPECT_THAT(checkpoint->read("w2").toFloat(), ElementsAre(2));
        }
    }
}

TEST(Checkpoint, SafetensorsArePreferred) {
    TemporaryFolder folder;
    writeSharded(folder.path(), "pytorch_model", ".bin");
    writeSafetensors(folder.path() / "model.safetensors", {{"w1", number(7)}});
    EXPECT_THAT(Checkpoint::open(folder.path())->read("w1").toFloat(), ElementsAre(7));
}

TEST(Checkpoint, CacheFolderOfLinksOpens) {
    TemporaryFolder folder;
    const fs::path top = folder.path() / "models--org--name", snapshot = top / "snapshots" / "0123abc";
    fs::create_directories(top / "blobs");
    fs::create_directories(top / "refs");
    fs::create_directories(snapshot);
    writeSharded(top / "blobs", "model", ".safetensors");
    int blob = 0;
    for (const char* name : {"config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"}) {
        const std::string hash = "hash" + std::to_string(blob++);  // blobs have no extension
        fs::rename(top / "blobs" / name, top / "blobs" / hash);
        fs::create_symlink(fs::path("../../blobs") / hash, snapshot / name);
    }
    writeText(top / "refs" / "main", "0123abc\n");
    EXPECT_EQ(Checkpoint::open(snapshot)->tensors().size(), 2u);
    EXPECT_EQ(Checkpoint::open(snapshot / "model-00001-of-00002.safetensors")->tensors().size(), 2u);
    EXPECT_EQ(Checkpoint::open(top)->folder(), snapshot);
    fs::remove(top / "blobs" / "hash2");
    EXPECT_THAT(refusal(snapshot), HasSubstr("model-00002-of-00002.safetensors: could not be opened"));
}

TEST(Checkpoint, MessagesNameTheFault) {
    TemporaryFolder folder;
    EXPECT_THAT(refusal(folder.path() / "none"), HasSubstr("none: does not exist"));
    EXPECT_THAT(refusal(folder.path()), HasSubstr("holds no checkpoint"));
    writeSharded(folder.path(), "model", ".safetensors");
    fs::remove(folder.path() / "config.json");
    EXPECT_THAT(refusal(folder.path()), HasSubstr("has no config.json"));
    writeText(folder.path() / "config.json", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n");
    EXPECT_THAT(refusal(folder.path()), HasSubstr("config.json: is a Git LFS pointer"));
    writeText(folder.path() / "config.json", "{}");
    fs::rename(folder.path() / "model.safetensors.index.json", folder.path() / "kept");
    EXPECT_THAT(refusal(folder.path()), HasSubstr("no index"));
    fs::rename(folder.path() / "kept", folder.path() / "model.safetensors.index.json");
    fs::remove(folder.path() / "model-00002-of-00002.safetensors");
    EXPECT_THAT(refusal(folder.path()), HasSubstr("names the file \"model-00002-of-00002.safetensors\", which is missing"));
    writeSafetensors(folder.path() / "model-00002-of-00002.safetensors", {{"other", number(1)}});
    EXPECT_THAT(refusal(folder.path()), HasSubstr("names tensor \"w2\", which is in none of its files"));
    writeSafetensors(folder.path() / "model-00002-of-00002.safetensors", {{"w2", number(1)}, {"w1", number(9)}});
    EXPECT_THAT(Checkpoint::open(folder.path())->read("w1").toFloat(), ElementsAre(1));  // the index decides
}

TEST(Checkpoint, LargeModelOpensByHeaders) {  // as many tensors as a 70B model has, in as many shards, with an index
    TemporaryFolder folder;
    writeText(folder.path() / "config.json", "{}");
    Json map = Json::object();
    for (int shard = 0; shard < 15; ++shard) {
        NamedTensors tensors;
        const std::string file = "model-" + std::to_string(shard) + ".safetensors";
        for (int i = 0; i < 49; ++i) tensors.emplace_back("model.layers." + std::to_string(shard * 49 + i) + ".weight", number(float(i)));
        for (const auto& [name, tensor] : tensors) map[name] = file;
        writeSafetensors(folder.path() / file, tensors);
    }
    writeJson(folder.path() / "model.safetensors.index.json", Json{{"weight_map", map}});
    const auto checkpoint = Checkpoint::open(folder.path());
    EXPECT_EQ(checkpoint->tensors().size(), 735u);
    EXPECT_EQ(checkpoint->files().size(), 15u);
    EXPECT_THAT(checkpoint->read("model.layers.734.weight").toFloat(), ElementsAre(48));
}

}  // namespace
}  // namespace owq
