package io.muster.api;

import java.util.Locale;

/**
 * Every error the registry can answer, and no others. The slug is the constant's name in lower case with dashes; {@code
 * docs/problems.md} has an anchor for each.
 */
public enum ProblemType {
    /** The request breaks a documented rule; {@link Problem#errors()} lists every fault. */
    INVALID_REQUEST(400, "The request is not valid"),
    /**
     * The registration was not admitted. The same answer for an unknown, refused, blocked or already used serial, so that it
     * is no oracle. The status is the registry's {@code muster.registration.refused-status}.
     */
    REGISTRATION_REFUSED(400, "The registration was refused"),
    /** No bearer token, or one that is not valid here. */
    UNAUTHORIZED(401, "Authentication is required"),
    /** The bearer token is valid and lacks the right. */
    FORBIDDEN(403, "This token does not have the right"),
    /** There is nothing at this address, or nothing by this id. */
    NOT_FOUND(404, "Not found"),
    /** The address exists, the method does not. */
    METHOD_NOT_ALLOWED(405, "The method is not allowed here"),
    /** The caller accepts no form that this address can answer in. */
    NOT_ACCEPTABLE(406, "No acceptable form of the answer"),
    /** The request contradicts what is stored. */
    CONFLICT(409, "The request conflicts with the present state"),
    /** The condition of the request ({@code If-Match}, {@code If-None-Match}) does not hold: somebody else was faster. */
    PRECONDITION_FAILED(412, "The precondition does not hold"),
    /** The body is over the limit. */
    PAYLOAD_TOO_LARGE(413, "The request body is too large"),
    /** The body is in a form that this address does not read. */
    UNSUPPORTED_MEDIA_TYPE(415, "The request body has the wrong content type"),
    /** A limit was reached; {@code Retry-After} says when to come back. */
    TOO_MANY_REQUESTS(429, "Too many requests"),
    /** A fault of the registry itself. */
    INTERNAL_ERROR(500, "The registry failed"),
    /** A verifier could not find out; {@code Retry-After} says when to come back. Nothing was created. */
    VERIFICATION_UNAVAILABLE(503, "The serial cannot be verified now"),
    /** The registry's database is away; {@code Retry-After} says when to come back. */
    SERVICE_UNAVAILABLE(503, "The registry cannot answer now");

    private final int status;
    private final String title;

    ProblemType(int status, String title) {
        this.status = status;
        this.title = title;
    }

    /**
     * Returns the HTTP status that goes with this problem unless the registry's configuration says otherwise.
     *
     * @return 400 to 599
     */
    public int status() {
        return status;
    }

    /**
     * Returns the sentence for people; the same for every problem of this type.
     *
     * @return a title without a full stop
     */
    public String title() {
        return title;
    }

    /**
     * Returns the stable name, such as {@code registration-refused}.
     *
     * @return lower-case letters and dashes
     */
    public String slug() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * Returns the {@code type} member of the problem, a URN: the same on every installation, resolved by nobody.
     *
     * @return {@code urn:muster:problem:} and the slug
     */
    public String uri() {
        return "urn:muster:problem:" + slug();
    }
}
