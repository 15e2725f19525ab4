// SPDX-License-Identifier: Apache-2.0
// A packed model that runs holds its packed weights once, and nothing dequantized: of a model large enough to stand out.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <map>

#include "core/base/memory.h"
#include "core/checkpoint/tensor_file.h"
#include "core/evaluate/perplexity.h"
#include "core/generate/generator.h"
#include "core/pack/packed_linear.h"
#include "tests/core/jobs/temporary_folder.h"
#include "tests/core/tune/random_source.h"

namespace owq {
namespace {

constexpr double kMiB = 1 << 20;

/// Runs work() in a process of its own, whose peak is not that of others, and returns the numbers it gives. This one never calls LibTorch,
/// whose threads a fork would lose.
template <class Work>
std::array<uint64_t, 3> apart(const Work& work) {
    int ends[2];
    if (::pipe(ends)) throw std::runtime_error("no pipe");
    const pid_t child = ::fork();
    if (child == 0) {
        int status = 1;
        try {
            const std::array<uint64_t, 3> numbers = work();
            status = ::write(ends[1], numbers.data(), sizeof numbers) == ssize_t(sizeof numbers) ? 0 : 1;
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s\n", error.what());
        }
        std::_Exit(status);
    }
    ::close(ends[1]);
    std::array<uint64_t, 3> numbers{};
    const bool whole = child > 0 && ::read(ends[0], numbers.data(), sizeof numbers) == ssize_t(sizeof numbers);
    ::close(ends[0]);
    int status = 1;
    if (child > 0) ::waitpid(child, &status, 0);
    if (!whole || status) throw std::runtime_error("the process that measures ended without a result");
    return numbers;
}

class PackedMemory : public ::testing::TestWithParam<Arithmetic> {
protected:
    static constexpr int64_t kTokens = 128, kNew = 8;

    /// A packed folder as `owq export` writes it; all blocks have the same weights.
    static void writeFolder(const std::filesystem::path& folder, const RandomShape& shape) {
        const RandomSource source(shape);
        NamedTensors tensors;
        std::map<std::string, PackedLinear> byKind;
        for (const LinearInfo& info : source.info().linears) {
            const auto [it, isNew] = byKind.try_emplace(info.kind);
            if (isNew) it->second = pack(source.linear(info.name), DType::f16);
            const PackedLinear& p = it->second;
            for (const auto& [end, tensor] : {std::pair{".qweight", p.qweight}, {".scales", p.scales}, {".zeros", p.zeros},
                                              {".oweight", p.oweight}, {".outlieridx", p.outlieridx}})
                tensors.emplace_back(info.name + end, tensor);
        }
        std::vector<std::string> others{"model.embed_tokens", "model.norm", "lm_head"};
        for (int b = 0; b < shape.blocks; ++b)
            for (const char* norm : {".input_layernorm", ".post_attention_layernorm"}) others.push_back("model.layers." + std::to_string(b) + norm);
        for (const std::string& name : others) tensors.emplace_back(name + ".weight", source.tensor(name + ".weight"));
        writeSafetensors(folder / "model.safetensors", tensors, {{"format", "pt"}});
        Json config = source.config();
        config["quantization_config"] = {{"quant_method", "owq"}, {"bits", shape.bits}, {"layout", "latency"}};
        writeJson(folder / "config.json", config);
    }

    void SetUp() override {
        apart([&] {
            writeFolder(folder.path(), shape);
            return std::array<uint64_t, 3>{};
        });
    }

    /// Peak of work(source) above a program that has its libraries awake, packed bytes of all blocks, and those of the head.
    template <class Work>
    void measure(const Work& work) {
        const auto [above, blocks, head] = apart([&] {
            tuneAllocator();  // as the programs do
            warmUpLibraries({.hidden = 256, .inner = 256});
            const uint64_t base = residentMemoryBytes();
            const auto source = ModelSource::open(folder.path());
            work(source);
            const uint64_t peak = peakMemoryBytes() - base;
            uint64_t packed = 0;
            for (const LinearInfo& info : source->info().linears)
                packed += packedBytes({info.name, info.rows, info.columns, shape.bits, shape.weakColumns});
            return std::array<uint64_t, 3>{peak, packed, uint64_t(shape.vocabulary * shape.hidden) * 2};
        });
        taken = double(above), packedBlocks = double(blocks), storedHead = double(head);
    }

    /// A block's inputs, normed, q, k, v, what attention makes of them, o, outputs, and gate, up and their product; rows dequantized at a time.
    double activations() const {
        return 4.0 * double(kTokens * (8 * shape.hidden + 3 * shape.inner) + (int64_t(1) << 20));
    }

    const RandomShape shape{.blocks = 5, .hidden = 2048, .inner = 5632, .vocabulary = 8000};
    TemporaryFolder folder;
    double taken = 0, packedBlocks = 0, storedHead = 0;
    // Codes of the largest linear as bytes while it is loaded (11 MiB) and what unpacking takes of it beside, pages of the embedding and of
    // small tensors of the file, holes in the heap: 24 to 46 MiB were measured. Two thirds of what the packed blocks take: to hold these
    // twice, or the codes as bytes, does not fit.
    const double allowance = 60 * kMiB;
};

TEST_P(PackedMemory, GeneratingTakesThePackedModelAndItsActivations) {
    measure([&](const std::shared_ptr<const ModelSource>& source) {
        std::vector<int32_t> prompt;
        for (int i = 0; i < kTokens; ++i) prompt.push_back(i * 37 % 256);
        Generator(source, GetParam()).generate(prompt, {.maxTokens = kNew, .stopAtEnd = false});
    });
    // Capacity for 256 tokens: the prompt's 128, doubled.
    const double cache = double(shape.blocks * 2 * 256 * shape.hidden) * (GetParam() == Arithmetic::exact ? 4 : 2);
    EXPECT_LE(taken, packedBlocks + storedHead + cache + activations() + allowance) << taken / kMiB << " MiB, of which packed " << packedBlocks / kMiB;
    EXPECT_GE(taken, packedBlocks + storedHead) << "the model was not in memory";
}

TEST_P(PackedMemory, EvaluatingTakesABlockAtATime) {
    measure([&](const std::shared_ptr<const ModelSource>& source) {
        TokenWindows windows;
        windows.length = kTokens / 2;
        for (int i = 0; i < kTokens; ++i) windows.ids.push_back(i * 37 % 256);
        PerplexityOptions options;
        options.arithmetic = GetParam();
        perplexity(source, windows, options);
    });
    const double block = packedBlocks / double(shape.blocks), logits = 4.0 * double(kTokens / 2 * shape.vocabulary);
    EXPECT_LE(taken, block + storedHead + activations() + logits + allowance) << taken / kMiB << " MiB, of which packed " << packedBlocks / kMiB;
    EXPECT_GE(taken, block);
}

INSTANTIATE_TEST_SUITE_P(Arithmetics, PackedMemory, ::testing::Values(Arithmetic::exact, Arithmetic::doubleInt8),
                         [](const auto& info) { return arithmeticName(info.param); });

}  // namespace
}  // namespace owq
