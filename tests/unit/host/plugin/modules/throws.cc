// A plugin that breaks the first rule of the contract.
#include <stdexcept>

#include "clutch/abi.h"

int32_t clutch_plugin_negotiate_v1(const clutch_host_offer*, clutch_plugin_answer*) {
  throw std::runtime_error("out of paper");
}
