// glibc's texts, as in elf/dl-lookup.c and elf/dl-load.c; others pass through.
#include <troupe/app/library/elf_file.hpp>
#include <troupe/app/library/load_errors.hpp>

#include <string_view>

namespace troupe::library {

namespace {

bool is_ours(const std::string& readable) {
  for (const std::string_view space : {"troupe::", "caf::"})
    if (readable.starts_with(space) || readable.find(" " + std::string{space}) != std::string::npos)
      return true;
  return false;
}

} // namespace

std::string explained(const std::string& text, const std::string& copy) {
  constexpr std::string_view undefined = "undefined symbol: ", missing = ": cannot open shared object file";
  if (const auto at = text.find(undefined); at != std::string::npos) {
    auto symbol = text.substr(at + undefined.size());
    symbol = symbol.substr(0, symbol.find_first_of(", \t\n"));
    const auto readable = demangled(symbol);
    auto out = "uses `" + readable + "`, which is defined nowhere; ";
    if (is_ours(readable))
      return out + "this program does not offer it: it may have been built with another version of troupe";
    return out + "add the source or library that defines it (troupe_add_library(... LINK_LIBRARIES ...))";
  }
  if (const auto at = text.find(missing); at != std::string::npos)
    if (const auto name = text.substr(0, at); name != copy)
      return "needs " + name +
             ", which is neither beside it (link with -Wl,-rpath,'$ORIGIN') nor in the system's "
             "library folders";
  if (text.find("static TLS") != std::string::npos)
    return "has more thread_local data of the static kind than the process has room for; build it, and what it links, "
           "with -ftls-model=global-dynamic";
  auto out = text;
  for (auto at = out.find(copy); at != std::string::npos; at = out.find(copy))
    out.replace(at, copy.size(), "the library");
  return "cannot be loaded: " + out;
}

} // namespace troupe::library
