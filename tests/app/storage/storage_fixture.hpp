// Why a database cannot be used, for tests of it.
#pragma once

#include <troupe/app/storage/database.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fixtures/files.hpp>
#include <string>

namespace troupe::storage {

using test::temporary_folder;

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

inline std::string why_unusable(const std::filesystem::path& directory) {
  try {
    const database d{directory};
    return "";
  } catch (const unusable& e) {
    return e.what();
  }
}

} // namespace troupe::storage
