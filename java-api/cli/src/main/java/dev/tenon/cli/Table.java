package dev.tenon.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Rows of text in aligned columns. A column whose heading begins with {@code >} is aligned to the right. */
final class Table {
    private final String[] headings;
    private final boolean[] right;
    private final List<String[]> rows = new ArrayList<>();

    Table(String... headings) {
        this.headings = new String[headings.length];
        this.right = new boolean[headings.length];
        for (int i = 0; i < headings.length; i++) {
            right[i] = headings[i].startsWith(">");
            this.headings[i] = right[i] ? headings[i].substring(1) : headings[i];
        }
    }

    Table row(Object... cells) {
        String[] row = new String[cells.length];
        for (int i = 0; i < cells.length; i++) {
            row[i] = String.valueOf(cells[i]);
        }
        rows.add(row);
        return this;
    }

    void print(PrintWriter out, String indent) {
        int[] widths = widths();
        line(out, indent, headings, widths);
        rows.forEach(r -> line(out, indent, r, widths));
    }

    /** Prints the rows without headings. */
    void printRows(PrintWriter out) {
        int[] widths = widths();
        rows.forEach(r -> line(out, "", r, widths));
    }

    private int[] widths() {
        int[] widths = new int[headings.length];
        for (int i = 0; i < widths.length; i++) {
            int column = i;
            widths[i] = Math.max(
                    headings[i].length(),
                    rows.stream().mapToInt(r -> r[column].length()).max().orElse(0));
        }
        return widths;
    }

    private void line(PrintWriter out, String indent, String[] cells, int[] widths) {
        StringBuilder s = new StringBuilder(indent);
        for (int i = 0; i < cells.length; i++) {
            String space = " ".repeat(widths[i] - cells[i].length());
            s.append(i == 0 ? "" : "  ").append(right[i] ? space + cells[i] : cells[i] + space);
        }
        out.println(s.toString().stripTrailing());
    }
}
