#include <troupe/app/worker/handover.hpp>

namespace troupe::worker {

json to_json(const handover& x) {
  json code_dirs = json::array();
  for (const auto& dir : x.code_dirs)
    code_dirs.push_back(dir.string());
  auto env = x.what.runtime_env;
  if (env.is_object())
    env.erase("env_vars"); // it has them
  return {{"worker", x.worker},
          {"secret", x.secret},
          {"port", x.port},
          {"parent", x.parent},
          {"threads", x.threads},
          {"data_dir", x.data_dir.string()},
          {"code_dirs", std::move(code_dirs)},
          {"scratch", x.scratch.string()},
          {"application", x.what.application},
          {"digest", x.what.digest},
          {"import_path", x.what.import_path},
          {"args", x.what.args},
          {"runtime_env", std::move(env)}};
}

handover handover_from(const json& x) {
  handover out;
  out.worker = x.at("worker");
  out.secret = x.at("secret");
  out.port = x.at("port");
  out.parent = x.at("parent");
  out.threads = x.at("threads");
  out.data_dir = x.at("data_dir").get<std::string>();
  for (const auto& dir : x.at("code_dirs"))
    out.code_dirs.emplace_back(dir.get<std::string>());
  out.scratch = x.at("scratch").get<std::string>();
  out.what = {x.at("application"), x.at("digest"), x.at("import_path"), x.at("args"), x.at("runtime_env")};
  return out;
}

} // namespace troupe::worker
