// Runs a test library until that ends the process: crash_child <data dir> <code dir> <library>
// <constructor|handler|load> <how>
#include "plugins/words.hpp"
#include <troupe/app/library/crash_recorder.hpp>
#include <troupe/app/library/loader.hpp>
#include <troupe/app/library/store.hpp>
#include <troupe/troupe.hpp>

#include <cstdio>
#include <filesystem>
#include <string>

using namespace troupe;

int main(int argc, char** argv) {
  if (argc != 6)
    return 3;
  const std::filesystem::path data{argv[1]};
  const std::string where{argv[4]}, how{argv[5]};
  library::crash_recorder recorder{data / "crashes"};
  library::store store{{.data_dir = data, .code_dirs = {argv[2]}}};
  library::loader loader{
      store, {.on_loaded = [&](const library::loaded_copy& x) { recorder.add_code(x.begin, x.end, x.digest); }}};
  const auto put = store.put(std::string{argv[3]} + ":app");
  if (!put)
    return std::fputs(put.why().message.c_str(), stderr), 4;
  const auto code =
      loader.load({.digest = put->digest, .import_path = put->import_path, .application = "text", .revision = 7});
  if (!code)
    return std::fputs(code.why().message.c_str(), stderr), 5;
  runtime rt;
  auto options = deployment_options{code->deployments[0].defaults}.version("1");
  options.init_args(where == "constructor" ? json{{"constructor", how}} : json::object());
  rt.run(options, code->deployments[0].user_code);
  const auto h = rt.handle<plugins::reply(plugins::question)>("text/crashing");
  const auto answer = h.async(plugins::question{where == "handler" ? how : ""}).get();
  return answer.text == "still here" ? 0 : 6;
}
