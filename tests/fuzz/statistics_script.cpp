// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/statistics_script.h"

#include <hdf5.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/store/statistics.h"
#include "tests/fuzz/input.h"

namespace owq::fuzz {
namespace {

constexpr const char* kObjects[] = {"/", "/layers", "/layers/a", "/layers/b"};
constexpr const char* kAttributes[] = {"schema", "model", "family", "recipe", "rows", "columns", "bits", "damping", "tokens"};
constexpr const char* kNames[] = {"layers", "a", "b", "hessian_diagonal", "column_error", "weak_columns", "order", "column_loss", "c"};

template <size_t kCount>
const char* one(Input& in, const char* const (&names)[kCount]) {
    return names[in.choose(kCount)];
}

const std::string& goodFile() {
    static const std::string bytes = [] {
        StatisticsFile all{"m", "f", Json::object(), {}};
        for (const char* name : {"a", "b"}) {
            StatisticsEntry entry;
            entry.name = name;
            entry.rows = 4;
            entry.columns = 6;
            entry.bits = 3;
            entry.weakColumns = {1, 4};
            entry.statistics.hessianDiagonal.assign(6, 1);
            entry.statistics.order = {5, 4, 3, 2, 1, 0};
            all.layers.push_back(entry);
        }
        const auto file = folder() / "good.h5";
        writeStatistics(file, all);
        return readText(file);
    }();
    return bytes;
}

/// Closed at the end of its scope whatever it is.
struct Id {
    hid_t id;
    explicit Id(hid_t made) : id(made) {}
    Id(const Id&) = delete;
    ~Id() {
        if (id >= 0) H5Idec_ref(id);
    }
    operator hid_t() const { return id; }
};

hid_t someType(Input& in) {
    switch (in.choose(9)) {
        case 0:
            return H5Tcopy(H5T_STD_I64LE);
        case 1:
            return H5Tcopy(H5T_STD_U8LE);
        case 2:
            return H5Tcopy(H5T_STD_I32BE);
        case 3:
            return H5Tcopy(H5T_IEEE_F64LE);
        case 4:
            return H5Tcopy(H5T_IEEE_F32LE);
        case 5: {
            const hid_t type = H5Tcopy(H5T_C_S1);
            H5Tset_size(type, size_t(in.take<uint16_t>()) + 1);
            return type;
        }
        case 6: {
            const hsize_t size = hsize_t(in.choose(4)) + 1;
            return H5Tarray_create2(H5T_STD_I32LE, 1, &size);
        }
        case 7: {
            const hid_t type = H5Tcreate(H5T_COMPOUND, 16);
            H5Tinsert(type, "x", 0, H5T_STD_I64LE);
            return type;
        }
        default:
            return H5Tcreate(H5T_OPAQUE, size_t(in.choose(40)) + 1);
    }
}

/// Up to three dimensions, of any size: what is large is only said to be there.
hid_t someSpace(Input& in, hsize_t& count) {
    const int rank = int(in.choose(4));
    hsize_t size[3] = {1, 1, 1};
    for (int i = 0; i < rank; ++i) size[i] = in.choose(4) ? in.choose(10) : in.take<uint64_t>() >> 8;
    count = 1;
    for (int i = 0; i < rank; ++i) count = size[i] && count > (hsize_t(1) << 40) / size[i] ? hsize_t(1) << 40 : count * size[i];
    return rank ? H5Screate_simple(rank, size, nullptr) : H5Screate(in.choose(4) ? H5S_SCALAR : H5S_NULL);
}

/// Bytes for `count` values of a type.
std::vector<char> someValues(Input& in, hid_t type, hsize_t count) {
    std::vector<char> values(size_t(count) * H5Tget_size(type));
    for (size_t i = 0; i < values.size(); i += 8) {
        const uint64_t value = in.choose(3) ? in.choose(8) : in.take<uint64_t>();
        std::memcpy(&values[i], &value, std::min<size_t>(8, values.size() - i));
    }
    return values;
}

constexpr hsize_t kWritten = 64;  // values at most

void replaceAttribute(hid_t object, const char* name, Input& in) {
    H5Adelete(object, name);
    if (in.choose(6) == 0) return;
    hsize_t count = 0;
    const Id type(someType(in)), space(someSpace(in, count));
    if (count > kWritten) return;
    const Id made(H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT));
    if (made < 0 || count == 0) return;
    const std::vector<char> values = someValues(in, type, count);
    H5Awrite(made, type, values.data());
}

void replaceDataset(hid_t object, const char* name, Input& in) {
    H5Ldelete(object, name, H5P_DEFAULT);
    hsize_t count = 0;
    const Id type(someType(in)), space(someSpace(in, count)), creation(H5Pcreate(H5P_DATASET_CREATE));
    if (const int rank = H5Sget_simple_extent_ndims(space); rank > 0 && in.choose(2)) {
        const hsize_t chunk[3] = {hsize_t(in.choose(20)) + 1, 1, 1};
        H5Pset_chunk(creation, rank, chunk);
        if (in.choose(2)) H5Pset_deflate(creation, 1);
    }
    if (in.choose(5) == 0) H5Pset_external(creation, (folder() / "elsewhere").c_str(), 0, H5F_UNLIMITED);
    const Id made(H5Dcreate2(object, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT));
    if (made < 0 || count == 0 || count > kWritten) return;
    const std::vector<char> values = someValues(in, type, count);
    H5Dwrite(made, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
}

void replaceLink(hid_t file, hid_t object, const char* name, Input& in) {
    H5Ldelete(object, name, H5P_DEFAULT);
    switch (in.choose(4)) {
        case 0:
            H5Lcreate_soft(one(in, kObjects), object, name, H5P_DEFAULT, H5P_DEFAULT);
            break;
        case 1:
            H5Lcreate_external("good.h5", one(in, kObjects), object, name, H5P_DEFAULT, H5P_DEFAULT);
            break;
        case 2:
            H5Lcreate_hard(file, one(in, kObjects), object, name, H5P_DEFAULT, H5P_DEFAULT);
            break;
        default: {
            const Id made(H5Gcreate2(object, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        }
    }
}

void change(hid_t file, Input& in) {
    const Id object(H5Oopen(file, one(in, kObjects), H5P_DEFAULT));
    if (object < 0) return;
    switch (in.choose(3)) {
        case 0:
            return replaceAttribute(object, one(in, kAttributes), in);
        case 1:
            return replaceDataset(object, one(in, kNames), in);
        default:
            return replaceLink(file, object, one(in, kNames), in);
    }
}

void demandFits(const StatisticsEntry& entry) {
    const auto fits = [&](size_t size) { return size <= size_t(entry.columns); };
    if (entry.rows < 0 || entry.columns < 0 || !fits(entry.weakColumns.size()) || !fits(entry.statistics.order.size()) ||
        !fits(entry.statistics.hessianDiagonal.size()))
        std::abort();
}

}  // namespace

void readScriptedStatistics(std::span<const std::byte> script) {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    const std::string& good = goodFile();
    const auto path = written("statistics.h5", std::as_bytes(std::span(good)));
    {
        const Id file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
        Input in(script);
        for (int step = 0; step < 8 && !in.empty(); ++step) change(file, in);
    }
    try {
        demandFits(readStatisticsEntry(path, "a"));
    } catch (const Error&) {
    }
    for (const StatisticsEntry& entry : readStatistics(path).layers) demandFits(entry);
}

}  // namespace owq::fuzz
