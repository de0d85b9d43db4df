// SPDX-License-Identifier: Apache-2.0
package io.muster.token;

import java.time.Instant;
import java.util.Optional;

/**
 * A proof of possession (RFC 9449) that was signed with its own key, for this request and this time. Only
 * {@link DpopProofs} makes one. It is good once, which {@link DpopProofs#spend} enforces.
 */
public final class DpopProof {

    private final String thumbprint;
    private final Optional<String> accessTokenHash;
    private final byte[] id;
    private final Instant until;

    DpopProof(String thumbprint, Optional<String> accessTokenHash, byte[] id, Instant until) {
        this.thumbprint = thumbprint;
        this.accessTokenHash = accessTokenHash;
        this.id = id;
        this.until = until;
    }

    /** Returns the thumbprint of the key (RFC 7638), which a token is bound to. */
    public String thumbprint() {
        return thumbprint;
    }

    /** Returns the hash of the access token that it was made for: {@code ath}. */
    Optional<String> accessTokenHash() {
        return accessTokenHash;
    }

    byte[] id() {
        return id;
    }

    Instant until() {
        return until;
    }
}
