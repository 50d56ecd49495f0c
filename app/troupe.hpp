// The header to start with: deployments of actors, embedded in a C++ program.
//
//   struct ping { std::string text; };
//   struct pong { std::string text; };
//
//   class greeter {                                        // user code: plain C++, one object per replica
//   public:
//     pong operator()(const ping& request) { return {greeting_ + ", " + request.text}; }
//     void reconfigure(const troupe::json& config) { greeting_ = config.at("greeting"); } // optional
//     void check_health() {}                                                              // optional; throws when ill
//   private:
//     std::string greeting_ = "hello";
//   };
//
//   int main() {
//     troupe::runtime rt;                                  // or rt{system}, in an actor system of the program's own
//     rt.run<greeter>(troupe::deployment_options{"greeter"}.version("1").num_replicas(10));
//     auto greet = rt.handle<pong(ping)>("greeter");
//     std::cout << greet.async(ping{"world"}).get().text;  // from an actor: greet.request(self, ping{..}).then(...)
//     rt.run<greeter>(troupe::deployment_options{"greeter"}.version("2").num_replicas(10)); // in waves of 20 %
//     return rt.wait_until_healthy("greeter", std::chrono::seconds{10}) ? 0 : 1;
//   }
//
// docs/guide-first-deployment.md goes through this step by step.
#pragma once

#include <troupe/app/deployment/make_code.hpp>
#include <troupe/app/deployment/promise.hpp>
#include <troupe/app/handle/handle.hpp>
#include <troupe/app/runtime/deployment_options.hpp>
#include <troupe/app/runtime/errors.hpp>
#include <troupe/app/runtime/runtime.hpp>
#include <troupe/app/runtime/runtime_options.hpp>
#include <troupe/messages/registry.hpp>
