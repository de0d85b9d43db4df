// SPDX-License-Identifier: Apache-2.0
package io.muster.client;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Map;
import javax.crypto.Cipher;
import javax.crypto.KeyAgreement;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Decrypts texts for a key of this device: only the compact form (RFC 7516) with {@code ECDH-ES} on P-256 and
 * {@code A256GCM}.
 */
final class Jwe {

    private static final String ENCRYPTION = "A256GCM";
    private static final int KEY_BITS = 256;
    private static final int IV_BYTES = 12;
    private static final int TAG_BYTES = 16;

    private Jwe() {}

    /**
     * Decrypts and proves that nothing was changed.
     *
     * @throws IOException if it is of another form, for another key, or was changed; quotes nothing of it
     */
    static byte[] open(String compact, JoseKey recipient) throws IOException {
        try {
            String[] parts = compact.split("\\.", -1);
            if (parts.length != 5 || !parts[1].isEmpty()) {
                throw new IllegalArgumentException("not a compact JWE with a key agreed directly");
            }
            Map<String, Object> header = Json.readObject(Base64Url.decode(parts[0]));
            byte[] iv = Base64Url.decode(parts[2]);
            byte[] text = Base64Url.decode(parts[3]);
            byte[] tag = Base64Url.decode(parts[4]);
            if (!"ECDH-ES".equals(header.get("alg"))
                    || !ENCRYPTION.equals(header.get("enc"))
                    || header.containsKey("crit")
                    || header.containsKey("zip")
                    || !(header.get("epk") instanceof Map<?, ?> ephemeral)
                    || iv.length != IV_BYTES
                    || tag.length != TAG_BYTES) {
                throw new IllegalArgumentException("not ECDH-ES with A256GCM");
            }
            KeyAgreement agreement = KeyAgreement.getInstance("ECDH");
            agreement.init(recipient.privateKey());
            agreement.doPhase(JoseKey.p256(ephemeral), true);
            byte[] key = derive(
                    agreement.generateSecret(), ENCRYPTION, party(header, "apu"), party(header, "apv"), KEY_BITS);

            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"), new GCMParameterSpec(TAG_BYTES * 8, iv));
            cipher.updateAAD(parts[0].getBytes(StandardCharsets.US_ASCII));
            byte[] sealed = Arrays.copyOf(text, text.length + tag.length);
            System.arraycopy(tag, 0, sealed, text.length, tag.length);
            return cipher.doFinal(sealed);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            // Neither show nor chain the exception: it may reveal the key or the text.
            throw new IOException("not sealed for this device, or damaged");
        }
    }

    /** Derives a key as RFC 7518 section 4.6.2 does, for as many bits as one digest has. */
    static byte[] derive(byte[] shared, String algorithm, byte[] partyU, byte[] partyV, int bits)
            throws GeneralSecurityException {
        ByteArrayOutputStream input = new ByteArrayOutputStream();
        input.writeBytes(number(1)); // the first round, and the only one
        input.writeBytes(shared);
        for (byte[] part : new byte[][] {algorithm.getBytes(StandardCharsets.US_ASCII), partyU, partyV}) {
            input.writeBytes(number(part.length));
            input.writeBytes(part);
        }
        input.writeBytes(number(bits));
        return Arrays.copyOf(MessageDigest.getInstance("SHA-256").digest(input.toByteArray()), bits / Byte.SIZE);
    }

    private static byte[] party(Map<String, Object> header, String name) {
        return Base64Url.decode(Json.text(header, name).orElse(""));
    }

    private static byte[] number(int value) {
        return ByteBuffer.allocate(Integer.BYTES).putInt(value).array();
    }
}
