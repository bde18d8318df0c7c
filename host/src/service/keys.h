// The keys of a batch, as a function gets them: the distinct ones, and the position of each row's key.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "clutch/clutch.h"
#include "clutch/columnar/owned.h"
#include "clutch/columnar/result.h"
#include "function/input.h"

namespace clutch::host {

// Check what an application gave: `keys` binary or utf8 without nulls, one a row if there is no `key_index`, otherwise
// `key_index` int32 without nulls, one a row, in range.
Status check_keys(const columnar::Array& keys, const columnar::Array& key_index, int64_t rows);

// Check clutch_batch.merges: struct<into: int32, from: int32> without nulls, of two different positions in the distinct
// keys, which need a key_index beside them.
Status check_merges(const columnar::Array& merges, const columnar::Array& keys, const columnar::Array& key_index);

// Fill keys, key_index and timers of an input from checked keys and the timers that are due. A timer's key that no row
// has gets a position of its own. `ret_keys` are the distinct keys, as they lie in the input.
Status arrange_keys(columnar::Array keys, columnar::Array key_index, std::span<const clutch_app_timer> due,
                    BatchInput& input, std::vector<clutch_bytes>& ret_keys);

}  // namespace clutch::host
