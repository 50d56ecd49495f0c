// Under the lock: copying, checking and opening. Outside of it: the library's own code.
#include <troupe/actors/control/thread_note.hpp>
#include <troupe/app/library/about.hpp>
#include <troupe/app/library/application.hpp>
#include <troupe/app/library/dependencies.hpp>
#include <troupe/app/library/import_path.hpp>
#include <troupe/app/library/initialisers.hpp>
#include <troupe/app/library/load_errors.hpp>
#include <troupe/app/library/loader.hpp>
#include <troupe/messages/http.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <optional>
#include <sys/stat.h>
#include <system_error>

namespace troupe::library {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view no_worker_process = "(a worker process of its own, `isolation: process`, lifts this)";

std::string mebibytes(std::uint64_t bytes) {
  constexpr std::uint64_t mebi = std::uint64_t{1} << 20U;
  return std::to_string((bytes + mebi - 1) / mebi) + " MiB";
}

/// Where an opened library lies.
void locate(void* handle, loaded_copy& copy) {
  link_map* map = nullptr;
  if (::dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
    return;
  struct search {
    const link_map* map;
    loaded_copy* copy;
  } to{map, &copy};
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* arg) {
        auto& x = *static_cast<search*>(arg);
        if (info->dlpi_addr != x.map->l_addr)
          return 0;
        x.copy->begin = info->dlpi_addr;
        for (int i = 0; i < info->dlpi_phnum; ++i)
          if (const auto& segment = info->dlpi_phdr[i]; segment.p_type == PT_LOAD)
            x.copy->end = std::max<std::uintptr_t>(x.copy->end, info->dlpi_addr + segment.p_vaddr + segment.p_memsz);
        return 1;
      },
      &to);
}

/// Runs `f`, user code; what it throws becomes an error that begins with `what`.
template <class F>
std::optional<std::string> guard(const std::string& what, F&& f) {
  std::array<char, 4096> text{};
  if (guarded(f, text.data(), text.size()) == 0)
    return std::nullopt;
  return what + ": " + text.data();
}

result<application_code> finish(const load_request& what, const application_builder& built, std::uint64_t number,
                                const std::string& name) {
  application_code out{what.digest, what.import_path, number, {}};
  for (const auto& d : built.deployments()) {
    out.deployments.push_back({d.defaults, d.user_code});
    out.deployments.back().defaults.application = what.application;
  }
  if (out.deployments.empty())
    return about(name, "declares no deployment; write app.deploy<my_class>(\"name\") in its TROUPE_APPLICATION");
  deployment_code* ingress = nullptr;
  for (auto& d : out.deployments)
    if (built.chosen_ingress().empty() ? answers_http(d.user_code->traits())
                                       : d.defaults.name == built.chosen_ingress())
      ingress = &d;
  if (!ingress && !built.chosen_ingress().empty())
    return about(name, "its ingress \"" + built.chosen_ingress() + "\" is none of its deployments");
  if (ingress && !answers_http(ingress->user_code->traits()))
    return about(name, "its ingress \"" + ingress->defaults.name +
                           "\" does not answer HTTP: it needs a call operator "
                           "`troupe::response operator()(const troupe::request&)`");
  if (ingress)
    ingress->is_ingress = true;
  return out;
}

} // namespace

bool answers_http(const code_traits& traits) { return traits.answers(key_of<response(request)>); }

loader::loader(store& from, loader_options options) : store_(from), options_(std::move(options)) {
  std::error_code why;
  std::vector<fs::path> stale;
  for (fs::directory_iterator it{store_.loaded_dir(), why}, end; !why && it != end; it.increment(why))
    stale.push_back(it->path());
  for (const auto& file : stale)
    fs::remove(file, why);
}

// -- opening, under the lock -----------------------------------------------------------------------------------------

std::optional<error> loader::over_budget(std::uint64_t more_bytes) const {
  if (copies_.size() < options_.max_copies && more_bytes <= options_.max_bytes - bytes_)
    return std::nullopt;
  return error{errc::rejected,
               "the budget of loaded code is used up: " + std::to_string(copies_.size()) + " of " +
                   std::to_string(options_.max_copies) + " copies, " + mebibytes(bytes_) + " of " +
                   mebibytes(options_.max_bytes) + "; it needs " + mebibytes(more_bytes) +
                   ". Code is never unloaded: restart the daemon, which keeps all deployments, or raise "
                   "code_budget " +
                   std::string{no_worker_process}};
}

result<loader::opened> loader::open_copy(const load_request& what, const stored_file& file, std::uint64_t number,
                                         const std::string& name,
                                         const std::function<std::optional<error>(const elf_facts&)>& check) {
  const descriptor from{::open(file.file.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat info {};
  if (!from || ::fstat(from.get(), &info) != 0)
    return error{errc::unavailable, name + ": the stored copy cannot be read: " + text_of_errno(errno)};
  if (const auto why = over_budget(static_cast<std::uint64_t>(info.st_size)))
    return about(name, *why);
  const auto path = store_.loaded_dir() / (file.digest + "-" + std::to_string(number) + ".so");
  auto copy = copy_hashed(from.get(), path, store_.options().max_file_bytes, false);
  if (!copy)
    return about(name, copy.why());
  const auto refused = [&](error why) {
    std::error_code none;
    fs::remove(path, none);
    return why;
  };
  if (copy->digest != file.digest)
    return refused({errc::unavailable, name + ": the stored copy " + file.file.string() +
                                           " is damaged (its content has another digest); deploy the library again"});
  auto facts = [&] {
    const descriptor written{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    return read_elf(written.get());
  }();
  if (!facts)
    return refused(about(name, facts.why()));
  if (const auto why = check(*facts))
    return refused(about(name, *why));
  if (const auto done = take_out_initialisers(path, facts->initialisers); !done)
    return refused(about(name, done.why()));
  auto* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const auto* text = ::dlerror();
    return refused(about(name, explained(text ? text : "", path.string())));
  }
  loaded_copy entry{number, file.digest, file.soname, what.import_path, what.application, file.source, copy->bytes, 0,
                    0};
  locate(handle, entry);
  bytes_ += entry.bytes;
  copies_.push_back(entry);
  if (options_.on_loaded)
    options_.on_loaded(entry);
  return opened{handle, number, std::move(*facts)};
}

/// `loaded`: something of that SONAME is.
std::optional<error> loader::other_bytes(const std::string& soname, const std::string& digest,
                                         const std::string& source, bool& loaded) const {
  auto there = came_along{};
  if (const auto ours = by_soname_.find(soname); ours != by_soname_.end()) {
    there = ours->second;
  } else {
    const auto objects = loaded_objects();
    const auto found = std::find_if(objects.begin(), objects.end(), [&](const auto& x) { return x.soname == soname; });
    if (found == objects.end())
      return std::nullopt;
    const auto bytes = sha256_of_file(found->file);
    there = {bytes ? *bytes : "", found->file.string(), {}};
  }
  loaded = true;
  if (there.digest == digest)
    return std::nullopt;
  return error{errc::rejected, "needs " + soname + " as in " + source +
                                   ", but this process has loaded other bytes of that name, from " + there.source +
                                   ", and would use those. Link it statically into the library, give one of the two " +
                                   "another SONAME, or restart the daemon without the other " +
                                   std::string{no_worker_process}};
}

std::optional<error> loader::bring_along(const load_request& what, const stored_file& file, std::uint64_t number,
                                         const std::string& name) {
  const auto label = name + ", which needs " + file.soname;
  bool loaded = false;
  if (const auto why = other_bytes(file.soname, file.digest, file.source, loaded))
    return about(name, *why);
  if (!loaded) {
    const auto check = [](const elf_facts& facts) { return leaks(facts, program_defines); };
    const auto copy = open_copy(what, file, number, label, check);
    if (!copy)
      return copy.why();
    const control::thread_note note{"load", &what.application, what.revision, 0};
    const control::note_scope noted{note};
    const auto failed =
        guard("its initialisation threw", [&] { run_initialisers(copy->handle, copy->facts.initialisers); });
    by_soname_[file.soname] = {file.digest, file.source, failed.value_or("")};
  }
  const auto ours = by_soname_.find(file.soname);
  if (ours != by_soname_.end() && !ours->second.failed.empty())
    return about(label, ours->second.failed);
  return std::nullopt;
}

/// What the dynamic linker would take from what is loaded although the library's search path says another file, or
/// none.
std::optional<error> loader::conflict(const elf_facts& facts, const std::vector<stored_file>& files) const {
  const fs::path origin = fs::path{files.back().source}.parent_path();
  for (const auto& needed : facts.needed) {
    if (std::any_of(files.begin(), files.end(), [&](const auto& f) { return f.soname == needed; }))
      continue; // brought along
    const auto found = find_dependency(needed, facts, origin);
    if (const auto other = by_soname_.find(needed); !found && other != by_soname_.end())
      return error{errc::rejected, "needs " + needed + ", which is not beside it; the one from " +
                                       other->second.source +
                                       " came along with another library and would be used. Put its own beside it, "
                                       "or link it statically"};
    const auto digest = found ? sha256_of_file(found->file) : result<std::string>{std::string{}};
    bool loaded = false;
    if (found && digest)
      if (auto why = other_bytes(needed, *digest, found->file.string(), loaded))
        return why;
  }
  return std::nullopt;
}

result<loader::opened> loader::open(const load_request& what, const std::string& symbol, const std::string& name) {
  const std::unique_lock guard{mutex_};
  const auto files = store_.files(what.digest);
  if (!files)
    return about(name, files.why());
  // Of the process, not of this loader: a path that has been opened once always gives that code again.
  static std::atomic<std::uint64_t> numbers{0};
  const auto number = ++numbers;
  for (const auto& file : *files)
    if (!file.soname.empty())
      if (auto why = bring_along(what, file, number, name))
        return std::move(*why);
  const auto check = [&](const elf_facts& facts) {
    auto why = unfit(facts, symbol, program_defines);
    return why ? why : conflict(facts, *files);
  };
  return open_copy(what, files->back(), number, name, check);
}

// -- the library's own code ------------------------------------------------------------------------------------------

result<application_code> loader::load(load_request what) {
  const auto import = parse_import_path(what.import_path);
  if (!import)
    return import.why();
  const auto& name = import->file;
  const auto library = open(what, import->symbol, name);
  if (!library)
    return library.why();

  const control::thread_note note{"load", &what.application, what.revision, 0};
  const control::note_scope noted{note};
  if (const auto why =
          guard("its initialisation threw", [&] { run_initialisers(library->handle, library->facts.initialisers); }))
    return about(name, *why);
  const auto symbol = std::string{entry_prefix} + import->symbol;
  const auto* begin = static_cast<const entry*>(::dlsym(library->handle, symbol.c_str()));
  if (!begin || begin->format_used != entry::format || begin->size < sizeof(entry))
    return about(name, "its entry " + symbol + " is not understood");
  application_builder builder{what.args, what.others};
  std::array<char, 4096> text{};
  if (begin->build(&builder, text.data(), text.size()) != 0)
    return about(name, "TROUPE_APPLICATION(" + import->symbol + ") threw: " + text.data());
  return finish(what, builder, library->number, name);
}

code_usage loader::loaded() const {
  const std::unique_lock guard{mutex_};
  return {copies_.size(), options_.max_copies, bytes_, options_.max_bytes, copies_};
}

} // namespace troupe::library
