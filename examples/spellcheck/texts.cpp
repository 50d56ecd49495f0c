// Reads files, cuts them into pages, proofreads them.
#include "texts.hpp"

#include <hunspell/hunspell.hxx>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <unordered_set>
#include <utility>

namespace spellcheck {

namespace {

constexpr std::size_t words_per_page = 100;
constexpr std::size_t personal_words = 25;

bool in_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalpha(byte) != 0 || c == '\'';
}

std::string read_file(const std::string& path) {
  if (!readable(path))
    throw std::runtime_error("cannot read " + path);
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Whole lines, until there are enough words.
void cut(const std::string& text, std::vector<page>& pages) {
  page current;
  for (std::size_t from = 0; from < text.size();) {
    const auto to = std::min(text.find('\n', from), text.size() - 1) + 1;
    current.text.append(text, from, to - from);
    current.words += words_of(std::string_view(text).substr(from, to - from)).size();
    from = to;
    if (current.words > 0 && (current.words >= words_per_page || from == text.size()))
      pages.push_back(std::exchange(current, {}));
  }
}

std::vector<std::string> most_frequent(const std::map<std::string, int>& counts) {
  std::vector<std::pair<int, std::string>> order;
  order.reserve(counts.size());
  for (const auto& [word, count] : counts)
    order.emplace_back(-count, word);
  std::sort(order.begin(), order.end());
  order.resize(std::min(order.size(), personal_words));
  std::vector<std::string> words;
  words.reserve(order.size());
  for (auto& [count, word] : order)
    words.push_back(std::move(word));
  return words;
}

} // namespace

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t from = 0; from < text.size();) {
    auto to = from;
    while (to < text.size() && in_word(text[to]))
      ++to;
    auto word = text.substr(from, to - from);
    from = to + 1;
    while (word.starts_with('\''))
      word.remove_prefix(1);
    while (word.ends_with('\''))
      word.remove_suffix(1);
    if (!word.empty())
      words.emplace_back(word);
  }
  return words;
}

bool readable(const std::string& path) {
  std::error_code ignored;
  return !std::filesystem::is_directory(path, ignored) && std::ifstream(path).good();
}

texts read_texts(const std::vector<std::string>& files, const std::string& dictionary) {
  const auto aff = dictionary + ".aff";
  const auto dic = dictionary + ".dic";
  for (const auto& path : {aff, dic})
    if (!readable(path))
      throw std::runtime_error("cannot read the dictionary " + path + "; install hunspell-en-us or say --dictionary");
  texts result;
  for (const auto& path : files) {
    const auto text = read_file(path);
    cut(text, result.pages);
    result.bytes += text.size();
    ++result.files;
  }
  if (result.pages.empty())
    throw std::runtime_error("there are no words in the files");

  Hunspell reference(aff.c_str(), dic.c_str());
  std::map<std::string, int> counts;
  for (auto& p : result.pages)
    for (auto& word : words_of(p.text))
      if (!reference.spell(word)) {
        ++counts[word];
        p.unknown[0].push_back(std::move(word));
      }
  result.personal = most_frequent(counts);
  const std::unordered_set<std::string> personal(result.personal.begin(), result.personal.end());
  for (auto& p : result.pages)
    std::copy_if(p.unknown[0].begin(), p.unknown[0].end(), std::back_inserter(p.unknown[1]),
                 [&](const std::string& word) { return !personal.contains(word); });
  return result;
}

std::vector<std::string> default_files() {
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/share/common-licenses", ignored))
    if (entry.is_regular_file() && !entry.is_symlink())
      files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

} // namespace spellcheck
