// SPDX-License-Identifier: Apache-2.0
package io.muster.api;

import java.util.List;

/**
 * The body of every error: {@code application/problem+json} (RFC 9457). It holds only what the caller may know. The
 * true reason of a refused registration goes to operators, never here.
 *
 * @param type address of the explanation, {@link ProblemType#uri()}
 * @param title the same for every problem of that type
 * @param status the HTTP status of the reply
 * @param detail the way for this caller to correct it; null if the title says it all
 * @param instance {@code urn:uuid:...}; the registry's log names the same one
 * @param errors every fault found in the request; null or empty if the fault is not in its content
 */
public record Problem(String type, String title, int status, String detail, String instance, List<Fault> errors) {

    /** The media type of a problem. */
    public static final String MEDIA_TYPE = "application/problem+json";

    /**
     * One fault of a request.
     *
     * @param pointer where the fault is, as a JSON pointer in a URI fragment (RFC 6901 section 6), such as
     *     {@code #/serial}; {@code #} is the whole body
     * @param detail the fault, and what is expected instead
     */
    public record Fault(String pointer, String detail) {}
}
