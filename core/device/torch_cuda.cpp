// SPDX-License-Identifier: Apache-2.0
#include "core/device/torch_cuda.h"

#include <ATen/Context.h>
#include <dlfcn.h>
#include <torch/headeronly/version.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>

#include "core/base/error.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
constexpr const char* kRemedy =
    "Unpack LibTorch's CUDA half with installer/setup.sh --cuda, or name the lib folder of PyTorch " TORCH_VERSION
    " for CUDA 13 in OWQ_TORCH_CUDA; or use --device cpu";

/// Where libtorch_cpu.so was opened.
fs::path ownFolder() {
    Dl_info info;
    if (!dladdr(reinterpret_cast<const void*>(&at::globalContext), &info) || !info.dli_fname) return {};
    std::error_code ignored;
    const fs::path library = fs::canonical(info.dli_fname, ignored);
    return ignored ? fs::path(info.dli_fname).parent_path() : library.parent_path();
}

/// PyTorch's own statement, beside its lib folder; our unpacked copy has none and is one piece.
void checkVersion(const fs::path& folder) {
    std::ifstream file(folder.parent_path() / "version.py");
    const std::string start = "__version__ = '";
    for (std::string line; std::getline(file, line);) {
        if (!line.starts_with(start)) continue;
        const std::string version = line.substr(start.size(), line.find('\'', start.size()) - start.size());
        const std::string number = version.substr(0, version.find('+'));
        if (number != TORCH_VERSION)
            throw Error("is PyTorch " + version + ", but this program computes with LibTorch " TORCH_VERSION, folder.string(), kRemedy);
    }
}

void open(const fs::path& folder, const char* name) {
    const fs::path library = folder / name;
    std::error_code ignored;
    if (!fs::is_regular_file(library, ignored))
        throw Error("LibTorch's CUDA half is not there: no " + std::string(name), folder.string(), kRemedy);
    // For all to see: its parts find one another by name. Never closed.
    if (!dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL)) {
        const char* reason = dlerror();
        throw Error("LibTorch's CUDA half could not be opened: " + std::string(reason ? reason : "no reason given"), library.string(), kRemedy);
    }
}

}  // namespace

void openTorchCuda() {
    static std::mutex mutex;
    static bool done = false;
    const std::lock_guard lock(mutex);
    if (done) return;
    const char* const named = std::getenv("OWQ_TORCH_CUDA");
    const bool elsewhere = named && *named;
    const fs::path folder = elsewhere ? fs::path(named) : ownFolder();
    checkVersion(folder);
    open(folder, "libc10_cuda.so");
    open(folder, "libtorch_cuda.so");
    if (elsewhere) open(folder, "libtorch_cuda_linalg.so");  // LibTorch would look for it beside libtorch_cpu.so
    at::globalContext().setFloat32MatmulPrecision("highest");  // products of fp32 in fp32, not in TF32
    done = true;
}

}  // namespace owq
