// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/pack/draft.h"
#include "core/pack/gptq.h"
#include "core/pack/writing.h"

namespace owq {
namespace fs = std::filesystem;
namespace {

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

void checkFitsGptq(const PackSource& source) {
    const char* remedy = "Export as owq or dense instead";
    if (!source.keptLinears.empty())
        throw Error("is not quantized; programs that load GPTQ files expect all linears to be", source.keptLinears.front(), remedy);
    const LinearShape& first = source.linears.front();
    for (const LinearShape& s : source.linears) {
        checkGptq(s);
        if (s.bits != first.bits || s.groupSize != first.groupSize || s.symmetric != first.symmetric)
            throw Error("has another width, other groups or another symmetry than " + first.name + "; a GPTQ file knows one for all linears",
                        s.name, remedy);
    }
}

/// What the shapes already tell. Draws the line between our folder and the authors' file.
void checkFits(const PackSource& source, PackTarget target) {
    if (target.layout != PackLayout::latency && target.format != PackFormat::owq)
        throw Error("the layout " + packLayoutName(target.layout) + " belongs to the format owq, not to " + packFormatName(target.format),
                    {}, "Export as owq, or leave out the layout");
    if (target.format == PackFormat::dense) return;
    if (target.format == PackFormat::gptq) return checkFitsGptq(source);
    const bool authors = target.format == PackFormat::owqPth;
    const char* remedy = authors ? "Export as owq or dense instead" : "Export as dense instead";
    // The authors' code names modules in its own way for these models only.
    const auto& tensors = source.base->tensors();
    if (authors && std::none_of(tensors.begin(), tensors.end(), [](const TensorInfo& t) {
            return t.name.ends_with(".q_proj.weight");
        }))
        throw Error("has one linear for q, k and v; the authors' file holds models with separate ones", source.base->folder().string(), remedy);
    const auto number = [](int64_t n) { return std::to_string(n); };
    for (const LinearShape& s : source.linears) {
        const LinearShape& first = source.linears.front();
        if (!(authors ? s.bits == 3 || s.bits == 4 : isPackedWidth(s.bits)) || s.rows % 2 || s.columns % 32)
            throw Error("has " + number(s.bits) + " bits and is " + number(s.rows) + " x " + number(s.columns) + "; " +
                            (authors ? "the authors' file holds 3 or 4" : "the packed format holds 2, 3, 4 or 8") +
                            " bits, an even number of rows and a multiple of 32 columns",
                        s.name, remedy);
        if (authors && s.bits != first.bits)
            throw Error("has " + number(s.bits) + " bits, others have " + number(first.bits) + "; the authors' file holds one width",
                        s.name, remedy);
        if (authors && s.groups() != 1)
            throw Error("has groups of " + number(s.groupSize) + " columns; the authors' file holds one grid per row", s.name, remedy);
        if (authors && s.symmetric)
            throw Error("has a symmetric grid; the authors' file holds asymmetric ones", s.name, remedy);
        if (s.groupSize != first.groupSize || s.symmetric != first.symmetric)
            throw Error("has other groups or another symmetry than " + first.name + "; the packed format knows one for all linears",
                        s.name, remedy);
    }
}

constexpr std::pair<PackFormat, const char*> kFormats[] = {
    {PackFormat::owq, "owq"}, {PackFormat::owqPth, "owq-pth"}, {PackFormat::dense, "dense"}, {PackFormat::gptq, "gptq"}};

}  // namespace

std::string packFormatName(PackFormat format) {
    for (const auto& [known, name] : kFormats)
        if (known == format) return name;
    return {};
}

PackFormat packFormatFromName(const std::string& name) {
    std::string all;
    for (const auto& [format, known] : kFormats) {
        if (name == known) return format;
        all += (all.empty() ? "" : ", ") + std::string(known);
    }
    throw Error("unknown format \"" + name + "\"", {}, "Known ones: " + all);
}

std::string loadableBy(PackFormat format) {
    switch (format) {
        case PackFormat::owq:
            return "OWQ Workbench, packed";
        case PackFormat::owqPth:
            return "the authors' OWQ code, and OWQ Workbench with --model";
        case PackFormat::gptq:
            return "transformers (with GPTQModel), vLLM and others that read GPTQ checkpoints";
        case PackFormat::dense:
            break;
    }
    return "everything that opens a Hugging Face checkpoint";
}

PackResult writeModel(const PackSource& source, PackTarget target, const fs::path& out, bool replace,
                      Progress& progress, std::stop_token stop) {
    const PackFormat format = target.format;
    const fs::path normal = fs::absolute(out).lexically_normal();
    const fs::path clean = normal.filename().empty() ? normal.parent_path() : normal;  // "folder/"
    checkTarget(source, clean, replace);
    checkFits(source, target);
    std::error_code error;
    fs::create_directories(clean.parent_path(), error);
    if (error) throw Error("could not be created: " + error.message(), clean.parent_path().string());
    requireSpace(clean.parent_path(), packing::forecastBytes(source, target));
    packing::Draft draft(clean);
    const size_t tensors = source.base->tensors().size();
    if (format == PackFormat::owqPth) {
        packing::writeTorch(source, draft.path(), {progress, "Writing", 0, 0.6, source.linears.size()}, stop);
    } else {
        fs::create_directory(draft.path(), error);
        if (error) throw Error("could not be created: " + error.message(), draft.path().string());
        packing::writeFolder(source, target, draft.path(), {progress, "Writing", 0, 0.6, tensors}, stop);
    }
    PackResult result;
    result.verification = packing::verify(source, format, draft.path(),
                                          {progress, "Comparing with the run", 0.6, 1, tensors}, stop);
    if (format == PackFormat::owq || format == PackFormat::owqPth) result.packedBytes = PackedModel::open(draft.path())->packedBytes();
    if (format == PackFormat::gptq)
        for (const LinearShape& s : source.linears)
            for (const TensorPlan& plan : gptqPlan(s)) result.packedBytes += plan.bytes();
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
