// SPDX-License-Identifier: Apache-2.0
#include "core/text/tokenizer.h"

#include "core/base/error.h"
#include "core/text/bpe_files.h"
#include "core/text/sentencepiece_tokenizer.h"
#include "core/text/tokenizer_settings.h"

namespace owq {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const Tokenizer> openFolder(const fs::path& folder) {
    const fs::path model = folder / "tokenizer.model", json = folder / "tokenizer.json";
    const fs::path vocab = folder / "vocab.json", merges = folder / "merges.txt";
    if (fs::exists(model)) return openSentencePiece(model);
    const bool files = fs::exists(vocab) && fs::exists(merges);
    // vocab.json and merges.txt say nothing of how words are cut; only GPT-2's class cuts them as GPT-2 does.
    if (fs::exists(json)) {
        const std::string kind = files ? readTokenizerSettings(folder).tokenizerClass : "";
        if (!files || (kind != "GPT2Tokenizer" && !kind.empty())) return openTokenizerJson(json);
    }
    if (files) return openBpeFiles(vocab, merges);
    throw Error("no tokenizer: neither tokenizer.model, nor vocab.json with merges.txt, nor tokenizer.json is there",
                folder.string(), "Copy the model's tokenizer files into the folder");
}

}  // namespace

std::shared_ptr<const Tokenizer> openTokenizer(const fs::path& path) {
    if (!fs::exists(path)) throw Error("no such file or folder", path.string());
    if (fs::is_directory(path)) return openFolder(path);
    const fs::path name = path.filename(), folder = path.parent_path();
    if (path.extension() == ".model") return openSentencePiece(path);
    if (name == "vocab.json" || name == "merges.txt") return openBpeFiles(folder / "vocab.json", folder / "merges.txt");
    if (path.extension() == ".json") return openTokenizerJson(path);
    throw Error("not a tokenizer file", path.string(),
                "Give a model folder, tokenizer.model, vocab.json or tokenizer.json");
}

}  // namespace owq
