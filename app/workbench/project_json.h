// SPDX-License-Identifier: GPL-3.0-or-later
// Reading the parts of a project file: what is missing takes its default, what is damaged is an Error with place and remedy.
#pragma once
#include <QList>
#include <QStringList>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace owq::project_json {

inline constexpr const char* kRemedy = "Open the model itself and save the project anew, or take an older copy of the file";

inline std::string str(const QString& s) { return s.toStdString(); }
inline QString qstr(const std::string& s) { return QString::fromStdString(s); }

/// An object, or an empty one where it may be missing.
inline const Json& part(const Json& j, const char* key, const std::string& where) {
    static const Json none = Json::object();
    if (!j.contains(key)) return none;
    if (!j[key].is_object()) throw Error("\"" + std::string(key) + "\" is not an object", where, kRemedy);
    return j[key];
}

inline QString text(const Json& j, const char* key, const std::string& where, const QString& fallback = {}) {
    return qstr(optional<std::string>(j, key, str(fallback), where));
}

inline std::vector<Json> listFrom(const Json& j, const char* key, const std::string& where) {
    if (!j.contains(key)) return {};
    if (!j[key].is_array()) throw Error("\"" + std::string(key) + "\" is not a list", where, kRemedy);
    return {j[key].begin(), j[key].end()};
}

inline Json toJson(const QStringList& texts) {
    Json j = Json::array();
    for (const QString& text : texts) j.push_back(str(text));
    return j;
}

inline QStringList textsFrom(const Json& j, const char* key, const std::string& where) {
    QStringList texts;
    for (const Json& text : listFrom(j, key, where)) {
        if (!text.is_string()) throw Error("\"" + std::string(key) + "\" holds something else than names", where, kRemedy);
        texts << qstr(text.get<std::string>());
    }
    return texts;
}

/// Whole numbers from 0 to `most`.
inline std::vector<int> countsFrom(const Json& list, const char* key, int most, const std::string& where) {
    std::vector<int> counts;
    if (!list.is_array()) throw Error("\"" + std::string(key) + "\" is not a list", where, kRemedy);
    for (const Json& count : list) {
        if (!count.is_number_integer() || count.get<int64_t>() < 0 || count.get<int64_t>() > most)
            throw Error("\"" + std::string(key) + "\" holds something else than counts", where, kRemedy);
        counts.push_back(count.get<int>());
    }
    return counts;
}

}  // namespace owq::project_json
