// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "core/model/model_source.h"

namespace owq {

/// Output head of a model: the linear from hidden states to logits.
struct HeadShape {
    int64_t rows = 0, columns = 0;  ///< vocabulary, width of the embedding
};
HeadShape headShape(const ModelSource& source);

/// The same model with its head rounded to `bits` (2…8), a min-max grid per row. An embedding tied to the head stays as it is.
/// Rounded anew whenever the head is asked for. Throws Error where the head is not finite.
std::shared_ptr<const ModelSource> withRoundedHead(std::shared_ptr<const ModelSource> source, int bits);

}  // namespace owq
