// What both halves of plain_pickle.h know.
#pragma once

#include <cstddef>
#include <string_view>

namespace clutch::pyembed::plain {

// Opcodes, by their names in pickletools. Numbers are little-endian but for the float.
inline constexpr char kStop = '.', kMark = '(';
inline constexpr char kNone = 'N', kTrue = '\x88', kFalse = '\x89';
inline constexpr char kInt1 = 'K', kInt2 = 'M', kInt4 = 'J', kLong1 = '\x8a', kFloat = 'G';
inline constexpr char kText1 = '\x8c', kText4 = 'X', kBytes1 = 'C', kBytes4 = 'B';
inline constexpr char kTuple = 't', kTuple0 = ')', kTuple1 = '\x85', kTuple2 = '\x86', kTuple3 = '\x87';
inline constexpr char kList = ']', kAppend = 'a', kAppends = 'e', kDict = '}', kPair = 's', kPairs = 'u';
inline constexpr std::string_view kHead = "\x80\x05";  // protocol 5

inline constexpr int kMostNested = 4;  // tuples, lists and dicts in each other
inline constexpr int kMostItems = 16;  // of one of them
inline constexpr size_t kMostHeld =
    144;  // objects that wait for what they stand in: nested * (2 * items + 2), and some

}  // namespace clutch::pyembed::plain
