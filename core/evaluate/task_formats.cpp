// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/task_formats.h"

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace owq {
namespace {

constexpr std::array<const char*, 4> kLetters{"A", "B", "C", "D"};
constexpr size_t kChoiceLimit = 1000;

std::string trimmed(std::string_view text) {
    while (const size_t bytes = leadingSpace(text)) text.remove_prefix(bytes);
    while (const size_t bytes = trailingSpace(text)) text.remove_suffix(bytes);
    return std::string(text);
}

int64_t characters(std::string_view utf8) {
    return std::count_if(utf8.begin(), utf8.end(), [](char c) { return (uint8_t(c) & 0xc0) != 0x80; });
}

std::string replacedAll(std::string_view text, std::string_view what, std::string_view with) {
    std::string out;
    size_t from = 0;
    for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, from)) {
        out.append(text.substr(from, at - from)).append(with);
        from = at + what.size();
    }
    return out.append(text.substr(from));
}

std::string textOf(const Json& line, const char* key, const std::string& where) {
    std::string text = required<std::string>(line, key, where);
    requireUtf8(text, where);
    return text;
}

std::vector<std::string> textsOf(const Json& line, const char* key, const std::string& where) {
    if (!line.is_object() || !line.contains(key) || !line.at(key).is_array()) throw Error("has no list \"" + std::string(key) + "\"", where);
    std::vector<std::string> texts;
    for (const Json& text : line.at(key)) {
        if (!text.is_string()) throw Error("\"" + std::string(key) + "\" holds something that is no text", where);
        texts.push_back(text.get<std::string>());
        requireUtf8(texts.back(), where);
    }
    return texts;
}

/// A number, or a number as a text ("3"), as the data sets have both.
int64_t indexOf(const Json& line, const char* key, const std::string& where) {
    if (line.is_object() && line.contains(key) && line.at(key).is_string()) {
        const std::string text = line.at(key).get<std::string>();
        if (!text.empty() && text.size() < 6 && text.find_first_not_of("0123456789") == std::string::npos) return std::stoll(text);
        throw Error("\"" + std::string(key) + "\" is \"" + text.substr(0, 40) + "\", no number", where);
    }
    return required<int64_t>(line, key, where);
}

TaskItem multipleChoice(std::string context, const std::vector<std::string>& choices, int64_t answer, const std::string& where) {
    TaskItem item;
    item.where = where;
    if (choices.size() < 2 || choices.size() > kChoiceLimit)
        throw Error("has " + std::to_string(choices.size()) + " choices; two at least are needed", where);
    if (answer < 0 || answer >= int64_t(choices.size()))
        throw Error("names answer " + std::to_string(answer) + " of " + std::to_string(choices.size()) + " choices", where);
    for (const std::string& choice : choices) {
        if (choice.empty()) throw Error("has an empty choice", where);
        item.choices.push_back(" " + choice);
        item.lengths.push_back(characters(choice));
    }
    item.answer = answer;
    item.example = context + item.choices[size_t(answer)];
    item.context = std::move(context);
    return item;
}

TaskItem completion(std::string context, std::string text, const std::string& where) {
    TaskItem item;
    item.where = where;
    item.lengths = {characters(text) - 1};
    item.example = context + text;
    item.context = std::move(context);
    item.choices = {std::move(text)};
    return item;
}

// As published: question {stem, choices [{text, label}]}; as Hugging Face has it: question, choices {text [...], label [...]}.
TaskItem arcItem(const Json& line, const std::string& where) {
    std::string stem;
    std::vector<std::string> texts, labels;
    const Json& question = line.at("question");
    if (question.is_object()) {
        stem = textOf(question, "stem", where);
        if (!question.contains("choices") || !question.at("choices").is_array()) throw Error("has no list \"choices\"", where);
        for (const Json& choice : question.at("choices")) {
            texts.push_back(textOf(choice, "text", where));
            labels.push_back(textOf(choice, "label", where));
        }
    } else {
        stem = textOf(line, "question", where);
        const Json choices = line.contains("choices") ? line.at("choices") : Json();
        texts = textsOf(choices, "text", where);
        labels = textsOf(choices, "label", where);
    }
    // By place in A to E (some questions are numbered instead), as the harness has it.
    const std::string key = textOf(line, "answerKey", where);
    const size_t letter = std::string("ABCDE").find(key), digit = std::string("12345").find(key);
    if (key.size() != 1 || (letter == std::string::npos && digit == std::string::npos))
        throw Error("answerKey is \"" + key.substr(0, 40) + "\", none of A to E or 1 to 5", where);
    return multipleChoice("Question: " + stem + "\nAnswer:", texts, int64_t(std::min(letter, digit)), where);
}

/// Python's str.capitalize for one sentence part.
std::string capitalized(const std::string& text) {
    if (text.empty()) return text;
    const size_t first = firstCharacter(text).bytes;
    return titlecase(text.substr(0, first)) + lowercase(text.substr(first));
}

/// The WikiHow part of the data set leaves marks in brackets, which end in the line that they begin in.
std::string withoutMarks(std::string_view marked) {
    const std::string text = replacedAll(trimmed(marked), " [title]", ". ");
    std::string out;
    size_t from = 0;
    for (size_t open = text.find('['); open != std::string::npos; open = text.find('[', from)) {
        out.append(text, from, open - from);
        const size_t end = text.find_first_of("]\n", open);
        from = end == std::string::npos ? text.size() : end;
        if (from == end && text[end] == ']')
            ++from;
        else
            out.append(text, open, from - open);
    }
    out.append(text, from);
    return replacedAll(out, "  ", " ");
}

TaskItem hellaswagItem(const Json& line, const std::string& where) {
    std::vector<std::string> endings = textsOf(line, "endings", where);
    for (std::string& ending : endings) ending = withoutMarks(ending);
    const std::string context = textOf(line, "activity_label", where) + ": " + textOf(line, "ctx_a", where) + " " + capitalized(textOf(line, "ctx_b", where));
    return multipleChoice(withoutMarks(context), endings, indexOf(line, "label", where), where);
}

TaskItem lambadaItem(const Json& line, const std::string& where) {
    const std::string text = textOf(line, "text", where);
    const size_t blank = text.rfind(' ');
    if (blank == std::string::npos || blank == 0 || blank + 1 == text.size()) throw Error("has no last word behind a blank", where);
    return completion(text.substr(0, blank), text.substr(blank), where);
}

// What follows the gap is scored behind either sentence begun.
TaskItem winograndeItem(const Json& line, const std::string& where) {
    const std::string sentence = textOf(line, "sentence", where);
    const size_t gap = sentence.find('_');
    if (gap == std::string::npos) throw Error("has no _ in its sentence", where);
    const int64_t answer = indexOf(line, "answer", where) - 1;
    if (answer != 0 && answer != 1) throw Error("names an answer that is neither 1 nor 2", where);
    const std::string rest = trimmed(std::string_view(sentence).substr(gap + 1));
    if (rest.empty()) throw Error("has nothing behind the _ of its sentence", where);
    TaskItem item;
    item.where = where;
    for (const char* option : {"option1", "option2"}) item.contexts.push_back(sentence.substr(0, gap) + textOf(line, option, where));
    item.choices = {" " + rest, " " + rest};
    item.lengths = {characters(rest), characters(rest)};
    item.answer = answer;
    item.example = item.contexts[size_t(answer)] + item.choices[0];
    return item;
}

}  // namespace

TaskFormat guessedFormat(const Json& line, const std::string& where) {
    const auto has = [&](std::initializer_list<const char*> keys) {
        return line.is_object() && std::all_of(keys.begin(), keys.end(), [&](const char* key) { return line.contains(key); });
    };
    if (has({"question", "answerKey"})) return TaskFormat::arc;
    if (has({"ctx_a", "ctx_b", "endings"})) return TaskFormat::hellaswag;
    if (has({"sentence", "option1", "option2"})) return TaskFormat::winogrande;
    if (has({"question", "choices", "answer"})) return TaskFormat::mmlu;
    if (has({"prompt", "choices"})) return TaskFormat::choice;
    if (has({"prompt", "completion"})) return TaskFormat::completion;
    if (has({"text"})) return TaskFormat::lambada;
    throw Error("has the fields of no known task", where,
                "Known are the files of ARC, HellaSwag, MMLU, LAMBADA and WinoGrande, and lines with prompt, choices and answer or with prompt and completion.");
}

TaskItem mmluItem(const std::vector<std::string>& fields, const std::string& where) {
    if (fields.size() != 6) throw Error("has " + std::to_string(fields.size()) + " fields, not 6 (question, four answers, letter)", where);
    for (const std::string& field : fields) requireUtf8(field, where);
    const auto letter = std::find(kLetters.begin(), kLetters.end(), fields[5]);
    if (letter == kLetters.end()) throw Error("names answer \"" + fields[5].substr(0, 40) + "\", none of A to D", where);
    std::string prompt = trimmed(fields[0]) + "\n";
    for (size_t i = 0; i < kLetters.size(); ++i) prompt += std::string(kLetters[i]) + ". " + fields[i + 1] + "\n";
    return multipleChoice(prompt + "Answer:", {kLetters.begin(), kLetters.end()}, letter - kLetters.begin(), where);
}

std::string mmluDescription(const std::string& subject) {
    std::string words = subject;
    std::replace(words.begin(), words.end(), '_', ' ');
    return "The following are multiple choice questions (with answers) about " + words + ".";
}

TaskItem itemOf(TaskFormat format, const Json& line, const std::string& where) {
    if (!line.is_object()) throw Error("is no object of JSON", where);
    switch (format) {
        case TaskFormat::arc:
            if (!line.contains("question")) throw Error("has no \"question\"", where);
            return arcItem(line, where);
        case TaskFormat::hellaswag:
            return hellaswagItem(line, where);
        case TaskFormat::mmlu: {
            std::vector<std::string> fields = textsOf(line, "choices", where);
            const int64_t answer = indexOf(line, "answer", where);
            if (fields.size() != kLetters.size() || answer < 0 || answer >= int64_t(kLetters.size()))
                throw Error("does not have four choices and an answer from 0 to 3", where);
            fields.insert(fields.begin(), textOf(line, "question", where));
            fields.push_back(kLetters[size_t(answer)]);
            return mmluItem(fields, where);
        }
        case TaskFormat::lambada:
            return lambadaItem(line, where);
        case TaskFormat::winogrande:
            return winograndeItem(line, where);
        case TaskFormat::choice:
            return multipleChoice(textOf(line, "prompt", where), textsOf(line, "choices", where), indexOf(line, "answer", where), where);
        case TaskFormat::completion: {
            const std::string text = textOf(line, "completion", where);
            if (text.empty()) throw Error("has an empty completion", where);
            return completion(textOf(line, "prompt", where), leadingSpace(text) ? text : " " + text, where);
        }
    }
    throw Error("unknown format of a task", where);
}

}  // namespace owq
