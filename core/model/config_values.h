// SPDX-License-Identifier: Apache-2.0
// Private to core/model. Checked numbers of a configuration.
#pragma once
#include "core/model/family.h"

namespace owq {

/// Between 1 and `largest`.
int64_t sizedValue(const Json& config, const char* key, int64_t largest, const std::string& where);
double valueWithin(const Json& object, const char* key, double smallest, double largest, const std::string& where);
/// The first of the keys whose value is not null; null when there is none.
const char* firstKey(const Json& config, const ConfigKeys::Names& keys);
Activation activationFromName(const std::string& name, const std::string& where);

/// Rotary positions of a model with heads of headSize.
RopeConfig ropeConfig(const Json& config, const ConfigKeys& keys, int64_t headSize, const std::string& where);
/// Of each block; empty when all see everything.
std::vector<int64_t> windowSizes(const Json& config, const Family& family, int blocks, const std::string& where);

// What single families add to their table entry.
void configureOpt(const Json& config, const std::string& where, ModelConfig& out);
void configureLlama(const Json& config, const std::string& where, ModelConfig& out);
void configureGemma(const Json& config, const std::string& where, ModelConfig& out);
void configureGpt2(const Json& config, const std::string& where, ModelConfig& out);
void configureNeox(const Json& config, const std::string& where, ModelConfig& out);
void configureBloom(const Json& config, const std::string& where, ModelConfig& out);
void configureFalcon(const Json& config, const std::string& where, ModelConfig& out);

}  // namespace owq
