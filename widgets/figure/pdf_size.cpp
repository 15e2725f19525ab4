// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/figure/pdf_size.h"

#include <QList>

namespace owq {

QByteArray withExactPageSize(QByteArray pdf, double widthPt, double heightPt) {
    static const QByteArray kBox = QByteArrayLiteral("/MediaBox [");
    const qsizetype box = pdf.indexOf(kBox);
    const qsizetype boxEnd = box < 0 ? -1 : pdf.indexOf(']', box);
    const qsizetype startTable = pdf.lastIndexOf("startxref\n");
    if (boxEnd < 0 || startTable < 0 || pdf.indexOf(kBox, boxEnd) >= 0) return pdf;
    const QList<QByteArray> numbers = pdf.mid(box + kBox.size(), boxEnd - box - kBox.size()).simplified().split(' ');
    bool tableOk = false;
    const qsizetype tableAt = startTable + 10;
    qsizetype table = pdf.mid(tableAt, pdf.indexOf('\n', tableAt) - tableAt).toLongLong(&tableOk);
    if (numbers.size() != 4 || !tableOk || table < boxEnd || pdf.mid(table, 5) != "xref\n") return pdf;

    // The content hangs from the top edge, so what rounding took or gave goes to the bottom edge.
    const double top = numbers[3].toDouble();
    const QByteArray exact = kBox + "0 " + QByteArray::number(top - heightPt, 'f', 4) + ' ' + QByteArray::number(widthPt, 'f', 4) +
                             ' ' + numbers[3];
    const qsizetype shift = exact.size() - (boxEnd - box);
    pdf.replace(startTable + 10, pdf.indexOf('\n', startTable + 10) - startTable - 10, QByteArray::number(table + shift));
    // Entries are "oooooooooo ggggg n \n": ten digits, always 20 bytes.
    qsizetype line = pdf.indexOf('\n', table + 5) + 1;
    for (; line + 20 <= pdf.size() && (pdf[line + 17] == 'n' || pdf[line + 17] == 'f') && pdf[line + 10] == ' '; line += 20) {
        const qlonglong offset = pdf.mid(line, 10).toLongLong();
        if (pdf[line + 17] == 'n' && offset > box) pdf.replace(line, 10, QByteArray::number(offset + shift).rightJustified(10, '0'));
    }
    pdf.replace(box, boxEnd - box, exact);
    return pdf;
}

}  // namespace owq
