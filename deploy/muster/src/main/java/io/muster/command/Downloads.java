// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** Writes a file of any length as the registry sends it. */
final class Downloads {

    private static final int TAIL = 256;

    private final Api api;
    private final Shell shell;

    Downloads(Api api, Shell shell) {
        this.api = api;
        this.shell = shell;
    }

    /**
     * Fetches a file.
     *
     * @param to a file that does not exist; without one it goes to the output, where a terminal gets harmless text
     */
    int fetch(Api.Request request, Optional<Path> to) throws Failure, InterruptedException {
        if (to.isPresent()) {
            SecretFile.reserve(to.get());
        }
        boolean whole = false;
        try (InputStream body = api.send(request).body()) {
            if (to.isPresent()) {
                try (OutputStream out = SecretFile.open(to.get())) {
                    whole = copy(body, out);
                }
            } else if (shell.isTerminal(1)) {
                whole = show(body);
            } else {
                whole = copy(body, shell.out());
            }
        } catch (IOException e) {
            throw api.broken(request, e);
        } finally {
            if (!whole && to.isPresent()) {
                discard(to.get());
            }
        }
        if (!whole) {
            throw new Failure(Exit.DIFFERENT, "The registry could not send all of it. Repeat the command.");
        }
        return Exit.DONE;
    }

    private static void discard(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // It is as incomplete as before.
        }
    }

    /** Returns whether it arrived whole: the last line says if it is not. */
    private static boolean copy(InputStream body, OutputStream out) throws IOException {
        byte[] buffer = new byte[1 << 16];
        byte[] tail = new byte[0];
        for (int read = body.read(buffer); read >= 0; read = body.read(buffer)) {
            out.write(buffer, 0, read);
            byte[] joined = Arrays.copyOf(tail, tail.length + read);
            System.arraycopy(buffer, 0, joined, tail.length, read);
            tail = Arrays.copyOfRange(joined, Math.max(0, joined.length - TAIL), joined.length);
        }
        out.flush();
        return isWhole(new String(tail, StandardCharsets.UTF_8));
    }

    private boolean show(InputStream body) throws IOException {
        PrintWriter out = shell.writer(shell.out(), true);
        BufferedReader reader = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
        String last = "";
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
            out.println(Printable.text(line));
            last = line;
        }
        return isWhole(last);
    }

    private static boolean isWhole(String end) {
        String last = end.strip();
        return !last.substring(last.lastIndexOf('\n') + 1).matches("THIS (EXPORT|LIST) IS INCOMPLETE,.*")
                && !last.contains(">THIS LIST IS INCOMPLETE");
    }
}
