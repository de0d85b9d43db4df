// SPDX-License-Identifier: Apache-2.0
package io.muster.web.page;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The files of a page by name: those that were made, and those that come with the registry. Thread-safe. */
final class PageFiles {

    private final String directory;

    /** Only files that there are, so that no stranger can fill it. */
    private final Map<String, PageFile> files = new ConcurrentHashMap<>();

    /** Serves the files of a directory of the class path, which begins and ends with a slash. */
    PageFiles(String directory) {
        this.directory = directory;
    }

    /** Adds a file that was made, or replaces the one of the directory. */
    void put(String name, PageFile file) {
        files.put(name, file);
    }

    /** Finds a file of a type that pages have. */
    Optional<PageFile> find(String name) {
        PageFile known = files.get(name);
        String type = PageFile.type(name.substring(name.lastIndexOf('.') + 1));
        if (known != null || type == null) {
            return Optional.ofNullable(known);
        }
        Optional<PageFile> found = PageFile.bundled(directory + name).map(bytes -> PageFile.of(bytes, type));
        found.ifPresent(file -> files.put(name, file));
        return found;
    }
}
