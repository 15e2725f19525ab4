// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>
#include <limits>

namespace owq {

/// One linear as the layer tree shows it. Numbers not known yet are NaN (or -1).
struct LayerRow {
    static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

    QString name;  ///< "model.layers.0.self_attn.q_proj"
    int block = 0;
    QString kind;        ///< q, k, v, o, gate, up, down; qkv and gate_up where they are one
    QString inputGroup;  ///< linears of a block with the same one see the same input; empty: not known
    qint64 rows = 0, columns = 0;
    QString dtype;  ///< "F16"
    int bits = -1;  ///< -1: as in the checkpoint
    int weakColumns = -1;
    double sensitivity = kUnknown;  ///< sum over columns
    double error = kUnknown;        ///< loss after quantization
    double otherError = kUnknown;   ///< of the run it is compared with
    bool quantized = false;         ///< numbers of a run, not of an analysis
    QString note;                   ///< for the tool tip
};

}  // namespace owq
