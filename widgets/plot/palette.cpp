// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/plot/palette.h"

#include <array>
#include <utility>

namespace owq {
namespace {

struct ThemedColor {
    QRgb light, dark;
};

// blue, orange, bluish green, reddish purple, sky blue, neutral, yellow
constexpr std::array<ThemedColor, 7> kSeries = {{{0xff0072b2, 0xff4aa3df},
                                                 {0xffe69f00, 0xffe69f00},
                                                 {0xff009e73, 0xff20c997},
                                                 {0xffb0568f, 0xffcc79a7},
                                                 {0xff4aa8dc, 0xff9ad7f5},
                                                 {0xff333333, 0xffd0d0d0},
                                                 {0xffa89a00, 0xfff0e442}}};
constexpr int kColors = static_cast<int>(kSeries.size());
constexpr int kMarkers = 8;

// The names of one role in the model families: LLaMA, OPT, BLOOM and Falcon, GPT-2.
int colorOfKind(const QString& kind) {
    static const std::vector<std::pair<QString, int>> table = {
        {QStringLiteral("q_proj"), 0},          {QStringLiteral("query_key_value"), 0},
        {QStringLiteral("c_attn"), 0},          {QStringLiteral("k_proj"), 1},
        {QStringLiteral("v_proj"), 2},          {QStringLiteral("o_proj"), 3},
        {QStringLiteral("out_proj"), 3},        {QStringLiteral("dense"), 3},
        {QStringLiteral("gate_proj"), 4},       {QStringLiteral("up_proj"), 5},
        {QStringLiteral("fc1"), 5},             {QStringLiteral("dense_h_to_4h"), 5},
        {QStringLiteral("c_fc"), 5},            {QStringLiteral("down_proj"), 6},
        {QStringLiteral("fc2"), 6},             {QStringLiteral("dense_4h_to_h"), 6},
        {QStringLiteral("c_proj"), 6}};
    for (const auto& [name, color] : table)
        if (name == kind) return color;
    return 0;
}

}  // namespace

PlotTheme PlotTheme::fromPalette(const QPalette& palette) {
    PlotTheme theme;
    theme.background = palette.color(QPalette::Base);
    theme.text = palette.color(QPalette::Text);
    theme.dark = theme.background.lightness() < theme.text.lightness();
    theme.axis = blend(theme.background, theme.text, 0.55);
    theme.grid = blend(theme.background, theme.text, theme.dark ? 0.16 : 0.11);
    return theme;
}

PlotTheme PlotTheme::paper() {
    return {QColor(Qt::white), QColor(Qt::black), QColor(0x33, 0x33, 0x33), QColor(0xe2, 0xe2, 0xe2), false};
}

QColor seriesColor(int index, const PlotTheme& theme) {
    const ThemedColor& color = kSeries[static_cast<size_t>(index % kColors)];
    return QColor::fromRgb(theme.dark ? color.dark : color.light);
}

QColor weakColor(const PlotTheme& theme) { return theme.dark ? QColor(0xff, 0x7b, 0x3a) : QColor(0xd5, 0x3e, 0x00); }

QList<qreal> dashPattern(int dash) {
    switch (dash % 4) {
        case 1: return {6, 3};
        case 2: return {2, 2};
        case 3: return {7, 2.5, 1.5, 2.5};
        default: return {};
    }
}

std::vector<SeriesLook> seriesLooks(const QStringList& kinds) {
    std::array<int, kColors> uses{};    // linears drawn with the colour so far
    std::array<bool, kColors> needed{};  // colours of the shown kinds
    for (const QString& kind : kinds) needed[static_cast<size_t>(colorOfKind(kind))] = true;
    std::vector<SeriesLook> looks;
    looks.reserve(static_cast<size_t>(kinds.size()));
    for (int i = 0; i < kinds.size(); ++i) {
        int color = colorOfKind(kinds[i]);
        for (int step = 0; step < kColors && uses[static_cast<size_t>(color)] > 0; ++step) {
            const int other = (color + step) % kColors;
            if (!needed[static_cast<size_t>(other)] && uses[static_cast<size_t>(other)] == 0) color = other;
        }
        const int use = uses[static_cast<size_t>(color)]++;
        looks.push_back({color, use % 4, static_cast<MarkerShape>((color + use) % kMarkers)});
    }
    return looks;
}

QColor blend(const QColor& from, const QColor& to, double share) {
    const auto mix = [share](int a, int b) { return static_cast<int>(a + (b - a) * share + 0.5); };
    return QColor(mix(from.red(), to.red()), mix(from.green(), to.green()), mix(from.blue(), to.blue()));
}

}  // namespace owq
