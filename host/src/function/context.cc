#include "function/context.h"

namespace clutch::host {
namespace {

Status not_opening(const std::string& function, std::string_view what, std::string_view name) {
  return {CLUTCH_ERR_ARGUMENT,
          "function \"" + function + "\": " + std::string(what) + " \"" + std::string(name) +
              "\" is declared after the function opened; declare it inside function_open",
          CLUTCH_ORIGIN_PLUGIN};
}

}  // namespace

void FunctionContext::begin(std::string name, Logger& logger, KeyedStore& store, OutputShape main) {
  metrics_.clear();
  const std::scoped_lock lock(mutex_);
  live_ = true;
  opening_ = true;
  name_ = std::move(name);
  logger_ = &logger;
  declared_.store = &store;
  declared_.outputs.clear();
  declared_.outputs.push_back(std::move(main));
}

std::vector<OutputShape> FunctionContext::opened() {
  const std::scoped_lock lock(mutex_);
  opening_ = false;
  declared_.store = nullptr;
  return std::exchange(declared_.outputs, {});
}

void FunctionContext::end() {
  const std::scoped_lock lock(mutex_);
  live_ = false;
  opening_ = false;
  ++generation_;
  declared_ = Opening();
  logger_ = nullptr;
}

Status FunctionContext::declare_side(std::string_view name, const ArrowSchema& schema, uint32_t& ret_tag) {
  if (!opening_) return not_opening(name_, "side output", name);
  if (name.empty()) {
    return {CLUTCH_ERR_ARGUMENT, "function \"" + name_ + "\": a side output is declared without a name; give it one",
            CLUTCH_ORIGIN_PLUGIN};
  }
  CLUTCH_ASSIGN_OR_RETURN(columnar::Field field, columnar::import_field(schema));
  if (field.type.id != columnar::TypeId::kStruct) {
    return {CLUTCH_ERR_ARGUMENT,
            "function \"" + name_ + "\": side output \"" + std::string(name) + "\" has type " +
                columnar::to_string(field.type) + "; its schema must be a struct of its columns",
            CLUTCH_ORIGIN_PLUGIN};
  }
  for (size_t tag = 1; tag < declared_.outputs.size(); ++tag) {
    const OutputShape& known = declared_.outputs[tag];
    if (known.name != name) continue;
    if (known.field.type == field.type) {
      ret_tag = static_cast<uint32_t>(tag);
      return {};
    }
    return {CLUTCH_ERR_ARGUMENT,
            "function \"" + name_ + "\": side output \"" + std::string(name) + "\" is declared as " +
                columnar::to_string(field.type) + ", and was declared as " + columnar::to_string(known.field.type),
            CLUTCH_ORIGIN_USER};
  }
  columnar::Schema exported = columnar::export_field(field);
  declared_.outputs.push_back({std::string(name), std::move(field), std::move(exported)});
  ret_tag = static_cast<uint32_t>(declared_.outputs.size() - 1);
  return {};
}

Status FunctionContext::declare_state(StateInfo info, uint32_t& ret_state) {
  if (!opening_) return not_opening(name_, "state", info.name);
  CLUTCH_ASSIGN_OR_RETURN(ret_state, declared_.store->declare(std::move(info)));
  return {};
}

}  // namespace clutch::host
