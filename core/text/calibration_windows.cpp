// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/base/tensor.h"
#include "core/text/corpus.h"
#include "core/text/documents.h"
#include "core/text/python_random.h"
#include "core/text/token_checks.h"

namespace owq {
namespace {

constexpr EncodeOptions kSpelled{.addSpecial = true, .matchSpecial = false};

void append(TokenWindows& windows, const std::vector<int32_t>& ids, int64_t from) {
    const auto begin = ids.begin() + ptrdiff_t(from);
    windows.ids.insert(windows.ids.end(), begin, begin + ptrdiff_t(windows.length));
}

// Windows out of one long list of tokens, as the recipes draw them from WikiText-2 and PTB.
void drawFromJoined(TokenWindows& windows, const std::vector<int32_t>& ids, int64_t samples, PythonRandom& random,
                    const std::string& where) {
    const int64_t total = int64_t(ids.size()), last = total - windows.length - 1;
    if (last < 0)
        throw Error("the text has " + std::to_string(total) + " tokens, too few for one window of " +
                        std::to_string(windows.length), where, "Use a longer text or a smaller --sequence-length");
    if (total < samples * windows.length)
        windows.warnings.push_back("The calibration text has " + std::to_string(total) + " tokens, the windows take " +
                                   std::to_string(samples * windows.length) + ": parts of the text are used more than once");
    std::set<int64_t> starts;
    for (int64_t i = 0; i < samples; ++i) {
        const int64_t start = random.randint(0, last);
        starts.insert(start);
        append(windows, ids, start);
    }
    if (int64_t(starts.size()) < samples)
        windows.warnings.push_back(std::to_string(samples - int64_t(starts.size())) + " of " + std::to_string(samples) +
                                   " calibration windows repeat an earlier one");
}

// Windows out of random documents that are longer than a window, as the recipes draw them from C4. False when such
// documents are too rare.
bool drawFromDocuments(TokenWindows& windows, const std::vector<std::string>& documents, const Tokenizer& tokenizer,
                       int64_t samples, PythonRandom& random) {
    if (documents.size() < 2 || int64_t(documents.size()) < samples) return false;
    std::map<int64_t, std::vector<int32_t>> longOnes;  // tokens of documents met so far; empty: too short
    int64_t attempts = 0;
    const int64_t limit = std::max<int64_t>(1000, 200 * samples);
    while (windows.count() < samples) {
        if (++attempts > limit) return false;
        const int64_t pick = random.randint(0, int64_t(documents.size()) - 1);
        auto [it, isNew] = longOnes.try_emplace(pick);
        if (isNew) {
            // A token is at least a byte in every tokenizer but for the few special ones.
            const std::string& text = documents[size_t(pick)];
            if (int64_t(text.size()) + 16 > windows.length) it->second = tokenizer.encode(text, kSpelled);
            if (int64_t(it->second.size()) <= windows.length) it->second.clear();
        }
        const std::vector<int32_t>& ids = it->second;
        if (!ids.empty()) append(windows, ids, random.randint(0, int64_t(ids.size()) - windows.length - 1));
    }
    int64_t usable = 0;
    for (const auto& [pick, ids] : longOnes) usable += !ids.empty();
    if (usable < samples / 2)
        windows.warnings.push_back("Only " + std::to_string(usable) + " different documents are longer than a window: "
                                   "the calibration windows come from few documents");
    return true;
}

void warnUnknown(TokenWindows& windows, int32_t unknown) {
    if (unknown < 0 || windows.ids.empty()) return;
    const auto count = std::count(windows.ids.begin(), windows.ids.end(), unknown);
    const double share = double(count) / double(windows.ids.size());
    if (share > 0.01)
        windows.warnings.push_back(std::to_string(int(share * 100 + 0.5)) + " % of the calibration tokens are <unk>: "
                                   "the tokenizer does not fit this text");
}

TokenWindows storedWindows(const CalibrationSource& source) {
    const std::string where = source.tokens.string();
    StoredTokens stored = readStoredTokens(where);
    TokenWindows windows;
    windows.length = stored.shape.size() == 2 ? stored.shape[1] : source.sequenceLength;
    if (stored.shape.size() == 2 && source.sequenceLength > 0 && source.sequenceLength != windows.length)
        throw Error("its windows have " + std::to_string(windows.length) + " tokens, not " +
                        std::to_string(source.sequenceLength), where, "Leave --sequence-length out");
    if (windows.length < 1) throw Error("\"input_ids\" has the shape " + shapeText(stored.shape) + ", so a window length is needed",
                                        where, "Give --sequence-length");
    int64_t count = int64_t(stored.ids.size()) / windows.length;
    if (count == 0) throw Error("it holds " + std::to_string(stored.ids.size()) + " tokens, fewer than one window of " +
                                    std::to_string(windows.length), where);
    if (source.samples > 0 && count > source.samples) {
        windows.warnings.push_back("The first " + std::to_string(source.samples) + " of " + std::to_string(count) +
                                   " calibration windows in the token file are used");
        count = source.samples;
    } else if (count < source.samples) {
        windows.warnings.push_back("The token file holds " + std::to_string(count) + " calibration windows, not " +
                                   std::to_string(source.samples));
    }
    windows.ids.assign(stored.ids.begin(), stored.ids.begin() + ptrdiff_t(count * windows.length));
    std::set<std::vector<int32_t>> different;
    for (int64_t i = 0; i < count; ++i) different.emplace(windows.window(i), windows.window(i) + windows.length);
    if (int64_t(different.size()) < count)
        windows.warnings.push_back(std::to_string(count - int64_t(different.size())) + " of " + std::to_string(count) +
                                   " calibration windows repeat an earlier one");
    return windows;
}

}  // namespace

TokenWindows calibrationWindows(const CalibrationSource& source, const Tokenizer* tokenizer, int64_t vocabulary) {
    if (source.text.empty() == source.tokens.empty())
        throw Error("give either a calibration text or a file of calibration tokens");
    const std::string where = (source.text.empty() ? source.tokens : source.text).string();
    TokenWindows windows;
    if (!source.tokens.empty()) {
        windows = storedWindows(source);
    } else {
        if (!tokenizer) throw Error("a calibration text needs a tokenizer", where, "Give calibration tokens instead");
        if (source.sequenceLength < 1 || source.samples < 1)
            throw Error("the number of calibration windows and their length must be positive", where);
        windows.length = source.sequenceLength;
        const std::vector<std::string> documents = readDocuments(source.text);
        PythonRandom random(source.seed);
        if (!drawFromDocuments(windows, documents, *tokenizer, source.samples, random)) {
            windows.ids.clear();
            windows.warnings.clear();
            random = PythonRandom(source.seed);
            std::string joined;
            for (const std::string& document : documents) {
                if (!joined.empty()) joined += "\n\n";
                joined += document;
            }
            drawFromJoined(windows, tokenizer->encode(joined, kSpelled), source.samples, random, where);
        }
    }
    checkIds(windows.ids, vocabulary, where);
    if (tokenizer) warnUnknown(windows, tokenizer->unknown());
    return windows;
}

}  // namespace owq
