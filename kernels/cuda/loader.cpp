// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/loader.h"

#include <dlfcn.h>

#include <filesystem>

namespace owq::kernels {
namespace {

namespace fs = std::filesystem;
constexpr const char* kLibrary = "libowq_kernels_cuda.so";

fs::path findLibrary() {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    if (error) return {};
    const fs::path bin = program.parent_path();
    for (const fs::path& folder : {bin, bin.parent_path() / "lib", bin.parent_path() / "lib" / "owq"})
        if (fs::is_regular_file(folder / kLibrary, error)) return folder / kLibrary;
    return {};
}

bool driverInstalled() {
    void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (driver) dlclose(driver);
    return driver != nullptr;
}

CudaKernels open() {
    CudaKernels found;
    const fs::path library = findLibrary();
    if (library.empty()) {
        found.reason =
            "this installation has no CUDA kernels (" + std::string(kLibrary) + " is not beside the program)";
        return found;
    }
    if (!driverInstalled()) {
        found.reason = "no NVIDIA driver is installed";
        return found;
    }
    // Never closed: the CUDA runtime in it registers exit handlers.
    void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        found.reason = "the CUDA kernels could not be opened: " + std::string(dlerror());
        return found;
    }
    const auto entry = reinterpret_cast<OwqCudaApiFunction>(dlsym(handle, OWQ_CUDA_API_SYMBOL));
    const OwqCudaApi* api = entry ? entry() : nullptr;
    if (!api || api->abi != OWQ_CUDA_ABI) {
        found.reason = library.string() + " belongs to another version of this program";
        return found;
    }
    int32_t count = 0;
    if (api->deviceCount(&count) != 0) {
        found.reason = std::string("the GPU cannot be used: ") + api->lastError();
        return found;
    }
    char name[256] = "";
    if (count == 0 || api->deviceName(0, name, sizeof name, &found.memoryBytes) != 0) {
        found.reason = "this machine has no NVIDIA GPU";
        return found;
    }
    found.device = name;
    found.api = api;
    return found;
}

}  // namespace

const CudaKernels& cudaKernels() {
    static const CudaKernels kernels = open();
    return kernels;
}

}  // namespace owq::kernels
