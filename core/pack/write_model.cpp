// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/pack/writing.h"

namespace owq {
namespace fs = std::filesystem;
namespace {

/// A file or folder under a hidden name beside its target; removed unless put in place.
class Draft {
public:
    explicit Draft(const fs::path& target) : target_(target) {
        const std::string hidden =
            "." + target.filename().string() + ".partial-" + std::to_string(::getpid());
        path_ = target.parent_path() / hidden;
        fs::remove_all(path_);
    }
    ~Draft() {
        std::error_code ignored;
        if (!placed_) fs::remove_all(path_, ignored);
    }
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;

    const fs::path& path() const { return path_; }
    void place() {
        fs::path old = path_;
        old += "-old";
        const bool replacing = fs::exists(target_);
        std::error_code error;
        if (replacing) fs::rename(target_, old, error);
        if (!error) {
            fs::rename(path_, target_, error);
            std::error_code ignored;
            if (error && replacing) fs::rename(old, target_, ignored);  // what was there stays there
        }
        if (error) throw Error("could not be renamed into place: " + error.message(), target_.string());
        placed_ = true;
        syncFolder(target_.parent_path());
        if (replacing) fs::remove_all(old, error);
    }

private:
    fs::path target_, path_;
    bool placed_ = false;
};

uint64_t bytesOf(const fs::path& path) {
    if (fs::is_regular_file(path)) return fs::file_size(path);
    uint64_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(path))
        if (entry.is_regular_file()) bytes += entry.file_size();
    return bytes;
}

void checkTarget(const PackSource& source, const fs::path& out, bool replace) {
    if (out.filename().empty()) throw Error("names no file or folder to write", out.string());
    std::error_code ignored;
    if (!fs::exists(out, ignored)) return;
    if (!replace)
        throw Error("exists already", out.string(), "Choose another name, or replace it with --force");
    const fs::path target = fs::weakly_canonical(out), base = fs::weakly_canonical(source.base->folder());
    const auto [end, ignoredEnd] = std::mismatch(target.begin(), target.end(), base.begin(), base.end());
    if (end == target.end())
        throw Error("holds the model that the run was made from", out.string(), "Choose another name");
}

/// What the shapes already tell; groups and symmetric grids are found when the first linear is packed.
void checkFits(const PackSource& source) {
    for (const LinearShape& s : source.linears)
        if ((s.bits != 3 && s.bits != 4) || s.rows % 2 || s.columns % 32)
            throw Error("has " + std::to_string(s.bits) + " bits and is " + std::to_string(s.rows) + " x " +
                            std::to_string(s.columns) +
                            "; the packed formats hold 3 or 4 bits, an even number of rows and a multiple of "
                            "32 columns",
                        s.name, "Export as dense instead");
}

}  // namespace

std::string packFormatName(PackFormat format) {
    return format == PackFormat::owq ? "owq" : format == PackFormat::owqPth ? "owq-pth" : "dense";
}

PackFormat packFormatFromName(const std::string& name) {
    for (PackFormat format : {PackFormat::owq, PackFormat::owqPth, PackFormat::dense})
        if (packFormatName(format) == name) return format;
    throw Error("unknown format \"" + name + "\"", {}, "Known ones: owq, owq-pth, dense");
}

std::string loadableBy(PackFormat format) {
    switch (format) {
        case PackFormat::owq:
            return "OWQ Workbench, packed";
        case PackFormat::owqPth:
            return "the authors' OWQ code, and OWQ Workbench with --model";
        default:
            return "everything that opens a Hugging Face checkpoint";
    }
}

std::vector<LinearShape> linearShapes(const std::vector<std::string>& names, const LinearProvider& provider,
                                      const std::stop_token& stop) {
    std::vector<LinearShape> shapes;
    for (const std::string& name : names) {
        checkStop(stop);
        const QuantizedLinear q = provider(name);
        shapes.push_back({name, q.rows, q.columns, q.bits, int64_t(q.weakColumns.size())});
    }
    return shapes;
}

PackResult writeModel(const PackSource& source, PackFormat format, const fs::path& out, bool replace,
                      Progress& progress, std::stop_token stop) {
    const fs::path target = fs::absolute(out).lexically_normal();
    const fs::path clean = target.filename().empty() ? target.parent_path() : target;  // "folder/"
    checkTarget(source, clean, replace);
    if (format != PackFormat::dense) checkFits(source);
    std::error_code error;
    fs::create_directories(clean.parent_path(), error);
    if (error) throw Error("could not be created: " + error.message(), clean.parent_path().string());
    requireSpace(clean.parent_path(), packing::forecastBytes(source, format));
    Draft draft(clean);
    const size_t tensors = source.base->tensors().size();
    if (format == PackFormat::owqPth) {
        packing::writeTorch(source, draft.path(), {progress, "Writing", 0, 0.6, source.linears.size()}, stop);
    } else {
        fs::create_directory(draft.path(), error);
        if (error) throw Error("could not be created: " + error.message(), draft.path().string());
        packing::writeFolder(source, format, draft.path(), {progress, "Writing", 0, 0.6, tensors}, stop);
    }
    PackResult result;
    result.verification = packing::verify(source, format, draft.path(),
                                          {progress, "Comparing with the run", 0.6, 1, tensors}, stop);
    draft.place();
    result.out = clean;
    result.bytes = bytesOf(clean);
    progress.report("Exported", clean.string(), 1);
    return result;
}

std::vector<std::string> verifyModel(const PackSource& source, PackFormat format, const fs::path& path,
                                     Progress& progress, std::stop_token stop) {
    return packing::verify(source, format, path,
                           {progress, "Comparing with the run", 0, 1, source.base->tensors().size()}, stop);
}

}  // namespace owq
