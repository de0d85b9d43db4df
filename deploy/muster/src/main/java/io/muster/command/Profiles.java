// SPDX-License-Identifier: Apache-2.0
package io.muster.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** The profiles of a user: registries with the tokens for them, in a file that only the user can read. */
final class Profiles {

    private static final String CURRENT = "current";
    private static final String NAMES = "[A-Za-z0-9._-]{1,64}";

    private final Path file;
    private final Map<String, Object> profiles = new LinkedHashMap<>();
    private String current = "default";

    private Profiles(Path file) {
        this.file = file;
    }

    /** Reads them; there may be none. */
    static Profiles of(Shell shell) throws Failure {
        Profiles all = new Profiles(shell.settings().resolve("profiles.json"));
        try {
            String text = Files.readString(all.file);
            if (!SecretFile.isPrivate(all.file)) {
                throw new Failure(
                        Exit.USAGE,
                        "Others can read " + all.file + ", which has tokens. Replace the tokens, and chmod 600 it.");
            }
            Map<String, Object> read = Json.object(text);
            all.current = Json.text(read, CURRENT);
            if (read.get("profiles") instanceof Map<?, ?> named) {
                named.forEach((name, profile) -> all.profiles.put(String.valueOf(name), profile));
            }
        } catch (NoSuchFileException e) {
            return all;
        } catch (IOException e) {
            throw new Failure(Exit.USAGE, all.file + ": " + e.getMessage());
        }
        return all;
    }

    /** The name of the profile that counts if none is named. */
    String current() {
        return current;
    }

    Path file() {
        return file;
    }

    Iterable<String> names() {
        return profiles.keySet();
    }

    Optional<Map<String, Object>> find(String name) {
        if (!(profiles.get(name) instanceof Map<?, ?> found)) {
            return Optional.empty();
        }
        Map<String, Object> profile = new LinkedHashMap<>();
        found.forEach((key, value) -> profile.put(String.valueOf(key), value));
        return Optional.of(profile);
    }

    void put(String name, Map<String, Object> profile) throws Failure {
        if (!name.matches(NAMES)) {
            throw new Failure(Exit.USAGE, "The name of a profile has 1 to 64 letters, digits and ._-");
        }
        profiles.put(name, profile);
        write();
    }

    boolean remove(String name) throws Failure {
        boolean removed = profiles.remove(name) != null;
        if (removed) {
            write();
        }
        return removed;
    }

    void use(String name) throws Failure {
        if (!profiles.containsKey(name)) {
            throw new Failure(Exit.USAGE, "There is no profile " + name + ".");
        }
        current = name;
        write();
    }

    private void write() throws Failure {
        try {
            SecretFile.replace(file, Json.pretty(Map.of(CURRENT, current, "profiles", profiles)) + "\n");
        } catch (IOException e) {
            throw new Failure(Exit.USAGE, "Cannot write " + file + ": " + e.getMessage());
        }
    }
}
