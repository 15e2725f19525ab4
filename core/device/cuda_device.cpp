// SPDX-License-Identifier: Apache-2.0
#include "core/device/cuda_device.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <chrono>
#include <utility>

#include "core/base/error.h"
#include "core/base/progress.h"

namespace owq {
namespace {

thread_local void* kernelStream = nullptr;  ///< where kernels go: the default one, LibTorch's too, but for work that is timed

void check(const OwqCudaApi& api, int32_t answer, const char* what) {
    if (answer) throw Error(std::string(what) + " failed on the GPU: " + api.lastError(), {}, "See that the GPU works, or use --device cpu");
}

class CudaGramSum : public GramSum {
public:
    CudaGramSum(const OwqCudaApi& api, at::Tensor sum) : api_(api), sum_(std::move(sum)) {}

    void add(const at::Tensor& x) override {
        const OwqCudaInputs inputs{x.const_data_ptr(), OWQ_CUDA_F32, x.size(0), x.size(1)};
        check(api_, api_.addGram(&inputs, sum_.data_ptr<float>(), kernelStream), "the sum of the Hessian");
    }
    at::Tensor finish(float factor) override {
        check(api_, api_.finishGram(sum_.data_ptr<float>(), sum_.size(0), factor, kernelStream), "the sum of the Hessian");
        return std::move(sum_);
    }

private:
    const OwqCudaApi& api_;
    at::Tensor sum_;
};

class CudaPackedProduct : public PackedProduct {
public:
    CudaPackedProduct(const OwqCudaApi& api, OwqCudaMatrix* matrix) : api_(api), matrix_(matrix) {}
    ~CudaPackedProduct() override { api_.destroyMatrix(matrix_); }
    CudaPackedProduct(const CudaPackedProduct&) = delete;
    CudaPackedProduct& operator=(const CudaPackedProduct&) = delete;

    uint64_t bytes() const override {
        uint64_t bytes = 0;
        check(api_, api_.matrixBytes(matrix_, &bytes), "asking for a weight's size");
        return bytes;
    }
    bool takes(int64_t tokens, kernels::Activations) const override { return tokens <= OWQ_CUDA_MOST_BATCH; }

    /// Inputs of one 8-bit number become one half, others two.
    void multiply(const at::Tensor& x, kernels::Activations activations, at::Tensor out) const override {
        if (x.size(0) == 0) return;
        const int32_t halves = activations == kernels::Activations::int8 ? 1 : 2;
        size_t bytes = 0;
        check(api_, api_.workspaceBytes(matrix_, x.size(0), halves, &bytes), "a packed product");
        const at::Tensor workspace = at::empty({int64_t(bytes)}, x.options().dtype(at::kByte));
        const OwqCudaVectors vectors{.x = x.const_data_ptr(),
                                     .type = OWQ_CUDA_F32,
                                     .halves = halves,
                                     .batch = x.size(0),
                                     .y = out.data_ptr<float>(),
                                     .workspace = workspace.data_ptr(),
                                     .workspaceBytes = bytes};
        check(api_, api_.multiply(matrix_, &vectors, kernelStream), "a packed product");
    }
    void dequantizeRows(int64_t begin, at::Tensor out) const override {
        check(api_, api_.dequantize(matrix_, begin, out.size(0), out.data_ptr<float>(), kernelStream), "dequantizing");
    }

private:
    const OwqCudaApi& api_;
    OwqCudaMatrix* const matrix_;
};

/// While it lives, kernels that this thread asks for go to another stream.
class InStream {
public:
    explicit InStream(void* other) : before_(std::exchange(kernelStream, other)) {}
    ~InStream() { kernelStream = before_; }
    InStream(const InStream&) = delete;
    InStream& operator=(const InStream&) = delete;

private:
    void* const before_;
};

/// What work() asks of the stream, or nothing where it cannot be recorded: LibTorch may do what a recording forbids.
class Recording {
public:
    Recording(const OwqCudaApi& api, const std::function<void()>& work) : api_(api) {
        if (api_.beginRecording(kernelStream)) return;
        try {
            work();
        } catch (const std::exception&) {
            failed_ = true;
        }
        if (api_.endRecording(kernelStream, &recording_) == 0 && failed_) api_.destroyRecording(std::exchange(recording_, nullptr));
    }
    ~Recording() {
        if (recording_) api_.destroyRecording(recording_);
    }
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;
    bool there() const { return recording_ != nullptr; }
    std::optional<double> replay() const {
        if (!recording_) return std::nullopt;
        double seconds = 0;
        check(api_, api_.replay(recording_, kernelStream, &seconds), "repeating what was recorded");
        return seconds;
    }

private:
    const OwqCudaApi& api_;
    OwqCudaRecording* recording_ = nullptr;
    bool failed_ = false;
};

}  // namespace

void CudaDevice::check(int32_t answer, const char* what) const { owq::check(api_, answer, what); }

CudaDevice::CudaDevice(const OwqCudaApi& api, at::Device place, std::string name) : api_(api), place_(place), name_(std::move(name)) {
    if (!place.is_cpu()) aside_ = c10::impl::VirtualGuardImpl(place.type()).getStreamFromGlobalPool(place);
}

void CudaDevice::synchronize() const { check(api_.synchronize(kernelStream), "waiting"); }

void CudaDevice::runAside(const std::function<void()>& work) const {
    if (!aside_) return work();
    const c10::StreamGuard guard(*aside_);
    work();
    c10::impl::VirtualGuardImpl(place_.type()).synchronizeStream(*aside_);
}

uint64_t CudaDevice::freeMemoryBytes() const {
    uint64_t free = 0;
    check(api_.freeMemory(&free), "asking for its free memory");
    return free;
}

uint64_t CudaDevice::cacheBytes() const {
    uint64_t bytes = 0;
    check(api_.cacheBytes(&bytes), "asking for its cache");
    return bytes;
}

DeviceTime CudaDevice::timeOf(const std::function<void()>& work, double atLeast, const std::stop_token& stop) const {
    checkStop(stop);
    synchronize();  // what is there was made in the default stream, which the other one does not wait for
    std::optional<c10::StreamGuard> guard;
    if (aside_) guard.emplace(*aside_);
    const InStream here(aside_ ? c10::impl::VirtualGuardImpl(place_.type()).getStreamNativeHandle(*aside_) : nullptr);
    work();
    check(api_.synchronize(kernelStream), "waiting");
    const Recording recording(api_, work);
    const auto once = [&] {
        if (const auto seconds = recording.replay()) return *seconds;
        const auto start = std::chrono::steady_clock::now();
        work();
        check(api_.synchronize(kernelStream), "waiting");
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    return {medianOf(once, atLeast, stop), recording.there()};
}

std::unique_ptr<GramSum> CudaDevice::gramSum(int64_t columns) const {
    return std::make_unique<CudaGramSum>(api_, at::zeros({columns, columns}, options(at::kFloat)));
}

void CudaDevice::findGrid(const at::Tensor& w, const at::Tensor& excluded, const kernels::GridOptions& options, at::Tensor scale,
                          at::Tensor zero, const std::stop_token& stop) const {
    checkStop(stop);
    const OwqCudaGridSearch search{.w = w.const_data_ptr<float>(),
                                   .rows = w.size(0),
                                   .columns = w.size(1),
                                   .stride = w.stride(0),
                                   .excluded = excluded.defined() ? excluded.const_data_ptr<uint8_t>() : nullptr,
                                   .bits = options.bits,
                                   .steps = options.steps,
                                   .symmetric = options.symmetric,
                                   .search = options.search,
                                   .scale = scale.data_ptr<float>(),
                                   .zero = zero.data_ptr<float>(),
                                   .gridStride = 1};
    check(api_.findGrid(&search, kernelStream), "the range search");
}

void CudaDevice::roundToGrid(const at::Tensor& w, const at::Tensor& scale, const at::Tensor& zero, int bits, at::Tensor codes,
                             at::Tensor values) const {
    const OwqCudaRounding rounding{.w = w.const_data_ptr<float>(),
                                   .rows = w.size(0),
                                   .columns = w.size(1),
                                   .stride = w.stride(0),
                                   .scale = scale.const_data_ptr<float>(),
                                   .zero = zero.const_data_ptr<float>(),
                                   .bits = bits,
                                   .codes = codes.data_ptr<uint8_t>(),
                                   .values = values.data_ptr<float>()};
    check(api_.roundToGrid(&rounding, kernelStream), "rounding");
}

void CudaDevice::addSquaredDifferences(const at::Tensor& a, const at::Tensor& b, at::Tensor total) const {
    total.add_(a.sub(b).to(at::kDouble).square_().sum(0));
}

void CudaDevice::quantizeBlock(const BlockOfColumns& b) const {
    const int64_t rows = b.w.size(0), columns = b.w.size(1);
    const at::Tensor scratch =
        at::empty({(rows + OWQ_CUDA_BLOCK_ROWS - 1) / OWQ_CUDA_BLOCK_ROWS, columns}, options(at::kDouble));
    const OwqCudaColumnBlock block{.rows = rows,
                                   .columns = columns,
                                   .w = b.w.data_ptr<float>(),
                                   .wStride = b.w.stride(0),
                                   .original = b.original.defined() ? b.original.const_data_ptr<float>() : nullptr,
                                   .originalStride = b.original.defined() ? b.original.stride(0) : 0,
                                   .factor = b.factor.const_data_ptr<float>(),
                                   .factorStride = b.factor.stride(0),
                                   .pivot = b.pivot.const_data_ptr<float>(),
                                   .scale = b.scale.const_data_ptr<float>(),
                                   .zero = b.zero.const_data_ptr<float>(),
                                   .gridStride = b.scale.stride(0),
                                   .grid = b.grid.const_data_ptr<int32_t>(),
                                   .bits = b.bits,
                                   .error = b.error.data_ptr<float>(),
                                   .errorStride = b.error.stride(0),
                                   .codes = b.codes.data_ptr<uint8_t>(),
                                   .codeStride = b.codes.stride(0),
                                   .loss = b.loss.data_ptr<double>(),
                                   .scratch = scratch.data_ptr<double>()};
    check(api_.quantizeBlock(&block, kernelStream), "the column loop");
}

void CudaDevice::descendBlock(const BlockToDescend& b) const {
    const OwqCudaDescent descent{.rows = b.pull.size(0),
                                 .columns = b.pull.size(1),
                                 .pull = b.pull.const_data_ptr<float>(),
                                 .pullStride = b.pull.stride(0),
                                 .hessian = b.hessian.const_data_ptr<float>(),
                                 .hessianStride = b.hessian.stride(0),
                                 .scale = b.scale.const_data_ptr<float>(),
                                 .zero = b.zero.const_data_ptr<float>(),
                                 .gridStride = b.scale.stride(0),
                                 .grid = b.grid.const_data_ptr<int32_t>(),
                                 .bits = b.bits,
                                 .codes = b.codes.data_ptr<uint8_t>(),
                                 .codeStride = b.codes.stride(0),
                                 .change = b.change.data_ptr<float>(),
                                 .changeStride = b.change.stride(0)};
    check(api_.descendBlock(&descent, kernelStream), "the refinement");
}

void CudaDevice::addProduct(at::Tensor out, const at::Tensor& left, const at::Tensor& right, float factor,
                            const std::stop_token& stop) const {
    checkStop(stop);
    const OwqCudaProduct product{.rows = out.size(0),
                                 .depth = left.size(1),
                                 .columns = out.size(1),
                                 .out = out.data_ptr<float>(),
                                 .outStride = out.stride(0),
                                 .left = left.const_data_ptr<float>(),
                                 .leftStride = left.stride(0),
                                 .right = right.const_data_ptr<float>(),
                                 .rightStride = right.stride(0),
                                 .factor = factor};
    check(api_.addProduct(&product, kernelStream), "a product");
}

std::unique_ptr<PackedProduct> CudaDevice::packedProduct(const kernels::PackedWeight& w) const {
    if (w.groupSize % kernels::kPackedGroup) return nullptr;
    const OwqCudaWeight weight{.codes = w.codes,
                               .rows = w.rows,
                               .columns = w.columns,
                               .bits = w.bits,
                               .groupSize = w.groupSize,
                               .scale = w.scale,
                               .zero = w.zero,
                               .weakColumns = w.weakColumns,
                               .weakWeight = w.weakWeight,
                               .weakCount = w.weakCount,
                               .bias = w.bias};
    OwqCudaMatrix* matrix = nullptr;
    const int32_t answer = api_.createMatrix(&weight, &matrix);
    if (answer == OWQ_CUDA_NO_PRODUCT) return nullptr;
    check(answer, "laying out a packed weight");
    return std::make_unique<CudaPackedProduct>(api_, matrix);
}

}  // namespace owq
