#include <cstring>

#include "window/contents.h"

namespace clutch::engine {
namespace {

constexpr size_t kHead = 9;  // bytes before the value

void put(int64_t number, std::string& out) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof number);
}

Status damaged(size_t size) {
  return Status(CLUTCH_ERR_DATA, "an element of a window is kept as " + std::to_string(size) +
                                     " bytes, which no element has; the state was written by something else");
}

}  // namespace

Result<ListedContents> ListedContents::make(std::vector<columnar::Field> inputs, StateBackend& backend,
                                            const KeyTable& keys, std::optional<Evictor> evictor, bool clears) {
  ListedContents out(backend, keys, evictor, clears);
  Result<StateId> state = backend.declare({"window-contents", StateKind::kList, {}});
  if (!state.ok()) return state.status();
  out.state_ = *state;
  for (columnar::Field& field : inputs) {
    Result<columnar::RowCodec> codec = columnar::RowCodec::make(field);
    if (!codec.ok()) return codec.status();
    out.codecs_.push_back(std::move(*codec));
    out.builders_.emplace_back(field);
    out.fields_.push_back(std::move(field));
  }
  out.input_field_ = {"input", *columnar::parse_type("int8"), true};
  return out;
}

StateAddress ListedContents::address(KeyId key, Window state) {
  space_.clear();
  put(state.start, space_);
  put(state.end, space_);
  return {state_, keys_->key(key), space_};
}

Status ListedContents::keep(const WindowAction& action, const WindowElements& elements) {
  item_.clear();
  put(elements.timestamps[static_cast<size_t>(action.row)], item_);
  const size_t input = elements.input_of(action.row);
  item_.push_back(static_cast<char>(input));
  codecs_[input].encode(*elements.values[input], action.row, item_);
  const std::string_view item = item_;
  return backend_->append(address(action.key, action.state), {&item, 1});
}

Status ListedContents::add_value(const Kept& element) {
  for (size_t i = 0; i < builders_.size(); ++i) {
    if (i == element.input) {
      CLUTCH_RETURN_IF_ERROR(codecs_[i].decode(element.value, builders_[i]));
    } else {
      builders_[i].append_null();
    }
  }
  inputs_.push_back(static_cast<int8_t>(element.input));
  return {};
}

Status ListedContents::fire(const WindowAction& action, WindowEventBatch& out) {
  const StateAddress at = address(action.key, action.state);
  Result<std::vector<std::string>> items = backend_->list(at);
  if (!items.ok()) return items.status();
  std::vector<Kept> elements;
  std::vector<int64_t> timestamps;
  elements.reserve(items->size());
  for (const std::string& item : *items) {
    if (item.size() < kHead || static_cast<size_t>(item[kHead - 1]) >= codecs_.size()) return damaged(item.size());
    Kept element{0, static_cast<size_t>(item[kHead - 1]), std::string_view(item).substr(kHead)};
    std::memcpy(&element.timestamp, item.data(), sizeof element.timestamp);
    elements.push_back(element);
    timestamps.push_back(element.timestamp);
  }
  std::vector<int32_t> kept;
  if (evictor_.has_value()) kept = evictor_->keep(timestamps);
  const bool evicted = evictor_.has_value() && kept.size() < elements.size();

  const auto give = [&](const Kept& element) -> Status {
    out.add(action.key, action.state, static_cast<int32_t>(inputs_.size()));
    return add_value(element);
  };
  if (evicted && !evictor_->after()) {
    for (const int32_t row : kept) CLUTCH_RETURN_IF_ERROR(give(elements[static_cast<size_t>(row)]));
  } else {
    for (const Kept& element : elements) CLUTCH_RETURN_IF_ERROR(give(element));
  }
  // Also where an evictor took all elements: the function is called with none, as in Flink.
  out.fire(action.key, action.state, action.window, action.window.max_timestamp());
  if (!evicted) return {};
  CLUTCH_RETURN_IF_ERROR(backend_->clear(at));
  std::vector<std::string_view> rest;
  for (const int32_t row : kept) rest.push_back((*items)[static_cast<size_t>(row)]);
  return rest.empty() ? Status() : backend_->append(at, rest);
}

Status ListedContents::run(const WindowActions& actions, const WindowElements* elements, WindowEventBatch& out) {
  for (const WindowAction& action : actions) {
    switch (action.kind) {
      case WindowAction::Kind::kAdd:
        CLUTCH_RETURN_IF_ERROR(keep(action, *elements));
        break;
      case WindowAction::Kind::kMerge: {
        std::string source;
        put(action.source.start, source);
        put(action.source.end, source);
        const std::string_view from = source;
        CLUTCH_RETURN_IF_ERROR(backend_->merge_lists(address(action.key, action.state), {&from, 1}));
        break;
      }
      case WindowAction::Kind::kFire:
        CLUTCH_RETURN_IF_ERROR(fire(action, out));
        break;
      case WindowAction::Kind::kPurge:
        CLUTCH_RETURN_IF_ERROR(backend_->clear(address(action.key, action.state)));
        break;
      case WindowAction::Kind::kDrop:
        CLUTCH_RETURN_IF_ERROR(backend_->clear(address(action.key, action.state)));
        if (clears_) out.clear(action.key, action.state, action.window);
        break;
      case WindowAction::Kind::kLate:
        break;
    }
  }
  return {};
}

std::vector<WindowEventBatch::Values> ListedContents::values(const WindowElements*) {
  finished_.clear();
  std::vector<WindowEventBatch::Values> out;
  if (builders_.size() > 1) {
    columnar::ArrayBuilder inputs(input_field_);
    for (const int8_t input : inputs_) inputs.append(input);
    finished_.push_back(inputs.finish());
  }
  for (columnar::ArrayBuilder& builder : builders_) finished_.push_back(builder.finish());
  for (size_t i = 0; i < finished_.size(); ++i) {
    const bool of_input = finished_.size() > fields_.size();
    out.push_back({of_input && i == 0 ? &input_field_ : &fields_[of_input ? i - 1 : i], finished_[i].get()});
  }
  return out;
}

void ListedContents::reset() {
  finished_.clear();
  inputs_.clear();
}

}  // namespace clutch::engine
