// Numbers as Java's toString() writes them.
#pragma once

#include <cstdint>
#include <string>

namespace clutch::engine {

// The fewest digits that give the same number: "1.0", "4.3333335", "1.0E10", "NaN", "-Infinity".
void append_java_double(double value, std::string& out);
void append_java_float(float value, std::string& out);

// BigDecimal of a 128-bit little-endian number and its scale: "12.50", "0E-18".
void append_java_decimal(const uint8_t* bytes, int32_t scale, std::string& out);

}  // namespace clutch::engine
