// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.log.RareLog;
import io.muster.problem.RegistryException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.StreamingOutput;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Replies of any length, which are read and written piece by piece. No transaction and no connection of the database is
 * open while a piece is written. Eight are written at once, since each holds a thread for as long as its reader takes.
 */
public final class Download {

    static final MediaType CSV = new MediaType("text", "csv");
    static final MediaType NDJSON = new MediaType("application", "x-ndjson");

    private static final RareLog LOG = RareLog.of(Download.class);
    private static final int MOST = 8;
    private static final Semaphore AT_ONCE = new Semaphore(MOST);
    private static final Duration COME_BACK = Duration.ofSeconds(30);
    private static final int SLICE = 32 * 1024;
    private static final int MOST_ATTEMPTS = 30;
    private static final Duration PAUSE = Duration.ofSeconds(1);

    private Download() {}

    /** Returns how many are being written. */
    public static int open() {
        return MOST - AT_ONCE.availablePermits();
    }

    /**
     * Answers with all pieces.
     *
     * @param next returns the next piece; empty behind the last. If the first one cannot be read, the answer is a problem
     * @param incomplete is written instead of the pieces that cannot be read later, since servers end such a reply like
     *     a complete one
     */
    static Response of(MediaType type, String file, Supplier<Optional<byte[]>> next, byte[] incomplete) {
        if (!AT_ONCE.tryAcquire()) {
            throw RegistryException.later(ProblemType.SERVICE_UNAVAILABLE, "too many downloads at once", COME_BACK);
        }
        Optional<byte[]> first;
        try {
            first = next.get();
        } finally {
            AT_ONCE.release();
        }
        StreamingOutput body = out -> {
            // Not before: nobody writes the body of an answer to HEAD.
            if (!AT_ONCE.tryAcquire()) {
                out.write(incomplete);
                return;
            }
            try {
                for (Optional<byte[]> piece = first; piece.isPresent(); piece = patiently(next)) {
                    write(piece.get(), out);
                }
            } catch (RuntimeException e) {
                LOG.warn("download", "A download ends before its last row: {}", e.getMessage());
                out.write(incomplete);
            } catch (Error e) {
                // The server would end the answer like a complete one.
                out.write(incomplete);
                throw e;
            } finally {
                AT_ONCE.release();
            }
        };
        return Response.ok(body, type.withCharset("utf-8"))
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .header("Content-Disposition", "attachment; filename=\"" + file + "\"")
                .build();
    }

    /** Writes a little at a time: a server has all that one call writes in memory, however slow the reader is. */
    private static void write(byte[] piece, OutputStream out) throws IOException {
        for (int from = 0; from < piece.length; from += SLICE) {
            out.write(piece, from, Math.min(SLICE, piece.length - from));
        }
    }

    /** Reads a piece, and waits a while if other queries of operators take all their places. */
    private static Optional<byte[]> patiently(Supplier<Optional<byte[]>> next) {
        for (int attempt = 1; ; attempt++) {
            try {
                return next.get();
            } catch (RegistryException e) {
                if (e.type() != ProblemType.TOO_BUSY || attempt == MOST_ATTEMPTS) {
                    throw e;
                }
                LockSupport.parkNanos(PAUSE.toNanos());
            }
        }
    }
}
