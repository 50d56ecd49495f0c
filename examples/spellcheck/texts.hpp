// What is to be checked: files cut into pages, each with the answer that is expected for it.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace spellcheck {

/// The words of `text` in order: runs of letters (any UTF-8 beyond ASCII counts as one) and inner apostrophes.
std::vector<std::string> words_of(std::string_view text);

/// Whether `path` is a file that can be opened.
bool readable(const std::string& path);

struct page {
  std::string text;
  std::size_t words = 0;
  /// Unknown words, by edition of the personal dictionary: [0] without it, [1] with it.
  std::array<std::vector<std::string>, 2> unknown;
};

/// Immutable once made; shareable.
struct texts {
  std::vector<page> pages;           ///< Some 100 words each; none is without words.
  std::vector<std::string> personal; ///< The most frequent unknown words: what the operator will add.
  std::size_t files = 0;
  std::size_t bytes = 0;
};

/// Reads `files` and proofreads them with a dictionary of its own, which no runtime manages, so that every answer can
/// be checked. Throws `std::runtime_error` with one line that says what cannot be read, or that there are no words.
texts read_texts(const std::vector<std::string>& files, const std::string& dictionary);

/// The texts that come with Debian: /usr/share/common-licenses.
std::vector<std::string> default_files();

} // namespace spellcheck
