// SPDX-License-Identifier: Apache-2.0
// Files that follow HDF5 but not our schema, or that try to lead the reader elsewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <functional>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/store/statistics.h"
#include "tests/core/checkpoint/temporary_folder.h"

namespace owq {
namespace {

using testing::HasSubstr;

void deleteAndWrite(hid_t layer, const char* name, std::vector<hsize_t> size, hid_t type, hid_t creation = H5P_DEFAULT, bool write = true) {
    H5Ldelete(layer, name, H5P_DEFAULT);
    const hid_t space = H5Screate_simple(int(size.size()), size.data(), nullptr);
    const hid_t set = H5Dcreate2(layer, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    hsize_t count = 1;
    for (hsize_t n : size) count *= n;
    if (write) {
        const std::vector<double> zeros(count, 0.0);
        H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros.data());
    }
    H5Dclose(set);
    H5Sclose(space);
}

void setInteger(hid_t object, const char* name, int64_t value) {
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_INT64, &value);
    H5Aclose(attribute);
}

// What the reader says of a good file of one layer "a" with 20 columns after `change`.
std::string refusalAfter(const std::function<void(hid_t file, hid_t layer)>& change) {
    TemporaryFolder folder;
    const std::string path = (folder.path() / "a.h5").string();
    StatisticsEntry entry;
    entry.name = "a";
    entry.rows = 4;
    entry.columns = 20;
    entry.weakColumns = {3};
    entry.statistics.sensitivity.assign(20, 1);
    writeStatistics(path, {"m", "f", Json::object(), {entry}});
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), layer = H5Gopen2(file, "layers/a", H5P_DEFAULT);
    EXPECT_GE(layer, 0);
    change(file, layer);
    H5Gclose(layer);
    H5Fclose(file);
    try {
        readStatistics(path);
    } catch (const Error& e) {
        EXPECT_THAT(e.what(), HasSubstr(path));
        return e.what();
    }
    return "accepted";
}

TEST(StatisticsHostile, UnchangedIsAccepted) {
    EXPECT_EQ(refusalAfter([](hid_t, hid_t) {}), "accepted");
}

TEST(StatisticsHostile, AttributesAreChecked) {
    EXPECT_THAT(refusalAfter([](hid_t, hid_t layer) { H5Adelete(layer, "rows"); }), HasSubstr("layer \"a\" has no attribute \"rows\""));
    EXPECT_THAT(refusalAfter([](hid_t, hid_t layer) { setInteger(layer, "columns", int64_t(1) << 60); }), HasSubstr("impossible size"));
    EXPECT_THAT(refusalAfter([](hid_t, hid_t layer) { setInteger(layer, "rows", -1); }), HasSubstr("impossible size"));
    EXPECT_THAT(refusalAfter([](hid_t, hid_t layer) { setInteger(layer, "bits", int64_t(1) << 32); }), HasSubstr("impossible bits"));
    EXPECT_THAT(refusalAfter([](hid_t, hid_t layer) { setInteger(layer, "columns", 19); }), HasSubstr("20 values for 19 columns"));
    EXPECT_THAT(refusalAfter([](hid_t, hid_t layer) { setInteger(layer, "columns", 21); }), HasSubstr("20 values for 21 columns"));
    EXPECT_THAT(refusalAfter([](hid_t file, hid_t) { setInteger(file, "schema", 2); }), HasSubstr("has schema 2"));
    EXPECT_THAT(refusalAfter([](hid_t file, hid_t) { H5Adelete(file, "recipe"); }), HasSubstr("no attribute \"recipe\""));
    EXPECT_THAT(refusalAfter([](hid_t file, hid_t) {
        H5Adelete(file, "model");
        const hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
        H5Tset_size(type, H5T_VARIABLE);
        H5Aclose(H5Acreate2(file, "model", type, space, H5P_DEFAULT, H5P_DEFAULT));
        H5Sclose(space);
        H5Tclose(type);
    }), HasSubstr("no text of fixed length"));
}

TEST(StatisticsHostile, DatasetsAreChecked) {
    EXPECT_THAT(refusalAfter([](hid_t, hid_t layer) { deleteAndWrite(layer, "sensitivity", {4, 5}, H5T_IEEE_F32LE); }), HasSubstr("not one-dimensional"));
    EXPECT_THAT(refusalAfter([](hid_t, hid_t layer) { deleteAndWrite(layer, "sensitivity", {20}, H5T_STD_I32LE); }), HasSubstr("wrong type"));
    EXPECT_THAT(refusalAfter([](hid_t, hid_t layer) { deleteAndWrite(layer, "weak_columns", {2}, H5T_STD_I32LE); }), HasSubstr("not ascending"));
    EXPECT_THAT(refusalAfter([](hid_t, hid_t layer) { deleteAndWrite(layer, "order", {20}, H5T_STD_I32LE); }), HasSubstr("every column once"));
    EXPECT_THAT(refusalAfter([](hid_t, hid_t layer) {
        setInteger(layer, "columns", 1 << 24);  // nothing stored, 64 MB to unpack
        deleteAndWrite(layer, "sensitivity", {1 << 24}, H5T_IEEE_F32LE, H5P_DEFAULT, false);
    }), HasSubstr("was never written"));
    EXPECT_THAT(refusalAfter([](hid_t, hid_t layer) {
        const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_external(creation, "/etc/hostname", 0, 80);
        deleteAndWrite(layer, "sensitivity", {20}, H5T_IEEE_F32LE, creation, false);
        H5Pclose(creation);
    }), HasSubstr("lies in another file"));
}

TEST(StatisticsHostile, LinksThatLeadElsewhereAreRefused) {
    EXPECT_THAT(refusalAfter([](hid_t, hid_t layer) { H5Lcreate_external("/etc/hostname", "/x", layer, "order", H5P_DEFAULT, H5P_DEFAULT); }),
                HasSubstr("leads elsewhere"));
    EXPECT_THAT(refusalAfter([](hid_t file, hid_t) { H5Lcreate_soft("/layers/a", file, "/layers/b", H5P_DEFAULT, H5P_DEFAULT); }),
                HasSubstr("leads elsewhere"));
    EXPECT_THAT(refusalAfter([](hid_t file, hid_t) { H5Lcreate_hard(file, "/layers", file, "/layers/self", H5P_DEFAULT, H5P_DEFAULT); }),
                HasSubstr("has no attribute"));
}

}  // namespace
}  // namespace owq
