#include "text/java_number.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "rows/text.h"

namespace clutch::engine {
namespace {

template <typename T>
void append_real(T value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::signbit(value)) out += '-';
  const T magnitude = std::fabs(value);
  if (std::isinf(value)) {
    out += "Infinity";
  } else if (magnitude == 0) {
    out += "0.0";
  } else {
    char text[64];
    const auto [end, error] = std::to_chars(text, text + sizeof text, magnitude, std::chars_format::scientific);
    std::string_view digits(text, static_cast<size_t>(end - text));
    const size_t mark = digits.find('e');
    int exponent = 0;
    const char* power = text + mark + (text[mark + 1] == '+' ? 2 : 1);
    std::from_chars(power, end, exponent);
    const std::string_view fraction = mark > 2 ? digits.substr(2, mark - 2) : std::string_view();
    const char first = digits.front();
    if (magnitude < static_cast<T>(1e-3) || magnitude >= static_cast<T>(1e7)) {
      out += first;
      out += '.';
      out += fraction.empty() ? std::string_view("0") : fraction;
      out += 'E';
      out += std::to_string(exponent);
    } else if (exponent < 0) {
      out += "0.";
      out.append(static_cast<size_t>(-exponent - 1), '0');
      out += first;
      out += fraction;
    } else {
      const auto whole = static_cast<size_t>(exponent);
      out += first;
      out += fraction.substr(0, whole);
      if (fraction.size() < whole) out.append(whole - fraction.size(), '0');
      out += '.';
      out += fraction.size() > whole ? fraction.substr(whole) : std::string_view("0");
    }
  }
}

}  // namespace

void append_java_double(double value, std::string& out) { append_real(value, out); }
void append_java_float(float value, std::string& out) { append_real(value, out); }

void append_java_decimal(const uint8_t* bytes, int32_t scale, std::string& out) {
  std::string digits = rows::format_decimal(bytes, 0);
  const bool negative = digits.front() == '-';
  const auto count = static_cast<int32_t>(digits.size()) - (negative ? 1 : 0);
  const int32_t exponent = count - 1 - scale;
  if (scale >= 0 && exponent >= -6) {
    out += rows::format_decimal(bytes, scale);
    return;
  }
  if (count > 1) digits.insert(negative ? size_t{2} : size_t{1}, size_t{1}, '.');
  out += digits;
  if (exponent == 0) return;
  out += 'E';
  if (exponent > 0) out += '+';
  out += std::to_string(exponent);
}

}  // namespace clutch::engine
