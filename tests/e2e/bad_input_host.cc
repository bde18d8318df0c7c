// A host that opens one function, runs it on bad rows, then shows that it lives: the same function on good rows, and
// another function. For bad_input_test.py.
//
//   bad_input_host < request.json > report.json
#include <clutch/clutch.hpp>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace {

using Json = nlohmann::ordered_json;

Json described(const clutch::Error& error) {
  Json details = Json::object();
  for (const auto& [key, value] : error.details()) details[key] = value;
  return {{"code", error.code_name()}, {"message", error.what()}, {"row", error.row()}, {"details", details}};
}

// The rows that came out, as text, or the error.
Json run(const clutch::Function& function, const Json& rows, int64_t timeout_ms) {
  try {
    const clutch::Output output =
        function.call(clutch::columns(rows.get<std::vector<int64_t>>()), clutch::Milliseconds(timeout_ms));
    Json texts = Json::array();
    for (int64_t row = 0; row < output.size(); ++row) texts.push_back(output.text(row));
    return {{"rows", texts}};
  } catch (const clutch::Error& error) {
    return {{"error", described(error)}};
  }
}

Json open_and_run(const clutch::Host& host, const Json& request) {
  const std::string code = request.at("code");
  clutch::Spec spec(request.value("kind", "table.scalar"),
                    request.value("format", "source") == "import" ? clutch::imported(code) : clutch::source(code));
  spec.input(std::string("x: int64")).output(request.value("output", std::string("int64")));
  try {
    const clutch::Function function = host.open(spec);
    Json report = {{"opened", true}, {"mode", function.mode()}, {"decision", function.decision()}};
    report["bad"] = run(function, request.value("bad", Json::array()), request.value("timeout_ms", int64_t{0}));
    report["good"] = run(function, request.value("good", Json::array()), 0);
    return report;
  } catch (const clutch::Error& error) {
    return {{"opened", false}, {"error", described(error)}};
  }
}

}  // namespace

int main() try {
  const Json request = Json::parse(std::cin);
  clutch::HostSettings settings;
  for (const auto& [key, value] : request.at("options").items()) settings.options.emplace_back(key, value);
  const clutch::Host host(settings);
  Json report = open_and_run(host, request);
  if (request.value("other", true)) {
    const Json healthy = {{"code", "def healthy(x): return x + 1"}, {"bad", {1, 41}}};
    report["other"] = open_and_run(host, healthy).value("bad", Json::object());
  }
  std::cout << report.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  return 0;
} catch (const std::exception& error) {
  std::cerr << "bad_input_host: " << error.what() << "\n";
  return 2;
}
