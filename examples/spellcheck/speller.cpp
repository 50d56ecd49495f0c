// The three versions of the deployment.
#include "speller.hpp"

#include "texts.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace spellcheck {

namespace {

std::string dictionary_file(const troupe::json& init_args, const char* suffix) {
  auto path = init_args.at("dictionary").get<std::string>() + suffix;
  if (!readable(path)) // Hunspell itself would go on without words
    throw std::runtime_error("cannot read " + path);
  return path;
}

} // namespace

speller::speller(const troupe::json& init_args)
    : dictionary_(dictionary_file(init_args, ".aff").c_str(), dictionary_file(init_args, ".dic").c_str()) {}

spelling speller::operator()(const passage& request) {
  spelling answer{.version = 1, .edition = edition_};
  for (auto& word : words_of(request.text)) {
    ++answer.words;
    if (!personal_.contains(word) && !dictionary_.spell(word))
      answer.unknown.push_back(std::move(word));
  }
  return answer;
}

void speller::reconfigure(const troupe::json& user_config) {
  auto words = user_config.at("words").get<std::vector<std::string>>();
  edition_ = user_config.at("edition").get<int>();
  personal_ = {words.begin(), words.end()};
}

spelling suggesting_speller::operator()(const passage& request) {
  auto answer = speller::operator()(request);
  answer.version = 2;
  for (const auto& word : answer.unknown) {
    if (!remembered_.contains(word)) {
      const auto now = std::chrono::steady_clock::now();
      if (now < next_lookup_)
        continue;
      next_lookup_ = now + std::chrono::milliseconds(250);
      auto instead = dictionary_.suggest(word);
      instead.resize(std::min<std::size_t>(instead.size(), 3));
      remembered_.emplace(word, std::move(instead));
    }
    answer.suggestions.push_back({word, remembered_.at(word)});
  }
  return answer;
}

broken_speller::broken_speller(const troupe::json& init_args) : suggesting_speller(init_args) {
  throw std::runtime_error("cannot open grammar.db: no such file");
}

spelling broken_speller::operator()(const passage& request) {
  auto answer = suggesting_speller::operator()(request);
  answer.version = 3;
  return answer;
}

spelling crashing_speller::operator()(const passage& request) {
  if (request.text.find("segfault") != std::string::npos) {
    std::fputs("looking up \"segfault\" in an index that is not there\n", stderr);
    const volatile int* volatile index = nullptr;
    static_cast<void>(*index);
  }
  auto answer = suggesting_speller::operator()(request);
  answer.version = 4;
  return answer;
}

} // namespace spellcheck
