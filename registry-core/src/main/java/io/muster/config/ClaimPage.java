// SPDX-License-Identifier: Apache-2.0
package io.muster.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.muster.spi.WrittenText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The operator's own look of the claim page.
 *
 * @param title its name for people
 * @param colour the colour of its head and its main buttons, {@code #rrggbb}
 * @param logo the picture beside the title
 * @param texts files with texts in further languages, or other texts in the languages that there are; by the language's tag
 */
public record ClaimPage(String title, String colour, Optional<Logo> logo, Map<String, byte[]> texts) {

    private static final int LONGEST_TITLE = 60;
    private static final String COLOUR = "#14532d";
    private static final int LARGEST_LOGO = 256 * 1024;
    private static final int LARGEST_TEXTS = 64 * 1024;
    private static final Pattern TEXTS = Pattern.compile("([a-z]{2,3}(?:-[a-z0-9]{2,8}){0,3})\\.json");
    private static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    /**
     * A picture.
     *
     * @param bytes as they are in the file
     * @param type its media type, which its first bytes show
     */
    public record Logo(byte[] bytes, String type) {

        /** Finds out what a file is. */
        static Optional<Logo> of(byte[] bytes) {
            String start = new String(bytes, 0, Math.min(bytes.length, 1024), StandardCharsets.ISO_8859_1);
            if (start.startsWith("\u0089PNG\r\n\u001a\n")) {
                return Optional.of(new Logo(bytes, "image/png"));
            }
            if (start.startsWith("\u00ff\u00d8\u00ff")) {
                return Optional.of(new Logo(bytes, "image/jpeg"));
            }
            if (start.startsWith("RIFF") && start.startsWith("WEBP", 8)) {
                return Optional.of(new Logo(bytes, "image/webp"));
            }
            return start.stripLeading().startsWith("<") && start.contains("<svg")
                    ? Optional.of(new Logo(bytes, "image/svg+xml"))
                    : Optional.empty();
        }
    }

    static ClaimPage read(Settings settings) {
        String title = settings.text("title", "Muster");
        if (title.length() > LONGEST_TITLE || title.chars().anyMatch(Character::isISOControl)) {
            settings.fault("title", "must have at most " + LONGEST_TITLE + " characters and no control characters");
            title = "Muster";
        }
        String colour = settings.text("colour", COLOUR);
        if (!colour.matches("#[0-9a-fA-F]{6}")) {
            settings.fault("colour", "must be six hex digits after a #, such as " + COLOUR);
            colour = COLOUR;
        }
        return new ClaimPage(
                title,
                colour,
                settings.path("logo-file").flatMap(file -> logo(settings, file)),
                settings.path("texts-dir")
                        .map(directory -> texts(settings, directory))
                        .orElse(Map.of()));
    }

    private static Optional<Logo> logo(Settings settings, Path file) {
        Optional<byte[]> bytes = bytes(settings, "logo-file", file, LARGEST_LOGO);
        Optional<Logo> logo = bytes.flatMap(Logo::of);
        if (bytes.isPresent() && logo.isEmpty()) {
            settings.fault("logo-file", file + " is no PNG, JPEG, WebP or SVG");
        }
        return logo;
    }

    private static Map<String, byte[]> texts(Settings settings, Path directory) {
        Map<String, byte[]> texts = new TreeMap<>();
        try (Stream<Path> files = Files.list(directory)) {
            files.sorted().forEach(file -> {
                var name = TEXTS.matcher(file.getFileName().toString());
                if (!name.matches()) {
                    settings.fault("texts-dir", file + " is not named after a language in lower case, such as fr.json");
                    return;
                }
                bytes(settings, "texts-dir", file, LARGEST_TEXTS)
                        .filter(bytes -> areTexts(settings, file, bytes))
                        .ifPresent(bytes -> texts.put(name.group(1), bytes));
            });
        } catch (IOException e) {
            settings.fault("texts-dir", "cannot read " + directory + " (" + WrittenText.reason(e) + ")");
        }
        return texts;
    }

    private static boolean areTexts(Settings settings, Path file, byte[] bytes) {
        try {
            JsonNode texts = JSON.readTree(bytes);
            if (texts.isObject()) {
                texts.properties().forEach(text -> {
                    if (!text.getValue().isTextual()) {
                        settings.fault("texts-dir", file + ": \"" + text.getKey() + "\" is no text");
                    }
                });
                return true;
            }
            settings.fault("texts-dir", file + " must be one JSON object");
        } catch (JsonProcessingException e) {
            int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
            settings.fault("texts-dir", file + " is not JSON, see line " + line);
        } catch (IOException e) {
            settings.fault("texts-dir", file + " is not JSON");
        }
        return false;
    }

    private static Optional<byte[]> bytes(Settings settings, String key, Path file, int most) {
        try {
            if (Files.size(file) > most) {
                settings.fault(key, file + " has more than " + most / 1024 + " KiB");
                return Optional.empty();
            }
            return Optional.of(WrittenText.withoutMark(Files.readAllBytes(file)));
        } catch (IOException e) {
            settings.fault(key, "cannot read " + file + " (" + WrittenText.reason(e) + ")");
            return Optional.empty();
        }
    }

    /** Returns the colour of text on the colour of the page: black or white, of which one can always be read. */
    public String textColour() {
        double luminance = luminance();
        return 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 ? "#ffffff" : "#000000";
    }

    /** The relative luminance of WCAG 2. */
    private double luminance() {
        double[] parts = Arrays.stream(new int[] {1, 3, 5})
                .mapToDouble(at -> Integer.parseInt(colour, at, at + 2, 16) / 255.0)
                .map(part -> part <= 0.04045 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4))
                .toArray();
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
    }
}
