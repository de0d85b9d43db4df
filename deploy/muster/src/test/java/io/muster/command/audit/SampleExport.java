// SPDX-License-Identifier: Apache-2.0
package io.muster.command.audit;

import io.muster.seal.CanonicalJson;
import io.muster.seal.MerkleTree;
import io.muster.seal.Seal;
import io.muster.seal.SealedRecord;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** An export as the registry writes it, made without the registry. */
final class SampleExport {

    static final String KID = "the-key";
    static final KeyPair KEY = pair();

    private static final HexFormat HEX = HexFormat.of();

    private SampleExport() {}

    static KeyPair pair() {
        try {
            return KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static Map<String, PublicKey> keys() {
        return Map.of(KID, KEY.getPublic());
    }

    static String id(int record) {
        return String.format("%032x", record);
    }

    /** Returns the lines of so many seals with so many records each; the last line is the end. */
    static List<String> lines(int seals, int perSeal) {
        List<String> lines = new ArrayList<>(seals * (perSeal + 1) + 1);
        Optional<byte[]> previous = Optional.empty();
        Instant from = Instant.EPOCH;
        for (int number = 1; number <= seals; number++) {
            List<String> records = new ArrayList<>();
            List<String> leaves = new ArrayList<>();
            List<byte[]> hashes = new ArrayList<>();
            for (int place = 0; place < perSeal; place++) {
                int record = (number - 1) * perSeal + place;
                Map<String, String> members = Map.of(
                        "id",
                        id(record),
                        "at",
                        Instant.ofEpochSecond(1_000L * number).toString(),
                        "type",
                        "refused",
                        "serial",
                        "SN-" + record);
                Map<String, String> personal = Map.of("who", "192.0.2." + record % 256, "detail", "not in the list");
                byte[] salt = id(record).getBytes(StandardCharsets.US_ASCII);
                byte[] hash = new SealedRecord(members, SealedRecord.digest(salt, personal)).leaf();
                hashes.add(hash);
                leaves.add("{\"id\":\"" + id(record) + "\",\"hash\":\"" + HEX.formatHex(hash) + "\"}");
                records.add("{\"inSeal\":" + number + ",\"position\":" + place + ",\"record\":" + text(members)
                        + ",\"personal\":" + text(personal) + ",\"salt\":\"" + HEX.formatHex(salt) + "\"}");
            }
            Instant to = Instant.ofEpochSecond(1_000L * number + 500);
            Seal seal = Seal.unsigned(number, perSeal, MerkleTree.root(hashes), previous, from, to, to, KID)
                    .signed(KEY.getPrivate());
            lines.add("{\"seal\":" + text(seal.members()) + ",\"leaves\":["
                    + leaves.stream().collect(Collectors.joining(",")) + "]}");
            lines.addAll(records);
            previous = Optional.of(seal.hash());
            from = to;
        }
        lines.add("{\"end\":" + seals + "}");
        return lines;
    }

    private static String text(Map<String, ?> members) {
        return new String(CanonicalJson.bytes(members), StandardCharsets.UTF_8);
    }
}
