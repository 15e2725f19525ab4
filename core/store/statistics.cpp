// SPDX-License-Identifier: Apache-2.0
#include "core/store/statistics.h"

#include <algorithm>
#include <unordered_set>

#include "core/base/file.h"
#include "core/store/hdf5_handle.h"
#include "core/store/statistics_schema.h"

namespace owq {
namespace {

constexpr hsize_t kChunk = 16384;
constexpr unsigned kDeflateLevel = 4;

class Writer {
public:
    Writer(const std::filesystem::path& target, std::string where) : where_(std::move(where)), file_(create(target)) {}

    void write(const StatisticsFile& all) {
        text(file_, "model", all.model);
        text(file_, "family", all.family);
        text(file_, "recipe", all.recipe.dump(-1, ' ', false, Json::error_handler_t::replace));
        scalar(file_, "schema", H5T_STD_I64LE, H5T_NATIVE_INT64, kStatisticsSchema);
        {
            const Hdf5Handle layers = group(file_, "layers");
            for (const StatisticsEntry& entry : all.layers) write(layers, entry);
        }
        if (!file_.close()) failHdf5("could not be written", where_);
    }

private:
    Hdf5Handle property(hid_t kind) const { return {H5Pcreate(kind), H5Pclose, "out of memory", where_}; }
    void ensure(herr_t result) const {
        if (result < 0) failHdf5("could not be written", where_);
    }

    Hdf5Handle create(const std::filesystem::path& target) const {
        const Hdf5Handle creation = property(H5P_FILE_CREATE), access = property(H5P_FILE_ACCESS);
        ensure(H5Pset_obj_track_times(creation, false));
        // The format of 1.8 orders groups by creation and holds large attributes, and everything in use reads it.
        ensure(H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18));
        return {H5Fcreate(target.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose, "could not be created", where_};
    }

    Hdf5Handle group(hid_t parent, const char* name) const {
        const Hdf5Handle creation = property(H5P_GROUP_CREATE), link = property(H5P_LINK_CREATE);
        ensure(H5Pset_obj_track_times(creation, false));
        ensure(H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
        ensure(H5Pset_char_encoding(link, H5T_CSET_UTF8));
        return {H5Gcreate2(parent, name, link, creation, H5P_DEFAULT), H5Gclose, "could not be written", where_};
    }

    void attribute(hid_t object, const char* name, hid_t stored, hid_t native, const void* value) const {
        const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose, "out of memory", where_);
        const Hdf5Handle made(H5Acreate2(object, name, stored, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, "could not be written", where_);
        ensure(H5Awrite(made, native, value));
    }
    template <class T>
    void scalar(hid_t object, const char* name, hid_t stored, hid_t native, T value) const {
        attribute(object, name, stored, native, &value);
    }
    void text(hid_t object, const char* name, const std::string& value) const {
        const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "out of memory", where_);
        ensure(H5Tset_size(type, std::max<size_t>(value.size(), 1)));
        ensure(H5Tset_strpad(type, H5T_STR_NULLPAD));
        ensure(H5Tset_cset(type, H5T_CSET_UTF8));
        attribute(object, name, type, type, value.c_str());
    }

    template <class T>
    void column(hid_t parent, const char* name, hid_t stored, hid_t native, const std::vector<T>& values) const {
        if (values.empty()) return;
        const hsize_t size = values.size(), chunk = std::min(size, kChunk);
        const Hdf5Handle space(H5Screate_simple(1, &size, nullptr), H5Sclose, "out of memory", where_), creation = property(H5P_DATASET_CREATE);
        ensure(H5Pset_obj_track_times(creation, false));
        ensure(H5Pset_chunk(creation, 1, &chunk));
        ensure(H5Pset_shuffle(creation));
        ensure(H5Pset_deflate(creation, kDeflateLevel));
        const Hdf5Handle made(H5Dcreate2(parent, name, stored, space, H5P_DEFAULT, creation, H5P_DEFAULT), H5Dclose, "could not be written", where_);
        ensure(H5Dwrite(made, native, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
    }

    void write(hid_t layers, const StatisticsEntry& entry) const {
        const Hdf5Handle layer = group(layers, entry.name.c_str());
        scalar(layer, "rows", H5T_STD_I64LE, H5T_NATIVE_INT64, entry.rows);
        scalar(layer, "columns", H5T_STD_I64LE, H5T_NATIVE_INT64, entry.columns);
        scalar(layer, "bits", H5T_STD_I64LE, H5T_NATIVE_INT64, int64_t(entry.bits));
        scalar(layer, "tokens", H5T_STD_I64LE, H5T_NATIVE_INT64, entry.statistics.tokens);
        scalar(layer, "damping", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, entry.damping);
        for (const auto& [name, member] : kFloatColumns)
            column(layer, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, entry.statistics.*member);
        column(layer, "weak_columns", H5T_STD_I32LE, H5T_NATIVE_INT32, entry.weakColumns);
        column(layer, "order", H5T_STD_I32LE, H5T_NATIVE_INT32, entry.statistics.order);
    }

    std::string where_;
    Hdf5Handle file_;
};

}  // namespace

void writeStatistics(const std::filesystem::path& file, const StatisticsFile& statistics) {
    std::unordered_set<std::string> names;
    if (statistics.layers.size() > kMostLayers) throw Error("too many layers", file.string());
    for (const StatisticsEntry& entry : statistics.layers) {
        checkStatistics(entry, file.string());
        if (!names.insert(entry.name).second) throw Error("layer \"" + entry.name + "\" is given twice", file.string());
    }
    AtomicFile out(file);
    {
        const Hdf5Lock lock;
        Writer(out.temporary(), file.string()).write(statistics);
    }
    out.commit();
}

}  // namespace owq
