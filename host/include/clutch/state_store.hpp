// A store of the application for the state and timers of a function, in C++: the methods are the functions of
// clutch_app_state_store, with its contract; they fail by throwing. clutch.hpp includes this.
//
//   class Mine : public clutch::StateStore { ... };
//   Mine store;
//   clutch::Function counting = host.open(clutch::Spec(...).state_store(store.table()));
#pragma once

#include <cstdint>
#include <exception>
#include <optional>

#include "clutch/clutch.hpp"

namespace clutch {

class StateStore {
 public:
  StateStore() {
    table_.struct_size = sizeof(table_);
    table_.self = this;
    table_.declare = [](void* self, uint32_t state, const clutch_state_declaration* declaration,
                        clutch_app_error* error) noexcept {
      return guard(error, [&] { of(self).declare(state, *declaration); });
    };
    table_.read = [](void* self, uint32_t state, const clutch_bytes* keys, uint64_t n_keys, int64_t now_ms,
                     clutch_app_state_value* ret_values, clutch_app_error* error) noexcept {
      return guard(error, [&] { of(self).read(state, keys, n_keys, now_ms, ret_values); });
    };
    table_.read_page = [](void* self, const clutch_app_page_request* request, clutch_app_page* ret_page,
                          clutch_app_error* error) noexcept {
      return guard(error, [&] { of(self).read_page(*request, *ret_page); });
    };
    table_.look_up = [](void* self, uint32_t state, const clutch_app_entry_name* names, uint64_t n_names,
                        int64_t now_ms, clutch_app_state_value* ret_values, clutch_app_error* error) noexcept {
      return guard(error, [&] { of(self).look_up(state, names, n_names, now_ms, ret_values); });
    };
    table_.commit = [](void* self, const clutch_app_commit* commit, clutch_app_error* error) noexcept {
      return guard(error, [&] { of(self).commit(*commit); });
    };
    table_.due = [](void* self, int64_t event_ms, int64_t processing_ms, const clutch_app_timer** ret_timers,
                    uint64_t* ret_count, clutch_app_error* error) noexcept {
      return guard(error, [&] { *ret_count = of(self).due(event_ms, processing_ms, *ret_timers); });
    };
    table_.next = [](void* self, int32_t domain, int64_t* ret_time_ms, clutch_app_error* error) noexcept {
      std::optional<int64_t> time_ms;
      const int32_t status = guard(error, [&] { time_ms = of(self).next(domain); });
      if (status != CLUTCH_OK) return status;
      if (!time_ms) return int32_t{CLUTCH_ERR_NOT_FOUND};
      *ret_time_ms = *time_ms;
      return int32_t{CLUTCH_OK};
    };
  }
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;
  virtual ~StateStore() = default;

  virtual void declare(uint32_t state, const clutch_state_declaration& declaration) = 0;
  virtual void read(uint32_t state, const clutch_bytes* keys, uint64_t n_keys, int64_t now_ms,
                    clutch_app_state_value* ret_values) = 0;
  virtual void read_page(const clutch_app_page_request& request, clutch_app_page& ret_page) = 0;
  virtual void look_up(uint32_t state, const clutch_app_entry_name* names, uint64_t n_names, int64_t now_ms,
                       clutch_app_state_value* ret_values) = 0;
  virtual void commit(const clutch_app_commit& commit) = 0;
  // Gives the number of timers.
  virtual uint64_t due(int64_t event_ms, int64_t processing_ms, const clutch_app_timer*& ret_timers) = 0;
  virtual std::optional<int64_t> next(int32_t domain) = 0;

  // For Spec::state_store. Lives as long as this.
  const clutch_app_state_store* table() const { return &table_; }

 private:
  static StateStore& of(void* self) { return *static_cast<StateStore*>(self); }
  template <typename Call>
  static int32_t guard(clutch_app_error* error, Call call) noexcept {
    try {
      call();
      return CLUTCH_OK;
    } catch (const Error& thrown) {
      clutch_app_error_set(error, thrown.code(), thrown.what());
      return thrown.code();
    } catch (const std::bad_alloc& thrown) {
      clutch_app_error_set(error, CLUTCH_ERR_MEMORY, thrown.what());
      return CLUTCH_ERR_MEMORY;
    } catch (const std::exception& thrown) {
      clutch_app_error_set(error, CLUTCH_ERR_INTERNAL, thrown.what());
      return CLUTCH_ERR_INTERNAL;
    } catch (...) {
      return CLUTCH_ERR_INTERNAL;
    }
  }

  clutch_app_state_store table_{};
};

}  // namespace clutch
