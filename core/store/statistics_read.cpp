// SPDX-License-Identifier: Apache-2.0
// Reads statistics.h5 without trusting it: no links that lead elsewhere, no filters but the plain ones, sizes checked first.
#include <optional>

#include "core/store/hdf5_handle.h"
#include "core/store/statistics.h"
#include "core/store/statistics_schema.h"

namespace owq {
namespace {

class Reader {
public:
    explicit Reader(const std::filesystem::path& file) : where_(file.string()), file_(open(file)) {
        budget_ = (uint64_t(64) << 20) + 256 * std::filesystem::file_size(file);
    }

    StatisticsFile read() {
        StatisticsFile all;
        checkSchema();
        all.model = text(file_, "model");
        all.family = text(file_, "family");
        all.recipe = parseJson(text(file_, "recipe"), where_ + " (recipe)");
        const Hdf5Handle layers = layersGroup();
        H5G_info_t info{};
        if (H5Gget_info(layers, &info) < 0) failHdf5("damaged", where_);
        if (info.nlinks > kMostLayers) throw Error("holds " + std::to_string(info.nlinks) + " layers", where_);
        const Hdf5Handle creation(H5Gget_create_plist(layers), H5Pclose, "damaged", where_);
        unsigned order = 0;
        H5Pget_link_creation_order(creation, &order);
        const H5_index_t index = (order & H5P_CRT_ORDER_INDEXED) ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
        for (hsize_t i = 0; i < info.nlinks; ++i) {
            char name[4098];
            const ssize_t size = H5Lget_name_by_idx(layers, ".", index, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT);
            if (size < 0) failHdf5("damaged", where_);
            if (size_t(size) >= sizeof name) throw Error("has a layer name of " + std::to_string(size) + " bytes", where_);
            all.layers.push_back(layer(layers, name));
        }
        return all;
    }

    StatisticsEntry readOne(const std::string& linear) {
        checkSchema();
        const Hdf5Handle layers = layersGroup();
        // HDF5 would take a name with slashes, or a dot alone, for a path.
        const bool isName = !linear.empty() && linear != "." && linear.find('/') == std::string::npos &&
                            linear.find('\0') == std::string::npos;
        if (!isName || H5Lexists(layers, linear.c_str(), H5P_DEFAULT) <= 0)
            throw Error("has no linear \"" + linear.substr(0, 200) + "\"", where_);
        return layer(layers, linear.c_str());
    }

private:
    void checkSchema() const {
        if (const int64_t schema = integer(file_, "schema", "the file"); schema != kStatisticsSchema)
            throw Error("has schema " + std::to_string(schema) + ", this version knows " + std::to_string(kStatisticsSchema), where_,
                        "Open it with a newer version");
    }
    Hdf5Handle layersGroup() const {
        requireHardLink(file_, "layers");
        return group(file_, "layers");
    }
    Hdf5Handle open(const std::filesystem::path& file) const {
        std::error_code ignored;
        if (!std::filesystem::exists(file, ignored)) throw Error("does not exist", where_);
        const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "out of memory", where_);
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
        H5Pset_file_locking(access, false, true);  // files are replaced whole, and read-only folders cannot be locked
        return {H5Fopen(file.c_str(), H5F_ACC_RDONLY, access), H5Fclose, "is no HDF5 file, or damaged", where_};
    }
    [[noreturn]] void fail(const std::string& what) const { throw Error(what, where_); }
    Hdf5Handle group(hid_t parent, const char* name) const { return {H5Gopen2(parent, name, H5P_DEFAULT), H5Gclose, "damaged group \"" + std::string(name) + "\"", where_}; }

    // Soft and external links could lead out of the file.
    void requireHardLink(hid_t parent, const char* name) const {
        H5L_info_t info{};
        if (H5Lget_info(parent, name, &info, H5P_DEFAULT) < 0) failHdf5("has no \"" + std::string(name) + "\"", where_);
        if (info.type != H5L_TYPE_HARD) fail("\"" + std::string(name) + "\" is a link that leads elsewhere");
    }

    Hdf5Handle attribute(hid_t object, const char* name, const std::string& owner) const {
        if (H5Aexists(object, name) <= 0) fail(owner + " has no attribute \"" + name + "\"");
        Hdf5Handle made(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, "damaged attribute \"" + std::string(name) + "\"", where_);
        const Hdf5Handle space(H5Aget_space(made), H5Sclose, "damaged", where_);
        if (H5Sget_simple_extent_npoints(space) != 1) fail("attribute \"" + std::string(name) + "\" of " + owner + " is not one value");
        return made;
    }
    void requireType(const Hdf5Handle& type, H5T_class_t wanted, const std::string& what) const {
        if (H5Tget_class(type) != wanted || H5Tget_size(type) > 8) fail(what + " is of the wrong type");
    }
    int64_t integer(hid_t object, const char* name, const std::string& owner) const {
        const Hdf5Handle made = attribute(object, name, owner);
        requireType({H5Aget_type(made), H5Tclose, "damaged", where_}, H5T_INTEGER, "attribute \"" + std::string(name) + "\"");
        int64_t value = 0;
        if (H5Aread(made, H5T_NATIVE_INT64, &value) < 0) failHdf5("attribute \"" + std::string(name) + "\" cannot be read", where_);
        return value;
    }
    double real(hid_t object, const char* name, const std::string& owner) const {
        const Hdf5Handle made = attribute(object, name, owner);
        requireType({H5Aget_type(made), H5Tclose, "damaged", where_}, H5T_FLOAT, "attribute \"" + std::string(name) + "\"");
        double value = 0;
        if (H5Aread(made, H5T_NATIVE_DOUBLE, &value) < 0) failHdf5("attribute \"" + std::string(name) + "\" cannot be read", where_);
        return value;
    }
    std::string text(hid_t object, const char* name) const {
        const Hdf5Handle made = attribute(object, name, "the file");
        const Hdf5Handle type(H5Aget_type(made), H5Tclose, "damaged", where_);
        if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0) fail("attribute \"" + std::string(name) + "\" is no text of fixed length");
        const size_t size = H5Tget_size(type);
        if (size > kMostText || size > std::filesystem::file_size(where_)) fail("attribute \"" + std::string(name) + "\" is too long");
        std::string value(size, '\0');
        if (H5Aread(made, type, value.data()) < 0) failHdf5("attribute \"" + std::string(name) + "\" cannot be read", where_);
        value.resize(value.find_last_not_of('\0') + 1);
        return value;
    }

    template <class T>
    std::vector<T> column(hid_t layer, const char* name, H5T_class_t kind, hid_t native, int64_t columns, const std::string& owner) {
        const std::string what = std::string(name) + " of " + owner;
        if (H5Lexists(layer, name, H5P_DEFAULT) <= 0) return {};
        requireHardLink(layer, name);
        const Hdf5Handle set(H5Dopen2(layer, name, H5P_DEFAULT), H5Dclose, what + " is no dataset", where_);
        requireType({H5Dget_type(set), H5Tclose, "damaged", where_}, kind, what);
        requirePlainStorage(set, what);
        const Hdf5Handle space(H5Dget_space(set), H5Sclose, "damaged", where_);
        hsize_t size = 0;
        if (H5Sget_simple_extent_ndims(space) != 1 || H5Sget_simple_extent_dims(space, &size, nullptr) != 1) fail(what + " is not one-dimensional");
        if (size > hsize_t(columns)) fail(what + " has " + std::to_string(size) + " values for " + std::to_string(columns) + " columns");
        if (size > 0 && H5Dget_storage_size(set) == 0) fail(what + " was never written");
        if (size * sizeof(T) > budget_) fail(what + " unpacks to far more than the file holds");
        budget_ -= size * sizeof(T);
        std::vector<T> values(size);
        if (size > 0 && H5Dread(set, native, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) failHdf5(what + " cannot be read", where_);
        return values;
    }
    // Filters may be plugins loaded from disk, and data may be said to lie in other files.
    void requirePlainStorage(hid_t set, const std::string& what) const {
        const Hdf5Handle creation(H5Dget_create_plist(set), H5Pclose, "damaged", where_);
        if (H5Pget_external_count(creation) != 0 || H5Pget_layout(creation) == H5D_VIRTUAL) fail(what + " lies in another file");
        hsize_t chunk = 1;
        if (H5Pget_layout(creation) == H5D_CHUNKED && (H5Pget_chunk(creation, 1, &chunk) != 1 || chunk > hsize_t(kMostColumns)))
            fail(what + " has impossible chunks");
        const int filters = H5Pget_nfilters(creation);
        for (int i = 0; i < filters; ++i) {
            unsigned flags = 0;
            size_t count = 0;
            const H5Z_filter_t filter = H5Pget_filter2(creation, unsigned(i), &flags, &count, nullptr, 0, nullptr, nullptr);
            if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE && filter != H5Z_FILTER_FLETCHER32)
                fail(what + " is packed by an unknown filter");
        }
    }

    StatisticsEntry layer(hid_t layers, const char* name) {
        requireHardLink(layers, name);
        const Hdf5Handle at = group(layers, name);
        const std::string owner = "layer \"" + std::string(name) + "\"";
        StatisticsEntry entry;
        entry.name = name;
        entry.rows = integer(at, "rows", owner);
        entry.columns = integer(at, "columns", owner);
        const int64_t bits = integer(at, "bits", owner);
        entry.bits = bits >= 0 && bits <= 32 ? int(bits) : -1;
        entry.damping = real(at, "damping", owner);
        entry.statistics.tokens = integer(at, "tokens", owner);
        checkStatistics(entry, where_);  // the numbers, before vectors are read by them
        for (const auto& [set, member] : kFloatColumns)
            entry.statistics.*member = column<float>(at, set, H5T_FLOAT, H5T_NATIVE_FLOAT, entry.columns, owner);
        entry.weakColumns = column<int32_t>(at, "weak_columns", H5T_INTEGER, H5T_NATIVE_INT32, entry.columns, owner);
        entry.statistics.order = column<int32_t>(at, "order", H5T_INTEGER, H5T_NATIVE_INT32, entry.columns, owner);
        checkStatistics(entry, where_);
        return entry;
    }

    std::string where_;
    Hdf5Handle file_;
    uint64_t budget_ = 0;  // bytes that may still be unpacked
};

}  // namespace

StatisticsFile readStatistics(const std::filesystem::path& file) {
    const Hdf5Lock lock;
    return Reader(file).read();
}

StatisticsEntry readStatisticsEntry(const std::filesystem::path& file, const std::string& linear) {
    const Hdf5Lock lock;
    return Reader(file).readOne(linear);
}

}  // namespace owq
