// SPDX-License-Identifier: Apache-2.0
package io.muster.web.operator;

import io.muster.api.ProblemType;
import io.muster.log.RareLog;
import io.muster.problem.RegistryException;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.StreamingOutput;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/**
 * Replies of any length, which are read and written piece by piece. No transaction and no connection of the database is
 * open while a piece is written. Eight are written at once, since each holds a thread for as long as its reader takes.
 */
final class Download {

    static final MediaType CSV = new MediaType("text", "csv");
    static final MediaType NDJSON = new MediaType("application", "x-ndjson");

    private static final RareLog LOG = RareLog.of(Download.class);
    private static final Semaphore AT_ONCE = new Semaphore(8);
    private static final Duration COME_BACK = Duration.ofSeconds(30);

    private Download() {}

    /**
     * Answers with all pieces.
     *
     * @param next returns the next piece; empty behind the last. If the first one cannot be read, the answer is a problem
     * @param incomplete is written instead of the pieces that cannot be read later, since servers end such a reply like
     *     a complete one
     */
    static Response of(MediaType type, String file, Supplier<Optional<byte[]>> next, byte[] incomplete) {
        if (AT_ONCE.availablePermits() == 0) {
            throw RegistryException.later(ProblemType.SERVICE_UNAVAILABLE, "too many downloads at once", COME_BACK);
        }
        Optional<byte[]> first = next.get();
        StreamingOutput body = out -> {
            // Not before: nobody writes the body of an answer to HEAD.
            if (!AT_ONCE.tryAcquire()) {
                out.write(incomplete);
                return;
            }
            try {
                for (Optional<byte[]> piece = first; piece.isPresent(); piece = next.get()) {
                    out.write(piece.get());
                }
            } catch (RuntimeException e) {
                LOG.warn("download", "A download ends before its last row: {}", e.getMessage());
                out.write(incomplete);
            } finally {
                AT_ONCE.release();
            }
        };
        return Response.ok(body, type.withCharset("utf-8"))
                .header(HttpHeaders.CACHE_CONTROL, "no-store")
                .header("Content-Disposition", "attachment; filename=\"" + file + "\"")
                .build();
    }
}
