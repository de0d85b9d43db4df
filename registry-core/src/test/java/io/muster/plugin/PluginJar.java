// SPDX-License-Identifier: Apache-2.0
package io.muster.plugin;

import io.muster.spi.CredentialIssuer;
import io.muster.spi.SerialVerifier;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** Makes a plug-in as its author would: compiles sources against the SPI and packs the classes. */
public final class PluginJar {

    private final Map<String, String> sources = new TreeMap<>();
    private final Map<String, byte[]> files = new TreeMap<>();
    private final List<String> left = new ArrayList<>();
    private int classFileVersion;

    /** A source, such as {@code acme/Acme.java}. */
    public PluginJar source(String name, String text) {
        sources.put(name, text);
        return this;
    }

    /** A verifier of this name, whose class is {@code acme.Acme} and has these members. */
    public PluginJar verifier(String name, String members) {
        return verifier(name, "SerialVerifier", members);
    }

    /** The same, with the interfaces that it implements. */
    public PluginJar verifier(String name, String promises, String members) {
        return named(name, promises, members).service("acme.Acme");
    }

    /**
     * Adds a credential issuer of this name. Its class is {@code acme.Acme}, implements this, and has these members.
     */
    public PluginJar issuer(String name, String promises, String members) {
        return named(name, promises, members).service(CredentialIssuer.class, "acme.Acme");
    }

    private PluginJar named(String name, String promises, String members) {
        return source(
                "acme/Acme.java",
                """
                        package acme;
                        import io.muster.spi.*;
                        import java.util.*;
                        @PluginName("%s")
                        public class Acme implements %s {
                            %s
                        }
                        """
                        .formatted(name, promises, members));
    }

    /** The service file of verifiers. */
    public PluginJar service(String lines) {
        return service(SerialVerifier.class, lines);
    }

    /** The service file of this kind. */
    public PluginJar service(Class<?> kind, String lines) {
        return file("META-INF/services/" + kind.getName(), lines);
    }

    /** A file beside the classes. */
    public PluginJar file(String name, String text) {
        files.put(name, text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        return this;
    }

    /** Omits compiled entries with this prefix from the jar. */
    public PluginJar without(String prefix) {
        left.add(prefix);
        return this;
    }

    /** Says in every class file that it is of this version. */
    public PluginJar ofClassFileVersion(int version) {
        classFileVersion = version;
        return this;
    }

    /** Writes the jar. */
    public void write(Path jar) {
        try {
            Path work = Files.createTempDirectory("plugin-jar");
            Path classes = Files.createDirectory(work.resolve("classes"));
            compile(work, classes);
            try (FileSystem zip = FileSystems.newFileSystem(jar, Map.of("create", "true"));
                    Stream<Path> compiled = Files.walk(classes)) {
                for (Path path : compiled.filter(Files::isRegularFile).toList()) {
                    String name = classes.relativize(path).toString();
                    if (left.stream().noneMatch(name::startsWith)) {
                        byte[] bytes = Files.readAllBytes(path);
                        if (classFileVersion > 0) {
                            bytes[7] = (byte) classFileVersion;
                        }
                        put(zip, name, bytes);
                    }
                }
                for (Map.Entry<String, byte[]> file : files.entrySet()) {
                    put(zip, file.getKey(), file.getValue());
                }
            }
            try (Stream<Path> rest = Files.walk(work)) {
                rest.sorted(java.util.Comparator.reverseOrder())
                        .forEach(path -> path.toFile().delete());
            }
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void put(FileSystem zip, String name, byte[] bytes) throws IOException {
        Path entry = zip.getPath(name);
        if (entry.getParent() != null) {
            Files.createDirectories(entry.getParent());
        }
        Files.write(entry, bytes);
    }

    private void compile(Path work, Path classes) throws IOException, URISyntaxException {
        if (sources.isEmpty()) {
            return;
        }
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter said = new StringWriter();
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            List<Path> written = sources.entrySet().stream()
                    .map(source -> write(work.resolve(source.getKey()), source.getValue()))
                    .toList();
            Path spi = Path.of(SerialVerifier.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            boolean compiled = compiler.getTask(
                            said,
                            manager,
                            null,
                            List.of("-d", classes.toString(), "-cp", spi.toString(), "-proc:none"),
                            null,
                            manager.getJavaFileObjectsFromPaths(written))
                    .call();
            if (!compiled) {
                throw new IllegalStateException(said.toString());
            }
        }
    }

    private static Path write(Path file, String text) {
        try {
            Files.createDirectories(file.getParent());
            return Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
