// SPDX-License-Identifier: Apache-2.0
package io.muster.verification.http;

import static io.muster.verification.http.HttpWire.reply;
import static io.muster.verification.http.HttpWire.says;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/** Ways in which an API can fail. Most of them contain the genuine reply somewhere, for a careless reader to find. */
final class HttpSickModes {

    private static final String JSON = "application/json";
    private static final String JSON_TYPE = "Content-Type: application/json\r\n";
    private static final int MANY_BYTES = 400 * 1024 * 1024;

    private HttpSickModes() {}

    /** The replies that must become unavailable, by their name. */
    static Map<String, HttpWire.Script> unavailable(HttpKind kind) {
        Map<String, HttpWire.Script> modes = whatever(kind.genuine());
        syntax(modes, kind);
        serials(modes, kind);
        return modes;
    }

    /** The modes that do not depend on the content of the reply. */
    static Map<String, HttpWire.Script> whatever(String genuine) {
        Map<String, HttpWire.Script> modes = new LinkedHashMap<>();
        connections(modes, genuine);
        framing(modes, genuine);
        sizes(modes, genuine);
        statuses(modes, genuine);
        types(modes, genuine);
        return modes;
    }

    /** Values that are not the one that means genuine, however similar they are. */
    static Map<String, HttpWire.Script> almostGenuine(HttpKind kind) {
        Map<String, HttpWire.Script> modes = new LinkedHashMap<>();
        String[] values = kind == HttpKind.API
                ? new String[] {
                    "\"true\"",
                    "1",
                    "1.0",
                    "null",
                    "\"TRUE\"",
                    "\"yes\"",
                    "[true]",
                    "{\"verified\":true}",
                    "[]",
                    "false"
                }
                : new String[] {
                    "true",
                    "1",
                    "null",
                    "\"GENUINE\"",
                    "\"Genuine\"",
                    "\"genuine \"",
                    "[\"genuine\"]",
                    "\"\"",
                    "{}",
                    "false"
                };
        String member = kind == HttpKind.API ? "\"verified\":" : "\"verdict\":";
        for (String value : values) {
            modes.put("the value " + value, says(200, JSON, kind.genuine().replace(kind.yes(), member + value)));
        }
        return modes;
    }

    private static void connections(Map<String, HttpWire.Script> modes, String genuine) {
        modes.put("never answers", HttpWire.Connection::keepQuiet);
        modes.put("closes without a byte", connection -> {});
        modes.put("resets the connection", HttpWire.Connection::reset);
        modes.put("closes in the status line", connection -> connection.write("HTTP/1.1 20"));
        modes.put("closes after the status line", connection -> connection.write("HTTP/1.1 200 OK\r\n"));
        modes.put("closes in the headers", connection -> connection.write("HTTP/1.1 200 OK\r\nContent-Type: appl"));
        modes.put("resets in the body", connection -> {
            connection.write("HTTP/1.1 200 OK\r\n" + JSON_TYPE + "Content-Length: " + (genuine.length() + 500)
                    + "\r\n\r\n" + genuine);
            connection.reset();
        });
        modes.put("stops in the body", connection -> {
            connection.write("HTTP/1.1 200 OK\r\n" + JSON_TYPE + "Content-Length: " + (genuine.length() + 500)
                    + "\r\n\r\n" + genuine);
            connection.keepQuiet();
        });
        modes.put(
                "trickles the headers",
                connection -> connection.trickle("HTTP/1.1 200 OK\r\nX-Trickle: aaaaaaaaaaaaaa"));
        modes.put("trickles blanks after the genuine reply", connection -> {
            connection.write("HTTP/1.1 200 OK\r\n" + JSON_TYPE + "Content-Length: 10000\r\n\r\n" + genuine);
            connection.trickle(" ");
        });
        modes.put("says continue and no more", connection -> {
            connection.write("HTTP/1.1 100 Continue\r\n\r\n");
            connection.keepQuiet();
        });
        modes.put("greets as another protocol", connection -> connection.write("SSH-2.0-OpenSSH_9.2\r\n"));
        modes.put("speaks TLS", connection -> connection.write(new byte[] {0x15, 3, 3, 0, 2, 2, 0x28}));
    }

    private static void framing(Map<String, HttpWire.Script> modes, String genuine) {
        String ok = "HTTP/1.1 200 OK\r\n" + JSON_TYPE;
        String chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
        String chunk = Integer.toHexString(genuine.length()) + "\r\n" + genuine + "\r\n";
        modes.put(
                "announces more than it sends",
                connection ->
                        connection.write(ok + "Content-Length: " + (genuine.length() + 1) + "\r\n\r\n" + genuine));
        modes.put(
                "announces less than it sends",
                connection ->
                        connection.write(ok + "Content-Length: " + (genuine.length() - 1) + "\r\n\r\n" + genuine));
        modes.put(
                "announces a length below zero",
                connection -> connection.write(ok + "Content-Length: -5\r\n\r\n" + genuine));
        modes.put(
                "announces a length that is no number",
                connection -> connection.write(ok + "Content-Length: many\r\n\r\n" + genuine));
        modes.put("leaves out the last chunk", connection -> connection.write(chunked + chunk));
        modes.put("stops in a chunk", connection -> connection.write(chunked + "ff\r\n" + genuine));
        modes.put(
                "sends a chunk without a size",
                connection -> connection.write(chunked + "zz\r\n" + genuine + "\r\n0\r\n\r\n"));
        modes.put(
                "sends a chunk of negative size",
                connection -> connection.write(chunked + "-1\r\n" + genuine + "\r\n0\r\n\r\n"));
        modes.put("sends chunks without saying so", connection -> connection.write(ok + "\r\n" + chunk + "0\r\n\r\n"));
        modes.put("sends no headers at all", connection -> connection.write(genuine));
        modes.put(
                "sends a status that is no number",
                connection -> connection.write("HTTP/1.1 OK\r\n" + JSON_TYPE + "\r\n" + genuine));
    }

    private static void sizes(Map<String, HttpWire.Script> modes, String genuine) {
        modes.put("sends 400 MB of known length", connection -> {
            connection.write(
                    "HTTP/1.1 200 OK\r\n" + JSON_TYPE + "Content-Length: " + MANY_BYTES + "\r\n\r\n" + genuine);
            byte[] blanks = " ".repeat(1 << 16).getBytes(StandardCharsets.US_ASCII);
            for (int sent = 0; sent < MANY_BYTES; sent += blanks.length) {
                connection.write(blanks);
            }
        });
        modes.put("sends 400 MB in chunks", connection -> {
            connection.write("HTTP/1.1 200 OK\r\n" + JSON_TYPE + "Transfer-Encoding: chunked\r\n\r\n");
            byte[] blanks = ("10000\r\n" + " ".repeat(1 << 16) + "\r\n").getBytes(StandardCharsets.US_ASCII);
            for (int sent = 0; sent < MANY_BYTES; sent += blanks.length) {
                connection.write(blanks);
            }
        });
        // Not more: the JDK's client refuses them, but leaves it to the server to end the connection.
        modes.put(
                "sends 1 MB of headers",
                connection -> connection.write("HTTP/1.1 200 OK\r\n"
                        + ("X-Much: " + "a".repeat(1 << 13) + "\r\n").repeat(128)
                        + JSON_TYPE + "\r\n" + genuine));
        modes.put("sends one byte too many", says(200, JSON, genuine + " ".repeat(16 * 1024 + 1 - genuine.length())));
        modes.put("sends chunks of one blank for ever", connection -> {
            connection.write("HTTP/1.1 200 OK\r\n" + JSON_TYPE + "Transfer-Encoding: chunked\r\n\r\n");
            byte[] chunks = "1\r\n \r\n".repeat(1 << 10).getBytes(StandardCharsets.US_ASCII);
            for (int sent = 0; sent < MANY_BYTES; sent += chunks.length) {
                connection.write(chunks);
            }
        });
        modes.put("sends empty chunk extensions for ever", connection -> {
            connection.write("HTTP/1.1 200 OK\r\n" + JSON_TYPE + "Transfer-Encoding: chunked\r\n\r\n1;");
            byte[] extension = "x=y;".repeat(1 << 12).getBytes(StandardCharsets.US_ASCII);
            for (int sent = 0; sent < MANY_BYTES; sent += extension.length) {
                connection.write(extension);
            }
        });
    }

    /** Bytes without end that are never HTTP. The JDK's client gives up, but leaves the connection to the server. */
    static Map<String, HttpWire.Script> endless() {
        return Map.of(
                "says continue", endless("HTTP/1.1 100 Continue\r\n\r\n"),
                "gives early hints", endless("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
                "sends blank lines", endless("\r\n"));
    }

    private static HttpWire.Script endless(String text) {
        byte[] again = text.repeat(1 << 10).getBytes(StandardCharsets.US_ASCII);
        return connection -> {
            for (int sent = 0; sent < MANY_BYTES; sent += again.length) {
                connection.write(again);
            }
        };
    }

    private static void statuses(Map<String, HttpWire.Script> modes, String genuine) {
        for (int status :
                new int[] {201, 203, 206, 300, 304, 400, 402, 403, 405, 410, 418, 429, 500, 502, 503, 504, 599}) {
            modes.put("status " + status + " with the genuine reply", says(status, JSON, genuine));
        }
        for (int status : new int[] {301, 302, 303, 307, 308}) {
            modes.put("status " + status + " to the genuine reply", connection -> {
                if (connection.question().line().contains("/elsewhere")) {
                    connection.write(reply(200, JSON_TYPE, genuine));
                }
                connection.write(reply(status, "Location: /elsewhere\r\n" + JSON_TYPE, genuine));
            });
        }
        modes.put(
                "status 401 with a challenge",
                connection -> connection.write(
                        reply(401, "WWW-Authenticate: Basic realm=\"acme\"\r\n" + JSON_TYPE, genuine)));
        modes.put("status 401 without a challenge", says(401, JSON, genuine));
        modes.put(
                "status 407",
                connection -> connection.write(
                        reply(407, "Proxy-Authenticate: Basic realm=\"acme\"\r\n" + JSON_TYPE, genuine)));
        modes.put("status 204", connection -> connection.write("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"));
        modes.put(
                "status 101",
                connection -> connection.write(
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + genuine));
    }

    private static void types(Map<String, HttpWire.Script> modes, String genuine) {
        modes.put("HTML", says(200, "text/html", "<html><body>Welcome! " + genuine + "</body></html>"));
        modes.put("JSON that is called HTML", says(200, "text/html; charset=utf-8", genuine));
        modes.put("JSON that is called text", says(200, "text/plain", genuine));
        modes.put("JSON that is called jsonp", says(200, "application/jsonp", genuine));
        modes.put("JSON in a list of types", says(200, "text/html, application/json", genuine));
        modes.put("JSON in UTF-16 by its name", says(200, "application/json; charset=utf-16", genuine));
        modes.put("no content type", connection -> connection.write(reply(200, "", genuine)));
        modes.put(
                "two content types",
                connection -> connection.write(reply(200, JSON_TYPE + "Content-Type: text/html\r\n", genuine)));
        modes.put("an empty body", says(200, JSON, ""));
        modes.put("a blank body", says(200, JSON, "  \n "));
        modes.put(
                "gzip that is none",
                connection -> connection.write(reply(200, JSON_TYPE + "Content-Encoding: gzip\r\n", genuine)));
        modes.put(
                "gzip garbage",
                connection -> connection.write(
                        reply(200, JSON_TYPE + "Content-Encoding: gzip\r\n", "\u001f\u008b\b\u0000garbage")));
        modes.put("gzip that nobody asked for", connection -> {
            byte[] zipped = gzip(genuine);
            connection.write("HTTP/1.1 200 OK\r\n" + JSON_TYPE + "Content-Encoding: gzip\r\nContent-Length: "
                    + zipped.length + "\r\n\r\n");
            connection.write(zipped);
        });
    }

    private static void syntax(Map<String, HttpWire.Script> modes, HttpKind kind) {
        String genuine = kind.genuine();
        String body = genuine.substring(1, genuine.length() - 1);
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("JSON without its end", genuine.substring(0, genuine.length() - 1));
        texts.put("text after the JSON", genuine + " and so on");
        texts.put("two JSON values", genuine + genuine);
        texts.put("a comma too many", "{" + body + ",}");
        texts.put("single quotes", genuine.replace('"', '\''));
        texts.put("a comment", "/* ok */" + genuine);
        texts.put("a byte order mark", "\ufeff" + genuine);
        texts.put("a prefix against script inclusion", ")]}',\n" + genuine);
        texts.put("the same member twice", "{" + kind.yes().replaceFirst(":.*", ":false") + "," + body + "}");
        texts.put("the serial twice", "{\"serial\":\"other\"," + body + "}");
        texts.put("a nested member twice", "{\"attributes\":{\"a\":1,\"a\":2}," + body + "}");
        texts.put("an array around it", "[" + genuine + "]");
        texts.put("an object around it", "{\"data\":" + genuine + "}");
        texts.put("a text around it", "\"" + genuine.replace("\"", "\\\"") + "\"");
        texts.put("just true", "true");
        texts.put("just null", "null");
        texts.put("a number that is none", "{\"attributes\":{\"a\":NaN}," + body + "}");
        texts.put("a number of 2000 digits", "{\"attributes\":{\"a\":" + "1".repeat(2000) + "}," + body + "}");
        texts.put("a thousand levels", "{\"attributes\":" + "[".repeat(1000) + "]".repeat(1000) + "," + body + "}");
        texts.put("no such member", genuine.replace("," + kind.yes(), ""));
        texts.put("an empty object", "{}");
        texts.forEach((name, text) -> modes.put(name, says(200, JSON, text)));
        modes.put("bytes that are not UTF-8", connection -> {
            byte[] bytes = ("{\"name\":\"?\"," + body + "}").getBytes(StandardCharsets.US_ASCII);
            bytes[9] = (byte) 0xff;
            connection.write("HTTP/1.1 200 OK\r\n" + JSON_TYPE + "Content-Length: " + bytes.length + "\r\n\r\n");
            connection.write(bytes);
        });
        modes.put("UTF-16 under the name of JSON", connection -> {
            byte[] bytes = genuine.getBytes(StandardCharsets.UTF_16);
            connection.write("HTTP/1.1 200 OK\r\n" + JSON_TYPE + "Content-Length: " + bytes.length + "\r\n\r\n");
            connection.write(bytes);
        });
    }

    private static void serials(Map<String, HttpWire.Script> modes, HttpKind kind) {
        Map<String, String> echoes = new LinkedHashMap<>();
        echoes.put("another serial", "\"serial\":\"SN-0002\"");
        echoes.put("the serial in capitals", "\"serial\":\"" + HttpKind.SERIAL.toUpperCase(Locale.ROOT) + "\"");
        echoes.put("the serial and a blank", "\"serial\":\"" + HttpKind.SERIAL + " \"");
        echoes.put("the serial in a list", "\"serial\":[\"" + HttpKind.SERIAL + "\"]");
        echoes.put("no serial", "\"name\":\"x\"");
        echoes.put("a null serial", "\"serial\":null");
        echoes.put("true for a serial", "\"serial\":true");
        echoes.forEach((name, echo) -> modes.put(
                name, says(200, JSON, kind.genuine().replace("\"serial\":\"" + HttpKind.SERIAL + "\"", echo))));
    }

    private static byte[] gzip(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
