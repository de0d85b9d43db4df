// SPDX-License-Identifier: Apache-2.0
package io.muster.persistence;

import io.muster.config.ConfigurationException;
import io.muster.spi.WrittenText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * The key under which private keys rest in the database: 256 bits from a file that every node has. AES-GCM.
 *
 * <p>While the key is changed, the file has two keys, one on each line. The first one seals. The registry still opens values that the
 * second one sealed, and {@link SealedColumn} seals them under the first one.
 */
public final class MasterKey {

    private static final int BYTES = 32;
    private static final int NONCE = 12;
    private static final int TAG_BITS = 128;

    private static final int MOST = 2;

    /** The first one seals. */
    private final List<SecretKeySpec> keys;

    private MasterKey(List<SecretKeySpec> keys) {
        this.keys = List.copyOf(keys);
    }

    /**
     * Reads the key. Creates it if the database holds nothing that was sealed under one.
     *
     * @throws ConfigurationException if it is missing or cannot be read
     */
    public static MasterKey open(Database database, Path file) {
        if (!Files.exists(file)) {
            if (isInUse(database)) {
                throw new ConfigurationException(List.of("muster.master-key-file: " + file
                        + " is missing, and the signing keys in the database are encrypted under it"));
            }
            create(file);
        }
        return read(file);
    }

    private static boolean isInUse(Database database) {
        return database.jdbc(Sql.of("SELECT 1 FROM signing_key LIMIT 1").exists());
    }

    /** Reads the keys from the file. */
    private static MasterKey read(Path file) {
        String why = "it holds something else: a key is 44 characters, and there are " + MOST + " at most, one a line";
        try {
            List<byte[]> keys = WrittenText.read(file)
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .map(Base64.getDecoder()::decode)
                    .toList();
            if (!keys.isEmpty() && keys.size() <= MOST && keys.stream().allMatch(key -> key.length == BYTES)) {
                return new MasterKey(
                        keys.stream().map(key -> new SecretKeySpec(key, "AES")).toList());
            }
        } catch (AccessDeniedException e) {
            why = "this process may not; make it readable by the user that runs Muster, and by nobody else";
        } catch (IOException e) {
            why = WrittenText.reason(e);
        } catch (IllegalArgumentException e) {
            // It is not base64.
        }
        throw new ConfigurationException(List.of(
                "muster.master-key-file: cannot read a key of 32 bytes in base64 from " + file + " (" + why + ")"));
    }

    /** Creates the file with a new key, readable by its owner only, unless another process was first. */
    private static void create(Path file) {
        byte[] key = new byte[BYTES];
        new SecureRandom().nextBytes(key);
        try {
            // If another process was first, its key prevails.
            OwnerOnlyFile.create(file, Base64.getEncoder().encodeToString(key));
        } catch (IOException e) {
            throw new ConfigurationException(List.of("muster.master-key-file: cannot write " + file + " ("
                    + e.getClass().getSimpleName() + ")"));
        }
    }

    /** Makes a key of its own for one thing, which is stored sealed under the registry's. */
    public static MasterKey of(byte[] key) {
        return new MasterKey(List.of(new SecretKeySpec(key, "AES")));
    }

    /** Tells whether the file has a second key, so that what it sealed is to be sealed under the first. */
    public boolean isBeingChanged() {
        return keys.size() > 1;
    }

    /**
     * Returns a key of 32 bytes for each key of the file, in their order. It is the same on every node, and tells nothing about the
     * one it is made of, or that of another purpose.
     */
    public List<byte[]> derive(String purpose) {
        return keys.stream().map(key -> derived(key, purpose)).toList();
    }

    private static byte[] derived(SecretKeySpec key, String purpose) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key.getEncoded(), "HmacSHA256"));
            return mac.doFinal(purpose.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has HmacSHA256", e);
        }
    }

    /** Encrypts for this purpose only. */
    public byte[] seal(byte[] plain, String purpose) {
        byte[] nonce = new byte[NONCE];
        new SecureRandom().nextBytes(nonce);
        try {
            byte[] sealed = crypt(Cipher.ENCRYPT_MODE, keys.get(0), nonce, plain, purpose);
            return ByteBuffer.allocate(NONCE + sealed.length)
                    .put(nonce)
                    .put(sealed)
                    .array();
        } catch (AEADBadTagException e) {
            throw new IllegalStateException("nothing is checked when something is sealed", e);
        }
    }

    /**
     * Decrypts.
     *
     * @throws ConfigurationException if it was sealed under another key or for another purpose, or was altered
     */
    public byte[] open(byte[] sealed, String purpose) {
        return keys.stream()
                .flatMap(key -> opened(key, sealed, purpose).stream())
                .findFirst()
                .orElseThrow(() -> new ConfigurationException(
                        List.of("muster.master-key-file: this is not the master key under which the"
                                + " signing keys in the database are encrypted; use the same file on every node")));
    }

    /**
     * Returns what was sealed under the second key, sealed under the first one; empty if it is sealed under the first one already.
     *
     * @throws ConfigurationException as {@link #open}
     */
    Optional<byte[]> resealed(byte[] sealed, String purpose) {
        return opened(keys.get(0), sealed, purpose).isPresent()
                ? Optional.empty()
                : Optional.of(seal(open(sealed, purpose), purpose));
    }

    private static Optional<byte[]> opened(SecretKeySpec key, byte[] sealed, String purpose) {
        byte[] nonce = Arrays.copyOf(sealed, NONCE);
        byte[] text = Arrays.copyOfRange(sealed, NONCE, sealed.length);
        try {
            return Optional.of(crypt(Cipher.DECRYPT_MODE, key, nonce, text, purpose));
        } catch (AEADBadTagException e) {
            return Optional.empty();
        }
    }

    private static byte[] crypt(int mode, SecretKeySpec key, byte[] nonce, byte[] text, String purpose)
            throws AEADBadTagException {
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
            cipher.updateAAD(purpose.getBytes(StandardCharsets.UTF_8));
            return cipher.doFinal(text);
        } catch (AEADBadTagException e) {
            throw e;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java platform has AES-GCM", e);
        }
    }
}
