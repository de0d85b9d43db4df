// SPDX-License-Identifier: Apache-2.0
package io.muster.api;

import java.util.Locale;

/**
 * Every error that the registry can answer, and no others. The slug is the constant's name in lower case with dashes;
 * {@code docs/problems.md} has an anchor for each.
 */
public enum ProblemType {
    /** The request breaks a documented rule; {@link Problem#errors()} lists every fault. */
    INVALID_REQUEST(400, "The request is not valid"),
    /**
     * The registration was not admitted. Unknown, refused, blocked and already used serials get the same answer, so
     * that nobody can probe for serials. The status is the registry's {@code muster.registration.refused-status}.
     */
    REGISTRATION_REFUSED(400, "The registration was refused"),
    /** There is no bearer token, or it is not valid here. */
    UNAUTHORIZED(401, "Authentication is required"),
    /** The bearer token is valid but lacks the right. */
    FORBIDDEN(403, "This token does not have the right"),
    /** The user is not in the group that the device was to belong to. */
    NOT_IN_GROUP(403, "You are not in this group"),
    /** There is nothing at this address, or nothing by this id. */
    NOT_FOUND(404, "Not found"),
    /**
     * The claim was not accepted. The answer is the same for an unknown serial, a wrong code and a device that cannot be
     * claimed. So it does not reveal which serials and codes exist.
     */
    CLAIM_REFUSED(404, "The claim was refused"),
    /** The address exists, but not with this method. */
    METHOD_NOT_ALLOWED(405, "The method is not allowed here"),
    /** The address cannot answer in any form that the caller accepts. */
    NOT_ACCEPTABLE(406, "No acceptable form of the answer"),
    /** The request conflicts with the stored state. */
    CONFLICT(409, "The request conflicts with the present state"),
    /** The device belongs to somebody else already. Only those who presented a code of it are told. */
    ALREADY_CLAIMED(409, "The device belongs to somebody already"),
    /**
     * The condition of the request ({@code If-Match}, {@code If-None-Match}) does not hold: another request was faster.
     */
    PRECONDITION_FAILED(412, "The precondition does not hold"),
    /** The body is over the limit. */
    PAYLOAD_TOO_LARGE(413, "The request body is too large"),
    /** The body is in a form that this address does not read. */
    UNSUPPORTED_MEDIA_TYPE(415, "The request body has the wrong content type"),
    /** A limit was reached. {@code Retry-After} says when to retry. */
    TOO_MANY_REQUESTS(429, "Too many requests"),
    /** A fault of the registry itself. */
    INTERNAL_ERROR(500, "The registry failed"),
    /** A verifier could not find out. Nothing was created. {@code Retry-After} says when to retry. */
    VERIFICATION_UNAVAILABLE(503, "The serial cannot be verified now"),
    /**
     * The database did not finish an operator's request in time and cancelled it. Nothing was changed.
     * {@code Retry-After} says when to retry.
     */
    TOO_SLOW(503, "The request took too long and was ended"),
    /** Too many requests of operators are under way. Nothing was changed. {@code Retry-After} says when to retry. */
    TOO_BUSY(503, "Too many requests of operators are under way"),
    /** The registry's database is unreachable. {@code Retry-After} says when to retry. */
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
     * Returns the sentence for people, which is the same for every problem of this type.
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
     * Returns the {@code type} member of the problem: a URN, the same on every installation, which no client has to
     * resolve.
     *
     * @return {@code urn:muster:problem:} and the slug
     */
    public String uri() {
        return "urn:muster:problem:" + slug();
    }
}
