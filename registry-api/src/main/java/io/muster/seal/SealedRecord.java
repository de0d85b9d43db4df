// SPDX-License-Identifier: Apache-2.0
package io.muster.seal;

import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/**
 * A record as it is sealed. Its personal part is not in the leaf itself, but only as a digest with a salt. So it can be
 * erased, and the seal still holds.
 *
 * @param members texts by name: {@code id}, {@code at}, {@code type}, and {@code fleet}, {@code serial} and
 *     {@code deviceId} where they are known
 * @param digest of the personal part, from {@link #digest}
 */
public record SealedRecord(Map<String, String> members, byte[] digest) {

    private static final String PERSONAL = "personal";

    /** The digest of the personal part: {@code who}, and {@code detail} where there is one. */
    public static byte[] digest(byte[] salt, Map<String, String> personal) {
        var digest = MerkleTree.sha256();
        digest.update(salt);
        return digest.digest(CanonicalJson.bytes(personal));
    }

    /** Returns the hash of the leaf. */
    public byte[] leaf() {
        Map<String, String> all = new TreeMap<>(members);
        all.put(PERSONAL, HexFormat.of().formatHex(digest));
        return MerkleTree.leaf(CanonicalJson.bytes(all));
    }
}
