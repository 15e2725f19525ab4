// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "core/model/model_info.h"
#include "core/quantize/quantize.h"

namespace owq {

/// Where finished linears go. The pipeline asks it first for what an earlier, interrupted run already finished.
class LayerSink {
public:
    virtual ~LayerSink() = default;
    virtual bool has(const std::string& linear) const = 0;
    virtual LinearOutcome load(const std::string& linear) const = 0;
    /// The linear counts as finished when this returns.
    virtual void store(const LinearInfo& linear, const LinearOutcome& outcome) = 0;
};

}  // namespace owq
