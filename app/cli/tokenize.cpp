// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>
#include <sstream>

#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/progress_line.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/model/model_source.h"
#include "core/text/documents.h"
#include "core/text/sentencepiece_tokenizer.h"
#include "core/text/tokenizer.h"
#include "core/text/utf8.h"

namespace owq::cli {
namespace {

namespace fs = std::filesystem;

struct TokenizeOptions {
    fs::path model, modelFolder, text, jsonl, decode;
    bool noSpecial = false, spellSpecial = false;
    std::string rules = "slow";
};

constexpr std::pair<const char*, SentencePieceRules> kRules[] = {{"slow", SentencePieceRules::slow},
                                                                 {"fast", SentencePieceRules::fast},
                                                                 {"transformers5", SentencePieceRules::transformers5}};

std::shared_ptr<const Tokenizer> openByRules(const fs::path& path, const std::string& name) {
    const fs::path file = fs::is_directory(path) ? path / "tokenizer.model" : path;
    if (file.extension() != ".model" || !fs::exists(file))
        throw Error("there is no tokenizer.model, of which --rules " + name + " speaks", path.string(),
                    "Leave --rules out: other tokenizer files say themselves how they are meant");
    for (const auto& [known, rules] : kRules)
        if (name == known) return openSentencePiece(file, rules);
    throw UsageError("unknown rules " + name);
}

// A tokenizer file or a folder of them is opened as it is; of any other model the folder that holds its tokenizer.
std::shared_ptr<const Tokenizer> open(const TokenizeOptions& options) {
    if (options.rules != "slow") return openByRules(options.modelFolder.empty() ? options.model : options.modelFolder, options.rules);
    if (!options.modelFolder.empty()) return openTokenizer(options.modelFolder);
    const fs::path& model = options.model;
    if (!fs::exists(model)) throw Error("no such file or folder", model.string());
    const auto holds = [&](const char* name) { return fs::exists(model / name); };
    const bool folder = fs::is_directory(model) && (holds("tokenizer.model") || holds("tokenizer.json") || holds("vocab.json"));
    const bool index = model.filename().string().ends_with(".index.json");
    if (folder || model.extension() == ".model" || model.extension() == ".txt" || (model.extension() == ".json" && !index))
        return openTokenizer(model);
    return openTokenizer(ModelSource::open(model)->tokenizerFolder());
}

std::vector<int32_t> idList(const Json& list, const std::string& where) {
    std::vector<int32_t> ids;
    for (const Json& id : list) {
        if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() > INT32_MAX)
            throw Error(id.dump() + " is not a token id", where);
        ids.push_back(id.get<int32_t>());
    }
    return ids;
}

// JSON ([ids], [[ids], …] or what --json wrote), or numbers with one text a line.
std::vector<std::vector<int32_t>> readIds(const fs::path& file) {
    const std::string text = readText(file), where = file.string();
    const size_t first = text.find_first_not_of(" \t\r\n");
    std::vector<std::vector<int32_t>> result;
    if (first != std::string::npos && (text[first] == '[' || text[first] == '{')) {
        Json json = parseJson(text, where);
        if (json.is_object()) json = json.contains("ids") ? Json(json["ids"]) : Json();
        if (!json.is_array()) throw Error("expected a list of token ids", where);
        if (json.empty() || !json[0].is_array()) return {idList(json, where)};
        for (const Json& list : json) {
            if (!list.is_array()) throw Error("lists and ids are mixed", where);
            result.push_back(idList(list, where));
        }
        return result;
    }
    for (size_t from = 0; from < text.size();) {
        const size_t end = std::min(text.find('\n', from), text.size());
        std::string line = text.substr(from, end - from);
        from = end + 1;
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream words(line);
        std::vector<int32_t> ids;
        for (std::string word; words >> word;) {
            if (word.size() > 9 || word.find_first_not_of("0123456789") != std::string::npos)
                throw Error("\"" + word.substr(0, 40) + "\" is not a token id", where);
            ids.push_back(int32_t(std::stol(word)));
        }
        result.push_back(std::move(ids));
    }
    return result;
}

void decode(const TokenizeOptions& options, Run& run) {
    const auto tokenizer = open(options);
    Json result;
    result["ids"] = Json::array();
    result["texts"] = Json::array();
    for (const std::vector<int32_t>& ids : readIds(options.decode)) {
        checkStop(run.stop);
        const std::string text = tokenizer->decode(ids, options.noSpecial);
        std::cout << text << '\n';
        result["ids"].push_back(ids);
        result["texts"].push_back(replaceInvalidUtf8(text));
    }
    run.writeResult(result);
}

void encode(const TokenizeOptions& options, Run& run) {
    const auto tokenizer = open(options);
    const fs::path& file = options.text.empty() ? options.jsonl : options.text;
    const std::vector<std::string> texts =
        options.text.empty() ? readJsonLines(file) : std::vector<std::string>{readText(file)};
    Json result;
    result["ids"] = Json::array();
    result["tokens"] = Json::array();
    int64_t count = 0, number = 0;
    for (const std::string& text : texts) {
        checkStop(run.stop);
        requireUtf8(text, file.string());
        const std::vector<int32_t> ids = tokenizer->encode(text, {!options.noSpecial, !options.spellSpecial});
        count += int64_t(ids.size());
        Json pieces = Json::array();
        if (run.common.json.empty() && number) std::cout << '\n';
        for (int32_t id : ids) {
            std::string piece = tokenizer->piece(id);
            if (run.common.json.empty()) std::cout << id << '\t' << piece << '\n';
            else pieces.push_back(replaceInvalidUtf8(piece));
        }
        if (!run.common.json.empty()) {
            result["ids"].push_back(ids);
            result["tokens"].push_back(std::move(pieces));
        }
        run.progress.report("Tokenizing", "", double(++number) / double(texts.size()));
    }
    run.writeResult(result);
    run.line.finish();
    if (!run.common.json.empty())
        std::cout << countText(count) << " tokens of " << countText(number) << (number == 1 ? " text, " : " texts, ")
                  << tokenizer->description() << '\n';
}

}  // namespace

void addTokenize(CommandLine& line) {
    auto options = std::make_shared<TokenizeOptions>();
    CLI::App* command = line.add("tokenize", "Token ids and pieces of a text, or back", [options](Run& run) {
        const int given = !options->text.empty() + !options->jsonl.empty() + !options->decode.empty();
        if (given != 1) throw UsageError("give one of --text FILE, --jsonl FILE and --decode FILE");
        if (options->decode.empty()) encode(*options, run);
        else decode(*options, run);
    });
    command->add_option("MODEL", options->model, "Model, or a tokenizer file")->required();
    command->add_option("--model", options->modelFolder, "Folder with the tokenizer, for a lone .pth")->type_name("DIR");
    command->add_option("--text", options->text, "The whole file is one text")->type_name("FILE");
    command->add_option("--jsonl", options->jsonl, "The field \"text\" of each line is a text")->type_name("FILE");
    command->add_option("--decode", options->decode, "Token ids: JSON, or numbers with one text a line")->type_name("FILE");
    command->add_flag("--no-special", options->noSpecial, "Without the tokens put around a text; with --decode, without special tokens");
    command->add_flag("--spell-special", options->spellSpecial, "\"</s>\" in the text is spelled like any text: the OWQ authors' way with the <unk> of Penn Treebank");
    command->add_option("--rules", options->rules, "How a tokenizer.model is read: slow (as SentencePiece does), fast (as transformers 4 "
                        "with legacy=False) or transformers5")
        ->check(CLI::IsMember({"slow", "fast", "transformers5"}))->capture_default_str();
    command->footer("Chat templates are not applied: a text is tokenized as it stands.");
}

}  // namespace owq::cli
