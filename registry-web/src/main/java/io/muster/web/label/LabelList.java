// SPDX-License-Identifier: Apache-2.0
package io.muster.web.label;

import java.io.IOException;
import java.io.Writer;

/** Writes CSV (RFC 4180) for a label printer: serial, code and address of each label. */
public final class LabelList implements LabelWriter {

    private final Writer out;

    /** Writes to this writer, and does not close it. */
    public LabelList(Writer out) {
        this.out = out;
    }

    @Override
    public void begin() throws IOException {
        out.write("serial,code,url\r\n");
    }

    @Override
    public void label(Label label) throws IOException {
        out.write(field(label.serial()) + "," + field(label.code()) + "," + field(label.url()) + "\r\n");
    }

    @Override
    public void end() throws IOException {
        out.flush();
    }

    @Override
    public void breakOff() throws IOException {
        out.write("THIS LIST IS INCOMPLETE,REQUEST IT AGAIN,\r\n");
        out.flush();
    }

    private static String field(String text) {
        return text.indexOf(',') < 0 && text.indexOf('"') < 0 ? text : "\"" + text.replace("\"", "\"\"") + "\"";
    }
}
